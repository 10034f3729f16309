// Package pg is the way to PostgreSQL: a bounded pool, one transaction function
// with retries, migrations and LISTEN.
package pg

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultSize           = 20
	defaultMaxLifetime    = time.Hour
	defaultAcquireTimeout = 30 * time.Second
	defaultIdleInTx       = time.Minute

	// A connection that was used a moment ago is alive: asking again would
	// double the round trips of a busy server.
	defaultPingAfterIdle = time.Second
	pingTimeout          = 5 * time.Second

	// How often idle connections above Size are looked for.
	trimPeriod = time.Second
)

// Config says how large a pool is and how long things in it may take.
type Config struct {
	// URL is postgres://user:password@host:port/database, or key=value pairs.
	URL string

	// Size connections are kept; 0 means 20.
	Size int

	// Overflow more may be opened in a rush. Idle ones are closed within about
	// a second.
	Overflow int

	// MaxLifetime of a connection, to which up to a tenth is added at random so
	// that they do not all end at once; 0 means an hour.
	MaxLifetime time.Duration

	// AcquireTimeout bounds the wait for a free connection, as the context's own
	// deadline does; 0 means 30 s.
	AcquireTimeout time.Duration

	// IdleInTransactionTimeout is when the database ends a transaction that its
	// client has forgotten; 0 means a minute.
	IdleInTransactionTimeout time.Duration

	// ApplicationName shows in pg_stat_activity; "" means accord, unless the
	// URL names one.
	ApplicationName string

	// Tracer observes queries; nil means none.
	Tracer pgx.QueryTracer

	pingAfterIdle time.Duration // for tests; 0 means a second
}

// Pool is a bounded set of connections, safe for concurrent use. It has the
// methods that generated queries call.
type Pool struct {
	pgx            *pgxpool.Pool
	size           int
	acquireTimeout time.Duration
	stop           func()
}

// Open makes a pool. It does not connect: Ping does. A URL that cannot be
// understood is an error, which never holds the password.
func Open(ctx context.Context, config Config) (*Pool, error) {
	config = config.withDefaults()
	settings, err := parseURL(config.URL)
	if err != nil {
		return nil, err
	}
	config.apply(settings)

	inner, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("opening pool: %w", err)
	}
	p := &Pool{pgx: inner, size: config.Size, acquireTimeout: config.AcquireTimeout}
	p.stop = p.startTrimming()
	return p, nil
}

func (c Config) withDefaults() Config {
	if c.Size == 0 {
		c.Size = defaultSize
	}
	if c.MaxLifetime == 0 {
		c.MaxLifetime = defaultMaxLifetime
	}
	if c.AcquireTimeout == 0 {
		c.AcquireTimeout = defaultAcquireTimeout
	}
	if c.IdleInTransactionTimeout == 0 {
		c.IdleInTransactionTimeout = defaultIdleInTx
	}
	if c.pingAfterIdle == 0 {
		c.pingAfterIdle = defaultPingAfterIdle
	}
	return c
}

func (c Config) apply(settings *pgxpool.Config) {
	settings.MaxConns = int32(c.Size + c.Overflow) //nolint:gosec // the server's config bounds both
	settings.MaxConnLifetime = c.MaxLifetime
	settings.MaxConnLifetimeJitter = c.MaxLifetime / 10
	settings.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > c.pingAfterIdle
	}
	settings.PingTimeout = pingTimeout
	settings.AfterConnect = prepareSession(c.IdleInTransactionTimeout)
	settings.ConnConfig.Tracer = c.Tracer
	nameApplication(settings.ConnConfig, c.ApplicationName)
}

// nameApplication sets the two parameters that PgBouncer lets through at
// start-up. Others would make it refuse the connection.
func nameApplication(settings *pgx.ConnConfig, name string) {
	settings.RuntimeParams["timezone"] = "UTC"
	if name != "" {
		settings.RuntimeParams["application_name"] = name
	}
	if settings.RuntimeParams["application_name"] == "" {
		settings.RuntimeParams["application_name"] = "accord"
	}
}

// prepareSession makes ids binary, and sets what PgBouncer does not let through
// at start-up. Plans are not compiled: it takes a third of a second before the
// first row of an export, and saves less.
func prepareSession(idleInTx time.Duration) func(context.Context, *pgx.Conn) error {
	set := fmt.Sprintf("SET idle_in_transaction_session_timeout = %d; SET jit = off", idleInTx.Milliseconds())
	return func(ctx context.Context, conn *pgx.Conn) error {
		registerUUID(conn.TypeMap())
		_, err := conn.Exec(ctx, set)
		return err
	}
}

