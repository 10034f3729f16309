package inspect_test

import (
	"testing"
	"time"

	"github.com/accord-api/accord/inspect"
)

func TestTimeInSQLIsTheRequestsOwn(t *testing.T) {
	t.Parallel()
	r := inspect.Record{Took: 9 * time.Millisecond, Queries: []inspect.Query{{Took: 2 * time.Millisecond}, {Took: time.Millisecond}, {Took: time.Second, Job: 7}}}
	if got := r.InSQL(); got != 3*time.Millisecond {
		t.Errorf("%s", got)
	}
}
