package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// A failure is shown with the exchange that it is about, and not with one that was
// sent beside it.
func TestTheExchangeOfAFailureIsShown(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
x-policy: {}
paths:
  /a:
    get:
      operationId: get
      parameters: [{name: n, in: query, schema: {type: integer, minimum: 1, maximum: 5}}]
      responses: {'200': {description: Done., content: {application/json: {schema: {type: object}}}}}
`
	d, err := contract.Parse("a.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(onlyGet(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("n") == "5" {
			answer(w, http.StatusInternalServerError, `{"broken": true}`)
			return
		}
		answer(w, http.StatusOK, `{}`)
	}))
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), d, contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text, encoded strings.Builder
	if err := result.Write(&text); err != nil {
		t.Fatal(err)
	}
	if _, rest, found := strings.Cut(text.String(), "500: "); !found || !strings.Contains(strings.Split(rest, "\n\n")[0], "?n=5'\n  answer: 500 {\"broken\": true}") {
		t.Error(text.String())
	}
	if err := result.WriteAs(&encoded, "json"); err != nil {
		t.Fatal(err)
	}
	var told struct {
		Failures []struct {
			Status int
			Broken []struct{ Text string }
		}
	}
	if err := json.Unmarshal([]byte(encoded.String()), &told); err != nil {
		t.Fatal(err)
	}
	for _, f := range told.Failures {
		if strings.HasPrefix(f.Broken[0].Text, "500") && f.Status != http.StatusInternalServerError {
			t.Errorf("%+v", f)
		}
	}
}

// What is left out of a report is told: failures beyond the first ones of an operation,
// the rest of a long body, and claims that nothing has shown.
func TestWhatIsLeftOutIsTold(t *testing.T) {
	t.Parallel()
	var parameters []string
	for i := range 30 {
		parameters = append(parameters, fmt.Sprintf("{name: p%d, in: query, schema: {type: string, minLength: 1}}", i))
	}
	var numbers strings.Builder // nothing of it comes twice in a row
	for i := range 2000 {
		fmt.Fprintf(&numbers, "%d-", i)
	}
	document := `
openapi: 3.1.0
paths:
  /a:
    get:
      operationId: get
      parameters: [` + strings.Join(parameters, ", ") + `]
      responses: {'204': {description: None.}, '404': {description: Not there.}}
  /b:
    post:
      operationId: post
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: string, enum: [` + numbers.String() + `]}}}}}}
      responses: {'204': {description: None.}}
`
	report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			answer(w, http.StatusTeapot, `{}`)
			return
		}
		for name, values := range r.URL.Query() {
			if len(values[0]) > 0 {
				answer(w, http.StatusBadRequest, fmt.Sprintf(`{"detail": "%s is wrong"}`, name))
				return
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for _, want := range []string{"more failures of get\n", fmt.Sprintf(" # cut: the body has %d bytes\n", len(`{"a":""}`)+numbers.Len()), "claims that nothing has shown"} {
		if !strings.Contains(report, want) {
			t.Errorf("want %q, got\n%s", want, report)
		}
	}
}

// What a server answers is shown, and does not command the terminal.
func TestAnswersDoNotCommandTheTerminal(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
x-policy: {}
paths: {/a: {get: {operationId: get, responses: {'200': {description: Done.}}}}}
`
	d, err := contract.Parse("a.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(onlyGet(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "\x1b[2Jgone\x00\xff\u202eü\n\tnext")
	}))
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), d, contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := result.Write(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `\x1b[2Jgone\x00\ufffd\u202eü`+"\n\tnext") || strings.ContainsAny(text.String(), "\x1b\x00\u202e") {
		t.Errorf("%q", text.String())
	}
}
