package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/accord-api/accord/contract"
)

// opened is a server, and the document that it is to be held to.
func opened(t *testing.T, document string, target contract.Target, h http.HandlerFunc) (*contract.Document, contract.Target) {
	t.Helper()
	d, err := contract.Parse("foreign.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	target.URL = server.URL + target.URL
	return d, target
}

// run holds a server to a document.
func run(t *testing.T, document string, target contract.Target, h http.HandlerFunc) *contract.Result {
	t.Helper()
	d, target := opened(t, document, target, h)
	result, err := contract.Run(t.Context(), d, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// held holds a server to a document and gives the report.
func held(t *testing.T, document string, target contract.Target, h http.HandlerFunc) string {
	t.Helper()
	var report bytes.Buffer
	if err := run(t, document, target, h).Write(&report); err != nil {
		t.Fatal(err)
	}
	return report.String()
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client has gone
}

// onlyGet is a server of one path that other methods than GET do not find.
func onlyGet(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			answer(w, http.StatusNotFound, `{}`)
			return
		}
		h(w, r)
	}
}

const okay = `
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
`

// What other frameworks do, and the document allows, is no disagreement.
func TestForeignWaysPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		serve    http.HandlerFunc
	}{
		"default stands for every other status": {`
openapi: 3.0.3
paths:
  /a/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
        default: {description: Refused., content: {application/json: {schema: {type: object}}}}
`, onlyGet(func(w http.ResponseWriter, r *http.Request) {
			if n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/a/")); err != nil || n < 1 {
				answer(w, http.StatusBadRequest, `{}`)
				return
			}
			answer(w, http.StatusNotFound, `{}`) // nothing is there, and nothing can be made
		})},
		"4XX stands for a range, and a body of an error may go unsaid": {`
openapi: 3.0.3
paths:
  /a:
    get:
      parameters: [{name: n, in: query, schema: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 5}}]
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
        4XX: {description: Refused.}
`, onlyGet(func(w http.ResponseWriter, r *http.Request) {
			if n, err := strconv.ParseFloat(r.URL.Query().Get("n"), 64); r.URL.Query().Has("n") && (err != nil || n <= 0 || n > 5) {
				answer(w, http.StatusBadRequest, `{"message": "no"}`)
				return
			}
			answer(w, http.StatusOK, `{}`)
		})},
		"nullable stands beside references": {`
openapi: 3.0.3
paths:
  /a:
    get:
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object, properties: {
          b: {nullable: true, allOf: [{$ref: '#/components/schemas/B'}]}, c: {type: string, nullable: true}}}}}}
components: {schemas: {B: {type: object}}}
`, onlyGet(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, `{"b": null, "c": null}`) })},
		"XML is not held to a schema of objects": {`
openapi: 3.0.3
paths:
  /a:
    get:
      responses:
        '200': {description: Done., content: {application/xml: {schema: {type: object, properties: {a: {type: string}}}}}}
`, onlyGet(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			_, _ = w.Write([]byte("<a/>"))
		})},
		"an operation that is there twice by name": {`
openapi: 3.0.3
paths:
  /a: {get: {operationId: get, responses: {'200': {description: Done., content: {application/json: {schema: {type: object}}}}}}}
  /b: {get: {operationId: get, responses: {'200': {description: Done., content: {application/json: {schema: {type: array}}}}}}}
`, onlyGet(func(w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusOK, map[string]string{"/a": "{}", "/b": "[]"}[r.URL.Path])
		})},
		"a path may end in a slash, and be below the path of the server": {`
openapi: 3.0.3
servers: [{url: 'https://example.com/{version}/', variables: {version: {default: v1}}}]
paths:
  /a/: {get: {responses: {'200': {description: Done., content: {application/json: {schema: {type: object}}}}}}}
`, onlyGet(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v1/a/" {
				answer(w, http.StatusNotFound, `{}`)
				return
			}
			answer(w, http.StatusOK, `{}`)
		})},
		"HEAD has no body": {`
openapi: 3.0.3
paths:
  /a: {head: {responses: {'200': {description: Done., content: {application/json: {schema: {type: object}}}}}}}
`, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead {
				answer(w, http.StatusNotFound, `{}`)
				return
			}
			w.Header().Set("Content-Type", "application/json")
		}},
		"a header that every request has is no parameter": {`
openapi: 3.0.3
paths:
  /a:
    get:
      parameters: [{name: Authorization, in: header, required: true, schema: {type: string}}]` + okay, onlyGet(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, `{}`) })},
		"a whole number may be written 5.0": {`
openapi: 3.1.0
paths:
  /a:
    get:
      parameters: [{name: n, in: query, required: true, schema: {type: integer, minimum: 1.0, maximum: 5.0}}]
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
        '422': {description: Refused.}
`, onlyGet(func(w http.ResponseWriter, r *http.Request) {
			if n, err := strconv.Atoi(r.URL.Query().Get("n")); err != nil || n < 1 || n > 5 {
				answer(w, http.StatusUnprocessableEntity, `{}`)
				return
			}
			answer(w, http.StatusOK, `{}`)
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if report := held(t, c.document, contract.Target{}, c.serve); strings.Contains(report, "FAILED") || !strings.Contains(report, ", 0 of them failed, 0 skipped") {
				t.Error(report)
			}
		})
	}
}

