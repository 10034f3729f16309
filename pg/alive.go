package pg

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// instead gives a connection back that was closed before a query was answered,
// and takes another for the same query. When a database restarts, each connection
// of the pool would otherwise fail one request. It is nil where the query may
// have done something, and where nothing better is to be had.
func (p *Pool) instead(ctx context.Context, dead *pgxpool.Conn, sql string) *pgxpool.Conn {
	dead.Release()
	if ctx.Err() != nil || !onlyReads(sql) { // when ctx ends, pgx closes the connection
		return nil
	}
	alive, err := p.acquireAlive(ctx)
	if err != nil {
		return nil // what the query has met tells more
	}
	return alive
}

// acquireAlive takes a connection that answers. Those that do not are dropped on
// the way, no more of them than the pool holds.
func (p *Pool) acquireAlive(ctx context.Context) (*pgxpool.Conn, error) {
	for left := p.pgx.Stat().MaxConns(); ; left-- {
		conn, err := p.acquire(ctx)
		if err != nil {
			return nil, err
		}
		if err = conn.Ping(ctx); err == nil {
			return conn, nil
		}
		conn.Release()
		if left == 0 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// onlyReads tells whether a query may run twice: one that begins with SELECT,
// after comments. WITH may hold a statement that writes.
func onlyReads(sql string) bool {
	for {
		sql = strings.TrimSpace(sql)
		comment, rest, found := strings.Cut(sql, "\n")
		if !found || !strings.HasPrefix(comment, "--") {
			break
		}
		sql = rest
	}
	const first = "SELECT"
	return len(sql) > len(first) && strings.EqualFold(sql[:len(first)], first)
}
