package validate_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"

	"github.com/accord-api/accord/validate"
)

// line and order stand for generated body types.
type line struct {
	SKU      string `json:"sku"`
	Quantity int32  `json:"quantity"`
}

type order struct {
	ID    uuid.UUID  `json:"id"`
	Note  *string    `json:"note,omitempty"`
	Lines []line     `json:"lines"`
	When  *time.Time `json:"when,omitempty"`
	Day   types.Date `json:"day"`
	Price float64    `json:"price"`
	Paid  bool       `json:"paid"`
	Inner *open      `json:"inner,omitempty"`
}

type open struct {
	Token string `json:"token"`
}

var text = &validate.Shape{Kind: validate.String}

var lineShape = validate.Shape{Kind: validate.Object, Closed: true, Members: []validate.Member{
	{Name: "sku", Required: true, Shape: text},
	{Name: "quantity", Required: true, Shape: &validate.Shape{Kind: validate.Integer, Bits: 32}},
}}

var openShape = validate.Shape{Kind: validate.Object, Members: []validate.Member{{Name: "token", Required: true, Shape: text}}}

var orderShape = validate.Shape{Kind: validate.Object, Closed: true, MinMembers: 1, Members: []validate.Member{
	{Name: "id", Required: true, Shape: &validate.Shape{Kind: validate.String, Format: validate.UUID}},
	{Name: "note", Shape: &validate.Shape{Kind: validate.String, Nullable: true}},
	{Name: "lines", Required: true, Shape: &validate.Shape{Kind: validate.Array, Items: &lineShape}},
	{Name: "when", Shape: &validate.Shape{Kind: validate.String, Format: validate.DateTime}},
	{Name: "day", Shape: &validate.Shape{Kind: validate.String, Format: validate.Date}},
	{Name: "price", Shape: &validate.Shape{Kind: validate.Number}},
	{Name: "paid", Shape: &validate.Shape{Kind: validate.Boolean}},
	{Name: "inner", Shape: &openShape},
}}

func (*order) Shape() *validate.Shape { return &orderShape }
func (*open) Shape() *validate.Shape  { return &openShape }

const id = `"0198c0de-0000-7000-8000-000000000001"`

func TestJSONSyntax(t *testing.T) {
	t.Parallel()

	for name, body := range map[string]string{
		"empty":              ``,
		"space":              ` `,
		"truncated":          `{"id":`,
		"trailing":           `{} {}`,
		"trailing comma":     `{"a":1,}`,
		"no colon":           `{"a" 1}`,
		"single quotes":      `{'a':1}`,
		"bad literal":        `{"a":nul}`,
		"leading zero":       `{"price":01}`,
		"plus":               `{"price":+1}`,
		"bare point":         `{"price":1.}`,
		"bare exponent":      `{"price":1e}`,
		"control character":  "{\"note\":\"a\nb\"}",
		"bad escape":         `{"note":"\x"}`,
		"short escape":       `{"note":"\u12"}`,
		"invalid UTF-8":      "{\"note\":\"\xff\"}",
		"overlong UTF-8":     "{\"note\":\"\xc0\x80\"}",
		"lone high":          `{"note":"\ud800"}`,
		"lone low":           `{"note":"\udc00"}`,
		"high and no low":    `{"note":"\ud800\u0041"}`,
		"member twice":       `{"note":"a","note":"b"}`,
		"escaped twice":      `{"note":"a","no\u0074e":"b"}`,
		"unknown twice":      `{"x":1,"x":2}`,
		"twice in unknown":   `{"x":{"y":1,"y":2}}`,
		"too deep":           `{"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
		"byte order mark":    "\ufeff{}",
		"only a bracket":     `[`,
		"mismatched bracket": `{"lines":[}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := validate.JSON([]byte(body), new(order))
			var syntax *validate.SyntaxError
			if !errors.As(err, &syntax) || syntax.Error() == "" {
				t.Fatalf("got %v, want a SyntaxError", err)
			}
			if (body == "") != errors.Is(err, io.EOF) {
				t.Errorf("is io.EOF: %v", errors.Is(err, io.EOF))
			}
		})
	}
}

