package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/validate"
)

// minComparisons keeps the oracle from agreeing about nothing. The number of
// the document as it is now stands in the test's log.
const minComparisons = 2500

// TestOracle holds the generated validators against a JSON Schema library. For
// each operation it takes a valid request, changes one parameter or member at a
// time, and asks both for their verdict.
func TestOracle(t *testing.T) {
	t.Parallel()

	o := newOracle(t)
	for _, path := range sorted(object(o.document["paths"])) {
		item := object(object(o.document["paths"])[path])
		for _, method := range sorted(item) {
			if operation := object(item[method]); operation["operationId"] != nil {
				o.operation(t, path, method, item, operation)
			}
		}
	}
	t.Logf("%d comparisons, %d of them refused by both", o.compared, o.refused)
	if o.compared < minComparisons {
		t.Errorf("%d comparisons, want at least %d", o.compared, minComparisons)
	}
}

type oracle struct {
	document map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
	echo     *echo.Echo

	compared, refused int
}

func newOracle(t *testing.T) *oracle {
	t.Helper()

	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(api.OpenAPI))
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{
		document: object(document),
		compiler: jsonschema.NewCompiler(),
		schemas:  map[string]*jsonschema.Schema{},
		echo:     validatingEcho(),
	}
	o.compiler.AssertFormat()
	// Where the contract's rule is stricter than the library's.
	for name, holds := range map[string]func(string) bool{
		"email": validate.IsEmail, "uri": validate.IsURI, "uri-reference": validate.IsURIReference,
	} {
		o.compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: checkText(holds)})
	}
	o.compiler.RegisterFormat(&jsonschema.Format{Name: "int32", Validate: checkBits(32)})
	o.compiler.RegisterFormat(&jsonschema.Format{Name: "int64", Validate: checkBits(64)})
	if err := o.compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}

	return o
}

func checkText(holds func(string) bool) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); ok && !holds(s) {
			return errors.New("breaks the contract's rule")
		}

		return nil
	}
}

func checkBits(bits int) func(any) error {
	return func(v any) error {
		n, ok := v.(json.Number)
		if !ok {
			return nil
		}
		f, err := n.Float64()
		if limit := float64(uint64(1) << (bits - 1)); err != nil || f >= limit || f < -limit {
			return errors.New("out of range")
		}

		return nil
	}
}

// validatingEcho serves every operation with 204 once it was found valid.
func validatingEcho() *echo.Echo {
	e := echo.New()
	e.Binder = binder{}
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var found validate.Violations
		var syntax *validate.SyntaxError
		switch {
		case errors.As(err, &found):
			_ = c.JSON(http.StatusUnprocessableEntity, found)
		case errors.As(err, &syntax):
			_ = c.String(http.StatusBadRequest, syntax.Error())
		default:
			_ = c.String(http.StatusInternalServerError, err.Error())
		}
	}
	accept := func(api.StrictHandlerFunc, string) api.StrictHandlerFunc {
		return func(c echo.Context, _ any) (api.Answer, error) { return nil, c.NoContent(http.StatusNoContent) }
	}
	api.RegisterHandlers(e, api.NewStrictHandler(nil, []api.StrictMiddlewareFunc{accept}))

	return e
}

// call is one request in parts, each of which is varied alone.
type oracleCall struct {
	method, path string
	values       map[string]string // raw parameter values, by in and name
	params       []oracleParam
	mediaType    string
	body         map[string]any
}

type oracleParam struct {
	name, in string
	required bool
	pointer  string
	schema   map[string]any
}

func (p oracleParam) key() string { return p.in + " " + p.name }

func (o *oracle) operation(t *testing.T, path, method string, item, operation map[string]any) {
	t.Helper()

	call := oracleCall{method: strings.ToUpper(method), path: path, values: map[string]string{}}
	base := "/paths/" + escape(path)
	o.readParams(&call, base+"/parameters", item["parameters"])
	o.readParams(&call, base+"/"+method+"/parameters", operation["parameters"])
	for _, p := range call.params {
		call.values[p.key()] = o.valid(t, p.pointer, p.schema).(string)
	}

	content := object(o.resolve(object(operation["requestBody"]))["content"])
	if len(content) == 0 {
		o.varyParams(t, call)

		return
	}
	for _, mediaType := range sorted(content) {
		pointer := base + "/" + method + "/requestBody/content/" + escape(mediaType) + "/schema"
		schema := object(object(content[mediaType])["schema"])
		if schema == nil || mediaType == echo.MIMEMultipartForm { // bytes, or parts, that only the method looks into
			continue
		}
		call.mediaType = mediaType
		call.body = o.validBody(t, pointer, schema)
		o.varyParams(t, call)
		o.varyBody(t, call, pointer, schema)
	}
}

