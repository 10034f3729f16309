package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// busy fails the test unless the answer is a 503 of this kind that says when to
// come back.
func busy(t *testing.T, answer *servertest.Answer, code string) {
	t.Helper()
	answer.Expect(http.StatusServiceUnavailable).Problem(code)
	if answer.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// lock keeps a table to itself until release is called.
func lock(t *testing.T, s *servertest.Server, table string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+table); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.Background()) })
	t.Cleanup(release)
	return release
}

// waiting waits until so many queries wait for a lock.
func waiting(t *testing.T, s *servertest.Server, n int) {
	t.Helper()
	s.Eventually(fmt.Sprintf("%d queries wait", n), func() bool {
		return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == fmt.Sprint(n)
	})
}

// A lock in the database holds the operation up until its time is over. The
// connection serves on afterwards.
func TestTimeoutIsToldAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	release := lock(t, s, "users")
	start := time.Now()
	busy(t, p.PATCH("/api/v1/users/me", map[string]any{"full_name": "Too Late"}), "timeout")
	if took, want := time.Since(start), api.Policies["updateMe"].Timeout; took < want || took > want+4*time.Second {
		t.Errorf("it took %s, want %s", took, want)
	}
	release()
	if name := column(t, s, "SELECT full_name FROM users"); name != p.User.FullName {
		t.Errorf("the name is %q", name)
	}
	for range 3 {
		p.GET("/api/v1/users/me").Expect(http.StatusOK)
	}
}

// Readiness has a shorter time than the rest, since probes do not wait long.
func TestReadinessDoesNotWaitLong(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	lock(t, s, "goose_db_version")
	start := time.Now()
	busy(t, s.Somebody().GET("/readyz"), "unavailable")
	if took := time.Since(start); took < 2*time.Second || took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
}

// adminListUsers lets eight in at once, two of each administrator; the next one
// waits for a moment, also where it is an administrator's third and others are free.
func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	var admins []*servertest.Person
	for range 5 {
		admin := s.Admin()
		admin.GET("/api/v1/admin/audit-events").Expect(http.StatusOK) // from here on the session is remembered
		admins = append(admins, admin)
	}
	admin := admins[4]
	bound := api.Policies["adminListUsers"].Concurrency
	release := lock(t, s, "users")
	var inside sync.WaitGroup
	for i := range bound {
		if i == 2 {
			waiting(t, s, 2)
			busy(t, admins[0].GET("/api/v1/admin/users"), "unavailable")
		}
		inside.Go(func() {
			if got := admins[i/2].GET("/api/v1/admin/users").Status; got != http.StatusOK {
				t.Errorf("one of the first %d gets %d", bound, got)
			}
		})
	}
	waiting(t, s, bound)
	busy(t, admin.GET("/api/v1/admin/users"), "unavailable")
	admin.GET("/api/v1/admin/audit-events").Expect(http.StatusOK) // it is that operation's bound only
	release()
	inside.Wait()
	admin.GET("/api/v1/admin/users").Expect(http.StatusOK)
}

// Without a free connection the wait ends before the operation's time does.
func TestExhaustedPoolIsBusy(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{
		"DB_POOL_SIZE": "1", "DB_POOL_OVERFLOW": "0", "DB_ACQUIRE_TIMEOUT": "1s",
	}})
	p := s.Register()
	release := lock(t, s, "users")
	first := make(chan int, 1)
	go func() { first <- p.GET("/api/v1/users/me").Status }()
	waiting(t, s, 1)
	start := time.Now()
	busy(t, p.GET("/api/v1/users/me"), "unavailable")
	busy(t, p.PATCH("/api/v1/users/me", map[string]any{"full_name": "Ada"}), "unavailable")
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
	release()
	if got := <-first; got != http.StatusOK {
		t.Errorf("who had the connection gets %d", got)
	}
}