func TestJSONViolations(t *testing.T) {
	t.Parallel()

	for body, want := range map[string]string{
		`{"id":` + id + `,"lines":[]}`:                                    "",
		`{"id":` + id + `,"lines":[{"sku":"a","quantity":1e1}]}`:          "",
		`{"id":` + id + `,"lines":[],"note":null,"paid":false,"price":1}`: "",
		`{"id":` + id + `,"lines":[],"inner":{"token":"a","TOKEN":"b"}}`:  "",
		`{}`:      "body:min_properties id:required lines:required",
		`null`:    "body:null",
		`[]`:      "body:type",
		`"a"`:     "body:type",
		`{"x":1}`: "id:required lines:required x:unknown",
		`{"ID":` + id + `,"id":` + id + `,"lines":[]}`:                        "ID:unknown",
		`{"paid":0,"price":"1","id":"x","lines":{}}`:                          "id:format lines:type price:type paid:type",
		`{"id":null,"lines":[null,1,{"sku":1}]}`:                              "id:null lines[0]:null lines[1]:type lines[2].sku:type lines[2].quantity:required",
		`{"id":` + id + `,"lines":[{"sku":"a","quantity":2147483648}]}`:       "lines[0].quantity:maximum",
		`{"id":` + id + `,"lines":[{"sku":"a","quantity":-2147483649}]}`:      "lines[0].quantity:minimum",
		`{"id":` + id + `,"lines":[{"sku":"a","quantity":1.5}]}`:              "lines[0].quantity:type",
		`{"id":` + id + `,"lines":[{"sku":"a","quantity":1e999999999}]}`:      "lines[0].quantity:type",
		`{"id":` + id + `,"lines":[],"price":1e400}`:                          "price:maximum",
		`{"id":` + id + `,"lines":[],"note":"a\u0000b"}`:                      "note:characters",
		`{"id":` + id + `,"lines":[],"when":"2026-02-30T00:00:00Z"}`:          "when:format",
		`{"id":` + id + `,"lines":[],"day":"2026-02-28"}`:                     "",
		`{"id":` + id + `,"lines":[],"day":null}`:                             "day:null",
		`{"id":` + id + `,"lines":[],"day":"2026-02-30"}`:                     "day:format",
		`{"id":` + id + `,"lines":[],"day":"\u0000"}`:                         "day:characters",
		`{"id":` + id + `,"lines":[],"day":1}`:                                "day:type",
		`{"id":"{0198c0de-0000-7000-8000-000000000001}","lines":[],"note":1}`: "id:format note:type",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()

			found, err := validate.JSON([]byte(body), new(order))
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(validate.Merge(found, nil)); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func codes(found validate.Violations) string {
	var list []string
	for _, v := range found {
		list = append(list, v.Field+":"+v.Code)
	}

	return strings.Join(list, " ")
}

// What is after a value that cannot be decoded still has to be.
func TestJSONDecodesTheRest(t *testing.T) {
	t.Parallel()

	var o order
	found, err := validate.JSON([]byte(`{"id":"no","note":"kept","lines":[{"sku":"a","quantity":2.0},7]}`), &o)
	if err != nil || len(found) != 2 {
		t.Fatalf("%v %v", found, err)
	}
	if o.Note == nil || *o.Note != "kept" || len(o.Lines) != 2 || o.Lines[0].Quantity != 2 {
		t.Errorf("decoded %+v", o)
	}
}

// json.Unmarshal takes a member in any letter case, and the last one wins.
func TestJSONMatchesExactly(t *testing.T) {
	t.Parallel()

	for _, body := range []string{`{"token":"right","TOKEN":"wrong"}`, `{"toKen":"wrong","token":"right"}`, "{\"token\":\"right\",\"to\u212aen\":\"wrong\"}"} {
		var o open
		if found, err := validate.JSON([]byte(body), &o); err != nil || len(found) > 0 || o.Token != "right" {
			t.Errorf("%s: %+v %v %v", body, o, found, err)
		}
	}
}

func TestViolationsAreBounded(t *testing.T) {
	t.Parallel()

	body := `{"id":` + id + `,"lines":[` + strings.Repeat("1,", 5000) + `1]}`
	found, err := validate.JSON([]byte(body), new(order))
	if err != nil || len(validate.Merge(found, found)) != 100 {
		t.Errorf("%d violations, %v", len(found), err)
	}
}

func TestForm(t *testing.T) {
	t.Parallel()

	for body, want := range map[string]string{
		"token=a+b":               "",
		"token=a&other=b":         "",
		"token=%F0%9F%98%80":      "",
		"token=":                  "token:required",
		"":                        "token:required",
		"other=a":                 "token:required",
		"token=a%00":              "token:characters",
		"token=a&token=b":         "body: error",
		"token=a&x=1&x=2":         "body: error",
		"token=%ff":               "body: error",
		"token=%zz":               "body: error",
		"token=a;b=c":             "",
		"token=a;token=b":         "",
		"token=a&TOKEN=b":         "",
		"token=a&%74oken=b":       "body: error",
		"token=null&token%5B%5D=": "",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()

			var o open
			found, err := validate.Form([]byte(body), &o)
			got := codes(found)
			if err != nil {
				if _, ok := errors.AsType[*validate.SyntaxError](err); !ok {
					t.Fatal(err)
				}
				got = "body: error"
			}
			if got != want {
				t.Errorf("got %q (%v), want %q", got, err, want)
			}
			if err == nil && len(found) == 0 && (o.Token == "" || o.Token == "b") {
				t.Errorf("token %q", o.Token)
			}
		})
	}
}

func TestMergeSilencesRules(t *testing.T) {
	t.Parallel()

	var c validate.Check
	c.Member(0, "id")
	c.Add("pattern", "speaks about the zero value")
	c.End()
	c.Member(1, "note")
	c.MinLength("a", 2)
	c.End()
	c.Member(2, "lines")
	c.Item(0)
	c.Member(0, "sku")
	c.MinLength("", 1)
	c.End()
	c.End()
	c.End()
	found, err := validate.JSON([]byte(`{"note":"a","lines":[7],"x":1}`), new(order))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := codes(validate.Merge(found, c.Found())), "id:required note:min_length lines[0]:type x:unknown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzJSON: whatever the scan lets pass, json.Unmarshal takes, and nothing panics.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"id":` + id + `,"lines":[{"sku":"a","quantity":1}],"when":"2026-01-15T09:30:00Z","price":1e3}`,
		`{"inner":{"TOKEN":"\ud83d\ude00"}}`, `[1,{"a":null}]`, `{"id":"x","lines":[{"sku":1,"quantity":1.0},null]}`, `"\u0000"`, `-0.0e-1`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		clean, found, err := validate.Scan(data, &orderShape)
		if err != nil {
			return
		}
		if !json.Valid(data) || !json.Valid(clean) {
			t.Fatalf("%q is not JSON to encoding/json (as %q)", data, clean)
		}
		if err := json.Unmarshal(clean, new(order)); err != nil {
			t.Fatalf("%q was scanned but not decoded: %v", data, err)
		}
		if len(found) == 0 {
			if err := json.Unmarshal(data, new(order)); err != nil && !strings.ContainsAny(string(data), ".eE") {
				t.Fatalf("%q was found valid: %v", data, err)
			}
		}
	})
}
