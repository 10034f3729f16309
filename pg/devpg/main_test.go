package devpg_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/accord-api/accord/pg/devpg"
)

// holdEnv makes the test binary a process that holds a server, for the tests
// that kill one: the folder, or volatileWord.
const (
	holdEnv      = "ACCORD_TEST_HOLD"
	volatileWord = "volatile"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		os.Exit(hold(dir))
	}
	code := m.Run()
	if seed.dir != "" {
		_ = os.RemoveAll(filepath.Dir(seed.dir))
	}
	os.Exit(code)
}

// hold says what it has on standard output, and lets go when standard input
// ends or at Ctrl-C.
func hold(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	options := devpg.Options{Dir: dir, Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	if dir == volatileWord {
		options = devpg.Options{Volatile: true}
	}
	server, err := devpg.Start(ctx, options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(server.URL("postgres"), server.Dir())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	<-ctx.Done()
	if err := server.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// holder is such a process.
type holder struct {
	cmd      *exec.Cmd
	stdin    io.Closer
	url, dir string
}

func startHolder(t *testing.T, binary, dir string, change func(*exec.Cmd)) *holder {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if change != nil {
		change(cmd)
	}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = stdin.Close() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	url, folder, _ := strings.Cut(strings.TrimSpace(line), " ")
	return &holder{cmd: cmd, stdin: stdin, url: url, dir: folder}
}

// kill ends it as a power cut would, the server aside.
func (h *holder) kill(t *testing.T) {
	t.Helper()
	must(t, h.cmd.Process.Kill())
	_ = h.cmd.Wait()
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	return path
}

// folder is one that the account of the server can come to, even where the
// tests run as root: t.TempDir is closed to others.
func folder(t *testing.T) string {
	t.Helper()
	return folderIn(t, devpg.MemoryFolder())
}

// executableFolder is one from which programs can run, which memory often is
// not.
func executableFolder(t *testing.T) string {
	t.Helper()
	return folderIn(t, "")
}

func folderIn(t *testing.T, place string) string {
	t.Helper()
	parent, err := os.MkdirTemp(place, "devpg-test-") //nolint:usetesting // see folder: others have to come here
	must(t, err)
	must(t, os.Chmod(parent, 0o755))
	parent, err = filepath.EvalSymlinks(parent)
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	return filepath.Join(parent, ".accord")
}

// seeded is a folder in which a server has been before: a copy, since making the
// data takes most of a second.
func seeded(t *testing.T) string {
	t.Helper()
	seed.once.Do(func() {
		seed.dir, seed.err = makeSeed()
	})
	must(t, seed.err)
	dir := folder(t)
	output, err := exec.Command("cp", "-Rp", seed.dir, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("copying: %v: %s", err, output)
	}
	must(t, os.RemoveAll(filepath.Join(dir, "port"))) // each test has its own
	return dir
}

var seed struct {
	once sync.Once
	dir  string
	err  error
}

func makeSeed() (string, error) {
	parent, err := os.MkdirTemp(devpg.MemoryFolder(), "devpg-test-seed-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(parent, 0o755); err != nil {
		return parent, err
	}
	dir := filepath.Join(parent, ".accord")
	server, err := devpg.Start(context.Background(), devpg.Options{Dir: dir})
	if err != nil {
		return dir, err
	}
	return dir, server.Close(context.Background())
}

func start(t *testing.T, dir string) *devpg.Server {
	t.Helper()
	server, err := devpg.Start(t.Context(), devpg.Options{Dir: dir, Log: t.Logf})
	must(t, err)
	t.Cleanup(func() { _ = server.Close(context.Background()) })
	return server
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what other processes do.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	limit := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
