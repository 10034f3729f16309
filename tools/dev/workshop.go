package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// workshop makes the server and runs it.
type workshop struct {
	root, url string
	front     *front
	out, err  io.Writer
	settings  map[string]string // of .env
	current   *served
	welcomed  bool
}

// served is a server that runs.
type served struct {
	process *exec.Cmd
	ended   chan error
}

// renew makes what follows from the changes and puts the new server in the place of
// the old one, which stays where that fails.
func (w *workshop) renew(ctx context.Context, generate bool) {
	began := time.Now()
	if generate {
		fmt.Fprintln(w.out, "Making gen/ anew.") // the first time it compiles sqlc
		if !w.step(ctx, "make gen", "make", "--no-print-directory", "gen") {
			return
		}
	}
	binary := filepath.Join(w.root, ".accord", "dev", "accord")
	if !w.step(ctx, "go build", build(binary)...) {
		return
	}
	next, text, err := w.start(ctx, binary)
	if err != nil {
		if ctx.Err() == nil {
			w.fail("the server does not start", err.Error())
		}
		return
	}
	w.front.well(next.url)
	w.end(w.current)
	w.current = next.served
	if !w.welcomed {
		fmt.Fprint(w.out, strings.ReplaceAll(text, next.url.String(), w.url))
		fmt.Fprintln(w.out, "Watching. What you save is served as soon as it is built; Ctrl-C ends it.")
		w.welcomed = true
		return
	}
	fmt.Fprintf(w.out, "Served anew after %.1f s.\n", time.Since(began).Seconds())
}

// build is the command that builds the server in the least time. What is built is run
// for minutes: half of the compiler's work would be spent on making it fast, and a third
// of the linker's on tables of a debugger. -c is said because the go command lets the
// compiler do one thing at a time where it is given options that it does not know.
// Without a collector they take up to 800 MB, and a tenth less time.
func build(binary string) []string {
	return []string{
		"env", "GOGC=off", "go", "build", "-buildvcs=false", "-ldflags=-s -w",
		"-gcflags=./...=-N -l -dwarf=false -c=2", "-o", binary, "./cmd/accord",
	}
}

// setting is one of the environment, or else of .env, as the server takes them.
func (w *workshop) setting(name, otherwise string) string {
	return cmp.Or(os.Getenv(name), w.settings[name], otherwise)
}

// step runs a command, and tells what it said where it fails.
func (w *workshop) step(ctx context.Context, name string, args ...string) bool {
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Dir = w.root
	said, err := command.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		return err == nil
	}
	w.fail(name+" fails", string(said))
	return false
}

func (w *workshop) fail(what, said string) {
	said = strings.TrimSpace(strings.ReplaceAll(said, w.root+string(filepath.Separator), ""))
	fmt.Fprintf(w.err, "\n%s:\n%s\n", strings.ToUpper(what[:1])+what[1:], said)
	w.front.ill(what, said)
}

// started is a server that is ready, and where.
type started struct {
	*served

	url *url.URL
}

var readyLine = regexp.MustCompile(`is ready on (http://\S+)`)

// start runs a server on a port of its own until it says that it is ready, and gives
// what it said.
func (w *workshop) start(ctx context.Context, binary string) (*started, string, error) {
	process := exec.Command(binary, "serve") //nolint:noctx // it is stopped, not killed
	process.Dir = w.root
	process.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT=0", "ADMIN_PORT="+w.setting("ADMIN_PORT", "0"), "PUBLIC_URL="+w.url, "TRUSTED_PROXIES=127.0.0.1")
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us, who stop it
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	var errs bytes.Buffer
	process.Stderr = io.MultiWriter(w.err, &limited{Writer: &errs, left: 64 << 10})
	if err := process.Start(); err != nil {
		return nil, "", err
	}
	s := &served{process: process, ended: make(chan error, 1)}
	lines := bufio.NewScanner(out)
	var text strings.Builder
	at := ""
	left := 2 // blank lines: one before the accounts, and one after them
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines.Scan() {
			fmt.Fprintln(&text, lines.Text())
			if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
				at = found[1]
			}
			if strings.Contains(text.String(), "\n  mail ") && lines.Text() == "" {
				left--
			}
			if left == 0 {
				return
			}
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		w.end(s)
		return nil, "", errStopped
	}
	go func() {
		_, _ = io.Copy(io.Discard, out) // it says nothing more there
		s.ended <- process.Wait()
	}()
	address, err := url.Parse(at)
	if at == "" || err != nil {
		<-s.ended //nolint:errcheck // what it said tells more
		return nil, "", fmt.Errorf("%s", strings.TrimSpace(errs.String()))
	}
	return &started{s, address}, text.String(), nil
}

// limited writes the first bytes and drops the others.
type limited struct {
	io.Writer

	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	_, err := l.Writer.Write(p[:n])
	return len(p), err
}

// died tells when the server that runs ends by itself.
func (w *workshop) died() <-chan error {
	if w.current == nil {
		return nil
	}
	return w.current.ended
}

// end stops a server, which finishes what it has begun, and does not wait for it.
func (*workshop) end(s *served) {
	if s != nil {
		_ = s.process.Process.Signal(os.Interrupt) // it may have ended
	}
}

// stop ends what runs, and waits for it.
func (w *workshop) stop() {
	if w.current != nil {
		w.end(w.current)
		<-w.current.ended //nolint:errcheck // as it was told to
	}
}
