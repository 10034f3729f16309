package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
)

// discard takes what Echo itself would log; every request has its own line.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// answerTime is how long a client may take to read an answer that no operation
// bounds: a page, a file, a problem.
const answerTime = 30 * time.Second

// boundAnswer bounds the writing of whatever is answered, so that a client that
// does not read holds no connection. Each operation sets a bound of its own.
func boundAnswer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		conn := http.NewResponseController(c.Response().Writer)
		_ = conn.SetWriteDeadline(time.Now().Add(answerTime)) // unsupported only by test recorders
		return next(c)
	}
}

// rewriteTrailingSlash makes /users/ mean /users before routing. It never
// redirects: a client would lose its body or its method on the way.
func rewriteTrailingSlash(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if len(u.Path) > 1 {
			u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
			if u.Path == "" {
				u.Path = "/"
			}
		}
		return next(c)
	}
}

// router is what operations are registered through: it serves HEAD for every
// GET, and notes what would be served without a chain.
type router struct {
	*echo.Echo
	faults  []error
	routes  int
	methods map[string][]string // by path, those that it serves
}

func (r *router) add(method, path string, h echo.HandlerFunc, chain []echo.MiddlewareFunc) *echo.Route {
	r.routes++
	if len(chain) == 0 {
		r.faults = append(r.faults, fmt.Errorf("%s %s: the operation is not in the policy table", method, path))
	}
	if strings.HasPrefix(path[strings.LastIndex(path, "/")+1:], ":") {
		r.routes++
		r.endParameter(method, path)
	}
	r.methods[path] = append(r.methods[path], method)
	return r.Add(method, path, h, chain...)
}

// endParameter lets a path's last parameter end at a slash. Echo gives it all
// the rest of the path otherwise, and /users/1/unknown would lead to /users/:id.
// The route itself is never found, since trailing slashes go before routing.
func (r *router) endParameter(method, path string) {
	r.Add(method, path+"/", echo.NotFoundHandler)
}

// refuseUndeclared answers on each path for the methods that it does not serve.
// Left alone, Echo goes on to look for a path that serves the method, and GET
// /reports/generate would lead to /reports/:job_id. OpenAPI matches a path
// without parameters first, whatever its methods.
func (r *router) refuseUndeclared() {
	for path, served := range r.methods {
		refuse := undeclared(served)
		for method := range r.hidden(path) {
			r.routes++
			r.Add(method, path, refuse)
		}
		r.routes++
		r.RouteNotFound(path, refuse)
	}
}

// hidden are the methods that a path does not serve and one that it hides does.
func (r *router) hidden(path string) map[string]bool {
	methods := map[string]bool{}
	for sibling, served := range r.methods {
		for _, method := range served {
			if hides(path, sibling) && !slices.Contains(r.methods[path], method) {
				methods[method] = true
			}
		}
	}
	return methods
}

// hides says whether a path is a more concrete form of a sibling: the same but
// for words where the sibling has parameters.
func hides(path, sibling string) bool {
	segments, others := strings.Split(path, "/"), strings.Split(sibling, "/")
	if path == sibling || len(segments) != len(others) {
		return false
	}
	for i, other := range others {
		if segments[i] != other && !strings.HasPrefix(other, ":") {
			return false
		}
	}
	return true
}

// undeclared answers for all methods that a path does not serve: OPTIONS with
// those that it does, others with a 405 that names them as well.
func undeclared(served []string) echo.HandlerFunc {
	allow := strings.Join(slices.Sorted(slices.Values(append([]string{http.MethodOptions}, served...))), ", ")
	return func(c echo.Context) error {
		if c.Request().Method != http.MethodOptions {
			return methodNotAllowed().with(echo.HeaderAllow, allow)
		}
		c.Response().Header().Set(echo.HeaderAllow, allow)
		return c.NoContent(http.StatusNoContent)
	}
}

func (r *router) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	r.add(echo.HEAD, path, h, m)
	return r.add(echo.GET, path, h, m)
}

func (r *router) POST(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(echo.POST, path, h, m)
}

func (r *router) PUT(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(echo.PUT, path, h, m)
}

func (r *router) PATCH(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(echo.PATCH, path, h, m)
}

func (r *router) DELETE(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.add(echo.DELETE, path, h, m)
}

// registerOperations registers every operation of the contract with its chain.
// One that has none is refused: it would be open to everybody.
func registerOperations(e *echo.Echo, handlers api.ServerInterface, chains map[string][]echo.MiddlewareFunc) error {
	r := &router{Echo: e, methods: map[string][]string{}}
	api.RegisterHandlersWithOptions(r, handlers, api.RegisterHandlersOptions{OperationMiddlewares: chains})
	r.refuseUndeclared()
	if n := len(e.Routes()); n != r.routes {
		r.faults = append(r.faults, fmt.Errorf("%d routes were registered and only %d of them checked", n, r.routes))
	}
	return errors.Join(r.faults...)
}
