package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// nestedDocument has an operation below another one's path, links by both ways to name a
// parameter, and one from an operation to itself.
const nestedDocument = `
openapi: 3.1.0
info: {title: Nested, version: '1'}
paths:
  /boxes/{box}:
    parameters: [{$ref: '#/components/parameters/Box'}]
    get:
      operationId: getBox
      responses:
        '200': {description: It., content: {application/json: {schema: {type: object}}}, links: {
          item: {operationId: getItem, parameters: {path.box: '$request.path.box', path.item: i1}},
          self: {operationRef: '#/paths/~1boxes~1{box}/get', parameters: {box: '$request.path.box'}}}}
        '422': {description: No., content: {application/problem+json: {schema: {type: object}}}}
  /boxes/{box}/items/{item}:
    get:
      operationId: getItem
      parameters:
        - {$ref: '#/components/parameters/Box'}
        - {name: item, in: path, required: true, schema: {type: string, pattern: '^i[0-9]$'}, example: i1}
      responses:
        '200': {description: It., content: {application/json: {schema: {type: object}}}}
        '422': {description: No., content: {application/problem+json: {schema: {type: object}}}}
components:
  parameters:
    Box: {name: box, in: path, required: true, schema: {type: string, pattern: '^b[0-9]$'}, example: b1}
`

// A part of a path that is called otherwise is noticed by the refusal that names it, and
// only there: links to the operations lead where they led.
func TestPartsOfAPathHaveNames(t *testing.T) {
	t.Parallel()
	for nameless, survivors := range map[string]string{
		"":     "",
		"item": "item in the path is called itemx",
		"box":  "box in the path is called boxx box in the path is called boxx",
	} {
		t.Run(nameless, func(t *testing.T) {
			t.Parallel()
			score := mutated(t, nestedDocument, func(w http.ResponseWriter, r *http.Request) {
				parts := strings.Split(r.URL.Path, "/") // "", boxes, b1, items, i1
				for i, name := range map[int]string{2: "box", 4: "item"} {
					if i < len(parts) && (len(parts[i]) != 2 || parts[i][0] != name[0] || parts[i][1] < '0' || parts[i][1] > '9') {
						if name == nameless {
							name = "boxx or itemx"
						}
						send(w, "application/problem+json", http.StatusUnprocessableEntity, map[string]any{"detail": name + " is none"})
						return
					}
				}
				if r.Method != http.MethodGet {
					w.Header().Set("Allow", "GET")
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				send(w, "application/json", http.StatusOK, map[string]any{})
			})
			tried := 0
			var left []string
			for _, v := range score.Mutants {
				if !strings.Contains(v.What, "in the path is called") {
					continue
				}
				tried++
				if v.Killer == "" {
					left = append(left, v.What)
				} else if !strings.Contains(v.Killer, "does not name") && !strings.Contains(v.Killer, "names") {
					t.Errorf("%s: it is noticed by %s", v.What, v.Killer)
				}
			}
			if got := strings.Join(left, " "); tried != 3 || got != survivors {
				t.Errorf("of %d, %q are left, want 3 and %q", tried, got, survivors)
			}
		})
	}
}

// mutated counts what a server notices of the changes of a document.
func mutated(t *testing.T, document string, h http.HandlerFunc) *contract.Score {
	t.Helper()
	d, target := opened(t, document, contract.Target{}, h)
	score, err := contract.Mutate(t.Context(), d, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return score
}

const expectingDocument = `
openapi: 3.0.3
info: {title: Expecting, version: '1'}
paths:
  /errors/{n}:
    get:
      operationId: some
      parameters: [{name: n, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 3}}]
      responses:
        '204': {description: It.}
        default: {description: Something else.}
  /none:
    get:
      operationId: none
      responses:
        '204': {description: It.}
        default: {description: Something else.}
`

// The status default is changed where something came that it is for; elsewhere nothing
// could show the change, and the reason says so.
func TestWhatNobodyExpects(t *testing.T) {
	t.Parallel()
	score := mutated(t, expectingDocument, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/none" || len(r.URL.Path) == len("/errors/1") && r.URL.Path[8] >= '1' && r.URL.Path[8] <= '3':
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	killed, apart := "", ""
	for _, v := range score.Mutants {
		if strings.Contains(v.What, "instead of default") {
			killed += v.Pointer + ": " + v.Killer
		}
	}
	for _, m := range score.Equivalent {
		if strings.Contains(m.What, "instead of default") {
			apart += m.Pointer + ": " + m.Why
		}
	}
	if !strings.HasPrefix(killed, "/paths/~1errors~1{n}/get/responses: some: ") || !strings.Contains(killed, "400") {
		t.Errorf("killed: %s", killed)
	}
	if !strings.HasPrefix(apart, "/paths/~1none/get/responses: default is for what nobody expects") {
		t.Errorf("equivalent: %s", apart)
	}
}
