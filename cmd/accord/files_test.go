package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

// Files are kept beside the private database.
func TestFilesInDevelopment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, out, stop := serving(t, dir, onDatabase(pgtest.New(t)))
	info, err := os.Stat(filepath.Join(dir, ".accord", "files"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info, err)
	}
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// A storage that does not work is found out at start, and no other command
// touches it.
func TestFilesThatCannotBeKept(t *testing.T) {
	t.Parallel()
	address, folder := pgtest.New(t), filepath.Join(t.TempDir(), "files")
	for storage, want := range map[string]string{
		"file:///dev/null/files":                            "opening the folder for files",
		"s3://accord-test?region=a&endpoint=http://[::1]:1": "checking the storage s3://accord-test",
	} {
		environ := inProduction(t, address, "FILES_URL="+storage, "AWS_ACCESS_KEY_ID=x")
		if code, _, errs := ran(t, environ, "", "serve"); code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d: %s", storage, code, errs)
		}
	}
	environ := inProduction(t, address, "FILES_URL=file://"+folder)
	if code, _, errs := ran(t, environ, "", "user", "list"); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}
