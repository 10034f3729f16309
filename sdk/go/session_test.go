package accord

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// endpoint signs in and refreshes, and takes its time for it.
type endpoint struct {
	mu      sync.Mutex
	asked   []string
	refused bool // what is asked for is refused
}

const slow = time.Second

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	e.mu.Lock()
	e.asked = append(e.asked, path)
	refused := e.refused
	e.mu.Unlock()
	status, text := http.StatusOK, `{}`
	switch {
	case path == "me" && r.Header.Get("Authorization") != "Bearer new":
		status, text = http.StatusUnauthorized, `{"type": "/problems/unauthenticated", "status": 401}`
	case path == "me":
	default:
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		text = `{"access_token": "new", "refresh_token": "next", "token_type": "bearer", "expires_in": 900, "scope": "user"}`
		if refused {
			status, text = http.StatusUnauthorized, `{"type": "/problems/invalid-credentials", "status": 401}`
		}
	}
	header := http.Header{"Content-Type": {"application/problem+json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// count is how often an endpoint was asked.
func (e *endpoint) count(path string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, asked := range e.asked {
		if asked == path {
			n++
		}
	}
	return n
}

func (e *endpoint) client(t *testing.T, store TokenStore) *Client {
	t.Helper()
	c, err := New("http://accord.example.com", WithPassword("ada", "secret"), WithTokenStore(store), WithHTTPClient(&http.Client{Transport: e}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// together makes so many calls at the same time and gives their errors.
func together(calls int, call func() error) []error {
	errs := make([]error, calls)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = call() })
	}
	all.Wait()
	return errs
}

// searches are the ways to tokens, each with what the store holds before.
var searches = map[string]Tokens{"login": {}, "refresh": {Access: "old", Refresh: "r"}}

// Calls that wait for a sign-in, or a refresh, share its outcome, and its failure too.
func TestFailureIsShared(t *testing.T) {
	t.Parallel()
	for name, tokens := range searches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &endpoint{refused: true}
				c := server.client(t, &memory{tokens: tokens})
				began := time.Now()
				for _, err := range together(20, func() error {
					_, err := c.GetMe(t.Context())
					return err
				}) {
					if !isCode(err, CodeInvalidCredentials) {
						t.Error(err)
					}
				}
				if got, took := server.count(name), time.Since(began); got != 1 || took != slow {
					t.Errorf("%d times asked, for %s", got, took)
				}
				server.refused = false // a new call tries again
				if _, err := c.GetMe(t.Context()); err != nil || server.count(name) != 2 {
					t.Errorf("%v, asked %d times", err, server.count(name))
				}
			})
		})
	}
}

// A cancelled call ends at once, though it is signing in or refreshing, and the tokens are
// saved, for those who wait as well.
func TestCancelledCallLeavesTheTokens(t *testing.T) {
	t.Parallel()
	for name, tokens := range searches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, store := &endpoint{}, &memory{tokens: tokens}
				c := server.client(t, store)
				ctx, cancel := context.WithCancelCause(t.Context())
				gone := errors.New("the window was closed")
				time.AfterFunc(slow/2, func() { cancel(gone) })
				waiting := make(chan error)
				began := time.Now()
				time.AfterFunc(slow/4, func() {
					_, err := c.GetMe(t.Context())
					waiting <- err
				})
				_, err := c.GetMe(ctx)
				lost := (*Error)(nil)
				if took := time.Since(began); !errors.Is(err, gone) || took != slow/2 || !errors.As(err, &lost) || lost.Operation != "getMe" || lost.Sent {
					t.Errorf("%v after %s", err, took)
				}
				if err := <-waiting; err != nil {
					t.Error(err)
				}
				if kept, _ := store.Load(t.Context()); kept.Refresh != "next" || server.count(name) != 1 {
					t.Errorf("%+v is kept, and %d times asked", kept, server.count(name))
				}
			})
		})
	}
}
