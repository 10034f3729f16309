package pg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	maxAttempts     = 8
	firstBackoff    = 4 * time.Millisecond
	rollbackTimeout = 5 * time.Second
)

// ErrUnknownOutcome is part of InTx's error where the connection was lost while
// the transaction was committed: it may have been, or not.
var ErrUnknownOutcome = errors.New("nobody knows whether the transaction was committed")

// InTx runs fn in a transaction: committed when fn returns nil, rolled back
// when it returns an error or panics. On a serialization failure or a deadlock
// the whole of fn runs again, so what it does outside tx must bear that.
//
// Waiting for a connection ends with ctx. From then on only ctx's deadline
// counts: a write that has begun is finished though its client has gone. fn has
// to use the context that it is given.
func (p *Pool) InTx(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { conn.Release() }()
	waiting := ctx
	ctx, cancel := detach(ctx)
	defer cancel()

	for attempt := 1; ; attempt++ {
		var tx pgx.Tx
		if tx, conn, err = p.begin(ctx, waiting, conn); err != nil {
			return err
		}
		err = runTx(ctx, tx, fn)
		if err == nil || !isRetryable(err) {
			return err
		}
		if attempt == maxAttempts {
			return fmt.Errorf("retrying transaction %d times: %w", maxAttempts, err)
		}
		if !sleep(ctx, jitter(firstBackoff<<(attempt-1))) {
			return err
		}
	}
}

// detach gives a context that keeps ctx's values and deadline but not its
// cancellation.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return free, func() {}
}

// begin begins on the connection, or on another one when the database has closed
// it: nothing was done on it yet. The connection that is given has to be released
// in any case, instead of the one that was.
func (p *Pool) begin(ctx, waiting context.Context, conn *pgxpool.Conn) (pgx.Tx, *pgxpool.Conn, error) {
	tx, err := conn.Begin(ctx)
	if err == nil || ctx.Err() != nil || !conn.Conn().IsClosed() {
		return tx, conn, err
	}
	conn.Release()
	alive, failure := p.acquireAlive(waiting)
	if failure != nil {
		return nil, conn, err
	}
	tx, err = alive.Begin(ctx)
	return tx, alive, err
}

func runTx(ctx context.Context, tx pgx.Tx, fn func(context.Context, pgx.Tx) error) error {
	committed := false
	defer func() {
		if !committed {
			rollBack(ctx, tx)
		}
	}()
	if err := fn(ctx, tx); err != nil {
		return err
	}
	committed = true // or failed to: the transaction has ended in both cases
	err := tx.Commit(ctx)
	if err != nil && !isRefusal(err) {
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
	return err
}

// rollBack has time of its own, since ctx may have just run out. Where it fails,
// pgx closes the connection, which rolls back as well.
func rollBack(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// jitter spreads those that collided over d to 2d.
func jitter(d time.Duration) time.Duration { return d + rand.N(d) }

// sleep tells whether it slept to its end rather than to ctx's.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
