package servertest

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
)

// Responses are what a document declares, each operation with its statuses, and
// which of them have come. It is safe for concurrent use.
type Responses struct {
	declared map[Response]bool

	mu   sync.Mutex
	came map[Response]bool
}

// Response is one that an operation declares: a status, or `default`.
type Response struct{ Operation, Status string }

func (r Response) String() string { return r.Operation + " " + r.Status }

// Unexpected is the status that stands for all that an operation does not declare.
const Unexpected = "default"

// NewResponses reads an OpenAPI document in JSON. It fails when that is none.
func NewResponses(document []byte) (*Responses, error) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, fmt.Errorf("reading the declared responses: %w", err)
	}
	r := &Responses{declared: map[Response]bool{}, came: map[Response]bool{}}
	for _, item := range doc.Paths {
		for _, raw := range item {
			var operation struct {
				ID        string                     `json:"operationId"`
				Responses map[string]json.RawMessage `json:"responses"`
			}
			if json.Unmarshal(raw, &operation) != nil {
				continue // a member of the path that is no operation: its parameters
			}
			for status := range operation.Responses {
				r.declared[Response{operation.ID, status}] = true
			}
		}
	}
	return r, nil
}

// Came notes that an operation has answered. A status that it does not declare
// counts for its `default`.
func (r *Responses) Came(operation string, status int) {
	response := Response{operation, strconv.Itoa(status)}
	if !r.declared[response] {
		response.Status = Unexpected
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came[response] = true
}

// Judge says which declared responses never came. known is the list of those of
// which that is known, sorted, one a line: an operation, a status and the reason.
// It fails for a response that is missing and not known, and for a line that is
// not true any more, so that the list only shrinks.
func (r *Responses) Judge(known string) (summary string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reasons, faults := r.known(known)
	var never strings.Builder
	missing := r.missing()
	for _, response := range missing {
		if reason, ok := reasons[response]; ok {
			fmt.Fprintf(&never, "\n  %s: %s", response, reason)
			continue
		}
		fmt.Fprintf(&never, "\n  %s", response)
		faults = append(faults, fmt.Errorf("no test produces %s, which the document declares", response))
	}
	summary = fmt.Sprintf("%d of %d declared responses were never produced.%s", len(missing), len(r.declared), never.String())
	return summary, errors.Join(faults...)
}

// missing are the declared ones that never came, sorted.
func (r *Responses) missing() []Response {
	var list []Response
	for response := range r.declared {
		if !r.came[response] {
			list = append(list, response)
		}
	}
	slices.SortFunc(list, inOrder)
	return list
}

func inOrder(a, b Response) int {
	return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status))
}

// known reads the list, and finds its lines that cannot stay.
func (r *Responses) known(list string) (reasons map[Response]string, faults []error) {
	reasons = map[Response]string{}
	var last Response
	for line := range strings.Lines(list) {
		operation, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		status, reason, _ := strings.Cut(rest, " ")
		response := Response{operation, status}
		switch {
		case reason == "":
			faults = append(faults, fmt.Errorf("the line %q of the list has no reason", line))
		case inOrder(last, response) >= 0:
			faults = append(faults, fmt.Errorf("%s stands after %s in the list", response, last))
		case !r.declared[response]:
			faults = append(faults, fmt.Errorf("%s is in the list, and not declared", response))
		case r.came[response]:
			faults = append(faults, fmt.Errorf("%s is produced: take it out of the list", response))
		}
		reasons[response], last = reason, response
	}
	return reasons, faults
}

// ofPublished are the responses of the server's own document.
var ofPublished = sync.OnceValue(func() *Responses {
	r, err := NewResponses(api.OpenAPI)
	if err != nil {
		panic(err)
	}
	return r
})

// EveryResponse prints which responses of the published document no server of
// this process has given, and judges that as Judge does. Where only some of the
// tests ran it does nothing.
func EveryResponse(known string) error {
	if !wholeRun() {
		return nil
	}
	summary, err := ofPublished().Judge(known)
	_, _ = fmt.Fprintln(os.Stdout, summary)
	return err
}

// wholeRun says whether nothing on the command line leaves tests out.
func wholeRun() bool {
	for _, name := range []string{"run", "skip", "list", "fuzz"} {
		if flag.Lookup("test."+name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// operations are the ids of all, by method and route.
var operations = sync.OnceValue(func() map[string]string {
	ids := map[string]string{}
	for id, p := range api.Policies {
		ids[p.Method+" "+p.Path] = id
	}
	return ids
})

// noteResponses notes each answer whose header goes out, whoever asked for it: so
// a stream counts when it begins, and a HEAD, which has no body, does not at all.
func noteResponses(handler http.Handler) {
	handler.(*echo.Echo).Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Before(func() {
				if id, ok := operations()[c.Request().Method+" "+c.Path()]; ok {
					ofPublished().Came(id, c.Response().Status)
				}
			})
			return next(c)
		}
	})
}
