// Package devpg is the private PostgreSQL of development and tests. It starts
// the system's binaries, or fetched ones, in a folder of the project, as root
// too, and shares the server between all processes that use the same folder.
package devpg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser      = "accord"
	connectTimeout = 5 * time.Second

	// Recovery after a crash may take long; without one a start takes 0.2 s.
	readyTimeout = time.Minute
)

// Options say where a server lives and what for.
type Options struct {
	// Dir holds the data, the log and the locks; it is created. As root, when
	// the user that PostgreSQL runs as cannot come there, a folder under
	// /var/tmp takes its place. Not used with Volatile.
	Dir string

	// Volatile is for tests: a server of this process alone, in a temporary
	// folder, fast rather than durable, and gone with the process even when
	// that is killed.
	Volatile bool

	// Log is told what takes long or may surprise; nil means nobody.
	Log func(format string, args ...any)

	// These are for the tests of this package.
	places     func(context.Context) []string // where binaries are looked for
	repository string                         // where they are fetched from
	cache      string                         // where fetched ones are kept
}

// Server is a running PostgreSQL.
type Server struct {
	cluster *cluster
	port    int
	close   func(context.Context) error
	once    sync.Once
	err     error
}

// Start gives a running server: one that is there already for the same Dir, or
// a new one. The caller has to Close it. When ctx ends first, the error is ctx's.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Log == nil {
		options.Log = func(string, ...any) {}
	}
	if options.places == nil {
		options.places = systemPlaces
	}
	start := startShared
	if options.Volatile {
		start = startVolatile
	}
	server, err := start(ctx, options)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // what was killed by it has nothing to tell
	}
	if err != nil {
		return nil, fmt.Errorf("starting the private PostgreSQL: %w", err)
	}
	return server, nil
}

// URL is how to connect to a database of the server as its superuser.
func (s *Server) URL(database string) string { return s.cluster.url(s.port, database) }

// Dir is the folder that the server lives in, postgres.log among it.
func (s *Server) Dir() string { return s.cluster.dir }

// EnsureDatabase creates a database unless it is there.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	conn, err := s.cluster.connect(ctx, s.port)
	if err != nil {
		return fmt.Errorf("creating database %s: %w", name, err)
	}
	defer closeConn(conn)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && (pgErr.Code == "42P04" || pgErr.Code == "23505") {
		return nil // it was there, or another process was quicker
	}
	if err != nil {
		return fmt.Errorf("creating database %s: %w", name, err)
	}
	return nil
}

// Close gives the server up. The last process to do so stops it: gently, or at
// once when ctx has ended, which takes some six seconds at the very most. Calls
// after the first do nothing.
func (s *Server) Close(ctx context.Context) error {
	s.once.Do(func() { s.err = s.close(ctx) })
	return s.err
}

func (c *cluster) url(port int, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// connect proves as well that the server is ours: it has to know the password,
// which the handshake does not give away.
func (c *cluster) connect(ctx context.Context, port int) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return pgx.Connect(ctx, c.url(port, "postgres"))
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
