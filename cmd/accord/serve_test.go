package main

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

// A port that nobody chose is told.
func TestProfilesAreFound(t *testing.T) {
	t.Parallel()
	_, out, _ := serving(t, t.TempDir(), onDatabase(pgtest.New(t), "ADMIN_PORT=0"))
	found := regexp.MustCompile(`http://127\.0\.0\.1:\d+/debug/pprof/`).FindString(out.String())
	if found == "" || get(t, found) != http.StatusOK {
		t.Errorf("profiles are at %q: %s", found, out)
	}
}
