package accord

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A server that answers before it has read the upload has it sent again, from where it
// stood, though the first request is still being written.
func TestUploadIsSentAgainWhole(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests%3 != 0 {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<16)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		file, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		got, err := io.ReadAll(file)
		if err != nil || !bytes.Equal(got, content) || header.Filename != "a.bin" {
			http.Error(w, "it is not what was sent", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		r := newCall("upload", http.MethodPost, "/", nil)
		r.public = true
		r.multipart("file", Upload{Name: "a.bin", Content: bytes.NewReader(content)})
		if err := done(t.Context(), c, r); err != nil {
			t.Fatal(err)
		}
	}
}

// answers is a server that is there or not, and has its requests in asked.
type answers struct {
	asked  []string
	answer func(*http.Request) (*http.Response, error)
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r.Header.Get("Last-Event-ID"))
	return a.answer(r)
}

// saying is a stream that says something and then nothing more.
func saying(r *http.Request, text string) *http.Response {
	silence := readerFunc(func([]byte) (int, error) {
		<-r.Context().Done()
		return 0, r.Context().Err()
	})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(bytes.NewReader([]byte(text)), silence))}
}

// A stream goes on where it was, before its first event as well, after a server that
// has fallen silent, cannot be reached for an hour, or says that it cannot answer.
func TestStreamOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Hour)
		server := &answers{}
		server.answer = func(r *http.Request) (*http.Response, error) {
			switch {
			case len(server.asked) == 1:
				return saying(r, "id: 6\n\n"), nil // and nothing more: after a minute it is given up
			case time.Now().Before(back.Add(-time.Minute)):
				return nil, errors.New("no route")
			case time.Now().Before(back):
				return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: http.NoBody}, nil
			}
			return saying(r, "id: 7\nevent: told\ndata: 7\n\n: \n\nid: 8\nevent: told\ndata: 8\n\n"), nil
		}
		c, err := New("http://accord.example.com", WithHTTPClient(&http.Client{Transport: server}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got []int
		var last error
		for n, err := range stream[int](ctx, c, "told", public) {
			if last = err; err != nil {
				break
			}
			if got = append(got, *n); len(got) == 2 {
				cancel()
			}
		}
		if !slices.Equal(got, []int{7, 8}) || !errors.Is(last, context.Canceled) {
			t.Errorf("%v, and ended with %v", got, last)
		}
		if server.asked[0] != "" || slices.ContainsFunc(server.asked[1:], func(id string) bool { return id != "6" }) {
			t.Errorf("asked for what comes after %q", server.asked)
		}
		if late := time.Since(back); late > 15*time.Second {
			t.Errorf("it took %s to see that the server is back", late)
		}
	})
}

// What waiting does not mend ends a stream, and so does all that the first connection meets.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first bool
		fail  func() (*http.Response, error)
	}{
		"no server": {true, func() (*http.Response, error) { return nil, errors.New("no route") }},
		"a later refusal": {false, func() (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody}, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &answers{}
				server.answer = func(r *http.Request) (*http.Response, error) {
					if len(server.asked) == 1 && !c.first {
						return saying(r, "id: 6\n\n"), nil
					}
					return c.fail()
				}
				client, err := New("http://accord.example.com", WithHTTPClient(&http.Client{Transport: server}))
				if err != nil {
					t.Fatal(err)
				}
				var ends int
				for n, err := range stream[int](t.Context(), client, "told", public) {
					if n != nil || err == nil {
						t.Errorf("%v, %v", n, err)
					}
					ends++
				}
				if ends != 1 {
					t.Errorf("it ended %d times", ends)
				}
			})
		})
	}
}

func public() *call {
	r := newCall("stream", http.MethodGet, "/", nil)
	r.public = true
	return r
}
