package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	listenMinBackoff = 50 * time.Millisecond
	listenMaxBackoff = 5 * time.Second

	// A connection that says nothing for so long is asked whether it is alive:
	// a firewall may have dropped it without a word.
	listenPingAfter = 30 * time.Second
	listenPingBound = 5 * time.Second
)

// Listen calls onNotify for each notification on the channels, in order, on a
// connection of its own, until ctx ends; then it returns nil. A lost connection
// is made again, waiting a little longer each time. Notifications that were sent
// in between are lost, so onSubscribed is called each time that the
// subscription stands, the first included: look there for what was missed.
// The only error is a url that cannot be understood.
func Listen(ctx context.Context, url string, channels []string, onNotify func(channel, payload string), onSubscribed func()) error {
	settings, err := parseURL(url)
	if err != nil {
		return err
	}
	nameApplication(settings.ConnConfig, "accord listen")

	backoff := listenMinBackoff
	for ctx.Err() == nil {
		subscribed := listenOnce(ctx, settings.ConnConfig, channels, onNotify, onSubscribed)
		if subscribed {
			backoff = listenMinBackoff
		}
		sleep(ctx, jitter(backoff))
		backoff = min(2*backoff, listenMaxBackoff)
	}
	return nil
}

// listenOnce returns when its connection ends, and whether it ever stood.
func listenOnce(ctx context.Context, settings *pgx.ConnConfig, channels []string, onNotify func(channel, payload string), onSubscribed func()) bool {
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
	onSubscribed()
	for {
		notification, err := nextNotification(ctx, conn)
		switch {
		case err != nil:
			return true
		case notification != nil:
			onNotify(notification.Channel, notification.Payload)
		}
	}
}

// nextNotification returns nil when none came and the connection still lives.
func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	wait, cancel := context.WithTimeout(ctx, listenPingAfter)
	defer cancel()
	notification, err := conn.WaitForNotification(wait)
	if err == nil || ctx.Err() != nil || conn.IsClosed() || !errors.Is(wait.Err(), context.DeadlineExceeded) {
		return notification, err
	}
	ping, cancelPing := context.WithTimeout(ctx, listenPingBound)
	defer cancelPing()
	return nil, conn.Ping(ping)
}

// closeConn says goodbye, though ctx has often ended by then.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
