package server

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/policy"
)

const (
	// answerGrace is how much longer than the operation its answer may take to
	// be written, so that a timeout can still be told.
	answerGrace = 5 * time.Second
	// gateWait is how long a call waits for a place where concurrency is bounded.
	gateWait = time.Second
	// gateQueue is how many calls may wait for each place.
	gateQueue = 4
)

// operation is the chain that every call of one operation passes, built from
// the operation's row in the policy table. Nothing about an operation that the
// contract says is decided anywhere else.
type operation struct {
	policy *policy.Policy
	server *Server
	limits map[policy.By][]*rateLimit
	gate   *limit.Gate // nil without a bound
	// refusals bounds how many refused calls of an address are audited.
	refusals *limit.Window
	// limitHeader is the RateLimit-Policy value; "" without limits.
	limitHeader string
	// accept lists the declared content types, for the 415.
	accept   string
	requests *requestMetrics
}

// rateLimit is one limit of an operation with its window.
type rateLimit struct {
	policy.RateLimit
	name   string // as the headers call it
	header string // the limit's own part of RateLimit-Policy
	window *limit.SharedWindow
	limitMetrics
}

// enforcedPolicies are the members of policy.Policy that the chain below
// enforces, and those that only describe. A row with any other member set stops
// the server: what the contract says and nothing enforces must not be served.
var enforcedPolicies = []string{
	"OperationID", "Method", "Path", "ContentTypes", "BodyRequired", "TokenEndpoint", "Statuses",
	"Access", "RateLimits", "BodyLimit", "Timeout", "Stall", "Concurrency", "Audit", "Query", "Produces",
	"Idempotent", "Cache", "DeprecatedAfter", "Sunset",
}

func (s *Server) newOperation(p *policy.Policy) (*operation, error) {
	if err := checkEnforced(p, enforcedPolicies); err != nil {
		return nil, err
	}
	if p.Timeout <= 0 && p.Stall <= 0 {
		return nil, fmt.Errorf("operation %s: it has neither a timeout nor a stall", p.OperationID)
	}

	o := &operation{
		policy: p, server: s,
		limits:   map[policy.By][]*rateLimit{},
		refusals: newRefusals(s.now),
		accept:   strings.Join(p.ContentTypes, ", "),
		requests: s.metrics.ofRequests(p.OperationID, p.Statuses, p.Timeout == 0),
	}
	var declared []string
	for _, r := range p.RateLimits {
		l := s.newRateLimit(p.OperationID, r)
		o.limits[r.By] = append(o.limits[r.By], l)
		declared = append(declared, l.header)
	}
	o.limitHeader = strings.Join(declared, ", ")
	if p.Concurrency > 0 {
		o.gate = limit.NewGate(p.Concurrency, gateQueue*p.Concurrency, gateWait)
	}
	return o, nil
}

// checkEnforced refuses a row with a member that is not among those named.
func checkEnforced(p *policy.Policy, enforced []string) error {
	row := reflect.ValueOf(*p)
	for i := range row.NumField() {
		if name := row.Type().Field(i).Name; !row.Field(i).IsZero() && !slices.Contains(enforced, name) {
			return fmt.Errorf("operation %s: nothing enforces its policy %s", p.OperationID, name)
		}
	}
	return nil
}

// newRateLimit is a limit of what the scope names: an operation, or all that
// nobody is signed in for.
func (s *Server) newRateLimit(scope string, r policy.RateLimit) *rateLimit {
	l := &rateLimit{RateLimit: r, name: string(r.By), limitMetrics: s.metrics.ofLimit(scope, r.By)}
	if r.By == policy.ByField {
		l.name = "field:" + r.Field
	}
	l.window = limit.NewSharedWindow(s.limits, scope+":"+l.name, r.Limit, r.Window, limit.WithNow(s.now))
	l.header = fmt.Sprintf(`"%s";q=%d;w=%d`, l.name, r.Limit, seconds(r.Window))
	return l
}

// chain is the operation's Echo middleware: everything that is decided before
// a parameter or the body is read.
func (o *operation) chain(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		call := callOf(c)
		call.operation = o
		o.requests.inFlight.Inc()
		defer o.requests.inFlight.Dec()
		call.record.Show(o.policy.OperationID)
		o.sayDeprecated(c.Response().Header())
		joinLists(c.Request().Header)
		release, err := o.admit(c, call)
		o.countDeprecated(call)
		defer release()
		if err == nil {
			err = next(c)
		}
		if call.record != nil {
			call.decidedAfter(err)
		}
		o.auditAfter(c.Request().Context(), call, err)
		return err
	}
}

