package contract_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// openEnded has keywords that no case is derived from, and ones that none could break
// by itself.
const openEnded = `
openapi: 3.1.0
info: {title: Open, version: '1'}
x-policy: {body-limit: 1KiB}
paths:
  /a/{id}:
    post:
      operationId: make
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, minLength: 1, maxLength: 9}}
        - {name: q, in: query, schema: {type: string, maxLength: 9, pattern: '^(?!a)'}}
        - {name: code, in: query, schema: {type: string, minLength: 2, maxLength: 5, pattern: '^[a-z]{3}$'}}
        - {name: tags, in: query, schema: {type: array, maxItems: 1, uniqueItems: true, items: {type: string, enum: [x]}}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [name, tags]
              properties:
                name: {type: string, minLength: 0, maxLength: 30000}
                tags: {type: array, minContains: 2, contains: {const: a}, items: {type: string, enum: [a, b]}, example: [a, a]}
                any: {type: string, pattern: '[\s\S]*', maxLength: 3}
                n: {type: integer, format: int32, minimum: 1, maximum: 3}
                f: {type: number, format: float}
                s: {type: string, format: tree}
                codes: {type: array, uniqueItems: true, items: {type: string}, contains: {const: a}, maxContains: 1}
                one: {type: array, maxItems: 1, minContains: 0, contains: {const: a}, maxContains: 1}
                none: {type: array, minContains: 3}
              if: {properties: {n: {const: 9}}, required: [n]}
              then: {required: [any]}
              else: {type: object, required: [f]}
              dependentSchemas: {s: {required: [name]}}
              patternProperties: {'^x-': {type: string}}
              additionalProperties: false
      responses:
        '204': {description: Done.}
        '400': {description: Refused.}
        '413': {description: Too large.}
        '415': {description: Refused.}
`

// What a document asks of requests and no case breaks is listed; what none could break is
// not.
func TestUntriedIsListed(t *testing.T) {
	t.Parallel()
	d, err := contract.Parse("open.yaml", []byte(openEnded))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), d, contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range result.Untried {
		got = append(got, c.Pointer[strings.Index(c.Pointer, "/post/")+len("/post/"):])
	}
	const body = "requestBody/content/application~1json/schema/"
	want := []string{
		"parameters/1/schema/pattern", "parameters/1/schema/maxLength", // the pattern has a look-ahead, and cannot be read
		body + "then/required/0",              // no n is 9
		body + "properties/codes/maxContains", // which uniqueItems keeps already
		body + "properties/s/format",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for format, want := range map[string]string{
		"text": "not tried: open.yaml:11 /paths/~1a~1{id}/post/parameters/1/schema/pattern: make sends nothing that breaks pattern\n",
		"html": "<p>Not tried: open.yaml:11 <code>/paths/~1a~1{id}/post/parameters/1/schema/pattern</code>",
	} {
		var report strings.Builder
		if err := result.WriteAs(&report, format); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(report.String(), want) {
			t.Errorf("want %q, got\n%s", want, report.String())
		}
	}
	var report strings.Builder
	var told struct {
		Untried []struct{ Pointer, Text string }
	}
	if err := result.WriteAs(&report, "json"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(report.String()), &told); err != nil || len(told.Untried) != len(want) {
		t.Errorf("%v: %v", told.Untried, err)
	}
}
