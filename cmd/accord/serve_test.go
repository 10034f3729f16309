package main

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

// A port that nobody chose is told.
func TestPrivatePagesAreFound(t *testing.T) {
	t.Parallel()
	_, out, _ := serving(t, t.TempDir(), onDatabase(pgtest.New(t), "ADMIN_PORT=0"))
	for _, path := range []string{"/debug/pprof/", "/metrics", "/jobs"} {
		found := regexp.MustCompile(`http://127\.0\.0\.1:\d+` + path).FindString(out.String())
		if found == "" || get(t, found) != http.StatusOK {
			t.Errorf("%s is at %q: %s", path, found, out)
		}
	}
}
