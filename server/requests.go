package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/riverqueue/river/rivertype"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/inspect"
	"github.com/accord-api/accord/mail"
)

// What is decided about a call, as development shows it.
const (
	bodyLimit         = "body limit"
	authentication    = "authentication"
	role              = "role"
	concurrency       = "concurrency"
	negotiation       = "content negotiation"
	contentType       = "content type"
	validation        = "validation"
	cacheHit          = "cache"
	cacheMiss         = "cache: miss"
	idempotency       = "idempotency"
	idempotencyReplay = "idempotency: replay"
	idempotencyUnused = "idempotency: unused"
	auditTrail        = "audit"
	timeLimit         = "timeout"
)

// wireRequests begins to keep requests, in development.
func (s *Server) wireRequests(o Options) error {
	if !s.config.Development() {
		return nil
	}
	var judge inspect.Judge
	if o.Judge != nil {
		var err error
		if judge, err = o.Judge(api.OpenAPI); err != nil {
			return fmt.Errorf("preparing to hold answers against the contract: %w", err)
		}
	}
	s.requests = inspect.New(judge)
	return nil
}

// record begins the record of a request; what it returns ends it. Pages are not
// recorded: unrecorded sees to that.
func (s *Server) record(c echo.Context, call *call) (finish func()) {
	call.record = s.requests.Begin(call.requestID, c.Request())
	r := c.Request().WithContext(inspect.With(c.Request().Context(), call.record))
	r.Body = call.record.Sent(r)
	c.SetRequest(r)
	tee := inspect.NewTee(c.Response().Writer)
	c.Response().Writer = tee
	return func() {
		if call.record == nil {
			return
		}
		if call.audit.written {
			_ = call.decided(auditTrail, nil)
		}
		if call.record.Decided(bodyLimit) && !call.record.Refused() { // an operation has done its work
			_ = call.decided(timeLimit, nil)
		}
		body, cut := tee.Kept()
		call.record.Finish(call.who.shown(), shownProblem(call.problem), inspect.Answer{
			Method: r.Method, Path: r.URL.Path, Status: c.Response().Status, Header: c.Response().Header().Clone(),
			Body: body, Cut: cut || call.broken,
		})
	}
}

// shown names a caller; "" where nobody is signed in.
func (p principal) shown() string {
	if p.UserID == uuid.Nil {
		return ""
	}
	return fmt.Sprintf("%s, with the role %s", p.UserID, p.Role)
}

func shownProblem(p *Problem) inspect.Problem {
	if p == nil {
		return inspect.Problem{}
	}
	shown := inspect.Problem{Code: p.kind.Code, Detail: p.detail}
	if p.cause != nil {
		shown.Cause = p.cause.Error()
	}
	return shown
}

// unrecorded serves a page without a record of its request.
func unrecorded(page echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		callOf(c).record = nil
		return page(c)
	}
}

// decided notes what became of one policy, where that is recorded, and gives the
// error that it was given.
func (c *call) decided(what string, err error) error {
	if c.record != nil {
		c.note(what, err)
	}
	return err
}

func (c *call) note(what string, err error) {
	shown, _, _ := strings.Cut(what, ":")
	switch {
	case what == cacheHit && c.record.Decided(cacheHit): // it was a miss
	case err != nil && !errors.Is(err, errReplayed):
		p := problemOf(err)
		c.record.Decide(shown, true, p.kind.Code+": "+p.detail)
	default:
		if detail := c.passed(what); detail != "" { // else there was nothing to decide
			c.record.Decide(shown, false, detail)
		}
	}
}

// passed says why a policy let a call go on.
func (c *call) passed(what string) string {
	p := c.operation.policy
	switch what {
	case bodyLimit:
		return fmt.Sprintf("at most %d bytes", p.BodyLimit)
	case authentication:
		if p.Public() {
			return "not asked for: the operation is public"
		}
		return c.who.shown()
	case role:
		return c.who.Role + " is enough"
	case concurrency:
		return fmt.Sprintf("got one of %d places", p.Concurrency)
	case negotiation:
		return c.produces
	case contentType:
		if len(p.ContentTypes) > 0 {
			return c.request.Header.Get(echo.HeaderContentType)
		}
	case validation:
		return "parameters and body keep to the contract"
	case cacheHit:
		return fmt.Sprintf("hit: what was kept, for at most %s", p.Cache.TTL)
	case cacheMiss:
		return fmt.Sprintf("miss: loaded, and kept for %s", p.Cache.TTL)
	case idempotency:
		return "the first request with its key: the answer is kept"
	case idempotencyReplay:
		return "the answer of the first request with this key"
	case idempotencyUnused:
		return "no key was sent"
	case auditTrail:
		return p.Audit + " is in the audit trail"
	case timeLimit:
		if p.Timeout > 0 {
			return fmt.Sprintf("answered within %s", p.Timeout)
		}
		return fmt.Sprintf("none; neither side paused for %s", p.Stall)
	}
	return ""
}

// decidedAfter notes what refused a call after the chain had let it in.
func (c *call) decidedAfter(err error) {
	if err == nil || c.record.Refused() {
		return
	}
	what, p := "operation", problemOf(err)
	switch {
	case p.kind == api.ProblemPayloadTooLarge:
		what = bodyLimit
	case p.kind == api.ProblemTimeout, p.kind == api.ProblemRequestTimeout:
		what = timeLimit
	case !c.record.Decided(validation):
		what = validation
	}
	detail := []string{p.kind.Code + ": " + p.detail}
	for _, field := range p.fields {
		detail = append(detail, fmt.Sprintf("%s %s (%s)", field.Field, field.Message, field.Code))
	}
	c.record.Decide(what, true, strings.Join(detail, "\n"))
}

// jobMiddleware sees the jobs of requests, where that is shown.
func (s *Server) jobMiddleware() []rivertype.Middleware {
	if s.requests == nil {
		return nil
	}
	return []rivertype.Middleware{s.requests.Middleware()}
}

// observed tells which mails are sent.
type observed struct {
	mail.Sender
	requests *inspect.Log
}

// Send hands a mail on.
func (o observed) Send(ctx context.Context, m mail.Message) (err error) {
	id := ""
	if outbox, ok := o.Sender.(*mail.Outbox); ok {
		id, err = outbox.Keep(m)
	} else {
		err = o.Sender.Send(ctx, m)
	}
	if err == nil {
		o.requests.Mailed(ctx, id, m.To, m.Subject)
	}
	return err
}