// What a document says in other words than Accord's is held to all the same.
func TestForeignFlawsAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document, want string
		serve          http.HandlerFunc
	}{
		"a limit that is not said": {`
openapi: 3.1.0
paths:
  /a:
    get:
      parameters: [{name: n, in: query, schema: {anyOf: [{type: integer}, {type: 'null'}]}}]
      responses:
        '200': {description: Done., content: {application/json: {schema: {type: object}}}}
        '422': {description: Refused.}
`, "n: -1, as no limit is said", onlyGet(func(w http.ResponseWriter, r *http.Request) {
			if n, err := strconv.Atoi(r.URL.Query().Get("n")); r.URL.Query().Has("n") && (err != nil || n < 0) {
				answer(w, http.StatusUnprocessableEntity, `{}`)
				return
			}
			answer(w, http.StatusOK, `{}`)
		})},
		"an unknown one where no 404 is said": {`
openapi: 3.1.0
paths:
  /a/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 9000000}}]` + okay,
			"500: it fell over", onlyGet(func(w http.ResponseWriter, r *http.Request) {
				switch n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/a/")); {
				case err != nil || n < 1 || n > 9000000:
					answer(w, http.StatusNotFound, `{}`)
				case n == 1 || n > 8000000:
					answer(w, http.StatusOK, `{}`)
				default:
					answer(w, http.StatusInternalServerError, `it fell over`)
				}
			})},
		"an answer below default": {`
openapi: 3.0.3
paths:
  /a:
    get:
      responses:
        '204': {description: Done.}
        default: {description: Refused., content: {application/json: {schema: {type: object, required: [message]}}}}
`, `missing property 'message'`, onlyGet(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusTeapot, `{}`) })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if report := held(t, c.document, contract.Target{}, c.serve); !strings.Contains(report, c.want) {
				t.Errorf("want %q, got\n%s", c.want, report)
			}
		})
	}
}

