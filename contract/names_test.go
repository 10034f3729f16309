package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// What is called as a keyword of OpenAPI 3.0 is a name all the same.
func TestNamesAreNoKeywords(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.0.3
info: {title: Names, version: '1'}
paths:
  /a:
    get:
      responses:
        default:
          description: It.
          content:
            application/json:
              schema:
                type: object
                required: [default, example, enum, properties, deep]
                properties:
                  default: {type: string, nullable: true}
                  example: {type: integer, minimum: 1, exclusiveMinimum: true, nullable: true}
                  enum: {type: object, nullable: true, properties: {const: {type: string, nullable: true}}}
                  properties: {type: string, nullable: true}
                  deep: {$ref: '#/components/schemas/examples'}
components:
  schemas:
    examples: {type: string, nullable: true}
`
	for body, want := range map[string]string{
		`{"default": null, "example": null, "enum": null, "properties": null, "deep": null}`:                  ", 0 of them failed, 0 skipped",
		`{"default": "a", "example": 2, "enum": {"const": null}, "properties": "b", "deep": "c"}`:             ", 0 of them failed, 0 skipped",
		`{"default": "a", "example": 1, "enum": {"const": null}, "properties": "b", "deep": "c"}`:             `a 200 has at "/example": exclusiveMinimum`,
		`{"default": "a", "example": 2, "enum": {"const": 1}, "properties": "b", "deep": "c", "nullable": 1}`: `a 200 has at "/enum/const"`,
	} {
		report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
			answer(w, map[bool]int{true: http.StatusOK, false: http.StatusNotFound}[r.Method == http.MethodGet], body)
		})
		if !strings.Contains(report, want) {
			t.Errorf("%s: want %q, got\n%s", body, want, report)
		}
	}
}
