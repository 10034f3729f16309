package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
)

// probePaths are asked by load balancers over plain HTTP and hold no secret.
var probePaths = []string{"/health", "/livez", "/readyz"}

// checkHost lets development answer to loopback names only, so that no web
// page can reach its demo passwords, mails and profiles under a name of its own
// (DNS rebinding).
func (s *Server) checkHost(r *http.Request) error {
	if !s.config.Development() || isLoopbackHost(r.Host) {
		return nil
	}
	return problem(api.ProblemMisdirectedRequest, "In development only loopback names are served.")
}

func isLoopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, ".")) // the dot of a name from the root
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// checkTransport refuses plain HTTP in production. It never redirects: that
// would hide from the client that its secret went over the wire in the clear.
func (s *Server) checkTransport(r *http.Request) error {
	if !s.config.Production() || s.secure(r) || slices.Contains(probePaths, r.URL.Path) {
		return nil
	}
	return problem(api.ProblemInsecureTransport, "Use https.")
}

// secure says whether the request came over TLS: to this server itself, or to
// a proxy of ours. Each word of X-Forwarded-Proto has to say so, since the
// first may be the client's own.
func (s *Server) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if _, trusted := s.proxies.remote(r); !trusted {
		return false
	}
	hops := strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedProto), ","), ",")
	return !slices.ContainsFunc(hops, func(hop string) bool { return !strings.EqualFold(strings.TrimSpace(hop), "https") })
}
