package server

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// write is an open transaction: its queries, and what goes out with its commit.
type write struct {
	*db.Queries
	tx     pgx.Tx
	server *Server
	events []db.AuditEventCreateParams
	// forget lists the users whose sessions changed.
	forget []uuid.UUID
	// tags name what kept answers are made of and is changed.
	tags []string
}

// writeKey is where a context carries the transaction that a method's work
// belongs to.
type writeKey struct{}

// inTx runs fn in one transaction, retried when it collides with another one.
// The operation's audit event is part of it, so that neither is there without
// the other. fn runs again from the start in a retry. Where a transaction is
// open already, fn joins it.
func (s *Server) inTx(ctx context.Context, fn func(ctx context.Context, w *write) error) error {
	if w, ok := ctx.Value(writeKey{}).(*write); ok {
		return fn(ctx, w)
	}
	var w *write
	err := s.pool.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		w = &write{Queries: s.queries.WithTx(tx), tx: tx, server: s}
		if err := fn(ctx, w); err != nil {
			return err
		}
		return w.finish(ctx)
	})
	if err != nil {
		return err
	}

	for _, user := range w.forget {
		s.sessions.forget(user)
	}
	s.answers.Invalidate(ctx, w.tags...)
	for _, e := range w.events {
		callFrom(ctx).audit.written = true
		s.logAudit(ctx, e)
	}
	return nil
}

// finish writes what belongs to every transaction of an operation.
func (w *write) finish(ctx context.Context) error {
	if len(w.tags) > 0 {
		if err := w.CacheStale(ctx, w.tags); err != nil {
			return err
		}
	}
	if o := callFrom(ctx).operation; o != nil && o.policy.Audit != "" {
		return w.audit(ctx, o.policy.Audit, api.AuditOutcomeSucceeded)
	}
	return nil
}

// stale makes kept answers with these tags stale on every instance, once the
// transaction is committed.
func (w *write) stale(tags ...string) { w.tags = append(w.tags, tags...) }

// audit writes an event of the call.
func (w *write) audit(ctx context.Context, action string, outcome api.AuditOutcome) error {
	e := w.server.auditEvent(callFrom(ctx), action, outcome)
	w.events = append(w.events, e)
	return w.AuditEventCreate(ctx, e)
}

// sessionsChanged makes every instance ask anew for the user's sessions, once
// the transaction is committed.
func (w *write) sessionsChanged(ctx context.Context, user uuid.UUID) error {
	w.forget = append(w.forget, user)
	return w.SessionsChanged(ctx, user)
}

// enqueue adds a job that runs if, and only if, the transaction commits.
func (w *write) enqueue(ctx context.Context, job jobs.Args) error {
	return w.server.jobs.Enqueue(ctx, w.tx, job)
}
