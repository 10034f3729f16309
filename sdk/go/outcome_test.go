package accord

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// faults answers the requests of a client, one after the other.
type faults struct {
	*httptest.Server

	mu   sync.Mutex
	what []string // "lost": no answer; "refused": no connection; else a status
	keys []string
}

// next is what the coming request meets.
func (f *faults) next() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.what) == 0 {
		return "more requests than expected"
	}
	return f.what[0]
}

func (f *faults) take() string {
	next := f.next()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.what = f.what[min(1, len(f.what)):]
	return next
}

func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	f.mu.Lock()
	f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
	f.mu.Unlock()
	status, err := strconv.Atoi(f.take())
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
}

// failing gives a client whose requests meet these faults. It waits for nothing.
func failing(t *testing.T, what ...string) (*Client, *faults) {
	t.Helper()
	f := &faults{what: what}
	f.Server = httptest.NewUnstartedServer(f)
	f.Start()
	t.Cleanup(f.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	transport := &http.Transport{DisableKeepAlives: true}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if f.next() == "refused" {
			f.take()
			address = nobody.Addr().String()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	c, err := New(f.URL, WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	c.pause = func(context.Context, time.Duration) error { return nil }
	return c, f
}

// Whether a write may have been carried out is told truly, whether or not it may be sent again.
func TestOutcome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method  string
		keyed   bool
		meets   []string
		left    int // of what it meets
		unknown bool
	}{
		"a keyed write that is lost each time":         {http.MethodPost, true, []string{"lost", "lost", "lost"}, 0, true},
		"a write that is lost":                         {http.MethodPatch, false, []string{"lost", "200"}, 1, true},
		"a read that is lost each time":                {http.MethodGet, false, []string{"lost", "lost", "lost"}, 0, false},
		"a deletion that is lost each time":            {http.MethodDelete, false, []string{"lost", "lost", "lost"}, 0, true},
		"a write without a server":                     {http.MethodPost, false, []string{"refused", "refused", "refused"}, 0, false},
		"a keyed write without a server":               {http.MethodPost, true, []string{"refused", "refused", "refused"}, 0, false},
		"a write that was refused, and then no server": {http.MethodPost, false, []string{"503", "429", "refused"}, 0, false},
		"a keyed write that was lost before":           {http.MethodPost, true, []string{"lost", "503", "refused"}, 0, true},
		"a keyed write that a gateway lost before":     {http.MethodPost, true, []string{"504", "refused", "refused"}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := failing(t, c.meets...)
			r := newCall("write", c.method, "/", nil)
			r.public, r.keyed = true, c.keyed
			r.body = func() (io.Reader, error) { return bytes.NewReader([]byte("{}")), nil }
			err := done(t.Context(), client, r)
			server.Close()
			lost := (*Error)(nil)
			if !errors.As(err, &lost) || lost.Sent != c.unknown || len(server.what) != c.left {
				t.Errorf("%v, and %q was not met", err, server.what)
			}
			if len(slices.Compact(server.keys)) > 1 {
				t.Errorf("keys %q", server.keys)
			}
		})
	}
}

// What was not sent for want of a connection is sent when there is one.
func TestWriteIsSentWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	client, server := failing(t, "refused", "refused", "204")
	r := newCall("write", http.MethodPost, "/", nil)
	r.public = true
	if err := done(t.Context(), client, r); err != nil || len(server.what) != 0 {
		t.Errorf("%v, and %q was not met", err, server.what)
	}
}

// A transport that does not tell how far it has come may have sent what has no answer.
func TestOutcomeOfSilentTransport(t *testing.T) {
	t.Parallel()
	server := &answers{answer: func(*http.Request) (*http.Response, error) { return nil, errors.New("gone") }}
	client, err := New("http://accord.example.com", WithHTTPClient(&http.Client{Transport: server}))
	if err != nil {
		t.Fatal(err)
	}
	r := newCall("write", http.MethodPost, "/", nil)
	r.public = true
	lost := (*Error)(nil)
	if err := done(t.Context(), client, r); !errors.As(err, &lost) || !lost.Sent || len(server.asked) != 1 {
		t.Errorf("%v after %d requests", err, len(server.asked))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := done(ctx, client, r); !errors.As(err, &lost) || len(server.asked) != 1 {
		t.Errorf("%v after %d requests", err, len(server.asked))
	}
}
