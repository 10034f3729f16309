package contract_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// An operation is where its own servers say, else those of its path, else those of the
// document.
func TestServersOfPathsAndOperations(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
info: {title: Servers, version: '1'}
servers: [{url: 'https://example.com/v1'}]
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, enum: [x]}}]
    servers: [{url: 'https://files.example.com/{kind}/', variables: {kind: {default: files}}}]
    get: {operationId: of path, responses: {'200': {description: It.}, 4XX: {description: No.}}}
    put: {operationId: of operation, servers: [{url: /}], responses: {'200': {description: It.}, 4XX: {description: No.}}}
  /b:
    get: {operationId: of document, responses: {'200': {description: It., content: {application/json: {schema: {type: integer}}}}, 4XX: {description: No.}}}
`
	serve := func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /files/a/x", "PUT /a/x":
		case "GET /v1/b":
			answer(w, http.StatusOK, "1")
		case "GET /files/a/undeclared", "GET /files/a/xx", "GET /files/a/X", "PUT /a/undeclared", "PUT /a/xx", "PUT /a/X":
			w.WriteHeader(http.StatusUnprocessableEntity)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}
	for _, base := range []string{"", "/v1"} {
		target := contract.Target{URL: base, Recorded: []contract.Recorded{
			{Method: http.MethodGet, Path: "/v1/b", Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("2")},
			{Method: http.MethodGet, Path: "/files/a/x", Status: http.StatusOK},
		}}
		if report := held(t, document, target, serve); !strings.Contains(report, ", 0 of them failed, 0 skipped") || strings.Contains(report, "not in the document") {
			t.Errorf("below %q:\n%s", base, report)
		}
	}
}
