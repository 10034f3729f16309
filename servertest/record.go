package servertest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/labstack/echo/v4"
)

// Recorded is an answer of a server.
type Recorded struct {
	Method  string
	Path    string // as it was asked for, with no query
	Query   url.Values
	Request http.Header // of the request
	Sent    []byte      // the request's body, as far as it was read
	Status  int
	Header  http.Header
	Body    []byte
	Cut     bool // Body is not the whole of it
}

// maxRecorded is how much of an answer's body is recorded.
const maxRecorded = 1 << 20

var recorder atomic.Pointer[func(Recorded)]

// Record has each answer of each server that begins from now on told to sink, which
// has to be safe for concurrent use; with nil, no more are told.
func Record(sink func(Recorded)) { recorder.Store(&sink) }

// record tells what a server answers.
func record(handler http.Handler) {
	sink := recorder.Load()
	if sink == nil || *sink == nil {
		return
	}
	handler.(*echo.Echo).Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			t := &tee{ResponseWriter: c.Response().Writer}
			c.Response().Writer = t
			sent := &bytes.Buffer{}
			if c.Request().ContentLength < maxRecorded {
				c.Request().Body = struct {
					io.Reader
					io.Closer
				}{io.TeeReader(c.Request().Body, sent), c.Request().Body}
			}
			if err := next(c); err != nil {
				c.Error(err)
			}
			(*sink)(Recorded{
				Method: c.Request().Method, Path: c.Request().URL.Path, Query: c.Request().URL.Query(),
				Request: c.Request().Header.Clone(), Sent: sent.Bytes(), Status: c.Response().Status,
				Header: c.Response().Header().Clone(), Body: t.body, Cut: t.cut,
			})
			return nil
		}
	})
}

// tee keeps what is written.
type tee struct {
	http.ResponseWriter
	body []byte
	cut  bool
}

func (t *tee) Write(p []byte) (int, error) {
	room := min(len(p), maxRecorded-len(t.body))
	t.body = append(t.body, p[:room]...)
	t.cut = t.cut || room < len(p)
	return t.ResponseWriter.Write(p)
}

// Flush says that more will come, so that what was kept may be cut off.
func (t *tee) Flush() {
	t.cut = true
	t.ResponseWriter.(http.Flusher).Flush()
}

// Unwrap is for http.ResponseController.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }
