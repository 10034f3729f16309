package server

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/limit"
)

// auditNote is what a call leaves in the audit trail. The chain writes it for
// operations with an `audit` policy; handlers only add to it.
type auditNote struct {
	subject *uuid.UUID // the account concerned
	detail  string
	reached bool // the call passed the chain, so that its failure is worth an event
	written bool
}

// auditSubject names the account that the call's audit event concerns.
func auditSubject(ctx context.Context, user uuid.UUID) { callFrom(ctx).audit.subject = &user }

// auditDetail adds words to the call's audit event.
func auditDetail(ctx context.Context, detail string) { callFrom(ctx).audit.detail = detail }

// auditSession says in the call's audit event which session it is about.
func auditSession(ctx context.Context, id uuid.UUID) { auditDetail(ctx, "session="+id.String()) }

// auditEvent is the row for the call as it stands.
func (s *Server) auditEvent(call *call, action string, outcome api.AuditOutcome) db.AuditEventCreateParams {
	e := db.AuditEventCreateParams{
		ID: newID(), Now: s.now(), Action: action, Outcome: string(outcome),
		SubjectID: call.audit.subject, Detail: call.audit.detail,
		IP: call.ip.String(), UserAgent: call.userAgent, RequestID: call.requestID,
	}
	if call.who.UserID != uuid.Nil {
		e.ActorID = &call.who.UserID
	}
	return e
}

// logAudit writes the log line beside an event that is stored.
func (s *Server) logAudit(ctx context.Context, e db.AuditEventCreateParams) {
	attrs := append(callFrom(ctx).attributes(), slog.String("action", e.Action), slog.String("outcome", e.Outcome))
	if e.SubjectID != nil {
		attrs = append(attrs, slog.String("subject_id", e.SubjectID.String()))
	}
	if e.Detail != "" {
		attrs = append(attrs, slog.String("detail", e.Detail))
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "audit", attrs...)
}

// auditAfter writes the event of a call that no transaction has written one for.
func (o *operation) auditAfter(ctx context.Context, call *call, err error) {
	if o.policy.Audit == "" || call.audit.written {
		return
	}
	outcome := api.AuditOutcomeSucceeded
	if err != nil {
		outcome = api.AuditOutcomeFailed
		limited := problemOf(err).kind.Status == http.StatusTooManyRequests
		switch {
		case limited && !o.refusals.Take(limitAddress(call)).Allowed:
			return // one event a minute tells it; a flood must not fill the trail
		case limited:
			outcome = api.AuditOutcomeLimited
		case !call.audit.reached:
			return // never got past the chain: the log line is enough
		}
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	e := o.server.auditEvent(call, o.policy.Audit, outcome)
	if err := o.server.queries.AuditEventCreate(ctx, e); err != nil {
		o.server.log.ErrorContext(ctx, "writing an audit event", "action", e.Action, "outcome", e.Outcome, "error", err)
		return
	}
	o.server.logAudit(ctx, e)
}

// auditTimeout bounds the writing of an event after its operation has ended,
// perhaps because its own time was over.
const auditTimeout = 2 * time.Second

func newRefusals(now func() time.Time) *limit.Window {
	return limit.NewWindow(1, time.Minute, limit.WithNow(now))
}
