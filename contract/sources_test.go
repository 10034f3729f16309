package contract_test

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/accord-api/accord/contract"
)

// circlesDocument has links in circles: an order has an owner, who has orders. Only by
// what registers somebody does one come to either, and that link is the last one.
const circlesDocument = `
openapi: 3.1.0
info: {title: Circles, version: '1'}
paths:
  /owners/{owner}:
    get:
      operationId: getOwner
      parameters: [{name: owner, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Owner'}}}, links: {
          self: {operationId: getOwner, parameters: {owner: '$response.body#/owner'}},
          order: {operationId: getOrder, parameters: {order: '$response.body#/order'}}}}
        '404': {description: None.}
  /orders/{order}:
    get:
      operationId: getOrder
      parameters: [{name: order, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}, links: {
          owner: {operationId: getOwner, parameters: {owner: '$response.body#/owner'}}}}
        '404': {description: None.}
  /owners:
    post:
      operationId: register
      responses:
        '201': {description: It., content: {application/json: {schema: {$ref: '#/components/schemas/Owner'}}}, links: {
          it: {operationId: getOwner, parameters: {owner: '$response.body#/owner'}}}}
components:
  schemas:
    Owner: {type: object, required: [owner, order], properties: {owner: {const: ada}, order: {const: o1}}}
    Order: {type: object, required: [owner], properties: {owner: {const: ada}}}
`

// Who follows links in circles comes to an end, by the one that leads out of them.
func TestLinksInCircles(t *testing.T) {
	t.Parallel()
	result := circles(t, circlesDocument)
	for _, o := range result.Outcomes {
		if len(o.Failures) > 0 || o.Skipped != "" {
			t.Errorf("%s: %s: %v %s", o.Operation, o.Name, o.Failures, o.Skipped)
		}
	}
}

// Without one that leads out, there is an end all the same.
func TestLinksInCirclesOnly(t *testing.T) {
	t.Parallel()
	before, _, _ := strings.Cut(circlesDocument, "  /owners:\n")
	_, after, _ := strings.Cut(circlesDocument, "components:\n")
	if result := circles(t, before+"components:\n"+after); len(result.Failed()) == 0 {
		t.Error("nothing fails, though nobody could know the name of an owner")
	}
}

func circles(t *testing.T, document string) *contract.Result {
	t.Helper()
	return run(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/owners":
			send(w, "application/json", http.StatusCreated, map[string]string{"owner": "ada", "order": "o1"})
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", map[bool]string{true: "POST", false: "GET"}[r.URL.Path == "/owners"])
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/owners/ada":
			send(w, "application/json", http.StatusOK, map[string]string{"owner": "ada", "order": "o1"})
		case r.URL.Path == "/orders/o1":
			send(w, "application/json", http.StatusOK, map[string]string{"owner": "ada"})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

// jobsDocument has jobs that go on by themselves.
const jobsDocument = `
openapi: 3.1.0
info: {title: Jobs, version: '1'}
paths:
  /jobs:
    post:
      operationId: begin
      responses:
        '202': {description: It., content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}}, links: {
          it: {operationId: cancel, parameters: {id: '$response.body#/id'}}}}
  /jobs/{id}/cancel:
    post:
      operationId: cancel
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '204': {description: Cancelled.}
        '404': {description: None.}
        '409': {description: It has ended.}
`

// What goes on by itself may have ended before it is asked for, and is made anew; what
// has always ended is a failure, and so is what does not go on by itself.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		made         int   // the status that a job begins with
		ended        int64 // so many of the first jobs have ended at once
		fails, again bool
	}{
		"a few times": {http.StatusAccepted, 4, false, false}, "each time": {http.StatusAccepted, math.MaxInt64, true, true},
		"not by itself": {http.StatusCreated, math.MaxInt64, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var begun atomic.Int64
			document := strings.ReplaceAll(jobsDocument, "'202'", "'"+strconv.Itoa(test.made)+"'")
			report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
				id, isCancel := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/jobs/"), "/cancel")
				n, err := strconv.ParseInt(id, 10, 64)
				switch {
				case r.Method != http.MethodPost:
					w.Header().Set("Allow", http.MethodPost)
					w.WriteHeader(http.StatusMethodNotAllowed)
				case r.URL.Path == "/jobs":
					answer(w, test.made, `{"id": "`+strconv.FormatInt(begun.Add(1), 10)+`"}`)
				case !isCancel || err != nil || n > begun.Load():
					w.WriteHeader(http.StatusNotFound)
				case n <= test.ended:
					w.WriteHeader(http.StatusConflict)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			})
			if got := strings.Contains(report, "a valid request is answered 409"); got != test.fails {
				t.Error(report)
			}
			if again := begun.Load() > 10; again != test.again { // the tries alone are ten
				t.Errorf("%d jobs are begun", begun.Load())
			}
		})
	}
}
