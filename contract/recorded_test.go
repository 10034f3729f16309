package contract_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// note is an API of one operation, with a member that only requests have and a time
// that no answer keeps.
const note = `
openapi: 3.1.0
info: {title: Notes, version: '1'}
x-response-time: 1ns
paths:
  /notes/{id}:
    get:
      operationId: getNote
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, maxLength: 5}, example: a}
        - {name: as, in: query, schema: {type: string, enum: [short, long]}}
      responses:
        '200':
          description: The note.
          content:
            application/json:
              schema:
                type: object
                properties:
                  text: {type: string, maxLength: 5}
                  password: {type: string, writeOnly: true}
`

func noteDocument(t *testing.T) *contract.Document {
	t.Helper()
	d, err := contract.Parse("note.yaml", []byte(note))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// told are all failures of a run, in one text.
func told(result *contract.Result) string {
	var text strings.Builder
	for _, o := range result.Failed() {
		for _, f := range o.Failures {
			text.WriteString(o.Operation + ": " + o.Name + ": " + f.Text + " " + f.Pointer + "\n")
		}
	}
	return text.String()
}

func TestSecretsAndTime(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"text": "a", "password": "b"}`))
	}))
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), noteDocument(t), contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"an answer has password, which only requests have", "and may take 1ns /x-response-time"} {
		if got := told(result); !strings.Contains(got, want) {
			t.Errorf("want %q, got\n%s", want, got)
		}
	}
}

// What came elsewhere is held against the document, the answers and the requests that
// were done; what the document does not have is listed.
func TestRecorded(t *testing.T) {
	t.Parallel()
	recorded, err := contract.ReadHAR(strings.NewReader(`{"log": {"entries": [
		{"request": {"method": "GET", "url": "http://x/notes/a?as=short", "headers": []},
			"response": {"status": 200, "headers": [{"name": "Content-Type", "value": "application/json"}], "content": {"text": "eyJ0ZXh0IjogInRvbyBsb25nIn0=", "encoding": "base64"}}},
		{"request": {"method": "GET", "url": "http://x/notes/b?as=other"}, "response": {"status": 200, "headers": [{"name": "Content-Type", "value": "application/json"}], "content": {"text": "{}"}}},
		{"request": {"method": "DELETE", "url": "http://x/notes/a"}, "response": {"status": 204, "content": {}}},
		{"request": {"method": "GET", "url": "http://x/nothing"}, "response": {"status": 404, "content": {}}}
	]}}`))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), noteDocument(t), contract.Target{URL: server.URL, Recorded: recorded}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := told(result)
	for _, want := range []string{
		`getNote: recorded: GET /notes/a: a 200 has at "/text": maxLength: got 8, want 5`,
		`getNote: recorded: GET /notes/b: a request was done with as "other": value must be one of`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q, got\n%s", want, got)
		}
	}
	if strings.Contains(got, "/notes/a: a request was done") || len(result.Strays) != 1 || result.Strays[0] != "DELETE /notes/a" {
		t.Errorf("strays %q, got\n%s", result.Strays, got)
	}
	if _, err := contract.ReadHAR(strings.NewReader("{")); err == nil {
		t.Error("half an archive is read")
	}
}