const guarded = `
openapi: 3.0.3
paths:
  /header: {get: {security: [{header: []}], responses: {'200': {$ref: '#/components/responses/Done'}, '401': {description: Who.}}}}
  /query: {get: {security: [{query: []}], responses: {'200': {$ref: '#/components/responses/Done'}, '401': {description: Who.}}}}
  /cookie:
    get:
      security: [{cookie: []}]
      parameters: [{name: theme, in: cookie, schema: {type: string, enum: [dark]}}]
      responses: {'200': {$ref: '#/components/responses/Done'}, '400': {description: No.}, '401': {description: Who.}}
  /bearer: {get: {security: [{nobody: []}, {bearer: []}], responses: {'200': {$ref: '#/components/responses/Done'}, '401': {description: Who.}}}}
  /basic: {get: {security: [{basic: []}], responses: {'200': {$ref: '#/components/responses/Done'}, '401': {description: Who.}}}}
  /both: {get: {security: [{basic: [], header: []}], responses: {'200': {$ref: '#/components/responses/Done'}, '401': {description: Who.}}}}
  /other: {get: {security: [{nobody: []}], responses: {'200': {$ref: '#/components/responses/Done'}, '401': {description: Who.}}}}
components:
  responses:
    Done: {description: Done., content: {application/json: {schema: {type: object}}}}
  securitySchemes:
    header: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: session}
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    nobody: {type: openIdConnect, openIdConnectUrl: 'https://example.com/id'}
`

// guard lets in who shows what the path wants.
func guard(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	session, _ := r.Cookie("session")
	basic, header := user == "ada" && password == "secret-b", r.Header.Get("X-Key") == "secret-h"
	if theme, err := r.Cookie("theme"); err == nil && theme.Value != "dark" {
		answer(w, http.StatusBadRequest, `{}`)
		return
	}
	if !map[string]bool{
		"/header": header, "/query": r.URL.Query().Get("key") == "secret q", "/cookie": session != nil && session.Value == "secret-c",
		"/bearer": r.Header.Get("Authorization") == "Bearer secret-t", "/basic": basic, "/both": basic && header,
	}[r.URL.Path] {
		answer(w, http.StatusUnauthorized, `{}`)
		return
	}
	answer(w, http.StatusOK, `{}`)
}

// People show who they are in each way that a document may ask for; what nobody has
// is skipped, and told. No report holds a credential.
func TestCredentials(t *testing.T) {
	t.Parallel()
	target := contract.Target{
		Logins:      []contract.Login{{Name: "ada", User: "ada", Password: "secret-b"}},
		Credentials: []contract.Credential{{"header", "secret-h"}, {"query", "secret q"}, {"cookie", "secret-c"}, {"bearer", "secret-t"}, {"basic", "ada:secret-b"}},
	}
	report := held(t, guarded, target, onlyGet(guard))
	if strings.Contains(report, "FAILED") || !strings.Contains(report, "skipped 3 cases: there is no credential for the scheme nobody") {
		t.Error(report)
	}
	failing := held(t, guarded, target, onlyGet(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusTeapot, `{}`) }))
	for _, secret := range []string{"secret-", "secret+q", "secret%20q", "YWRhOn"} {
		if strings.Contains(failing, secret) {
			t.Errorf("the report holds %s:\n%s", secret, failing)
		}
	}
	if !strings.Contains(failing, `Authorization: basic $TOKEN`) && !strings.Contains(failing, `Authorization: Basic $TOKEN`) {
		t.Error(failing)
	}
}

const signIn = `
openapi: 3.1.0
servers: [{url: /v1}]
paths:
  /token:
    post:
      operationId: token
      requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object, required: [username, password], properties: {
        grant_type: {type: string, pattern: ^password$}, username: {type: string, minLength: 1, maxLength: 9}, password: {type: string, minLength: 1, maxLength: 9}}}}}}
      responses: {'200': {description: Done., content: {application/json: {schema: {}}}}, '400': {description: Wrong.}, '422': {description: Refused.}}
  /me: {get: {security: [{oauth: []}], responses: {'200': {description: Done., content: {application/json: {schema: {}}}}, '401': {description: Who.}}}}
  /admin: {get: {security: [{oauth: [admin]}], responses: {'200': {description: Done., content: {application/json: {schema: {}}}}, '401': {description: Who.}, '403': {description: No.}}}}
components: {securitySchemes: {oauth: {type: oauth2, flows: {password: {tokenUrl: "TOKENURL", scopes: {admin: All., user: Less.}}}}}}
`

