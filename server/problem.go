package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/validate"
)

// busyRetry is what Retry-After says where nothing better is known.
const busyRetry = time.Second

// Problem is an error together with its answer (RFC 9457). Handlers return it;
// every other error is turned into one by problemOf.
type Problem struct {
	kind   *api.ProblemType
	detail string
	fields validate.Violations
	// retryAfter is sent as Retry-After, in whole seconds, when not 0.
	retryAfter time.Duration
	// header is sent with it: what the status asks for, as a challenge.
	header map[string]string
	// cause is logged, never sent.
	cause error
}

// problem makes a Problem whose detail is told to the client.
func problem(kind *api.ProblemType, format string, args ...any) *Problem {
	return &Problem{kind: kind, detail: fmt.Sprintf(format, args...)}
}

// with sends a header with the problem.
func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = map[string]string{}
	}
	p.header[name] = value
	return p
}

// because adds what is logged with the problem but not sent.
func (p *Problem) because(cause error) *Problem {
	p.cause = cause
	return p
}

// Error gives the problem and its cause, for the log.
func (p *Problem) Error() string {
	if p.cause != nil {
		return p.kind.Code + ": " + p.cause.Error()
	}
	return p.kind.Code + ": " + p.detail
}

// Unwrap gives the private cause.
func (p *Problem) Unwrap() error { return p.cause }

// isProblem says whether an error is a problem of this kind.
func isProblem(err error, kind *api.ProblemType) bool {
	var p *Problem
	return errors.As(err, &p) && p.kind == kind
}

// fieldProblem is a 422 for a rule that only the handler can check.
func fieldProblem(field, code, message string) error {
	return validate.Violations{{Field: field, Code: code, Message: message}}
}

// problemOf is the one place where errors become statuses.
func problemOf(err error) *Problem {
	var (
		p        *Problem
		fields   validate.Violations
		syntax   *validate.SyntaxError
		tooLarge *http.MaxBytesError
		unread   *bodyError
		routing  *echo.HTTPError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &fields):
		return invalid(fields)
	case errors.As(err, &syntax):
		return problem(api.ProblemMalformedRequest, "%s", syntax.Error())
	case errors.As(err, &tooLarge):
		return problem(api.ProblemPayloadTooLarge, "The body may have at most %d bytes.", tooLarge.Limit)
	case errors.As(err, &unread):
		return unreadBody(unread)
	case errors.As(err, &routing):
		return routingProblem(routing)
	}
	return problemOfDependency(err)
}

// unreadBody is for a body that did not come to its end.
func unreadBody(err *bodyError) *Problem {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return problem(api.ProblemRequestTimeout, "The body was not complete in time.").because(err)
	}
	return problem(api.ProblemMalformedRequest, "The body was cut off, or is not framed as HTTP has it.").because(err)
}

// problemOfDependency maps the errors of the database and of the leaf packages.
func problemOfDependency(err error) *Problem {
	switch {
	case errors.Is(err, auth.ErrBusy), errors.Is(err, limit.ErrFull), errors.Is(err, pg.ErrBusy):
		return unavailable("Too much is going on at once.").because(err)
	case errors.Is(err, context.DeadlineExceeded):
		p := problem(api.ProblemTimeout, "The operation did not finish in its time.").because(err)
		p.retryAfter = busyRetry
		return p
	case errors.Is(err, context.Canceled):
		return clientGone(err)
	case pg.IsUnavailable(err):
		return unavailable("The database is out of reach.").because(err)
	case errors.Is(err, pgx.ErrNoRows):
		return problem(api.ProblemNotFound, "Nothing has this id.").because(err)
	}
	for _, kind := range api.ProblemTypes {
		if kind.Constraint != "" && pg.IsUnique(err, kind.Constraint) {
			return problem(kind, "%s", kind.Meaning).because(err)
		}
	}
	return problem(api.ProblemInternal, "The failure is in the log under the request id.").because(err)
}

