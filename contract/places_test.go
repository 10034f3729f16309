package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// An optional parameter or member of which each value is refused is told, and one of
// which some value is taken is not.
func TestBarredPlaces(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
paths:
  /a:
    post:
      operationId: post
      parameters:
        - {name: color, in: query, schema: {type: string, enum: [red, green]}}
      requestBody: {content: {application/json: {example: {name: a}, schema: {type: object, required: [name], additionalProperties: false, properties: {
        name: {type: string, maxLength: 5}, note: {type: string, maxLength: 5}, size: {type: integer, minimum: 1, maximum: 9}}}}}}
      responses: {'204': {description: Done.}, '422': {description: Refused., content: {application/json: {schema: {}}}}}
`
	for barred, want := range map[string]string{
		"":      "",
		"color": "each value of color is refused, and the request without it is taken: 422",
		"note":  "each value of note is refused, and the request without it is taken: 422",
		"size":  "each value of size is refused, and the request without it is taken: 422",
		"other": "",
		// In a document that means all that it says, a code of its own is a reason.
		"unknown code": "each value of note is refused, and the request without it is taken: 422",
		"own code":     "",
	} {
		t.Run(barred, func(t *testing.T) {
			t.Parallel()
			policy := ""
			if strings.HasSuffix(barred, "code") {
				policy = "x-policy: {}\n"
			}
			report := held(t, policy+document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
				var body map[string]any
				err := json.NewDecoder(r.Body).Decode(&body)
				color, colored := r.URL.Query()["color"]
				_, named := body[barred]
				_, noted := body["note"]
				switch {
				case r.Method != http.MethodPost:
					w.WriteHeader(http.StatusNotFound)
				case barred == "other" && (len(body) > 1 || colored):
					answer(w, http.StatusUnprocessableEntity, `{"errors": [{"field": "name", "code": "taken"}]}`)
				case noted && strings.HasSuffix(barred, " code"):
					answer(w, http.StatusUnprocessableEntity, fmt.Sprintf(`{"errors": [{"field": "note", "code": %q}]}`, strings.TrimSuffix(barred, " code")))
				case err != nil && err.Error() != "EOF", named, colored && barred == "color", colored && color[0] != "red" && color[0] != "green":
					answer(w, http.StatusUnprocessableEntity, `{}`)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			})
			if _, found, told := strings.Cut(report, "each value of "); told != (want != "") || !strings.Contains("each value of "+found, want) {
				t.Errorf("want %q, got\n%s", want, report)
			}
		})
	}
}
