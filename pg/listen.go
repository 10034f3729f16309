package pg

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	listenMinBackoff = 50 * time.Millisecond
	listenMaxBackoff = 5 * time.Second

	// A connection that says nothing for so long is asked whether it is alive: a
	// firewall may have dropped it without a word. It also bounds how old the
	// proof is that nothing was missed.
	listenHeartbeat = 300 * time.Millisecond
	listenPingBound = 5 * time.Second
)

// Listener hears notifications on a connection of its own, and knows until when
// it has surely heard all of them.
type Listener struct {
	url string
	// complete is until when everything was heard, in nanoseconds since 1970.
	complete atomic.Int64
}

// NewListener makes a listener on the database at url, which has to lead to
// PostgreSQL itself, not to a PgBouncer.
func NewListener(url string) *Listener { return &Listener{url: url} }

// CompleteUntil is a time before which no notification was committed that Run
// has not passed on. It is zero while there is no connection.
func (l *Listener) CompleteUntil() time.Time {
	if at := l.complete.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Run calls onNotify for each notification on the channels, in order, until ctx
// ends; then it returns nil. A lost connection is made again, waiting a little
// longer each time. Notifications that were sent in between are lost, so
// onSubscribed is called each time that the subscription stands, the first
// included: look there for what was missed. The only error is a url that cannot
// be understood.
func (l *Listener) Run(ctx context.Context, channels []string, onNotify func(channel, payload string), onSubscribed func()) error {
	settings, err := parseURL(l.url)
	if err != nil {
		return err
	}
	nameApplication(settings.ConnConfig, "accord listen")
	settings.ConnConfig.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { onNotify(n.Channel, n.Payload) }

	backoff := listenMinBackoff
	for ctx.Err() == nil {
		if l.runOnce(ctx, settings.ConnConfig, channels, onSubscribed) {
			backoff = listenMinBackoff
		}
		sleep(ctx, jitter(backoff))
		backoff = min(2*backoff, listenMaxBackoff)
	}
	return nil
}

// runOnce returns when its connection ends, and whether it ever stood.
func (l *Listener) runOnce(ctx context.Context, settings *pgx.ConnConfig, channels []string, onSubscribed func()) bool {
	defer l.complete.Store(0)
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return false
	}
	defer closeConn(conn)
	for _, channel := range channels {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return false
		}
	}
	began := time.Now()
	onSubscribed()
	l.complete.Store(began.UnixNano())
	for {
		if err := l.hear(ctx, conn); err != nil {
			return true
		}
	}
}

// hear waits a while for notifications and then asks the database for a sign of
// life: what was committed before the question comes before the answer.
func (l *Listener) hear(ctx context.Context, conn *pgx.Conn) error {
	wait, cancel := context.WithTimeout(ctx, listenHeartbeat)
	defer cancel()
	for {
		err := conn.PgConn().WaitForNotification(wait)
		if errors.Is(wait.Err(), context.DeadlineExceeded) && ctx.Err() == nil && !conn.IsClosed() {
			break
		}
		if err != nil {
			return err
		}
	}
	ping, cancelPing := context.WithTimeout(ctx, listenPingBound)
	defer cancelPing()
	asked := time.Now()
	if err := conn.Ping(ping); err != nil {
		return err
	}
	l.complete.Store(asked.UnixNano())
	return nil
}

// closeConn says goodbye, though ctx has often ended by then.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
