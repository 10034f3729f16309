package contract_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/contract"
)

// Where cases share one address, limits are tried last and one after the other: one
// that is not there is told, and so is one that comes too early, where its window is
// short enough to wait for.
func TestLimitsAreTriedLast(t *testing.T) {
	t.Parallel()
	const document = `
openapi: 3.1.0
x-policy: {}
paths:
  /a:
    get:
      operationId: get
      x-policy: {rate-limit: [{limit: 30, window: WINDOW, by: ip}]}
      responses:
        '204': {description: Done., headers: {Retry-After: {schema: {type: string}}}}
        '405': {description: No., headers: {Allow: {schema: {type: string}}}}
        '429': {description: Too many., headers: {Retry-After: {schema: {type: string}}}}
`
	const window, long = 400 * time.Millisecond, time.Hour
	for name, c := range map[string]struct {
		window  time.Duration
		limit   int // 0 is none
		earlier int // that have counted already
		want    string
	}{
		"it is there":           {window, 30, 0, ""},
		"others have counted":   {window, 30, 20, ""},
		"it is not there":       {window, 0, 0, "FAILED get: 30 requests in 400ms by ip"},
		"it comes too early":    {window, 25, 0, "refused before 30 requests"},
		"too long to wait for":  {long, 30, 20, "skipped 1 case: the limit is there, and its number was not tried"},
		"long, and not counted": {long, 0, 0, "request 31 is answered 204, want 429"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			count, last := c.earlier, time.Now()
			report := held(t, strings.ReplaceAll(document, "WINDOW", c.window.String()), contract.Target{Patience: 3 * window}, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					w.Header().Set("Allow", "GET")
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if time.Since(last) > c.window*3/4 { // nobody has asked for so long
					count = 0
				}
				last = time.Now()
				if count++; c.limit > 0 && count > c.limit {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			})
			if bad := strings.Contains(report, "FAILED") || strings.Contains(report, "skipped 1 "); bad != (c.want != "") || !strings.Contains(report, c.want) {
				t.Errorf("want %q, got\n%s", c.want, report)
			}
		})
	}
}
