package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/accord-api/accord/pg" // bare-drops
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

// bare-drops {
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

// bare-drops }
