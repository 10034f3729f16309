package contract_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/accord-api/accord/contract"
)

// rareSchema has the keywords that few documents have.
const rareSchema = `{
	"type": "object",
	"required": ["name", "tags", "size"],
	"additionalProperties": false,
	"properties": {
		"name": {"type": "string", "maxLength": 20, "allOf": [{"maxLength": 12}], "not": {"const": "root"}},
		"tags": {"type": "array", "maxItems": 5, "items": {"type": "string", "enum": ["a", "b"]}, "contains": {"const": "a"}},
		"size": {"type": ["integer", "string"], "minimum": 1, "maximum": 9},
		"card": {"type": "string", "enum": ["visa"]},
		"street": {"type": "string", "enum": ["home"]},
		"labels": {"type": "object", "additionalProperties": {"type": "string", "enum": ["x"]}, "propertyNames": {"pattern": "^[a-z]{1,5}$"}}
	},
	"dependentRequired": {"card": ["street"]}
}`

const rareDocument = `
openapi: 3.1.0
info: {title: Rare, version: '1'}
paths:
  /things:
    post:
      operationId: make
      requestBody:
        required: true
        content: {application/json: {schema: ` + rareSchema + `}}
      responses:
        '204': {description: It.}
        '400': {description: No.}
        '415': {description: No.}
`

// rareServer holds bodies to the schema but for what is taken out of it.
func rareServer(t *testing.T, without string) string {
	t.Helper()
	flaws := map[string]any{}
	if without != "" {
		flaws[without] = nil
	}
	if without == "properties/size/type" {
		flaws["properties/size/type"] = "integer"
	}
	return schemaServer(t, rareSchema, flaws)
}

// schemaServer holds bodies to a schema in which some places have other values; nil for
// none.
func schemaServer(t *testing.T, schemaSource string, flaws map[string]any) string {
	t.Helper()
	var source any
	if err := json.Unmarshal([]byte(schemaSource), &source); err != nil {
		t.Fatal(err)
	}
	for at, value := range flaws {
		steps := strings.Split(at, "/")
		object := source.(map[string]any)
		for _, step := range steps[:len(steps)-1] {
			object = object[step].(map[string]any)
		}
		last := steps[len(steps)-1]
		if object[last] == nil {
			t.Fatalf("there is no %s", at)
		}
		if object[last] = value; value == nil {
			delete(object, last)
		}
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("mem:///rare", source); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("mem:///rare")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var data bytes.Buffer
		_, _ = data.ReadFrom(r.Body) // what is missing is no JSON
		value, err := jsonschema.UnmarshalJSON(&data)
		switch {
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.Header.Get("Content-Type") != "application/json":
			w.WriteHeader(http.StatusUnsupportedMediaType)
		case err != nil || schema.Validate(value) != nil:
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// findsFault wants a run to have found what breaks the sentence at a pointer, perhaps
// beside others; with "" it is to have found nothing.
func findsFault(t *testing.T, result *contract.Result, pointer string) {
	t.Helper()
	var told []string
	for _, o := range result.Failed() {
		for _, f := range o.Failures {
			told = append(told, f.Pointer+": "+o.Name+": "+f.Text)
		}
	}
	found := slices.ContainsFunc(told, func(text string) bool { return strings.HasPrefix(text, pointer) })
	if found != (pointer != "") {
		t.Errorf("want a fault at %q: %s", pointer, strings.Join(told, "\n"))
	}
}

func TestRareKeywordsAreTried(t *testing.T) {
	t.Parallel()
	const schema = "/paths/~1things/post/requestBody/content/application~1json/schema/"
	for without, pointer := range map[string]string{
		"":                                "",
		"properties/name/not":             schema + "properties/name/not",
		"properties/name/allOf":           schema + "properties/name/allOf/0/maxLength",
		"properties/tags/contains":        schema + "properties/tags/contains",
		"properties/labels/propertyNames": schema + "properties/labels/propertyNames",
		"properties/size/type":            schema + "properties/size/type",
		"dependentRequired":               schema + "dependentRequired/card",
	} {
		t.Run(without, func(t *testing.T) {
			t.Parallel()
			d, err := contract.Parse("rare.yaml", []byte(rareDocument))
			if err != nil {
				t.Fatal(err)
			}
			result, err := contract.Run(t.Context(), d, contract.Target{URL: rareServer(t, without)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			findsFault(t, result, pointer)
		})
	}
}
