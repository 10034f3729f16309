package devpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The names of what stands in a server's folder.
const (
	dataName     = "postgres"
	logName      = "postgres.log"
	passwordName = "password"
	portName     = "port"
	startLock    = "start.lock"
	useLock      = "use.lock"
)

const (
	maxLogSize  = 5 << 20
	logTailSize = 2 << 10
	maxTries    = 50
)

// cluster is a data folder and what is needed to run a server on it.
type cluster struct {
	dir      string
	asked    string // what dir stands in for; "" where it is what was asked for
	who      account
	bin      binaries
	password string
	settings []string
}

func (c *cluster) data() string            { return filepath.Join(c.dir, dataName) }
func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

// initialise makes the data folder: aside first, so that one that was cut short
// is never taken for whole.
func (c *cluster) initialise(ctx context.Context) error {
	fresh := c.path("postgres.new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	c.password = rand.Text()
	if err := c.runInitdb(ctx, fresh); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if err := os.WriteFile(c.path(passwordName), []byte(c.password), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, c.data())
}

func (c *cluster) runInitdb(ctx context.Context, fresh string) error {
	passwordFile := c.path("password.new")
	if err := os.WriteFile(passwordFile, []byte(c.password), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.Remove(passwordFile) }()
	if err := c.who.own(passwordFile); err != nil {
		return err
	}

	var failed error
	for _, locale := range c.locales() {
		if err := c.emptyFolder(fresh); err != nil {
			return err
		}
		args := append([]string{
			"-D", fresh, "-U", superuser, "-A", "scram-sha-256", "--pwfile", passwordFile,
			"--encoding", "UTF8", "--no-sync", "--no-instructions",
		}, locale...)
		output, err := c.who.command(ctx, c.bin.path("initdb"), args...).CombinedOutput()
		if err == nil {
			return nil
		}
		failed = errors.Join(failed, fmt.Errorf("running %s: %w:\n%s", c.bin.path("initdb"), err, tail(output)))
	}
	return failed
}

// locales order by bytes everywhere, and know the letters of Unicode where they
// can: before 17 only where the system does.
func (c *cluster) locales() [][]string {
	if c.bin.major >= 17 {
		return [][]string{{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}}
	}
	return [][]string{{"--locale=C", "--lc-ctype=C.UTF-8"}, {"--locale=C"}}
}

func (c *cluster) emptyFolder(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return c.who.own(dir)
}

// launch starts a server and waits until it answers. What may pass is tried
// again: a port that was taken in between, and the remains of a server whose
// main process was killed.
func (c *cluster) launch(ctx context.Context) (*process, int, error) {
	for try := 1; ; try++ {
		port, err := c.choosePort(ctx, try)
		if err != nil {
			return nil, 0, err
		}
		started, err := c.launchAt(ctx, port)
		if err == nil {
			return started, port, nil
		}
		if try == maxTries || !mayPass(err) {
			return nil, 0, err
		}
		if err := pause(ctx, 20*pollPeriod); err != nil {
			return nil, 0, err
		}
	}
}

func mayPass(err error) bool {
	text := err.Error()
	return strings.Contains(text, "Address already in use") || strings.Contains(text, "is still in use")
}

func (c *cluster) launchAt(ctx context.Context, port int) (*process, error) {
	log, err := c.openLog()
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()

	// Not bound to ctx: the server outlives the call, and the process.
	cmd := c.who.command(context.WithoutCancel(ctx), c.bin.path("postgres"), c.arguments(port)...)
	cmd.Stdout, cmd.Stderr = log, log
	started, err := startProcess(cmd)
	if err != nil {
		return nil, err
	}
	from, _ := log.Seek(0, 2)
	if err := c.awaitReady(ctx, started); err != nil {
		stop(context.WithoutCancel(ctx), started.pid, syscall.SIGQUIT, started.gone)
		return nil, fmt.Errorf("%w; the end of %s:\n%s", err, log.Name(), c.logSince(from))
	}
	return started, nil
}

func (c *cluster) arguments(port int) []string {
	settings := append([]string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(port),
		"unix_socket_directories=",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_line_prefix=%m [%p] %d ",
		"max_connections=300",
	}, c.settings...)
	args := []string{"-D", c.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

func (c *cluster) awaitReady(ctx context.Context, started *process) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		select {
		case <-started.done:
			return errors.New("postgres ended at once")
		default:
		}
		master, err := readPostmaster(c.data())
		if err == nil && master.pid == started.pid && master.ready {
			return c.check(ctx, master.port)
		}
		if err := pause(ctx, pollPeriod); err != nil {
			return fmt.Errorf("waiting for postgres to be ready: %w", err)
		}
	}
}