// A sign-in may be named as a relative address or an absolute one, and need not say
// what somebody may; no password goes to another server.
func TestForeignSignIn(t *testing.T) {
	t.Parallel()
	for _, tokenURL := range []string{"token", "/v1/token", "./token", "https://example.com/v1/token"} {
		t.Run(tokenURL, func(t *testing.T) {
			t.Parallel()
			target := contract.Target{Logins: []contract.Login{{Name: "ada", User: "ada", Password: "secret"}}}
			report := held(t, strings.ReplaceAll(signIn, "TOKENURL", tokenURL), target, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/v1/token" && r.Method == http.MethodPost:
					issue(w, r)
				case r.Method != http.MethodGet || r.URL.Path != "/v1/me" && r.URL.Path != "/v1/admin":
					answer(w, http.StatusNotFound, `{}`)
				case r.Header.Get("Authorization") != "Bearer t":
					answer(w, http.StatusUnauthorized, `{}`)
				default:
					answer(w, http.StatusOK, `{}`)
				}
			})
			if strings.Contains(report, "FAILED") || !strings.Contains(report, "skipped 1 case: nobody who is known may") {
				t.Error(report)
			}
		})
	}
}

// issue gives ada a token.
func issue(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.ParseForm() != nil {
		answer(w, http.StatusUnprocessableEntity, `{}`)
		return
	}
	for _, name := range []string{"username", "password"} {
		if n := len([]rune(r.PostForm.Get(name))); n < 1 || n > 9 {
			answer(w, http.StatusUnprocessableEntity, `{}`)
			return
		}
	}
	switch {
	case r.PostForm.Has("grant_type") && r.PostForm.Get("grant_type") != "password":
		answer(w, http.StatusUnprocessableEntity, `{}`)
	case r.PostForm.Get("username") == "ada" && r.PostForm.Get("password") == "secret":
		answer(w, http.StatusOK, `{"access_token": "t"}`)
	default:
		answer(w, http.StatusBadRequest, `{}`)
	}
}

// A pattern may be as long as a list of everything there is.
func TestLongPattern(t *testing.T) {
	t.Parallel()
	var zones []string
	for i := range 200 {
		zones = append(zones, fmt.Sprintf("Zone/Number_%d", i))
	}
	document := `
openapi: 3.1.0
paths:
  /a:
    get:
      parameters: [{name: zone, in: query, schema: {type: string, pattern: '^(` + strings.Join(zones, "|") + `)$'}}]
      responses: {'200': {description: Done., content: {application/json: {schema: {type: object}}}}, 4XX: {description: Refused.}}
`
	report := held(t, document, contract.Target{}, onlyGet(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("zone") && !slices.Contains(zones, r.URL.Query().Get("zone")) {
			answer(w, http.StatusBadRequest, `{}`)
			return
		}
		answer(w, http.StatusOK, `{}`)
	}))
	if strings.Contains(report, "FAILED") {
		t.Error(report)
	}
}

// A name may be taken where no 409 is said: cases send another one each, and it is
// told once.
func TestNamesAreFresh(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
paths:
  /a:
    post:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1, maxLength: 30, example: lamp}, lit: {type: boolean}}}}}}
      responses: {'201': {description: Made.}, '400': {description: Refused.}}