// A database that is out of reach is a 503 that says when to come back, for
// every operation that needs it.
func TestDatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "postgres://nobody@" + listener.Addr().String() + "/none"
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := servertest.New(t, servertest.Options{DatabaseURL: nowhere})
	for _, path := range []string{"/livez", "/health", "/", jwksPath} {
		s.Somebody().GET(path).Expect(http.StatusOK)
	}
	busy(t, s.Somebody().GET("/readyz"), "unavailable")
	for _, o := range document(t) {
		if o.public() && o.Body != nil {
			busy(t, s.Somebody().Do(o.Method, o.url(), o.contentType(), o.example(t, nil)), "unavailable")
		}
	}
}

// A database that goes away while the server runs is a 503, and is used again
// once it is back.
func TestDatabaseThatGoesAway(t *testing.T) {
	t.Parallel()
	database := servertest.New(t)
	gateway := newGateway(t, database.DatabaseURL)
	s := servertest.New(t, servertest.Options{DatabaseURL: gateway.url})
	p := s.Register()

	answers := make(chan *servertest.Answer, 3)
	release := lock(t, database, "users")
	for range cap(answers) { // in the middle of a query
		go func() { answers <- p.GET("/api/v1/users/me") }()
	}
	waiting(t, database, cap(answers))
	gateway.shut()
	for range cap(answers) {
		busy(t, <-answers, "unavailable")
	}
	release()
	s.Clock.Advance(time.Second) // the session is asked for anew
	busy(t, p.GET("/api/v1/users/me"), "unavailable")
	busy(t, p.PATCH("/api/v1/users/me", map[string]any{"full_name": "Ada"}), "unavailable")
	busy(t, p.GET("/readyz"), "unavailable")

	gateway.open()
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	// Connections that the database itself has ended, as in a restart.
	column(t, database, "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	if got := p.GET("/api/v1/users/me"); got.Status != http.StatusOK {
		busy(t, got, "unavailable")
	}
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
}

// gateway stands between a server and its database, and can be shut.
type gateway struct {
	url    string
	mu     sync.Mutex
	closed bool
	conns  []net.Conn
}

func newGateway(t *testing.T, databaseURL string) *gateway {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
	if config.Host[0] == '/' {
		network, address = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", config.Host, config.Port)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{url: fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", config.User, config.Password, listener.Addr(), config.Database)}
	t.Cleanup(func() { _ = listener.Close(); g.shut() })
	go func() {
		for {
			inner, err := listener.Accept()
			if err != nil {
				return
			}
			outer, err := net.Dial(network, address)
			if err != nil || !g.admits(inner, outer) {
				_ = inner.Close()
				continue
			}
			go func() { _, _ = io.Copy(inner, outer) }()
			go func() { _, _ = io.Copy(outer, inner) }()
		}
	}()
	return g
}

func (g *gateway) admits(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns = append(g.conns, conns...)
	return !g.closed
}

func (g *gateway) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, conn := range g.conns {
		_ = conn.Close()
	}
	g.conns = nil
}

func (g *gateway) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

// Whatever is sent to any operation is answered with a 4xx problem that names
// what is wrong, and never with a 5xx.
func TestNothingIsAnInternalError(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for _, o := range document(t) {
		if o.Body == nil {
			continue
		}
		p := signedIn(s, o)
		for _, body := range malformed {
			for _, contentType := range o.contentTypes() {
				p.IP = s.Somebody().IP
				answer := p.Do(o.Method, o.url(), contentType, []byte(body.text))
				if answer.Status == http.StatusTooManyRequests { // of one person
					p = signedIn(s, o)
					answer = p.Do(o.Method, o.url(), contentType, []byte(body.text))
				}
				var problem api.Problem
				answer.Into(&problem)
				if answer.Status < 400 || answer.Status >= 500 || len(problem.Detail) < 10 {
					t.Errorf("%s with %s as %s: %d %s", o.ID, body.name, contentType, answer.Status, answer.Body)
				}
				if strings.HasSuffix(contentType, "json") && problem.Type != "/problems/"+body.code {
					t.Errorf("%s with %s: %s, want %s", o.ID, body.name, problem.Type, body.code)
				}
			}
		}
	}
}
