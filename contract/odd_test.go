package contract_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// oddDocument says what is legal and rare: a content type with parameters, and a link
// by operationRef.
const oddDocument = `
openapi: 3.1.0
info: {title: Odd, version: '1'}
paths:
  /things:
    post:
      operationId: make
      requestBody:
        required: true
        content:
          Application/JSON; charset=utf-8:
            schema:
              type: object
              required: [name]
              properties: {name: {type: string, minLength: 1, maxLength: 5}, kind: {anyOf: [{$ref: '#/components/schemas/Kind'}, {type: 'null'}]}}
              additionalProperties: false
      responses:
        '201':
          description: It.
          content:
            application/json; charset=utf-8: {schema: {type: object, required: [id], properties: {id: {type: string}}}}
          links:
            same: {operationRef: '#/paths/~1things~1{id}/get', parameters: {id: '$response.body#/id'}}
            other: {operationRef: 'https://example.com/openapi.yaml#/paths/~1x/get'}
        '400': {description: No.}
  /things/{id}:
    get:
      operationId: get
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: It., content: {application/json: {schema: {type: object}}}}
        '404': {description: None.}
components:
  schemas:
    Kind: {type: string, enum: [a, b]}
`

// oddServer keeps the document, but for what comes behind the values of an operation.
func oddServer(t *testing.T, tails map[string]string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /things", func(w http.ResponseWriter, r *http.Request) {
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		var thing struct{ Name, Kind *string }
		err := decoder.Decode(&thing)
		_, more := decoder.Token()
		if err != nil || more != io.EOF || thing.Name == nil || len([]rune(*thing.Name)) < 1 || len([]rune(*thing.Name)) > 5 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"7"}`+tails["make"])
	})
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "7" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`+tails["get"])
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func runOdd(t *testing.T, tails map[string]string) *contract.Result {
	t.Helper()
	d, err := contract.Parse("odd.yaml", []byte(oddDocument))
	if err != nil {
		t.Fatal(err)
	}
	result, err := contract.Run(t.Context(), d, contract.Target{URL: oddServer(t, tails)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// failedOf are the cases of an operation that fail for something said of them.
func failedOf(result *contract.Result, operation, text string) (names []string) {
	for _, o := range result.Failed() {
		for _, f := range o.Failures {
			if o.Operation == operation && strings.Contains(f.Text, text) {
				names = append(names, o.Name)
			}
		}
	}
	return names
}

func TestJSONByAnyNameIsHeldToItsSchema(t *testing.T) {
	t.Parallel()
	result := runOdd(t, nil)
	var names []string
	for _, o := range result.Outcomes {
		names = append(names, o.Name)
	}
	if !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "null") }) {
		t.Errorf("nothing is sent in the place of the body's JSON: %q", names)
	}
	// The link by reference is followed, so that the thing is found.
	if got := failedOf(result, "get", ""); len(got) > 0 {
		t.Errorf("get fails: %q", got)
	}
}

// What is wrong in an alternative behind a reference is tried: this server takes any kind.
func TestAlternativesAreTried(t *testing.T) {
	t.Parallel()
	if got := failedOf(runOdd(t, nil), "make", "want 400 or 422"); !slices.ContainsFunc(got, func(name string) bool { return strings.Contains(name, "/kind: a value that is not listed") }) {
		t.Errorf("what fails: %q", got)
	}
}

// A body that nothing can be made for is told, instead of being tried by half.
func TestWhatCannotBeMadeIsTold(t *testing.T) {
	t.Parallel()
	for constraint, want := range map[string]string{
		"pattern: '^(?=a)b$'":            "what is valid cannot be told", // Go has no look-ahead
		"not: {type: string}":            "no value can be made for /name",
		"pattern: '^[a-c]+$', enum: [x]": "no value can be made for /name",
	} {
		d, err := contract.Parse("odd.yaml", []byte(strings.Replace(oddDocument, "maxLength: 5}", "maxLength: 5, "+constraint+"}", 1)))
		if err != nil {
			t.Fatal(err)
		}
		result, err := contract.Run(t.Context(), d, contract.Target{URL: oddServer(t, nil)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := failedOf(result, "make", want); len(got) != 1 {
			t.Errorf("%s: told %q", constraint, got)
		}
	}
}

func TestNothingMayFollowTheValue(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"make", "get"} {
		result := runOdd(t, map[string]string{operation: ` <b>oops</b>{"x":`})
		if len(failedOf(result, operation, "is no JSON")) == 0 {
			t.Errorf("%s: a value with something behind it passes", operation)
		}
	}
}