`
	var taken sync.Map
	report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		err := json.NewDecoder(r.Body).Decode(&body)
		name, _ := body["name"].(string)
		_, lit := body["lit"].(bool)
		if n := utf8.RuneCountInString(name); err != nil || n < 1 || n > 30 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, there := body["lit"]; there && !lit {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, before := taken.LoadOrStore(name, true); before {
			w.WriteHeader(http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	if strings.Contains(report, "a valid request is answered 409") || !strings.Contains(report, "the status 409 is not declared") || !strings.Contains(report, ", 1 of them failed") {
		t.Error(report)
	}
}

// Forms are sent as they are declared: what is binary as a file, all else as a
// field, and a list as several of one name.
func TestForms(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.0.3
paths:
  /form:
    post:
      requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object, required: [tags], properties: {tags: {type: array, minItems: 2, maxItems: 2, items: {type: string, enum: [a, b]}}}}}}}
      responses: {'200': {description: Done., content: {application/json: {schema: {}}}}, 4XX: {description: Refused.}}
  /files:
    post:
      requestBody: {required: true, content: {multipart/form-data: {schema: {type: object, required: [file, note], properties: {file: {type: string, format: binary}, note: {type: string, maxLength: 5}}}}}}
      responses: {'200': {description: Done., content: {application/json: {schema: {}}}}, 4XX: {description: Refused.}}
`
	var files atomic.Int64
	report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			answer(w, http.StatusNotFound, `{}`)
			return
		}
		good := false
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data; boundary=") && r.URL.Path == "/files" && r.ParseMultipartForm(1<<20) == nil {
			good = len(r.MultipartForm.File["file"]) == 1 && len(r.MultipartForm.Value["note"]) == 1 && len([]rune(r.MultipartForm.Value["note"][0])) <= 5
			files.Add(1)
		} else if r.URL.Path == "/form" && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" && r.ParseForm() == nil {
			good = len(r.PostForm["tags"]) == 2 && !slices.ContainsFunc(r.PostForm["tags"], func(tag string) bool { return tag != "a" && tag != "b" })
		}
		if !good {
			answer(w, http.StatusBadRequest, `{}`)
			return
		}
		answer(w, http.StatusOK, `{}`)
	})
	if strings.Contains(report, "FAILED") || files.Load() == 0 {
		t.Error(report)
	}
}

// Without links, the id of what the path before makes is the one that is asked for.
func TestIDsAreGuessed(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.0.3
paths:
  /things/:
    post: {responses: {'201': {description: Made., content: {application/json: {schema: {type: object, properties: {id: {type: integer}}}}}}}}
  /things/{thing_id}:
    get:
      parameters: [{name: thing_id, in: path, required: true, schema: {type: integer}}]
      responses: {'200': {description: One., content: {application/json: {schema: {type: object, required: [id]}}}}, 4XX: {description: Refused.}}
`
	var last, found atomic.Int64
	last.Store(41)
	report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/things/"), 10, 64)
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/things/":
			answer(w, http.StatusCreated, fmt.Sprintf(`{"id": %d}`, last.Add(1)))
		case r.Method == http.MethodGet && err == nil && id > 41 && id <= last.Load():
			found.Add(1)
			answer(w, http.StatusOK, `{}`)
		default:
			answer(w, http.StatusNotFound, `{}`)
		}
	})
	if found.Load() == 0 || !strings.Contains(report, "missing property 'id'") || strings.Contains(report, "could not be tried") {
		t.Error(report)
	}
}

// A connection that the server closed between two requests shows nothing.
func TestConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	const document = `{openapi: 3.0.3, paths: {/a: {delete: {responses: {'204': {description: Gone.}}}}}}`
	var n atomic.Int64
	report := held(t, document, contract.Target{}, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 1 {
			hijacked, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = hijacked.Close() // what the client sees is what is tested
			}
			return
		}
		if r.Method != http.MethodDelete {
			answer(w, http.StatusNotFound, `{}`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if strings.Contains(report, "FAILED") {
		t.Error(report)
	}
}

// The same failure of several cases is told once.
func TestSameFailuresAreToldOnce(t *testing.T) {
	t.Parallel()
	const document = `{openapi: 3.0.3, paths: {/a: {get: {parameters: [{name: b, in: query, schema: {type: boolean}}], responses: {'204': {description: None.}}}}}}`
	report := held(t, document, contract.Target{}, onlyGet(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusAccepted, `{}`) }))
	if strings.Count(report, "the status 202 is not declared") > 2 || !strings.Contains(report, "more)") {
		t.Error(report)
	}
}
