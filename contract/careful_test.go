package contract_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/accord-api/accord/contract"
)

// recorder notes the requests of a run, as "METHOD /path".
type recorder struct {
	mu   sync.Mutex
	seen []string
}

func (r *recorder) of(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, request.Method+" "+request.URL.Path)
		r.mu.Unlock()
		h(w, request)
	}
}

// sessionDocument has a sign-in whose path has another operation.
const sessionDocument = `
openapi: 3.1.0
paths:
  /session:
    post:
      security: []
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, required: [username, password], properties: {username: {type: string, maxLength: 9}, password: {type: string}}}
      responses:
        '200': {description: Signed in., content: {application/json: {schema: {type: object}}}}
    delete:
      responses: {'204': {description: Signed out.}}
  /things:
    get:
      operationId: list
      responses: {'200': {description: All., content: {application/json: {schema: {type: object}}}}, '401': {description: Nobody.}, '403': {description: Not you.}}
security: [{oauth: []}]
components:
  securitySchemes:
    oauth: {type: oauth2, flows: {password: {tokenUrl: /session, scopes: {user: Some., admin: All.}}}}
`

// Who only reads sends the sign-in of his logins, and nothing else to where it is.
func TestReadOnlySignsInAndNoMore(t *testing.T) {
	t.Parallel()
	var asked recorder
	held(t, sessionDocument, contract.Target{ReadOnly: true, Logins: []contract.Login{{Name: "a", User: "root", Password: "Secret-pass-1"}}}, asked.of(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/session":
			answer(w, http.StatusOK, `{"access_token": "t", "token_type": "bearer"}`)
		case r.Header.Get("Authorization") != "Bearer t":
			answer(w, http.StatusUnauthorized, `{}`)
		default:
			answer(w, http.StatusOK, `{}`)
		}
	}))
	for _, request := range asked.seen {
		if method, _, _ := strings.Cut(request, " "); method != "GET" && method != "OPTIONS" && method != "HEAD" && request != "POST /session" {
			t.Errorf("it sent %s", request)
		}
	}
	signIns := slices.DeleteFunc(slices.Clone(asked.seen), func(request string) bool { return request != "POST /session" })
	if len(signIns) != 1 || !slices.Contains(asked.seen, "GET /things") {
		t.Errorf("it sent %q", asked.seen)
	}
}

// What only Accord's documents promise is not asked of others: their own headers need no
// mention. A 503 is no answer that `default` stands for.
func TestForeignHeadersAndFailures(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
paths:
  /a/{id}:
    get:
      operationId: a
      parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1, example: 1}}]
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
        default: {description: Refused.}
`
	serve := func(failing bool) http.HandlerFunc {
		return onlyGet(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Request-Id", "7")
			switch n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/a/")); {
			case err != nil || n < 1:
				answer(w, http.StatusBadRequest, `{}`)
			case n == 1:
				answer(w, http.StatusOK, `{}`)
			case failing:
				answer(w, http.StatusServiceUnavailable, `{}`)
			default:
				answer(w, http.StatusNotFound, `{}`)
			}
		})
	}
	if report := held(t, document, contract.Target{}, serve(false)); strings.Contains(report, "FAILED") {
		t.Error(report)
	}
	if report := held(t, document, contract.Target{}, serve(true)); !strings.Contains(report, "FAILED") || !strings.Contains(report, "503") {
		t.Error(report)
	}
}

// The password of the address is not told.
func TestAddressTellsNoPassword(t *testing.T) {
	t.Parallel()
	d, err := contract.Parse("a.yaml", []byte(`
openapi: 3.1.0
paths:
  /a:
    get:
      operationId: a`+okay))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusTeapot, `{}`) }))
	defer server.Close()
	result, err := contract.Run(t.Context(), d, contract.Target{URL: strings.Replace(server.URL, "http://", "http://stage:hunter2secret@", 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range contract.Formats {
		var report strings.Builder
		if err := result.WriteAs(&report, format); err != nil {
			t.Fatal(err)
		}
		if text := report.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "418") {
			t.Errorf("%s: %s", format, text)
		}
	}
}

// A reference is a URI fragment; what is in an example is none, and an anchor is not
// followed.
func TestReferences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, fault string }{
		"escaped":       {"{$ref: '#/components/schemas/My%20Thing'}", ""},
		"in an example": {"{type: object, example: {$ref: '#/nowhere'}}", ""},
		"by that name":  {"{type: object, properties: {example: {$ref: '#/nowhere'}}}", "leads nowhere in the document: #/nowhere"},
		"an anchor":     {"{$ref: '#thing'}", "leads nowhere in the document: #thing"},
	} {
		_, err := contract.Parse("a.yaml", []byte(`
openapi: 3.1.0
paths:
  /a:
    post:
      operationId: a
      requestBody: {content: {application/json: {schema: `+c.schema+`}}}
      responses: {'204': {description: Done.}}
components:
  schemas:
    My Thing: {$anchor: thing, type: object, required: [a], properties: {a: {type: string, maxLength: 4}}}
`))
		if (c.fault == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One administrator does not stand for everybody: that a scope is asked for is noticed by
// who does not have it, or by nobody.
func TestOneLoginIsNotEverybody(t *testing.T) {
	t.Parallel()
	d, err := contract.Parse("a.yaml", []byte(sessionDocument))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scopes := map[string]string{"root": "user admin", "ada": "user"}
		switch user := r.FormValue("username"); {
		case r.URL.Path == "/session" && r.Method == http.MethodPost && r.FormValue("password") == "Secret-pass-1":
			answer(w, http.StatusOK, `{"access_token": "t", "token_type": "bearer", "scope": "`+scopes[user]+`"}`)
		case r.Header.Get("Authorization") != "Bearer t":
			answer(w, http.StatusUnauthorized, `{}`)
		default:
			answer(w, http.StatusOK, `{}`)
		}
	}))
	defer server.Close()
	root, ada := contract.Login{Name: "a", User: "root", Password: "Secret-pass-1"}, contract.Login{Name: "b", User: "ada", Password: "Secret-pass-1"}
	for _, logins := range [][]contract.Login{{root}, {root, ada}} {
		score, err := contract.Mutate(t.Context(), d, contract.Target{URL: server.URL, Logins: logins}, nil)
		if err != nil {
			t.Fatal(err)
		}
		const change = "the scope admin is asked for"
		if i := slices.IndexFunc(score.Equivalent, func(m contract.Mutant) bool { return strings.Contains(m.What, change) }); i >= 0 {
			t.Errorf("with %d logins: %s", len(logins), score.Equivalent[i].Why)
		}
		i := slices.IndexFunc(score.Mutants, func(v contract.Verdict) bool { return strings.Contains(v.What, change) })
		if i < 0 || (score.Mutants[i].Killer != "") != (len(logins) == 2) {
			t.Errorf("with %d logins: mutant %d of %d", len(logins), i, len(score.Mutants))
		}
	}
}
