package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/trace"

	"github.com/accord-api/accord/inspect"
)

// call is what one request carries through the chain: who calls, from where,
// for which operation, and how it went. One is made for each request.
type call struct {
	requestID string
	request   *http.Request
	body      io.Reader // the request's body within the operation's bounds; empty without one
	ip        netip.Addr
	userAgent string
	start     time.Time
	operation *operation // nil where no operation was routed to
	who       principal  // zero where nobody is signed in
	problem   *Problem   // nil while nothing went wrong
	audit     auditNote
	// valid is the request of the operation, with its defaults, once it was found
	// valid.
	valid any
	// produces is the content type that the client has chosen, where it can.
	produces string
	// broken says that the answer failed after its first byte.
	broken bool
	span   trace.Span // nil while nothing is traced
	// What is left of the tightest rate limit so far, once there is one.
	limited   bool
	remaining int
	// record is what development shows of the request; nil elsewhere.
	record *inspect.Request
}

// principal is a signed-in caller.
type principal struct {
	UserID, SessionID uuid.UUID
	Role              string
}

type callKey struct{}

// callFrom gives the request's call; a zero one outside of requests (jobs and
// command line), so that handlers need not ask.
func callFrom(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

func callOf(c echo.Context) *call { return callFrom(c.Request().Context()) }

// caller gives who is signed in. Only for operations that need a sign-in.
func caller(ctx context.Context) principal { return callFrom(ctx).who }

// failed remembers the first problem, for the log.
func (c *call) failed(p *Problem) {
	if c.problem == nil {
		c.problem = p
	}
}

// attributes are what each log line about the request says of it.
func (c *call) attributes() []slog.Attr {
	attrs := make([]slog.Attr, 0, 12)
	if c.requestID == "" {
		return attrs // not a request: the command line
	}
	attrs = append(attrs, slog.String("request_id", c.requestID), slog.String("ip", c.ip.String()))
	if c.operation != nil {
		attrs = append(attrs, slog.String("operation", c.operation.policy.OperationID))
	}
	if c.who.UserID != uuid.Nil {
		attrs = append(attrs, slog.String("user_id", c.who.UserID.String()))
	}
	return attrs
}
