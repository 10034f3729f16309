package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// nullableDocument has null beside schemas that are put together, as 3.0 has it.
const nullableDocument = `
openapi: 3.0.3
info: {title: Nullable, version: '1'}
paths:
  /it:
    get:
      operationId: get
      responses:
        '200':
          description: It.
          content:
            application/json:
              schema:
                type: object
                properties:
                  joined: {nullable: true, allOf: [{type: object, properties: {name: {type: string, maxLength: 3}}}]}
                  referred: {nullable: true, $ref: '#/components/schemas/Named'}
components:
  schemas:
    Named: {type: object, properties: {name: {type: string, maxLength: 3}}}
`

// What is broken beside null is told, and where it stands in the document.
func TestNullableIsToldWhereItStands(t *testing.T) {
	t.Parallel()
	result := run(t, nullableDocument, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		long := map[string]string{"name": "four"}
		send(w, "application/json", http.StatusOK, map[string]any{"joined": long, "referred": long})
	})
	const joined = "/paths/~1it/get/responses/200/content/application~1json/schema/properties/joined/"
	findsFault(t, result, joined+"allOf/0/properties/name/maxLength")
	findsFault(t, result, "/components/schemas/Named/properties/name/maxLength")
	if len(result.Unproven) == 0 {
		t.Error("nothing shows null, and that is not told")
	}
	for _, claim := range result.Unproven {
		if strings.Contains(claim.Pointer, "anyOf") {
			t.Errorf("%s: %s: it does not stand there", claim.Pointer, claim.Text)
		}
	}
}
