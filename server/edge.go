package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/accord-api/accord/gen/api"
)

// maxUserAgent cuts what a client says of itself before it is stored.
const maxUserAgent = 300

// strayBodyTime is how long a body may take to come in that no operation asks
// for: net/http reads what was not read all the same.
const strayBodyTime = 5 * time.Second

// maxLoggedPath cuts what a client asks for before it is logged.
const maxLoggedPath = 500

// noStore is the Cache-Control of private answers.
const noStore = "no-store"

// edge is what every request passes, before and after it is routed: it begins
// the call, turns panics and errors into answers, and writes the log line.
func (s *Server) edge(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		call := s.newCall(c.Request())
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), callKey{}, call)))
		s.beginSpan(c, call)
		if s.requests != nil {
			defer s.record(c, call)()
		}
		c.Response().Header().Set(echo.HeaderXRequestID, call.requestID)
		s.secureHeaders(c)
		boundStrayBody(c)

		if err := s.guarded(next, c); err != nil {
			s.handleError(err, c)
		}
		took := time.Since(call.start)
		s.countRequest(call, c.Response().Status, took)
		s.logRequest(c, call, took)
		endSpan(call, c.Response().Status)
		if call.broken {
			resetOld(c.Request())
			panic(http.ErrAbortHandler) // breaks the connection, so that no client takes half for whole
		}
		return nil
	}
}

// connKey is where a request's context carries its connection.
type connKey struct{}

// withConn is http.Server's ConnContext.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// resetOld lets the connection of an HTTP/1.0 client end with a reset: the end of
// the connection is the end of the answer there, so an orderly one would say that
// the answer is whole.
func resetOld(r *http.Request) {
	if r.ProtoAtLeast(1, 1) {
		return
	}
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if plain, ok := conn.(*net.TCPConn); ok {
		_ = plain.SetLinger(0) // where it fails, the connection is gone
	}
}

// boundStrayBody is for a request with a body that may be answered before an
// operation is reached. Without a deadline a client that never sends the body
// would hold the connection for ever, and unless the connection is to be closed
// the answer waits for the body. An operation has bounds of its own.
func boundStrayBody(c echo.Context) {
	if r := c.Request(); r.ContentLength == 0 || r.ProtoMajor > 1 { // HTTP/2 ends a stream by itself
		return
	}
	_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Now().Add(strayBodyTime)) // unsupported only by test recorders
	c.Response().Header().Set(echo.HeaderConnection, "close")
}

// guarded runs the rest of the chain and turns a panic into an error.
func (s *Server) guarded(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case http.ErrAbortHandler: // a handler that has to break the connection
			panic(r)
		default:
			err = &panicError{value: r, stack: string(debug.Stack())}
		}
	}()
	if err := s.checkHost(c.Request()); err != nil {
		return err
	}
	if err := s.checkTransport(c.Request()); err != nil {
		return err
	}
	if r := c.Request(); r.Method == http.MethodOptions && r.RequestURI == "*" { // the server itself has none
		return c.NoContent(http.StatusNoContent)
	}
	return next(c)
}

