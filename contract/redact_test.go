package contract_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

const leaky = `
openapi: 3.1.0
paths:
  /token:
    post:
      operationId: token
      requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object, required: [grant_type, username, password], properties: {
        grant_type: {type: string, pattern: ^password$}, username: {type: string, minLength: 1, maxLength: 9}, password: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses: {'200': {description: Done., content: {application/json: {schema: {type: object, required: [expires_in]}}}}, '400': {description: Wrong.}}
  /me: {get: {security: [{oauth: []}], responses: {'204': {description: Done.}}}}
  /mailed: {post: {operationId: mailed, requestBody: {required: true, content: {application/json: {schema: {type: object, required: [code], properties: {code: {type: string}}}}}}, responses: {'204': {description: Done.}}}}
  /key: {get: {security: [{key: []}], responses: {'204': {description: Done.}}}}
components:
  securitySchemes:
    oauth: {type: oauth2, flows: {password: {tokenUrl: /token, scopes: {}}}}
    key: {type: apiKey, in: query, name: api_key}
`

// No report holds a secret in any form: what people sign in with, what answers give,
// what is got elsewhere. What a case makes up is none, and stands as it was sent.
func TestNoSecretsInReports(t *testing.T) {
	t.Parallel()
	d, err := contract.Parse("leaky.yaml", []byte(leaky))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/token":
			answer(w, http.StatusOK, `{"access_token": "live\/access-1", "refresh_token": "live-refresh-1", "id_token": "live-id-1", "scope": ""}`)
		case "/key":
			hijacked, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = hijacked.Close() // what the client sees is what is tested
			}
		default:
			answer(w, http.StatusTeapot, fmt.Sprintf(`{"you": %q, "before": %q, "cut": %q}`, r.Header.Get("Authorization"), "live%2Faccess-1", strings.Repeat("-", 221)+"live-refresh-1"))
		}
	}))
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), d, contract.Target{
		URL: server.URL, Expired: "expired-secret-1", Logins: []contract.Login{{Name: "ada", User: "ada", Password: "sesa me'&secret-1"}, {Name: "bob", User: "bob", Password: "pw1"}},
		Credentials: []contract.Credential{{Scheme: "key", Value: "key/secret 1"}},
		Recorded: []contract.Recorded{{
			Method: http.MethodGet, Path: "/me", Request: http.Header{"Authorization": {"Bearer har-secret-1"}, "Cookie": {"session=har-secret-2"}},
			Status: http.StatusTeapot, Body: []byte("har-secret-1, har-secret-2"),
		}},
		Values: map[string]func(context.Context) (any, error){"mailed.code": func(context.Context) (any, error) { return "mailed-secret-1", nil }},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range contract.Formats {
		var report bytes.Buffer
		if err := result.WriteAs(&report, format); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"live/", `live\/`, "live%2F", "live-", "expired-secret", "sesa me", "sesa+me", "sesa%20me", "secret-1", "pw1", "secret 1", "secret+1", "secret%201", "mailed-secret", "live-r", "har-secret"} {
			if i := strings.Index(report.String(), secret); i >= 0 {
				t.Errorf("the report as %s holds %s: %s", format, secret, report.String()[max(0, i-300):min(report.Len(), i+100)])
			}
		}
		for _, want := range []string{"Bearer nonsense", "$CREDENTIAL", "/key"} {
			if !strings.Contains(report.String(), want) {
				t.Errorf("the report as %s has no %s", format, want)
			}
		}
	}
	_, err = contract.Run(t.Context(), d, contract.Target{URL: "http://127.0.0.1:1/pw-secret-1", Logins: []contract.Login{{Name: "ada", User: "ada", Password: "pw-secret-1"}}}, nil)
	if err == nil || strings.Contains(err.Error(), "pw-secret-1") {
		t.Errorf("%v", err)
	}
}
