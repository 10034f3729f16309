package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

// The memory of the process as a whole does not grow with the table that is exported.
func TestExportTakesLittleMemory(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("only Linux tells how much memory a process has")
	}
	address := pgtest.New(t)
	p := startProcess(t, t.TempDir(), onDatabase(address, "FILES_URL=file://"+t.TempDir())...)
	insert(t, address, `INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		SELECT gen_random_uuid(), 'many' || n || '@example.com', 'many' || n, md5(n::text) || md5((-n)::text), '', 'user', now(), now() FROM generate_series(1, 100000) n`)
	const password = "Difference-1822"
	if code, _, errs := ran(t, onDatabase(address), password, "user", "create", "--email", "grace@example.com", "--username", "grace", "--role", "admin", "--verified"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	token := tokenOf(t, p.base, "grace", password)
	before, most := residentKiB(t, p), 0
	n := exported(t, p, token, func() { most = max(most, residentKiB(t, p)) })
	if grown := most - before; grown > 32<<10 || n < 15<<20 {
		t.Errorf("it grew by %d KiB for %d bytes", grown, n)
	} else {
		t.Logf("it grew by %d KiB for %d bytes", grown, n)
	}
}

// exported reads an export and calls each before every mebibyte; it gives the
// number of bytes.
func exported(t *testing.T, p *process, token string, each func()) (n int64) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+"/api/v1/export/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept-Encoding", "identity")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("status %d", answer.StatusCode)
	}
	for {
		each()
		read, err := io.CopyN(io.Discard, answer.Body, 1<<20)
		n += read
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// residentKiB is what a process has in memory.
func residentKiB(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmRSS in\n%s", status)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
