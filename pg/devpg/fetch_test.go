package devpg_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/accord-api/accord/pg/devpg"
)

// repository serves one archive as if it were PostgreSQL for this machine.
func repository(t *testing.T, checksum func(jar []byte) string) (url string, fetched *atomic.Int32) {
	t.Helper()
	content, err := os.ReadFile("testdata/postgres.txz")
	must(t, err)
	var jar bytes.Buffer
	archive := zip.NewWriter(&jar)
	entry, err := archive.Create("postgres.txz")
	must(t, err)
	_, err = entry.Write(content)
	must(t, err)
	must(t, archive.Close())

	fetched = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			_, _ = fmt.Fprint(w, checksum(jar.Bytes()))
			return
		}
		fetched.Add(1)
		_, _ = w.Write(jar.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL, fetched
}

func sum(jar []byte) string {
	digest := sha256.Sum256(jar)
	return hex.EncodeToString(digest[:])
}

// Where there is no PostgreSQL, it is fetched, once for all who ask.
func TestFetchedOnce(t *testing.T) {
	t.Parallel()
	url, fetched := repository(t, sum)
	cache := executableFolder(t)
	var said atomic.Int32
	options := devpg.Isolate(devpg.Options{Log: func(format string, _ ...any) {
		if strings.HasPrefix(format, "fetching PostgreSQL") {
			said.Add(1)
		}
	}}, nil, url, cache)

	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			dir, version, err := devpg.FindBinaries(t.Context(), options)
			if err != nil || version != "17.5" || !strings.HasPrefix(dir, cache) {
				t.Errorf("found %s in %s, error %v", version, dir, err)
			}
		})
	}
	all.Wait()
	if fetched.Load() != 1 || said.Load() != 1 {
		t.Errorf("fetched %d times, said so %d times", fetched.Load(), said.Load())
	}
	left, err := filepath.Glob(filepath.Join(cache, "fetching-*"))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestDamagedDownloadIsRefused(t *testing.T) {
	t.Parallel()
	url, _ := repository(t, func([]byte) string { return "0123" })
	cache := executableFolder(t)
	_, _, err := devpg.FindBinaries(t.Context(), devpg.Isolate(devpg.Options{Log: t.Logf}, nil, url, cache))
	if err == nil || !strings.Contains(err.Error(), "checksums") || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Fatalf("error = %v, want the reason and a way out", err)
	}
}

func TestOldInstallationIsPassedOver(t *testing.T) {
	t.Parallel()
	old := installation(t, "13.9", "initdb", "postgres")
	half := installation(t, "16.1", "postgres")
	good := installation(t, "16.2", "initdb", "postgres")
	options := devpg.Isolate(devpg.Options{Log: t.Logf}, []string{"/nowhere", old, half, good}, "http://127.0.0.1:1", executableFolder(t))
	dir, version, err := devpg.FindBinaries(t.Context(), options)
	if err != nil || dir != good || version != "16.2" {
		t.Fatalf("found %s in %s, error %v", version, dir, err)
	}
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"9", "15", "16"} {
		must(t, os.MkdirAll(filepath.Join(root, name, "bin"), 0o755))
	}
	got := devpg.NewestFirst(filepath.Join(root, "*", "bin"))
	if len(got) != 3 || !strings.HasSuffix(got[0], "16/bin") || !strings.HasSuffix(got[2], "9/bin") {
		t.Fatalf("order = %s", got)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": "15.18",
		"postgres (PostgreSQL) 18beta1\n":                        "18beta1",
		"postgres (PostgreSQL) 17.5\n":                           "17.5",
		"bash: not found":                                        "",
	} {
		got, _, err := devpg.ParseVersion(output)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseVersion(%q) = %q, %v", output, got, err)
		}
	}
}

// installation is a folder of scripts that say a version.
func installation(t *testing.T, version string, names ...string) string {
	t.Helper()
	dir := executableFolder(t)
	must(t, os.Mkdir(dir, 0o755))
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
	for _, name := range names {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
	}
	return dir
}