func clientGone(err error) *Problem {
	return problem(api.ProblemRequestTimeout, "The client has gone.").because(err)
}

// invalid is the 422 with all failing fields.
func invalid(fields validate.Violations) *Problem {
	p := problem(api.ProblemValidation, "%d fields are not as they should be.", len(fields))
	if len(fields) == 1 {
		p.detail = fmt.Sprintf("%s %s.", fields[0].Field, fields[0].Message)
	}
	p.fields = fields
	return p
}

func unavailable(format string, args ...any) *Problem {
	p := problem(api.ProblemUnavailable, format, args...)
	p.retryAfter = busyRetry
	return p
}

// routingProblem is for what Echo's router says.
func routingProblem(e *echo.HTTPError) *Problem {
	switch e.Code {
	case http.StatusNotFound:
		return problem(api.ProblemNotFound, "Nothing is served under this path.")
	case http.StatusMethodNotAllowed:
		return methodNotAllowed()
	}
	return problem(api.ProblemInternal, "The failure is in the log under the request id.").because(e)
}

func methodNotAllowed() *Problem {
	return problem(api.ProblemMethodNotAllowed, "The Allow header names the methods of this path.")
}

// handleError is Echo's error handler and alone writes problems.
func (s *Server) handleError(err error, c echo.Context) {
	p := problemOf(err)
	call := callOf(c)
	committed := c.Response().Committed
	if committed && errors.Is(call.request.Context().Err(), context.Canceled) { // as by net/http when it cannot write
		p = clientGone(err)
	}
	call.failed(p)
	if committed {
		call.broken = true
		return
	}

	header := c.Response().Header()
	header.Del(echo.HeaderContentDisposition) // of what was to be saved
	p.writeHeader(header)
	body := p.body(call)
	header.Set(echo.HeaderContentType, "application/problem+json")
	c.Response().WriteHeader(p.kind.Status)
	if _, err := c.Response().Write(body); err != nil {
		s.log.DebugContext(c.Request().Context(), "writing a problem", "error", err)
	}
}

func (p *Problem) writeHeader(header http.Header) {
	if p.retryAfter > 0 {
		header.Set(echo.HeaderRetryAfter, strconv.Itoa(seconds(p.retryAfter)))
	}
	for name, value := range p.header {
		header.Set(name, value)
	}
}

func (p *Problem) body(call *call) []byte {
	answer := api.Problem{
		Type:      problemPath + p.kind.Code,
		Title:     p.kind.Title,
		Status:    int32(p.kind.Status), //nolint:gosec // the catalogue holds 400 to 599
		Detail:    p.detail,
		RequestID: call.requestID,
	}
	for _, v := range p.fields {
		answer.Errors = append(answer.Errors, api.FieldError{Field: v.Field, Message: v.Message, Code: v.Code})
	}
	if code := p.oauthCode(); code != "" && call.operation != nil && call.operation.policy.TokenEndpoint {
		answer.Error, answer.ErrorDescription = &code, &p.detail
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)                   // the answer is JSON and says so
	if err := encoder.Encode(answer); err != nil { // strings and integers only: cannot happen
		panic(err)
	}
	return body.Bytes()
}

// oauthCode is the error code of RFC 6749, section 5.2; "" where there is none.
func (p *Problem) oauthCode() string {
	unknownGrant := func(v validate.Violation) bool { return v.Field == "grant_type" && v.Code == validate.CodeEnum }
	if slices.ContainsFunc(p.fields, unknownGrant) {
		return "unsupported_grant_type"
	}
	return p.kind.OAuth
}

// seconds rounds up: a client that waits as told must not be too early.
func seconds(d time.Duration) int {
	return max(1, int(math.Ceil(d.Seconds())))
}

// challenge asks for a bearer token (RFC 6750, section 3).
func (p *Problem) challenge(attributes ...string) *Problem {
	return p.with(echo.HeaderWWWAuthenticate, strings.Join(append([]string{`Bearer realm="accord"`}, attributes...), ", "))
}
