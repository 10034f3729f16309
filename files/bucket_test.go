package files_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/accord-api/accord/files"
)

// Where the answer to the last request is lost, nobody knows whether the bytes
// were written: they must not be.
func TestBucketLosesAnswers(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"one request": 10, "parts": parts} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newS3(t)
			s := server.storage(t)
			server.intercept(func(_ http.ResponseWriter, r *http.Request) bool {
				last := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber") || r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
				if last {
					server.pass(r)
					panic(http.ErrAbortHandler)
				}
				return false
			})
			if _, err := s.Write(t.Context(), "a/key", bytes.NewReader(noise(size)), parts); err == nil {
				t.Error("it is written")
			}
			server.intercept(func(http.ResponseWriter, *http.Request) bool { return false })
			s.holds(t)
		})
	}
}

// pass has the server do what a request asks, and drops its answer.
func (s *s3) pass(r *http.Request) {
	again := r.Clone(r.Context())
	s.handler.ServeHTTP(httptest.NewRecorder(), again)
}

// A server that is down for a moment is asked again.
func TestBucketRetries(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := server.storage(t)
	failed := 0
	server.intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		failed++
		if failed%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return failed%2 == 1
	})
	content := noise(parts)
	s.write(t, "key", content)
	if got := s.read(t, "key"); !bytes.Equal(got, content) {
		t.Errorf("read %d others", len(got))
	}
}

// What a server refuses is told by its own words, and is no missing file.
func TestBucketRefuses(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := server.storage(t)
	server.intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access is denied.</Message></Error>`)
		return true
	})
	_, writeErr := s.Write(t.Context(), "key", strings.NewReader("x"), 1)
	_, openErr := s.Open(t.Context(), "key")
	_, listErr := s.older(t.Context(), "")
	for what, err := range map[string]error{
		"write": writeErr, "write parts": errorOf(s.Write(t.Context(), "key", bytes.NewReader(noise(parts)), parts)), "open": openErr, "list": listErr,
		"delete": s.Delete(t.Context(), "key"), "check": s.Check(t.Context()),
	} {
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "denied") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := s.Check(t.Context()); !strings.Contains(err.Error(), "s3://"+bucketName+" at http://127.0.0.1") {
		t.Errorf("got %v", err)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestBucketThatIsMissing(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := storage{Store: open(t, strings.Replace(server.url, bucketName, "no-such-bucket", 1))}
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "bucket does not exist") {
		t.Errorf("got %v", err)
	}
}

// A file costs one request to write and two to read; parts are sent by more.
func TestBucketRequests(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := server.storage(t)
	s.write(t, "key", []byte("hello"))
	s.read(t, "key")
	must(t, s.Delete(t.Context(), "key"))
	want := []string{"PUT /accord-test/key", "HEAD /accord-test/key", "GET /accord-test/key", "DELETE /accord-test/key"}
	if got := strings.Join(server.requests, ", "); got != strings.Join(want, ", ") {
		t.Errorf("got %s", got)
	}
}

// Remains that another has removed meanwhile are no error.
func TestBucketRemainsAreGone(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := server.storage(t)
	s.leave("up", time.Now().Add(past))
	server.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>`)
		return true
	})
	if got, err := s.older(t.Context(), ""); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

// A read that breaks off is an error and not the end.
func TestBucketBreaksOff(t *testing.T) {
	t.Parallel()
	server := newS3(t)
	s := server.storage(t)
	s.write(t, "key", noise(mib))
	server.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(mib))
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = w.Write(noise(1000))
		panic(http.ErrAbortHandler)
	})
	r, err := s.Open(t.Context(), "key")
	must(t, err)
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

// roundTripper sends requests as it likes.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What is put around the transport may add to what is signed already.
func TestTransportAddsHeaders(t *testing.T) {
	t.Parallel()
	s := newS3(t)
	store, err := files.Open(s.url, files.WithTransport(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("Traceparent", "there")
			return next.RoundTrip(r)
		})
	}))
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	var without atomic.Int64
	s.intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Traceparent") != "there" {
			without.Add(1)
		}
		return false
	})
	_, err = store.Write(t.Context(), "uploads/a", strings.NewReader("text"), 10)
	must(t, err)
	if without.Load() != 0 || len(s.requests) == 0 {
		t.Errorf("%d of %d requests lack it", without.Load(), len(s.requests))
	}
}
