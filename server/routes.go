package server

import (
	"errors"
	"fmt"
	"net/http"
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
	faults []error
	routes int
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
	return r.Add(method, path, h, chain...)
}

// endParameter lets a path's last parameter end at a slash. Echo gives it all
// the rest of the path otherwise, and /users/1/unknown would lead to /users/:id.
// The route itself is never found, since trailing slashes go before routing.
func (r *router) endParameter(method, path string) {
	r.Add(method, path+"/", echo.NotFoundHandler)
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
	r := &router{Echo: e}
	api.RegisterHandlersWithOptions(r, handlers, api.RegisterHandlersOptions{OperationMiddlewares: chains})
	if n := len(e.Routes()); n != r.routes {
		r.faults = append(r.faults, fmt.Errorf("%d routes were registered and only %d of them checked", n, r.routes))
	}
	return errors.Join(r.faults...)
}