func (o *oracle) readParams(call *oracleCall, pointer string, list any) {
	params, _ := list.([]any)
	for i, one := range params {
		at := pointer + "/" + strconv.Itoa(i)
		if ref, ok := object(one)["$ref"].(string); ok {
			at = strings.TrimPrefix(ref, "#")
		}
		p := o.resolve(object(one))
		required, _ := p["required"].(bool)
		call.params = append(call.params, oracleParam{
			name: p["name"].(string), in: p["in"].(string), required: required,
			pointer: at + "/schema", schema: object(p["schema"]),
		})
	}
}

func (o *oracle) varyParams(t *testing.T, call oracleCall) {
	t.Helper()

	if len(call.params) > 0 {
		o.compare(t, call, true, "")
	}
	for _, p := range call.params {
		varied := call
		for _, raw := range rawVariants(o, p, call.values[p.key()]) {
			if p.in == "path" && raw == "" || p.in == "header" && strings.ContainsAny(raw, "\x00\r\n") {
				continue
			}
			varied.values = maps.Clone(call.values)
			varied.values[p.key()] = raw
			o.compare(t, varied, o.holds(t, p.pointer, o.instance(p.schema, raw)), p.name)
		}
		if p.in != "path" {
			varied.values = maps.Clone(call.values)
			delete(varied.values, p.key())
			o.compare(t, varied, !p.required, p.name)
		}
	}
}

// instance is the JSON value that a parameter's text stands for.
func (o *oracle) instance(schema map[string]any, raw string) any {
	kind := o.typeOf(schema)
	if kind == "array" {
		return []any{o.instance(object(o.flat(schema)["items"]), raw)}
	}
	if kind == "string" || kind == "integer" && strings.ContainsAny(raw, ".eE") { // plain digits only
		return raw
	}
	if value, err := jsonschema.UnmarshalJSON(strings.NewReader(raw)); err == nil && strings.TrimSpace(raw) == raw && raw != "" {
		if value == nil || !strings.ContainsAny(raw[:1], "[{\"") {
			return value
		}
	}

	return raw
}

func (o *oracle) varyBody(t *testing.T, call oracleCall, pointer string, schema map[string]any) {
	t.Helper()

	o.compare(t, call, true, "body")
	form := call.mediaType == echo.MIMEApplicationForm
	o.vary(schema, call.body, "", func(field string, body any) {
		varied := call
		members, ok := body.(map[string]any)
		instance := body
		if form {
			if members = formInstance(members); !ok || members == nil {
				return
			}
			instance = members
		}
		if !ok {
			o.compareBytes(t, call, body, o.holds(t, pointer, instance))

			return
		}
		varied.body = members
		o.compare(t, varied, o.holds(t, pointer, instance), field)
	})
}

// formInstance is what a form can carry: strings, an empty one being absent;
// nil where a value has no place in a form.
func formInstance(body map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range body {
		text, ok := value.(string)
		if !ok {
			return nil
		}
		if text != "" {
			out[name] = text
		}
	}

	return out
}

// compare sends the request and holds the answer against the oracle's verdict.
// A refusal has to be about the field that was varied.
func (o *oracle) compare(t *testing.T, call oracleCall, valid bool, field string) {
	t.Helper()

	var body []byte
	switch {
	case call.mediaType == echo.MIMEApplicationForm:
		values := url.Values{}
		for name, value := range call.body {
			values.Set(name, value.(string))
		}
		body = []byte(values.Encode())
	case call.mediaType != "":
		body, _ = json.Marshal(call.body)
	}
	o.send(t, call, body, valid, field)
}

