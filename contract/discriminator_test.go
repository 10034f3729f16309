package contract_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// petsDocument tells schemas apart by names: of alternatives, and of what is put together
// from one.
const petsDocument = `
openapi: 3.0.3
info: {title: Pets, version: '1'}
paths:
  /pets:
    post:
      operationId: makePet
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses:
        '200': {description: It., content: {application/json: {schema: {type: object, properties: {pets: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}}
        '400': {description: No.}
        '415': {description: No.}
  /forms:
    post:
      operationId: makeForm
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Form'}}}}
      responses:
        '200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Form'}}}}
        '400': {description: No.}
        '415': {description: No.}
components:
  schemas:
    Pet:
      oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
      discriminator: {propertyName: kind, mapping: {cat: '#/components/schemas/Cat', dog: Dog}}
    Cat: {type: object, additionalProperties: false, required: [kind, lives], properties: {kind: {type: string}, lives: {type: integer, minimum: 1, maximum: 9}}}
    Dog: {type: object, additionalProperties: false, required: [kind, barks], properties: {kind: {type: string}, barks: {type: boolean}}}
    Form: {type: object, required: [what], properties: {what: {type: string}}, discriminator: {propertyName: what}}
    Circle: {allOf: [{$ref: '#/components/schemas/Form'}, {type: object, required: [radius], properties: {radius: {type: integer, minimum: 1, maximum: 9}}}]}
    Square: {allOf: [{$ref: '#/components/schemas/Form'}, {type: object, required: [side], properties: {side: {type: integer, minimum: 1, maximum: 9}}}]}
`

// pets takes what its document says but for a flaw.
func pets(flaw string) http.HandlerFunc {
	number := func(value any) bool {
		n, ok := value.(float64)
		return ok && n == float64(int(n)) && n >= 1 && n <= 9
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		data, err := io.ReadAll(r.Body)
		switch {
		case err != nil || r.Method != http.MethodPost:
			w.WriteHeader(http.StatusNotFound)
			return
		case r.Header.Get("Content-Type") != "application/json":
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		case json.Unmarshal(data, &body) != nil:
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		known := []string{"kind"}
		good := false
		_, barks := body["barks"].(bool)
		switch kind, what := body["kind"], body["what"]; {
		case r.URL.Path == "/forms":
			good = what == "Circle" && number(body["radius"]) || what == "Square" && (number(body["side"]) || flaw == "any side")
			known = nil
		case kind == "cat" || flaw == "any name" && kind != "dog":
			good, known = number(body["lives"]), append(known, "lives")
		case kind == "dog":
			good, known = barks, append(known, "barks")
		}
		for name := range body {
			if known != nil && !slices.Contains(known, name) && (flaw != "any kind" || name != "lives" && name != "barks") {
				good = false
			}
		}
		if flaw == "any kind" && (barks || number(body["lives"])) && (body["kind"] == "cat" || body["kind"] == "dog") && len(body) == 2 {
			good = true
		}
		if !good {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		shown := map[string]string{"": `{"kind": "cat", "lives": 3}`, "a bird": `{"kind": "bird", "lives": 3}`, "a cat that barks": `{"kind": "cat", "barks": true}`}[flaw]
		switch {
		case r.URL.Path == "/forms" && flaw == "no radius":
			shown = `{"what": "Circle"}`
		case r.URL.Path == "/forms":
			shown = string(data)
		case shown == "":
			shown = `{"kind": "dog", "barks": false}`
		}
		if r.URL.Path == "/pets" {
			shown = `{"pets": [` + shown + `]}`
		}
		answer(w, http.StatusOK, shown)
	}
}

// An object is of the schema that its discriminator names, in requests and in answers.
func TestDiscriminators(t *testing.T) {
	t.Parallel()
	for flaw, want := range map[string]string{
		"":                 ", 0 of them failed, 0 skipped",
		"any name":         "FAILED makePet: application/json : what is called by no name",
		"any kind":         "FAILED makePet: application/json : a cat that is called dog",
		"any side":         "/components/schemas/Square/allOf/1/properties/side/minimum",
		"a bird":           `kind is "bird", which names no schema`,
		"a cat that barks": "it is called cat, and is none: missing property",
		"no radius":        "it is called Circle, and is none: missing property",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			report := held(t, petsDocument, contract.Target{}, pets(flaw))
			if !strings.Contains(report, want) || strings.Contains(report, "not tried") {
				t.Errorf("want %q, got\n%s", want, report)
			}
		})
	}
}
