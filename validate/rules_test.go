package validate_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/accord-api/accord/validate"
)

func TestEmail(t *testing.T) {
	t.Parallel()

	for s, want := range map[string]bool{
		"a@b.co": true, "ada.lovelace+tag@sub.example-1.com": true, "!#$%&'*+-/=?^_`{|}~@example.com": true,
		strings.Repeat("a", 64) + "@example.com": true, strings.Repeat("a", 65) + "@example.com": false,
		"": false, "@": false, "a": false, "a@b": false, "@b.co": false, "a@": false, "a@.co": false, "a@b.": false, "a@b..co": false,
		"a@b@c.co": false, ".a@b.co": false, "a.@b.co": false, "a..b@b.co": false, "a b@b.co": false, "a@b c.co": false, "é@b.co": false,
		"a@é.co": false, "a@-b.co": false, "a@b-.co": false, "a@1.2.3.4": false, "a@[1.2.3.4]": false, `"a"@b.co`: false, "a@b.co\n": false,
		"a@" + strings.Repeat("b", 64) + ".co": false, "a@" + strings.Repeat("b.", 125) + "cc": true, "a@" + strings.Repeat("b.", 126) + "c": false,
	} {
		if validate.IsEmail(s) != want {
			t.Errorf("IsEmail(%q) is not %v", s, want)
		}
	}
}

func TestRulesCountCharacters(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		text string
		want string
	}{{"😀😀", ":min_length"}, {"😀😀😀", ""}, {"ééééé", ""}, {"éééééé", ":max_length"}, {"", ":min_length"}} {
		var check validate.Check
		check.Member(0, "x")
		check.MinLength(c.text, 3)
		check.MaxLength(c.text, 5)
		check.End()
		if got := strings.TrimPrefix(codes(check.Found()), "x"); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()

	var c validate.Check
	c.Param(0, "q")
	c.Text("a\x00")
	c.Text("\xff")
	c.End()
	c.Member(3, "lines")
	c.Items(0, 1, 2)
	c.Items(3, 1, 2)
	c.Item(4)
	c.Member(1, "sku")
	c.Pattern("a", regexp.MustCompile("b"), "must be b")
	c.Format("a", validate.IsUUID, "must be a UUID")
	c.Enum("b")
	c.Bound(validate.CodeMinimum, "at least", "1")
	c.MultipleOf("5")
	c.End()
	c.End()
	validate.Unique(&c, []int{1, 2, 1})
	validate.Unique(&c, []int{1, 2, 3})
	validate.Unique(&c, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 9})
	c.End()
	want := "q:characters q:characters lines:min_items lines:max_items lines[4].sku:pattern lines[4].sku:format lines[4].sku:enum " +
		"lines[4].sku:minimum lines[4].sku:multiple_of lines:unique_items lines:unique_items"
	if got := codes(c.Found()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if message := c.Found().Error(); strings.Contains(message, "\x00") || !strings.Contains(message, "lines[4].sku must be b") {
		t.Error(message)
	}
	if c.Found()[2].Message != "must have at least 1 item" {
		t.Error(c.Found()[2].Message)
	}
}

func TestIsMultiple(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		value float64
		of    string
		want  bool
	}{{0.3, "0.1", true}, {0.35, "0.1", false}, {19.99, "0.01", true}, {0, "7", true}, {1, "0", false}} {
		if validate.IsMultiple(c.value, c.of) != c.want {
			t.Errorf("%v of %s is not %v", c.value, c.of, c.want)
		}
	}
}

func TestParams(t *testing.T) {
	t.Parallel()

	for query, want := range map[string]string{
		"n=1&must=a":                    "",
		"n=1&must=a&list=a&list=b":      "",
		"n=1.0&must=a":                  "n:type",
		"n=1e1&must=a":                  "n:type",
		"n=x&b=1&f=.&id=1&at=2":         "must:required n:type b:type f:type id:format at:format",
		"must=a&must=b&n=1&n=2":         "must:repeated n:repeated",
		"must=a&n=99999999999":          "n:maximum",
		"must=a&b=true&f=1e2&d=2026-1":  "d:format",
		"must=a&b=false&d=2026-01-15":   "",
		"must=a&at=2026-01-15T00:00:00": "at:format",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()

			p, err := validate.ReadParams(httptest.NewRequest(http.MethodGet, "/?"+query, nil))
			if err != nil {
				t.Fatal(err)
			}
			validate.RequiredQuery(p, 0, "must", validate.Text[string])
			validate.Query(p, 1, "n", validate.Int32[int32])
			validate.Query(p, 2, "b", validate.Bool[bool])
			validate.Query(p, 3, "f", validate.Float64[float64])
			validate.Query(p, 4, "id", validate.UUIDText)
			validate.Query(p, 5, "at", validate.TimeText)
			validate.Query(p, 6, "d", validate.DateText)
			validate.QueryList(p, 7, "list", validate.Text[string])
			if got := codes(p.Found()); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// net/http and Echo pass over what cannot be decoded in a URL.
func TestReadParamsRefuses(t *testing.T) {
	t.Parallel()

	for _, target := range []string{"/?a=%zz", "/?a=%ff", "/?%ff=a", "/a%ffb"} {
		if _, err := validate.ReadParams(httptest.NewRequest(http.MethodGet, target, nil)); err == nil {
			t.Errorf("%s was read", target)
		}
	}
}

// A semicolon parts nothing, so that no two readers see different parameters.
func TestSemicolonIsACharacter(t *testing.T) {
	t.Parallel()

	p, err := validate.ReadParams(httptest.NewRequest(http.MethodGet, "/?a=1;b=2&c;=3", nil))
	if err != nil {
		t.Fatal(err)
	}
	if a := validate.Query(p, 0, "a", validate.Text[string]); *a != "1;b=2" {
		t.Errorf("a is %q", *a)
	}
	if b := validate.Query(p, 0, "b", validate.Text[string]); b != nil {
		t.Errorf("b is %q", *b)
	}
}

func TestPathIsDecodedOnce(t *testing.T) {
	t.Parallel()

	p, err := validate.ReadParams(httptest.NewRequest(http.MethodGet, "/a%2Fb", nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := validate.Path(p, 0, "name", "a%2Fb", validate.Text[string]); got != "a/b" {
		t.Errorf("got %q", got)
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()

	for header, want := range map[string]string{
		"application/json": "application/json", "Application/JSON; charset=utf-8": "application/json", "": "", "application/jsonx": "application/jsonx", ";": "",
	} {
		if got := validate.MediaType(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
