// Command sdktest runs a command beside a server and tells it where that is: the
// scenarios of an SDK (sdk/scenarios.json) are such a command.
//
//	go run -C tools ./sdktest -- npm --prefix sdk/ts test
//
// In the environment of the command:
//
//	ACCORD_URL    the server, behind a proxy that can be asked for faults
//	ACCORD_USER   a user name, and ACCORD_PASSWORD its password
//	ACCORD_ADMIN  an administrator's, and ACCORD_ADMIN_PASSWORD
//
// A request with the header X-Fault: KIND;ID meets a fault the first time that the
// proxy sees this ID, and none after that:
//
//	unavailable  503 with Retry-After: 1; the server never sees it
//	lost         the server answers, and the connection ends before the answer
//	begun        an answer's stream ends with its first empty line, before any event
//	cut          an answer's stream ends after the first event
//	slow         nothing happens for 30 s, or until the client goes
//
// ID may have any characters but spaces. The proxy gives each connection's requests
// the X-Forwarded-For that they carry, so that clients can keep out of each other's
// rate limits.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sdktest:", err)
		os.Exit(1) //nolint:gocritic // what is deferred only ends the waiting for signals
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return errors.New("name the command: sdktest -- COMMAND ARGUMENTS")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "accord-sdk")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	server, err := start(ctx, root, dir)
	if err != nil {
		return err
	}
	defer server.stop()
	proxy, err := listen(ctx, server.url)
	if err != nil {
		return err
	}
	defer func() { _ = proxy.Close() }()

	command := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // whoever runs this says what to run
	command.Dir, command.Stdout, command.Stderr = root, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), "ACCORD_URL=http://"+proxy.Addr().String(),
		"ACCORD_USER=user", "ACCORD_PASSWORD="+server.passwords["user"],
		"ACCORD_ADMIN=admin", "ACCORD_ADMIN_PASSWORD="+server.passwords["admin"])
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	return command.Run()
}

// instance is a server in development, with a database and a folder of its own.
type instance struct {
	url       string
	passwords map[string]string // by user name
	process   *exec.Cmd
	ended     chan struct{}
}

var (
	ready    = regexp.MustCompile(`is ready on (http://\S+)`)
	password = regexp.MustCompile(`^  (user|admin) +(\S+)$`)
)

// start builds the server and runs it until it says that it is ready.
func start(ctx context.Context, root, dir string) (*instance, error) {
	binary := filepath.Join(dir, "accord")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/accord")
	build.Dir, build.Stderr = root, os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building the server: %w", err)
	}
	process := exec.Command(binary, "serve") //nolint:noctx // it is stopped, not killed, after all else
	process.Dir = dir
	process.Env = append(os.Environ(), "ENVIRONMENT=development", "HOST=127.0.0.1", "PORT=0", "ADMIN_PORT=-1",
		"TRUSTED_PROXIES=127.0.0.1", "CORS_ORIGINS=*", "LOG_LEVEL=warn")
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us
	said, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	process.Stdout, process.Stderr = write, write
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	_ = write.Close() // the process has its own
	a := &instance{process: process, passwords: map[string]string{}, ended: make(chan struct{})}
	var log bytes.Buffer
	lines := bufio.NewScanner(said)
	for (a.url == "" || a.passwords["user"] == "" || a.passwords["admin"] == "") && lines.Scan() {
		fmt.Fprintln(&log, lines.Text())
		if found := ready.FindStringSubmatch(lines.Text()); found != nil {
			a.url = found[1]
		}
		if found := password.FindStringSubmatch(lines.Text()); found != nil {
			a.passwords[found[1]] = found[2]
		}
	}
	go func() {
		defer close(a.ended)
		_, _ = io.Copy(os.Stderr, said) // ends with the process
	}()
	if a.passwords["admin"] == "" {
		a.stop()
		return nil, fmt.Errorf("the server did not become ready. It said:\n%s", log.String())
	}
	return a, nil
}

func (a *instance) stop() {
	_ = a.process.Process.Signal(os.Interrupt)
	<-a.ended
	_ = a.process.Wait() // a test has said what matters
}

// faults are the proxy's.
type faults struct {
	forward *httputil.ReverseProxy
	seen    sync.Map
}

func listen(ctx context.Context, server string) (net.Listener, error) {
	to, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	f := &faults{forward: &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		r.Out.Header.Del("X-Fault")
	}}}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = (&http.Server{Handler: f, ReadHeaderTimeout: time.Minute}).Serve(listener) }() // until it is closed
	return listener, nil
}

func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, _, _ := strings.Cut(r.Header.Get("X-Fault"), ";")
	if kind != "" {
		if _, again := f.seen.LoadOrStore(r.Header.Get("X-Fault"), true); again {
			kind = ""
		}
	}
	switch kind {
	case "":
		f.forward.ServeHTTP(w, r)
	case "unavailable":
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"type":"about:blank","title":"Unavailable","status":503,"detail":"Come back in a second.","request_id":"proxy"}`)
	case "lost":
		f.forward.ServeHTTP(&nowhere{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case "begun":
		f.forward.ServeHTTP(&cut{ResponseWriter: w}, r)
	case "cut":
		f.forward.ServeHTTP(&cut{ResponseWriter: w, behind: "data:"}, r)
	case "slow":
		select {
		case <-time.After(30 * time.Second):
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
		}
	default:
		http.Error(w, "there is no fault "+kind, http.StatusBadRequest)
	}
}

// nowhere takes an answer.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

// cut passes a stream on up to the first empty line behind a text.
type cut struct {
	http.ResponseWriter

	behind string
	passed []byte
}

func (c *cut) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *cut) Write(p []byte) (int, error) {
	c.passed = append(c.passed, p...)
	begin := bytes.Index(c.passed, []byte(c.behind))
	end := -1
	if begin >= 0 {
		end = bytes.Index(c.passed[begin:], []byte("\n\n"))
	}
	if end < 0 {
		return c.ResponseWriter.Write(p)
	}
	left := len(c.passed) - (begin + end + 2) // behind the event
	_, _ = c.ResponseWriter.Write(p[:len(p)-left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
