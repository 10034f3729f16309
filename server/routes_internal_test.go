package server

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// A path hides each one that has parameters where it has words, at any depth, and
// no other.
func TestConcretePathsAreHeldAtAnyDepth(t *testing.T) {
	t.Parallel()
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = c.NoContent(problemOf(err).kind.Status) }
	r := &router{Echo: e, methods: map[string][]string{}}
	found := func(c echo.Context) error { return c.String(http.StatusOK, c.Path()) }
	r.GET("/a/:id", found)
	r.DELETE("/a/:id", found)
	r.POST("/a/me", found)
	r.GET("/a/:id/b/:b", found)
	r.PUT("/a/me/b/:b", found)
	r.PATCH("/a/me/b/c", found)
	r.POST("/a/:id/:any/d", found)
	r.refuseUndeclared()
	for request, want := range map[string]string{
		"GET /a/1": "/a/:id", "POST /a/me": "/a/me", "GET /a/me": "405", "HEAD /a/me": "405", "DELETE /a/me": "405", "BREW /a/me": "405",
		"GET /a/1/b/2": "/a/:id/b/:b", "PUT /a/me/b/2": "/a/me/b/:b", "GET /a/me/b/2": "405", "PATCH /a/me/b/c": "/a/me/b/c",
		"PUT /a/me/b/c": "405", "GET /a/me/b/c": "405", "GET /a/1/b/c": "/a/:id/b/:b", "PUT /a/1/b/c": "405",
		"POST /a/1/b/d": "/a/:id/:any/d", "GET /a/1/b/d": "/a/:id/b/:b", "OPTIONS /a/me": "204", "GET /b": "404", "OPTIONS /a": "404",
	} {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		got := w.Body.String()
		if w.Code != http.StatusOK {
			got = strconv.Itoa(w.Code)
		}
		if got != want {
			t.Errorf("%s leads to %s, want %s", request, got, want)
		}
	}
}