func (o *oracle) compareBytes(t *testing.T, call oracleCall, body any, valid bool) {
	t.Helper()

	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	o.send(t, call, text, valid, "body")
}

func (o *oracle) send(t *testing.T, call oracleCall, body []byte, valid bool, field string) {
	t.Helper()

	r := call.request(body)
	w := httptest.NewRecorder()
	o.echo.ServeHTTP(w, r)
	o.compared++
	want := http.StatusNoContent
	if !valid {
		o.refused++
		want = http.StatusUnprocessableEntity
	}
	if w.Code != want {
		t.Errorf("%s %s, varied %q: %d %s, the oracle says %d (sent %s %s)",
			call.method, call.path, field, w.Code, w.Body, want, r.URL, body)

		return
	}
	if !valid {
		checkBlame(t, call, w.Body.Bytes(), field, string(body))
	}
}

func checkBlame(t *testing.T, call oracleCall, answer []byte, field, sent string) {
	t.Helper()

	var found validate.Violations
	if err := json.Unmarshal(answer, &found); err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		if v.Message == "" || v.Code == "" {
			t.Errorf("%s %s: violation without message or code: %+v", call.method, call.path, v)
		}
		if field != "body" && v.Field != field && !strings.HasPrefix(v.Field, field+".") && !strings.HasPrefix(v.Field, field+"[") {
			t.Errorf("%s %s: varied %q, but %q is blamed: %s (sent %s)", call.method, call.path, field, v.Field, v.Message, sent)
		}
	}
}

func (call oracleCall) request(body []byte) *http.Request {
	path, query, header := call.path, url.Values{}, http.Header{}
	for _, p := range call.params {
		raw, there := call.values[p.key()]
		switch {
		case p.in == "path":
			path = strings.ReplaceAll(path, "{"+p.name+"}", url.PathEscape(raw))
		case there && p.in == "query":
			query.Set(p.name, raw)
		case there && p.in == "header":
			header.Set(p.name, raw)
		}
	}
	if encoded := query.Encode(); encoded != "" {
		path += "?" + encoded
	}
	r := httptest.NewRequest(call.method, path, bytes.NewReader(body))
	maps.Copy(r.Header, header)
	if call.mediaType != "" {
		r.Header.Set(echo.HeaderContentType, call.mediaType)
	}

	return r
}

// holds is the oracle's verdict.
func (o *oracle) holds(t *testing.T, pointer string, instance any) bool {
	t.Helper()

	schema := o.schemas[pointer]
	if schema == nil {
		var err error
		if schema, err = o.compiler.Compile("openapi.json#" + pointer); err != nil {
			t.Fatalf("compiling %s: %v", pointer, err)
		}
		o.schemas[pointer] = schema
	}

	return schema.Validate(instance) == nil
}

func (o *oracle) resolve(node map[string]any) map[string]any {
	for {
		ref, ok := node["$ref"].(string)
		if !ok {
			return node
		}
		parts := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		var at any = o.document
		for _, part := range parts {
			at = object(at)[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		node = object(at)
	}
}

// flat joins a schema with what it refers to, enough to find out what to vary.
func (o *oracle) flat(schema map[string]any) map[string]any {
	out := maps.Clone(o.resolve(schema))
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		parts, _ := out[key].([]any)
		for _, part := range parts {
			for k, v := range o.flat(object(part)) {
				if k == "properties" && out[k] != nil {
					merged := maps.Clone(object(out[k]))
					maps.Copy(merged, object(v))
					out[k] = merged
				} else if out[k] == nil {
					out[k] = v
				}
			}
		}
	}
	if schema["$ref"] != nil {
		for k, v := range schema {
			if k != "$ref" {
				out[k] = v
			}
		}
	}

	return out
}

func (o *oracle) typeOf(schema map[string]any) string {
	switch kind := o.flat(schema)["type"].(type) {
	case string:
		return kind
	case []any:
		for _, one := range kind {
			if one != "null" {
				return one.(string)
			}
		}
	}

	return ""
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)

	return m
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

func fieldOf(parent, name string) string {
	if parent == "" {
		return name
	}

	return parent + "." + name
}

func indexOf(parent string, i int) string { return fmt.Sprintf("%s[%d]", parent, i) }