// admit passes the call through the chain. The returned release is never nil.
func (o *operation) admit(c echo.Context, call *call) (release func(), err error) {
	release = o.bound(c)
	if err := call.decided(bodyLimit, o.checkSize(c.Request())); err != nil {
		return release, err
	}
	if err := o.take(c, policy.ByIP, limitAddress(call)); err != nil {
		return release, err
	}
	if o.policy.Public() {
		_ = call.decided(authentication, nil)
	} else {
		if err := call.decided(authentication, o.signedIn(c, call)); err != nil {
			return release, err
		}
		if err := o.take(c, policy.ByUser, call.who.UserID.String()); err != nil {
			return release, err
		}
		if err := call.decided(role, o.hasRole(call)); err != nil {
			return release, err
		}
	}
	unbind := release
	if o.policy.Timeout == 0 {
		finish := o.stream(c, call)
		release = func() { finish(); unbind() }
	}
	if o.gate != nil && o.policy.Cache == nil { // what is kept costs nothing: cached enters it to load
		leave, err := o.gate.Enter(c.Request().Context(), holder(call))
		if call.decided(concurrency, err) != nil {
			return release, err
		}
		admitted := release
		release = func() { leave(); admitted() }
	}
	if err := call.decided(negotiation, o.negotiate(call)); err != nil {
		return release, err
	}
	return release, call.decided(contentType, o.checkContentType(c.Request()))
}

// negotiate finds which of the operation's content types the client wants
// (RFC 9110, section 12.5.1).
func (o *operation) negotiate(call *call) error {
	if len(o.policy.Produces) == 0 {
		return nil
	}
	call.produces = preferred(call.request.Header.Values(echo.HeaderAccept), o.policy.Produces)
	if call.produces == "" {
		return problem(api.ProblemNotAcceptable, "The operation answers with %s.", strings.Join(o.policy.Produces, " or "))
	}
	return nil
}

// bound sets the operation's deadlines: on the context, on reading the body and
// on writing the answer, since the HTTP server itself has none.
func (o *operation) bound(c echo.Context) (unbind func()) {
	r, cancel := c.Request(), func() {}
	conn := http.NewResponseController(c.Response().Writer)
	var deadline, last time.Time // zero: none
	if o.policy.Timeout > 0 {
		var ctx context.Context
		ctx, cancel = context.WithTimeout(r.Context(), o.policy.Timeout)
		c.SetRequest(r.WithContext(ctx))
		deadline = time.Now().Add(o.policy.Timeout)
		last = deadline.Add(answerGrace)
	}
	_ = conn.SetWriteDeadline(last) // unsupported only by test recorders
	if o.policy.Stall > 0 {
		c.Response().Writer = &stallWriter{ResponseWriter: c.Response().Writer, conn: conn, stall: o.policy.Stall, last: last}
	}
	if r.ContentLength != 0 {
		from := r.Body
		if o.policy.Timeout > 0 {
			_ = conn.SetReadDeadline(deadline)
			c.Response().Header().Del(echo.HeaderConnection) // as boundStrayBody has set it
		}
		if o.policy.Stall > 0 {
			from = &stallReader{ReadCloser: from, conn: conn, stall: o.policy.Stall, last: deadline}
			_ = conn.SetReadDeadline(stalled(o.policy.Stall, deadline)) // for who is refused, whose body is read by net/http
		}
		bounded := body{http.MaxBytesReader(c.Response().Writer, from, o.policy.BodyLimit)}
		c.Request().Body, callOf(c).body = bounded, bounded
	}
	return func() {
		cancel()
		_ = conn.SetWriteDeadline(time.Now().Add(answerTime)) // a problem and the last buffer are written after the chain
	}
}

// stream lets a call without a timeout end with its session, and when the
// server stops.
func (o *operation) stream(c echo.Context, call *call) (finish func()) {
	ctx, end := context.WithCancelCause(c.Request().Context())
	c.SetRequest(c.Request().WithContext(ctx))
	one := o.server.streams.begin(call.who, end)
	return func() {
		o.server.streams.finish(one)
		end(nil)
	}
}

// sayDeprecated tells of the end of an operation (RFC 9745, RFC 8594).
func (o *operation) sayDeprecated(header http.Header) {
	if after := o.policy.DeprecatedAfter; !after.IsZero() {
		header.Set("Deprecation", fmt.Sprintf("@%d", after.Unix()))
	}
	if sunset := o.policy.Sunset; !sunset.IsZero() {
		header.Set("Sunset", sunset.UTC().Format(http.TimeFormat))
	}
}

// checkSize refuses a body that says it is too large before reading any of it.
func (o *operation) checkSize(r *http.Request) error {
	if r.ContentLength > o.policy.BodyLimit {
		return &http.MaxBytesError{Limit: o.policy.BodyLimit}
	}
	return nil
}

// take counts the call against the operation's limits of one kind.
func (o *operation) take(c echo.Context, by policy.By, key string) error {
	for _, l := range o.limits[by] {
		if err := l.take(c, o.limitHeader, key); err != nil {
			return err
		}
	}
	return nil
}

