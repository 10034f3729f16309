package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// watch runs a server until standard input ends, which the kernel sees to when
// the process that holds the other end dies, and removes the server's folder
// unless it is to be kept.
const watch = `
"$1" --dir "$2" --port 0 --unixsocket "$2/redis.sock" --unixsocketperm 700 \
	--databases "$3" --save '' --appendonly no --daemonize no >"$2/log" 2>&1 &
pid=$!
echo "$pid"
while read -r _; do :; done
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
[ "$4" = keep ] || rm -rf "$2"
`

const startTimeout = 15 * time.Second

// Server is a Redis of one test's own.
type Server struct {
	t       testing.TB
	program string
	server  *server
}

// Start runs a Redis that only this test uses, until the test ends. Without
// redis-server the test is skipped, or fails where CI is true.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, program: find(t)}
	s.run(start(s.program, true))
	t.Cleanup(func() {
		s.server.end()
		if err := os.RemoveAll(s.server.dir); err != nil {
			t.Errorf("redistest: removing the folder: %v", err)
		}
	})
	return s
}

func (s *Server) run(server *server, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("redistest: starting Redis: %v", err)
	}
	s.server = server
}

// URL is the server's address, and stays so over Kill and Restart.
func (s *Server) URL() string { return s.server.url() }

// Kill ends the server at once, with all that it has not saved.
func (s *Server) Kill() { s.server.end() }

// Restart runs the server again, after a Kill if need be, with what the last SAVE
// has saved.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	s.run(startIn(s.program, s.server.dir, true))
}

// Pause makes the server take connections and requests, and answer nothing.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume makes it answer again, also what it was asked meanwhile.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.server.pid, signal); err != nil {
		s.t.Fatalf("redistest: %v of Redis: %v", signal, err)
	}
}

// server is a running redis-server under its watch.
type server struct {
	dir   string
	pid   int
	alive io.Closer // the watch ends the server when this is closed
	watch *exec.Cmd
}

func start(program string, keep bool) (*server, error) {
	dir, err := os.MkdirTemp("", "accord-redis-")
	if err != nil {
		return nil, err
	}
	return startIn(program, dir, keep)
}

func startIn(program, dir string, keep bool) (*server, error) {
	kept := map[bool]string{true: "keep"}[keep]
	s := &server{dir: dir, watch: exec.Command("sh", "-c", watch, "sh", program, dir, strconv.Itoa(databases), kept)}
	s.watch.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C in the terminal reaches only us
	alive, err := s.watch.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.alive = alive
	out, err := s.watch.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.watch.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("reading the process id: %w", err)
	}
	if s.pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		return nil, fmt.Errorf("reading the process id: %w", err)
	}
	return s, s.ready()
}

func (s *server) socket() string { return filepath.Join(s.dir, "redis.sock") }

func (s *server) url() string { return "unix://" + s.socket() }

// end kills the server and waits until its folder is gone.
func (s *server) end() {
	_ = s.alive.Close() // a second end finds it closed
	_ = s.watch.Wait()
}

// ready waits until the server answers.
func (s *server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.end()
			return fmt.Errorf("it does not answer within %s: %w\n%s", startTimeout, err, log)
		case <-tick.C:
		}
	}
}

func (s *server) ping(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", s.socket())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+PONG") {
		err = errors.New(strings.TrimSpace(answer))
	}
	return err
}
