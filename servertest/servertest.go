// Package servertest runs the whole server for a test: on a database of its
// own, a clock that the test moves, and a mailbox that it reads. Every answer
// that passes through it is held against the published contract.
package servertest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/contract/conform"
	"github.com/accord-api/accord/inspect"
	"github.com/accord-api/accord/mail"
	"github.com/accord-api/accord/pg/pgtest"
	"github.com/accord-api/accord/server"
)

// Options change how a test's server is set up.
type Options struct {
	// Settings are environment variables over those of a test.
	Settings map[string]string
	// DatabaseURL runs a second server on the database of a first one.
	DatabaseURL string
	// Start makes the jobs run and the server listen for other instances.
	Start bool
	// Now replaces the test's clock.
	Now func() time.Time
	// ReportLease shortens how long a worker that says nothing is believed in; bare-drops
	ReportLease time.Duration // bare-drops
	// Stall shortens how long a client may pause, where the contract bounds it.
	Stall time.Duration
	// TraceDelay shortens how long spans are gathered.
	TraceDelay time.Duration
	// Judge replaces what development holds answers against the contract with.
	Judge inspect.Judge
	// Outbox is a folder for development to keep mails in, instead of the Mailbox.
	Outbox string
}

// Server is a running server with what a test needs to look into it.
type Server struct {
	T           testing.TB
	URL         string
	DatabaseURL string
	Config      server.Config
	API         *server.Server
	Clock       *Clock
	Mailbox     *Mailbox
	Log         *Log
	Queries     *Queries
	HTTP        *http.Client
}

// New runs a server until the test ends.
func New(t testing.TB, options ...Options) *Server {
	t.Helper()
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	if o.DatabaseURL == "" {
		o.DatabaseURL = pgtest.New(t)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening: %v", err)
	}
	s := &Server{
		T: t, DatabaseURL: o.DatabaseURL, Clock: newClock(), Mailbox: &Mailbox{}, Log: &Log{}, Queries: &Queries{},
		URL:  "http://" + listener.Addr().String(),
		HTTP: &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	s.Config = s.config(o)
	if o.Now == nil {
		o.Now = s.Clock.finer
	}
	s.run(listener, o)
	return s
}

// config is a test's: cheap hashes, and a loopback proxy, so that each person
// may have an address of its own.
func (s *Server) config(o Options) server.Config {
	s.T.Helper()
	settings := map[string]string{
		"ENVIRONMENT": "test", "DATABASE_URL": s.DatabaseURL, "PUBLIC_URL": s.URL,
		"BCRYPT_COST": "4", "TRUSTED_PROXIES": "127.0.0.1", "ADMIN_PORT": "-1",
		"FILES_URL": (&url.URL{Scheme: "file", Path: s.T.TempDir()}).String(), // bare-drops
	}
	maps.Copy(settings, o.Settings)
	config, err := server.LoadConfig(settings)
	if err != nil {
		s.T.Fatalf("configuring: %v", err)
	}
	return config
}

func (s *Server) run(listener net.Listener, o Options) {
	s.T.Helper()
	options := server.Options{
		Log: slog.New(slog.NewJSONHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: o.Now, OutboxDir: o.Outbox, Tracer: s.Queries, Stall: o.Stall, TraceDelay: o.TraceDelay,
		ReportLease: o.ReportLease, // bare-drops
	}
	options.Judge = func(document []byte) (inspect.Judge, error) {
		if o.Judge != nil {
			return o.Judge, nil
		}
		parsed, err := conform.Parse(document)
		return func(a inspect.Answer) []string { return parsed.Breaches(conform.Answer(a)) }, err
	}
	if o.Outbox == "" {
		options.Sender = s.Mailbox
	}
	api, err := server.New(s.T.Context(), s.Config, options)
	if err != nil {
		s.T.Fatalf("making the server: %v", err)
	}
	s.API = api
	record(api.Handler())
	noteResponses(api.Handler())
	if o.Start {
		if err := api.Start(s.T.Context()); err != nil {
			s.T.Fatalf("starting: %v", err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- api.Run(ctx, listener, nil) }()
	s.T.Cleanup(func() {
		s.HTTP.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			s.T.Errorf("stopping the server: %v", err)
		}
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := api.Close(closing); err != nil {
			s.T.Errorf("closing the server: %v", err)
		}
	})
}

// Clock is a time that only the test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// newClock begins at the real time, so that timestamps look right.
func newClock() *Clock { return &Clock{now: time.Now().Truncate(time.Microsecond)} }

// finer is the clock as a real one would be read: in fractions of what the
// database can keep.
func (c *Clock) finer() time.Time { return c.Now().Add(15 * time.Nanosecond) }

// Now is the time that the server sees.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the time.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Mailbox holds what the server has sent.
type Mailbox struct {
	mu   sync.Mutex
	sent []mail.Message
}

// Send keeps a message; the server calls it.
func (m *Mailbox) Send(_ context.Context, message mail.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, message)
	return nil
}

// To gives what was sent to an address so far, oldest first.
func (m *Mailbox) To(address string) []mail.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []mail.Message
	for _, message := range m.sent {
		if message.To == address {
			found = append(found, message)
		}
	}
	return found
}

// Queries notes which queries the server has asked, by their names.
type Queries struct {
	mu    sync.Mutex
	names []string
}

// TraceQueryStart notes a query; the pool calls it.
func (q *Queries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	name, _, _ := strings.Cut(strings.TrimPrefix(data.SQL, "-- name: "), " ")
	q.mu.Lock()
	defer q.mu.Unlock()
	q.names = append(q.names, name)
	return ctx
}

// TraceQueryEnd does nothing; the pool calls it.
func (q *Queries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Take gives the names since the last Take, in their order; begin and commit are
// among them.
func (q *Queries) Take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	names := q.names
	q.names = nil
	return names
}

// Log holds what the server has logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a line; the server calls it.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String gives all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var _ io.Writer = (*Log)(nil)

// Eventually waits until a condition holds, and fails the test when it never
// does.
func (s *Server) Eventually(what string, holds func() bool) {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), 15*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			s.T.Fatalf("it never came true that %s", what)
		case <-tick.C:
		}
	}
}
