package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// another runs the test's server on a second listener, so that it may be
// stopped in the midst of the test.
func another(t *testing.T, s *servertest.Server, admin net.Listener) (url string, stop func(), ended <-chan error) {
	t.Helper()
	listener := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.API.Run(ctx, listener, admin) }()
	return "http://" + listener.Addr().String(), stop, done
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// at is the same person at another URL of the server.
func at(p *servertest.Person, url string) *servertest.Person {
	other, elsewhere := *p, *p.Server
	elsewhere.URL = url
	other.Server = &elsewhere
	return &other
}

// Requests in flight finish, and readiness says no, before the server is gone.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	release := lock(t, s, "users")
	url, stop, ended := another(t, s, nil)
	answered := make(chan int, 1)
	go func() { answered <- at(p, url).GET("/api/v1/users/me").Status }()
	waiting(t, s, 1)

	stop()
	s.Eventually("readiness says no", func() bool { return p.GET("/readyz").Status == http.StatusServiceUnavailable })
	p.GET("/livez").Expect(http.StatusOK) // a restart would not help
	s.Eventually("nobody new is let in", func() bool {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	release()
	if got := <-answered; got != http.StatusOK {
		t.Errorf("the request in flight got %d", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What does not finish in the time of a stop is broken off, and told.
func TestStopHasALimit(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"SHUTDOWN_TIMEOUT": "300ms"}})
	p := s.Register()
	lock(t, s, "users")
	url, stop, ended := another(t, s, nil)
	broken := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/users/me", nil)
		if err != nil {
			broken <- err
			return
		}
		r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
		answer, err := s.HTTP.Do(r)
		if err == nil {
			_ = answer.Body.Close()
		}
		broken <- err
	}()
	waiting(t, s, 1)

	start := time.Now()
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "300ms") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := <-broken; err == nil {
		t.Error("the request was answered after the stop")
	}
}

// A client that promises a body and sends none holds up neither the other
// listener nor the end.
func TestStalledConnectionDoesNotKeepTheServer(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"SHUTDOWN_TIMEOUT": "300ms"}})
	url, stop, ended := another(t, s, listen(t))
	stalled := dial(t, url)
	fmt.Fprint(stalled, "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	if _, err := bufio.NewReader(stalled).ReadString('\n'); err != nil { // the body is waited for
		t.Fatal(err)
	}

	stop()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "300ms") {
			t.Errorf("error %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the server does not stop")
	}
}

// dial opens a connection to a server by hand.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Profiles, metrics and the page about jobs are served on the private listener and nowhere
// else.
func TestAdminListener(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	private := listen(t)
	public, stop, ended := another(t, s, private)
	p := s.Somebody()
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/heap", "/metrics", "/jobs/", "/jobs/api/queues"} {
		at(p, "http://"+private.Addr().String()).GET(path).Expect(http.StatusOK)
		at(p, public).GET(path).Expect(http.StatusNotFound)
	}
	at(p, "http://"+private.Addr().String()).GET("/problems").Expect(http.StatusNotFound)
	p.Header.Set("Sec-Fetch-Site", "cross-site") // a web page of somebody else
	at(p, "http://"+private.Addr().String()).POST("/jobs/api/jobs/cancel", map[string]any{"ids": []string{"1"}}).Expect(http.StatusForbidden)
	if got := askAs(t, s, private.Addr().String(), "profiles.internal"); got != http.StatusOK { // no development
		t.Errorf("another name gets %d", got)
	}
	s.HTTP.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// askAs asks for profiles under another name of the server.
func askAs(t *testing.T, s *servertest.Server, address, host string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/debug/pprof/cmdline", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	answer, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// In development a web page must not reach the profiles either, under a name of
// its own.
func TestAdminListenerInDevelopment(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"ENVIRONMENT": "development", "BCRYPT_COST": "12"}})
	private := listen(t)
	_, stop, ended := another(t, s, private)
	for host, want := range map[string]int{"": 200, "localhost": 200, "LocalHost.:8081": 200, "[::1]": 200, "evil.example": 421, "10.0.0.1:8081": 421} {
		if got := askAs(t, s, private.Addr().String(), host); got != want {
			t.Errorf("%q: status %d, want %d", host, got, want)
		}
	}
	s.HTTP.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// deadlines is a listener that notes how long its connections may take to write.
