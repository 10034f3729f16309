package contract_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

const keptDocument = `
openapi: 3.1.0
info: {title: Kept, version: '1'}
x-policy: {}
paths:
  /cached: {get: {operationId: cached, x-policy: {cache: {ttl: 1m, vary: [user]}}, responses: {'200': {$ref: '#/components/responses/It'}, '304': {$ref: '#/components/responses/It'}}}}
  /also: {get: {operationId: also, x-policy: {cache: {ttl: 1m}}, responses: {'200': {$ref: '#/components/responses/It'}, '304': {$ref: '#/components/responses/It'}}}}
  /plain: {get: {operationId: plain, responses: {'200': {description: It.}}}}
  /dated:
    get:
      operationId: dated
      parameters: [{name: If-Modified-Since, in: header, schema: {type: string, enum: ['Fri, 16 Jan 2026 10:00:00 GMT']}}]
      responses: {'200': {$ref: '#/components/responses/It'}, '304': {$ref: '#/components/responses/It'}, '422': {description: No.}}
components: {responses: {It: {description: It., headers: {ETag: {schema: {type: string}}}}}}
`

// Answers that may be kept are those of operations that say so, be it for one user alone.
func TestWhatMayBeKept(t *testing.T) {
	t.Parallel()
	serve := func(plain string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			control := map[string]string{"/plain": plain}[r.URL.Path]
			if control == "" {
				control = "private, max-age=0"
				w.Header().Set("ETag", `"1"`)
			}
			w.Header().Set("Cache-Control", control)
			switch {
			case r.Method != http.MethodGet:
				w.Header().Set("Allow", http.MethodGet)
				w.Header().Set("Cache-Control", "no-store")
				w.WriteHeader(http.StatusMethodNotAllowed)
			case r.Header.Get("If-None-Match") == `"1"`:
				w.WriteHeader(http.StatusNotModified)
			}
		}
	}
	if report := held(t, keptDocument, contract.Target{}, serve("no-store")); strings.Contains(report, "may be kept") {
		t.Error(report)
	}
	report := held(t, keptDocument, contract.Target{}, serve("private, max-age=60"))
	if !strings.Contains(report, "a 200 may be kept (private, max-age=60), and the operation has no cache") || strings.Contains(report, "may be kept (private, max-age=0)") {
		t.Error(report)
	}

	d, err := contract.Parse("kept.yaml", []byte(keptDocument))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve("no-store"))
	t.Cleanup(server.Close)
	score, err := contract.Mutate(t.Context(), d, contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, v := range score.Mutants {
		if v.What == "it is not cached" && strings.Contains(v.Killer, "may be kept") {
			killed++
		}
	}
	if killed != 2 {
		t.Errorf("%d of the 2 changes that drop a cache are noticed", killed)
	}
}
