package contract_test

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/accord-api/accord/contract"
)

const largeDocument = `
openapi: 3.1.0
info: {title: Large, version: '1'}
x-policy: {body-limit: 256KiB}
paths:
  /notes:
    post:
      operationId: make
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, additionalProperties: false, required: [note], properties: {note: {type: string, maxLength: 200000, pattern: '^[a-c '']*$'}}}
      responses:
        '204': {description: Done.}
        '413': {description: Too large.}
        '422': {description: Refused.}
`

// The request of a failure can be sent again by the line that the report has, however
// long it is: the very same bytes come.
func TestLongRequestsAreToldWhole(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sent, last := map[string]bool{}, ""
	d, target := opened(t, largeDocument, contract.Target{Parallel: 1}, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if last = string(body); !strings.HasPrefix(r.UserAgent(), "curl") {
			sent[last] = true
		}
		w.WriteHeader(http.StatusTeapot) // is declared by nobody
	})
	result, err := contract.Run(t.Context(), d, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	if err := result.Write(&report); err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^  (\{ .*\} \| curl .*)$`).FindAllStringSubmatch(report.String(), -1)
	if len(lines) < 2 || strings.Contains(report.String(), "# cut") {
		t.Fatalf("%d lines of long requests, of %d sent:\n%s", len(lines), len(sent), report.String())
	}
	for _, line := range lines {
		if len(line[1]) > 2000 {
			t.Errorf("a line of %d characters", len(line[1]))
		}
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", line[1]).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line[1], err, out)
		}
		mu.Lock()
		if len(last) < 100_000 || !sent[last] {
			t.Errorf("%s: %d other bytes were sent", line[1], len(last))
		}
		mu.Unlock()
	}
}
