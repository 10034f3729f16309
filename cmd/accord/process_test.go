package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

// process is the command as a real one.
type process struct {
	*exec.Cmd
	out  *output
	base string
}

func startProcess(t *testing.T, dir string, environ ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], "serve"), out: &output{}}
	p.Dir, p.Stdout, p.Stderr = dir, p.out, p.out
	p.Env = append(append(os.Environ(), asProgram+"=1", "PORT=0", "LOG_LEVEL=error"), environ...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	eventually(t, "the process is ready", func() bool {
		found := regexp.MustCompile(`is ready on (\S+)`).FindStringSubmatch(p.out.String())
		if found != nil {
			p.base = found[1]
		}
		return found != nil
	})
	return p
}

// Who cannot wait for the end of a stop has it with a second signal.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startProcess(t, t.TempDir(), onDatabase(pgtest.New(t), "SHUTDOWN_TIMEOUT=60s")...)
	address := strings.TrimPrefix(p.base, "http://")
	stalled, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stalled.Close() }()
	if _, err := io.WriteString(stalled, "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := stalled.Read(make([]byte, 1)); err != nil { // the body is waited for
		t.Fatal(err)
	}

	signal := func() {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	signal()
	eventually(t, "nobody new is let in", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	began := time.Now()
	signal()
	_ = p.Wait() // says that it was killed
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("the process ended with %s: %s", p.ProcessState, p.out)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
}

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

// insert runs a statement.
func insert(t *testing.T, address, sql string) {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: address, Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