// startTrimming closes idle connections above Size until the returned function
// is called. pgxpool has a hook at each release for this, but it starts a
// goroutine for every query.
func (p *Pool) startTrimming() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(trimPeriod)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				p.trim(ctx)
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func (p *Pool) trim(ctx context.Context) {
	over := int(p.pgx.Stat().TotalConns()) - p.size
	if over <= 0 {
		return
	}
	for _, conn := range p.pgx.AcquireAllIdle(ctx) {
		if over > 0 {
			_ = conn.Conn().Close(ctx) // a closed one is dropped when released
			over--
		}
		conn.Release()
	}
}

// Ping connects, if need be, and makes one round trip.
func (p *Pool) Ping(ctx context.Context) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return conn.Ping(ctx)
}

// Stat is a snapshot of the pool's counters.
func (p *Pool) Stat() *pgxpool.Stat { return p.pgx.Stat() }

// Inner is the pgx pool beneath, for libraries that ask for one. What they do
// with it is bounded by their own contexts only.
func (p *Pool) Inner() *pgxpool.Pool { return p.pgx }

// Close waits for all connections to be given back and closes them.
func (p *Pool) Close() {
	p.stop()
	p.pgx.Close()
}

// CloseWithin does so until ctx ends. Connections that are held then stay open
// until they are given back.
func (p *Pool) CloseWithin(ctx context.Context) error {
	closed := make(chan struct{})
	go func() {
		p.Close()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing pool: connections are still in use: %w", ctx.Err())
	}
}

// Exec runs a statement, once: it may have been done though no answer came.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	conn, err := p.acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer conn.Release()
	return conn.Exec(ctx, sql, args...)
}

// Query runs a query. The rows hold a connection until they are closed or read
// to their end. A SELECT that meets a closed connection is asked once more.
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := p.acquire(ctx)
	if err != nil {
		return nil, err
	}
	inner, err := conn.Query(ctx, sql, args...)
	if conn.Conn().IsClosed() {
		inner.Close()
		if conn = p.instead(ctx, conn, sql); conn == nil {
			return nil, inner.Err()
		}
		inner, err = conn.Query(ctx, sql, args...)
	}
	if err != nil {
		conn.Release()
		return nil, err
	}
	return &rows{Rows: inner, conn: conn}, nil
}

// QueryRow runs a query of at most one row. The row holds a connection until it
// is scanned. A SELECT that meets a closed connection is asked once more.
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	conn, err := p.acquire(ctx)
	if err != nil {
		return failedRow{err}
	}
	inner := conn.QueryRow(ctx, sql, args...)
	if conn.Conn().IsClosed() {
		err := inner.Scan()
		if conn = p.instead(ctx, conn, sql); conn == nil {
			return failedRow{err}
		}
		inner = conn.QueryRow(ctx, sql, args...)
	}
	return &row{inner: inner, conn: conn}
}

// acquire takes a connection, waiting no longer than the pool's bound and the
// context's.
func (p *Pool) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	wait, cancel := p.bound(ctx)
	defer cancel()
	conn, err := p.pgx.Acquire(wait)
	if err == nil {
		return conn, nil
	}
	if errors.Is(wait.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w: waiting for a connection: %w", ErrBusy, err)
	}
	return nil, err
}

// bound leaves a context alone that ends early enough: each query would
// otherwise pay for a timer.
func (p *Pool) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= p.acquireTimeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, p.acquireTimeout)
}

// parseURL reads a database URL. pgx's own errors may quote parts of a password
// that has unescaped characters in it, so they are used only where the password
// is known and can be taken out.
func parseURL(raw string) (*pgxpool.Config, error) {
	settings, err := pgxpool.ParseConfig(raw)
	if err == nil {
		return settings, nil
	}
	parsed, parseErr := url.Parse(raw)
	if parseErr != nil || parsed.User == nil || strings.Contains(parsed.Host, ":") && parsed.Port() == "" {
		return nil, errors.New("reading the database URL: it is not like postgres://user:password@host:5432/database" +
			" (characters such as / # % @ : in the password are written as %2F %23 %25 %40 %3A)")
	}
	reason := err.Error()
	if password, ok := parsed.User.Password(); ok && password != "" {
		reason = strings.NewReplacer(password, "xxxxx", url.QueryEscape(password), "xxxxx").Replace(reason)
	}
	return nil, fmt.Errorf("reading the database URL: %s", reason)
}