type deadlines struct {
	net.Listener
	mu       sync.Mutex
	current  time.Duration // 0: for ever
	writings []time.Duration
}

func (d *deadlines) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	return &deadlineConn{conn, d}, err
}

// take gives what each writing had, since the last take.
func (d *deadlines) take() []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	writings := d.writings
	d.writings = nil
	return writings
}

type deadlineConn struct {
	net.Conn
	noted *deadlines
}

func (c *deadlineConn) SetWriteDeadline(at time.Time) error {
	c.noted.mu.Lock()
	defer c.noted.mu.Unlock()
	c.noted.current = 0
	if !at.IsZero() {
		c.noted.current = time.Until(at)
	}
	return c.Conn.SetWriteDeadline(at)
}

func (c *deadlineConn) Write(p []byte) (int, error) {
	c.noted.mu.Lock()
	c.noted.writings = append(c.noted.writings, c.noted.current)
	c.noted.mu.Unlock()
	return c.Conn.Write(p)
}

// Whatever is answered, a client that does not read it holds nothing for long:
// operations, pages, files, and what leads to neither.
func TestEveryAnswerHasTimeToBeRead(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	noted := &deadlines{Listener: listen(t)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.API.Run(ctx, noted, nil) }()
	p := at(s.Somebody(), "http://"+noted.Addr().String())
	for _, c := range []struct{ method, path string }{
		{"GET", "/health"}, {"GET", "/api/v1/users/me"}, {"GET", "/"}, {"GET", "/problems"}, {"GET", "/api/openapi.json"}, {"GET", "/assets/page.css"},
		{"GET", "/api/docs/swagger-ui-bundle.js"}, {"GET", "/nothing"}, {"PUT", "/health"}, {"OPTIONS", "/health"}, {"GET", "/problems/none"},
	} {
		p.Do(c.method, c.path, "", nil)
		writings := noted.take()
		if len(writings) == 0 || slices.Min(writings) <= 0 || slices.Max(writings) > time.Minute {
			t.Errorf("%s %s: it was written within %s", c.method, c.path, writings)
		}
	}
	s.HTTP.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What net/http cannot read as a request it answers itself, in plain text and
// without a line in the log. docs/decisions.md lists these answers.
func TestWhatIsNoRequestIsNoProblem(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for text, want := range map[string]int{
		"hello\r\n\r\n":                                                               http.StatusBadRequest,
		"GET / HTTP/1.1\r\n\r\n":                                                      http.StatusBadRequest,
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n":                                         http.StatusBadRequest,
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                http.StatusBadRequest,
		"GET / HTTP/1.1\r\nHost: a\r\nB : c\r\n\r\n":                                  http.StatusBadRequest,
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: b\r\n\r\n":                      http.StatusBadRequest,
		"GET / HTTP/1.1\r\nHost: a\r\nExpect: b\r\n\r\n":                              http.StatusExpectationFailed,
		"GET / HTTP/1.1\r\nHost: a\r\nB: " + strings.Repeat("c", 80<<10) + "\r\n\r\n": http.StatusRequestHeaderFieldsTooLarge,
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: b\r\n\r\n":                   http.StatusNotImplemented,
		"GET / HTTP/3.0\r\nHost: a\r\n\r\n":                                           http.StatusHTTPVersionNotSupported,
	} {
		answer := sendRaw(t, s, text)
		if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != want || strings.Contains(string(body), "{") {
			t.Errorf("%.60q: status %d, want %d: %v %s", text, answer.StatusCode, want, err, body)
		}
	}
}

// sendRaw sends what no client of net/http would.
func sendRaw(t *testing.T, s *servertest.Server, text string) *http.Response {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	return answer
}