// panicError is a recovered panic. Its stack goes to the log only.
type panicError struct {
	value any
	stack string
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func (s *Server) newCall(r *http.Request) *call {
	_, trusted := s.proxies.remote(r)
	agent := r.UserAgent()
	c := &call{
		request:   r,
		body:      http.NoBody,
		ip:        s.proxies.client(r),
		start:     time.Now(),
		userAgent: strings.ToValidUTF8(agent[:min(len(agent), maxUserAgent)], ""),
	}
	// Only a proxy of ours may name the request: others could forge log lines.
	if id := r.Header.Get(echo.HeaderXRequestID); trusted && requestIDPattern.MatchString(id) {
		c.requestID = id
	} else {
		c.requestID = newID().String()
	}
	return c
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// newID makes a UUIDv7: ids sort by the time they were made.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// logRequest writes the one line of each request. Queries, bodies and header
// fields stay out of it: they may hold secrets.
func (s *Server) logRequest(c echo.Context, call *call, took time.Duration) {
	status := c.Response().Status
	attrs := append(call.attributes(),
		slog.String("method", c.Request().Method),
		slog.String("path", c.Request().URL.Path[:min(len(c.Request().URL.Path), maxLoggedPath)]),
		slog.Int("status", status),
		slog.Int64("bytes", c.Response().Size),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	)
	level := slog.LevelInfo
	if p := call.problem; p != nil {
		attrs = append(attrs, slog.String("problem", p.kind.Code))
		if p.kind.Status >= http.StatusInternalServerError { // busy or late: worth a look when there are many
			level = slog.LevelWarn
			attrs = append(attrs, causeOf(p)...)
		}
		if p.kind == api.ProblemInternal {
			level = slog.LevelError
			s.report(c.Request().Context(), call, p)
		}
	}
	s.log.LogAttrs(c.Request().Context(), level, "request", attrs...)
}

func causeOf(p *Problem) []slog.Attr {
	if p.cause == nil {
		return nil
	}
	attrs := []slog.Attr{slog.String("error", p.cause.Error())}
	if crash, ok := errors.AsType[*panicError](p.cause); ok {
		attrs = append(attrs, slog.String("stack", crash.stack))
	}
	return attrs
}

// secureHeaders sets what holds for every answer. An API's answers are private
// and are no page: whoever serves something else sets it anew.
func (s *Server) secureHeaders(c echo.Context) {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-site")
	h.Set(echo.HeaderCacheControl, noStore)
	if s.config.Production() && s.secure(c.Request()) {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}

// cors answers other origins from the allow-list. Echo's middleware is left before
// the request goes on: its frame is a large one, and each stream would keep it.
func (s *Server) cors() echo.MiddlewareFunc {
	allow := middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper:          isPlainOptions,
		AllowOrigins:     s.config.CORSOrigins,
		AllowMethods:     []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowHeaders:     []string{"Authorization", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Idempotency-Key", "Last-Event-ID", "Range", "X-Request-Id"},
		ExposeHeaders:    []string{"Accept-Ranges", "Content-Disposition", "Content-Range", "Deprecation", "ETag", "Last-Modified", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "Sunset", "WWW-Authenticate", "X-Request-Id"},
		AllowCredentials: !slices.Contains(s.config.CORSOrigins, "*"),
		MaxAge:           int((10 * time.Minute).Seconds()),
	})(func(echo.Context) error { return nil })
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := allow(c); err != nil || c.Response().Committed { // a preflight is answered
				return err
			}
			return next(c)
		}
	}
}

// isPlainOptions tells a request for the methods of a path from a browser's
// preflight; the router answers it.
func isPlainOptions(c echo.Context) bool {
	r := c.Request()
	return r.Method == http.MethodOptions && r.Header.Get(echo.HeaderAccessControlRequestMethod) == ""
}

// proxies are the addresses whose forwarding headers are believed.
type proxies []netip.Prefix

func (p proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// remote gives the peer's address and whether it is one of the proxies.
func (p proxies) remote(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.IPv6Unspecified(), false
	}
	addr = addr.Unmap().WithZone("")
	return addr, p.trusts(addr)
}

// client gives the client's address: the peer's own, or, behind a proxy, the
// rightmost of X-Forwarded-For that is no proxy. What stands left of that was
// written by the client and proves nothing.
func (p proxies) client(r *http.Request) netip.Addr {
	addr, trusted := p.remote(r)
	hops := strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted; i-- {
		text := strings.TrimSpace(hops[i])
		if text == "" {
			continue
		}
		hop, err := parseHop(text)
		if err != nil {
			break
		}
		addr = hop.Unmap().WithZone("")
		trusted = p.trusts(addr)
	}
	return addr
}

// parseHop reads an address, after which some proxies write the port.
func parseHop(text string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr, nil
	}
	hop, err := netip.ParseAddrPort(text)
	return hop.Addr(), err
}
