package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

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

// postgresOf lists the processes on the folder's database.
func postgresOf(t *testing.T, dir string) string {
	t.Helper()
	all, err := exec.Command("ps", "-ww", "-eo", "args").Output()
	if err != nil {
		t.Fatal(err)
	}
	hidden := "/var/tmp/accord-"
	var found []string
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, "postgres") && strings.Contains(line, " -D ") && (strings.Contains(line, dir) || strings.Contains(line, hidden)) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// Two in one folder work on one database; the first one's end does not end it
// for the second, a kill leaves what the next start adopts, and the last one
// leaves nothing running.
func TestProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startProcess(t, dir)
	began := time.Now()
	second := startProcess(t, dir)
	t.Logf("warm start to ready: %s", time.Since(began))
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a warm start took %s", took)
	}

	interrupt(t, first)
	if got := login(t, second.base, "user", "User-demo-1"); got != http.StatusOK {
		t.Errorf("the second signs in with %d", got)
	}
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait() // killed

	third := startProcess(t, dir)
	if got := login(t, third.base, "user", "User-demo-1"); got != http.StatusOK {
		t.Errorf("after a kill: %d", got)
	}
	interrupt(t, third)
	eventually(t, "nothing is left running", func() bool { return postgresOf(t, filepath.Join(dir, ".accord")) == "" })
}

func interrupt(t *testing.T, p *process) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v: %s", err, p.out)
	}
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