// take counts one call and tells in the headers what is left of the tightest
// limit so far.
func (l *rateLimit) take(c echo.Context, declared, key string) error {
	d, call := l.window.Take(c.Request().Context(), key), callOf(c)
	l.count(d.Allowed)
	if !call.limited || d.Remaining < call.remaining {
		call.limited, call.remaining = true, d.Remaining
		header := c.Response().Header()
		header.Set("RateLimit-Policy", declared)
		header.Set("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%d`, l.name, d.Remaining, seconds(d.Reset)))
	}
	if call.record != nil {
		call.record.Decide("rate limit by "+l.name, !d.Allowed, fmt.Sprintf("%d of %d left in %s", d.Remaining, l.Limit, l.Window))
	}
	if !d.Allowed {
		return tooMany(d.RetryAfter, "At most %d requests in %d seconds.", l.Limit, seconds(l.Window))
	}
	return nil
}

func tooMany(retryAfter time.Duration, format string, args ...any) error {
	p := problem(api.ProblemTooManyRequests, format, args...)
	p.retryAfter = retryAfter
	return p
}

// holder is whose share of the places a call takes: the user's, or the address's
// where nobody is signed in.
func holder(call *call) string {
	if call.who.UserID != uuid.Nil {
		return call.who.UserID.String()
	}
	return limitAddress(call)
}

// limitAddress is what the limits by IP count for.
func limitAddress(call *call) string { return limit.Address(call.ip) }

// signedIn authenticates the call.
func (o *operation) signedIn(c echo.Context, call *call) error {
	claims, err := o.server.claims(c.Request())
	if err != nil {
		return o.unauthenticated(c, call, err)
	}
	ended := o.server.sessions.ended(claims.Session)
	if ended { // to ask again costs a query: the limit comes first
		if err := o.unauthenticated(c, call, nil); err != nil {
			return err
		}
	}
	who, err := o.server.authenticate(c.Request().Context(), claims)
	switch {
	case err == nil:
		call.who = who
	case !ended && isProblem(err, api.ProblemUnauthenticated):
		return o.unauthenticated(c, call, err)
	}
	return err
}

// unauthenticated counts a failure for the address, as a call of an operation that
// nobody is signed in for. It gives the failure, unless there were too many.
func (o *operation) unauthenticated(c echo.Context, call *call, failure error) error {
	if limited := o.server.anonymous.take(c, o.server.anonymous.header, limitAddress(call)); limited != nil {
		return limited
	}
	return failure
}

// hasRole checks the roles of a call that is signed in.
func (o *operation) hasRole(call *call) error {
	for _, roles := range o.policy.Access {
		if holdsAll(call.who.Role, roles) {
			return nil
		}
	}
	return missingRole(o.policy.Access[0]...)
}

// holdsAll says whether a role includes all that are asked for. An
// administrator is a user as well.
func holdsAll(role string, wanted policy.Roles) bool {
	for _, w := range wanted {
		if !slices.Contains(rolesOf(role), w) {
			return false
		}
	}
	return true
}

// rolesOf lists what a role includes; it is the scope of the access token too.
func rolesOf(role string) []string {
	if role == string(api.RoleAdmin) {
		return []string{string(api.RoleUser), string(api.RoleAdmin)}
	}
	return []string{role}
}

// missingRole is a 403 that names the roles that were wanted (RFC 6750, section 3.1).
func missingRole(wanted ...string) error {
	scope := strings.Join(wanted, " ")
	return problem(api.ProblemForbidden, "The operation needs the role %s.", scope).
		challenge(`error="insufficient_scope"`, fmt.Sprintf(`scope="%s"`, scope))
}

// identity is the content coding of what is sent as it is (RFC 9110, section 8.4.1).
const identity = "identity"

// checkContentType lets only declared content types in, in UTF-8 and not
// compressed.
func (o *operation) checkContentType(r *http.Request) error {
	if len(o.policy.ContentTypes) == 0 || (!o.policy.BodyRequired && r.ContentLength == 0) {
		return nil
	}
	mediaType, params, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	charset := params["charset"]
	if err != nil || !slices.Contains(o.policy.ContentTypes, mediaType) || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return problem(api.ProblemUnsupportedMediaType, "The operation takes %s in UTF-8.", o.accept).with(echo.HeaderAccept, o.accept)
	}
	if encoding := r.Header.Get(echo.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, identity) {
		return problem(api.ProblemUnsupportedMediaType, "Bodies are taken as they are, without a Content-Encoding.").
			with(echo.HeaderAcceptEncoding, identity) // RFC 9110, section 15.5.16
	}
	return nil
}

// fieldLimited is implemented by requests of operations with a limit by field.
type fieldLimited interface{ PolicyField(name string) string }

// callMethod is what comes between a valid request and its method: the limits by
// field, in any letter case, and then what the operation's policy keeps of
// earlier answers.
func (s *Server) callMethod(method api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(c echo.Context, request any) (api.Answer, error) {
		call := callOf(c)
		o := call.operation
		_ = call.decided(validation, nil)
		for _, l := range o.limits[policy.ByField] {
			value := request.(fieldLimited).PolicyField(l.Field)
			if err := l.take(c, o.limitHeader, strings.ToLower(value)); err != nil {
				return nil, err
			}
		}
		call.audit.reached, call.valid = true, request
		switch {
		case o.policy.Cache != nil:
			answer, err := o.cached(c, request, method)
			if err == nil {
				_ = call.decided(cacheHit, nil)
			}
			return answer, err
		case o.policy.Idempotent:
			return o.once(c, call, request, method)
		}
		return method(c, request)
	}
}