func (c *cluster) check(ctx context.Context, port int) error {
	conn, err := c.connect(ctx, port)
	if err != nil {
		return err
	}
	closeConn(conn)
	return nil
}

// running finds a server that another process has started, in whatever state,
// and waits until it is ready or gone. A stale postmaster.pid is removed.
func (c *cluster) running(ctx context.Context) (postmaster, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		master, err := readPostmaster(c.data())
		if errors.Is(err, os.ErrNotExist) {
			return postmaster{}, false, nil
		}
		if err == nil && !serves(master.pid, c.data()) {
			return postmaster{}, false, os.Remove(filepath.Join(c.data(), pidName))
		}
		if err == nil && master.ready {
			if err = c.check(ctx, master.port); err == nil {
				return master, true, nil
			}
		}
		if ended := pause(ctx, pollPeriod); ended != nil {
			return postmaster{}, false, fmt.Errorf("waiting for the server that runs in %s: %w", c.dir, errors.Join(ended, err))
		}
	}
}

// choosePort keeps the port of the last time, so that other tools find the
// server again, unless somebody else has it now.
func (c *cluster) choosePort(ctx context.Context, try int) (int, error) {
	if content, err := os.ReadFile(c.path(portName)); err == nil && try == 1 {
		if port, err := strconv.Atoi(strings.TrimSpace(string(content))); err == nil {
			if port, err := freePort(ctx, port); err == nil {
				return port, nil
			}
		}
	}
	port, err := freePort(ctx, 0)
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	return port, nil
}

func freePort(ctx context.Context, wanted int) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
	if err != nil {
		return 0, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	return port, listener.Close()
}

func (c *cluster) openLog() (*os.File, error) {
	flags := os.O_CREATE | os.O_RDWR | os.O_APPEND | syscall.O_NOFOLLOW
	if info, err := os.Lstat(c.path(logName)); err == nil && info.Size() > maxLogSize {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(c.path(logName), flags, 0o600)
}

func (c *cluster) logSince(offset int64) string {
	content, err := os.ReadFile(c.path(logName))
	if err != nil {
		return err.Error()
	}
	if int64(len(content)) > offset {
		content = content[offset:]
	}
	return tail(content)
}

func tail(text []byte) string {
	return strings.TrimSpace(string(text[max(0, len(text)-logTailSize):]))
}

// process is one that we have started, and so must wait for.
type process struct {
	pid  int
	done chan struct{}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	started := &process{pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(started.done)
	}()
	return started, nil
}

func (p *process) gone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop ends a server, beginning with the signal first, and ever harder when that
// takes too long. When ctx has ended there is no time to be gentle.
func stop(ctx context.Context, pid int, first syscall.Signal, gone func() bool) bool {
	for _, step := range []struct {
		signal syscall.Signal
		limit  time.Duration
	}{
		{syscall.SIGINT, 5 * time.Second},  // fast: ends sessions, writes all to disk
		{syscall.SIGQUIT, 3 * time.Second}, // immediate: the next start recovers
		{syscall.SIGKILL, 2 * time.Second},
	} {
		if step.signal == first {
			first = 0 // reached: from here on each step in turn
		}
		hurry := step.signal == syscall.SIGINT && ctx.Err() != nil
		if first != 0 || hurry || gone() {
			continue
		}
		_ = syscall.Kill(pid, step.signal)
		awaitEnd(ctx, step.signal, step.limit, gone)
	}
	return gone()
}

// awaitEnd polls, since of a process that is not our child there is no word.
// Only the gentle step ends early with ctx.
func awaitEnd(ctx context.Context, signal syscall.Signal, limit time.Duration, gone func() bool) {
	if signal != syscall.SIGINT {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !gone() {
		if pause(ctx, pollPeriod) != nil {
			return
		}
	}
}
