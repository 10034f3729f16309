package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/accord-api/accord/files"
)

const (
	mib = 1 << 20
	// parts is more than a bucket takes in one request.
	parts = 20 * mib
)

// noise is bytes that differ everywhere.
func noise(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	return content
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for _, size := range []int{0, 1, 3071, 3072, 3073, 8*mib - 1, 8 * mib, 8*mib + 1, 16 * mib, parts} {
				content := noise(size)
				key := fmt.Sprintf("uploads/%d", size)
				// As a body comes: in pieces, and without an end beside the last one.
				written, err := s.Write(t.Context(), key, io.MultiReader(iotest.HalfReader(bytes.NewReader(content))), math.MaxInt64)
				if err != nil || written.Size != int64(size) || written.SHA256 != sha256.Sum256(content) {
					t.Errorf("%d bytes: got %d, %x, %v", size, written.Size, written.SHA256, err)
				}
				if got := s.read(t, key); !bytes.Equal(got, content) {
					t.Errorf("%d bytes: read %d others", size, len(got))
				}
			}
			if got := len(s.all()); got != 10 {
				t.Errorf("the storage holds %d files, want 10", got)
			}
		})
	}
}

func TestWriteReplaces(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			s.write(t, "a/b", []byte("first"))
			s.write(t, "a/b", []byte("second one"))
			if _, err := s.Write(t.Context(), "a/b", iotest.ErrReader(io.ErrUnexpectedEOF), 10); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v", err)
			}
			if got := s.read(t, "a/b"); string(got) != "second one" {
				t.Errorf("got %q", got)
			}
			s.holds(t, "a/b")
		})
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for _, test := range []struct {
				size    int
				limit   int64
				tooMuch bool
			}{
				{0, 0, false}, {0, -1, false}, {1, 0, true}, {1, -1, true}, {10, 10, false}, {11, 10, true},
				{8 * mib, 8 * mib, false}, {8*mib + 1, 8 * mib, true}, {parts, parts, false}, {parts + 1, parts, true}, {parts, 9 * mib, true},
			} {
				_, err := s.Write(t.Context(), "key", bytes.NewReader(noise(test.size)), test.limit)
				if errors.Is(err, files.ErrTooLarge) != test.tooMuch || (err != nil) != test.tooMuch {
					t.Errorf("%d bytes of %d: got %v", test.size, test.limit, err)
				}
				if test.tooMuch {
					s.holds(t)
				}
				must(t, s.Delete(t.Context(), "key"))
			}
		})
	}
}

// brokenAt gives bytes up to a place, and then does something else.
type brokenAt struct {
	rest int
	then func() (int, error)
}

func (b *brokenAt) Read(p []byte) (int, error) {
	if b.rest == 0 {
		return b.then()
	}
	n := min(len(p), b.rest)
	b.rest -= n
	return n, nil
}

func TestBrokenWritesLeaveNothing(t *testing.T) {
	t.Parallel()
	torn := errors.New("torn")
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for _, size := range []int{0, 1, mib, 8 * mib, parts} {
				for _, broken := range []error{torn, io.ErrUnexpectedEOF} {
					_, err := s.Write(t.Context(), "a/key", &brokenAt{size, func() (int, error) { return 0, broken }}, math.MaxInt64)
					if !errors.Is(err, broken) {
						t.Errorf("after %d bytes: got %v, want %v", size, err, broken)
					}
					s.holds(t)
				}
				for _, end := range []error{nil, io.EOF} { // amid the bytes, and with the last of them
					ctx, cancel := context.WithCancel(t.Context())
					_, err := s.Write(ctx, "a/key", &brokenAt{size, func() (int, error) { cancel(); return 0, end }}, math.MaxInt64)
					if !errors.Is(err, context.Canceled) {
						t.Errorf("cancelled after %d bytes: got %v", size, err)
					}
					s.holds(t)
				}
				func() {
					defer func() {
						if recover() == nil {
							t.Error("the panic is gone")
						}
					}()
					_, _ = s.Write(t.Context(), "a/key", &brokenAt{size, func() (int, error) { panic("torn") }}, math.MaxInt64)
				}()
				s.holds(t)
			}
			s.isMissing(t, "a/key")
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			s.write(t, "a/b", []byte("x"))
			for _, key := range []string{"b", "a/c", "c/d/e", "a"} { // a is a folder
				s.isMissing(t, key)
				if err := s.Delete(t.Context(), key); err != nil {
					t.Errorf("deleting %s: %v", key, err)
				}
			}
			s.holds(t, "a/b")
			for range 2 {
				must(t, s.Delete(t.Context(), "a/b"))
				s.isMissing(t, "a/b")
			}
			s.isMissing(t, "a/b/c")
		})
	}
}

func TestKeysStayInside(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for _, key := range []string{
				"", ".", "..", "../x", "a/../x", "a/..", "/x", "/etc/passwd", "a//b", "a/", "a/.", "./a", ".new-x", "a/.new-x", "a\\b", `..\x`, "a\x00b", "a\nb",
				"a\n", "A", "é", "a b", "a%2fb", "c:x", "a/./b", strings.Repeat("a", 201), "~", "a/-b/..",
			} {
				_, err := s.Write(t.Context(), key, strings.NewReader("x"), 1)
				_, openErr := s.Open(t.Context(), key)
				if err == nil || openErr == nil || errors.Is(openErr, files.ErrNotExist) || s.Delete(t.Context(), key) == nil {
					t.Errorf("%q is taken: %v, %v", key, err, openErr)
				}
			}
			s.holds(t)
			for _, key := range []string{"a", "0", "a.b", "a..", "-a/_b/c.d", strings.Repeat("a/", 99) + "ab", strings.Repeat("a", 200)} {
				s.write(t, key, []byte("x"))
				must(t, s.Delete(t.Context(), key))
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for content, want := range map[string]string{
				"":                                    "text/plain",
				"hello":                               "text/plain; charset=utf-8",
				"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n":       "application/pdf",
				"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR": "image/png",
				"<!DOCTYPE html><script>alert(1)</script>":                         "text/html; charset=utf-8",
				`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`:      "image/svg+xml",
				`<?xml version="1.0"?><a/>`:                                        "text/xml; charset=utf-8",
				"#!/usr/bin/env node\nalert(1)":                                    "text/javascript",
				`{"a": [1, 2]}`:                                                    "application/json",
				"\x00\x01\x02\x03":                                                 "application/octet-stream",
				`<html><meta charset="x` + strings.Repeat("y", 500) + `">`:         "text/html",
				"<html><meta charset='a\r\nSet-Cookie: a=b'>":                      "text/html",
				`<?xml version="1.0" encoding="utf-7, text/html; charset=x"?><a/>`: "text/xml",
			} {
				written := s.write(t, "key", []byte(content))
				if written.ContentType != want || len(written.ContentType) > 100 {
					t.Errorf("%.40q: got %q, want %q", content, written.ContentType, want)
				}
			}
		})
	}
}

func TestOlder(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for _, key := range []string{"up/1", "up/sub/deep/2", "upper/3", "up-4", "other/5", "6"} {
				s.plant(key, time.Now().Add(past))
			}
			for _, key := range []string{"up/new", "new"} {
				s.plant(key, time.Now())
			}
			for prefix, want := range map[string][]string{
				"": {"6", "other/5", "up-4", "up/1", "up/sub/deep/2", "upper/3"}, "up/": {"up/1", "up/sub/deep/2"},
				"up": {"up-4", "up/1", "up/sub/deep/2", "upper/3"}, "up/s": {"up/sub/deep/2"}, "up/sub/deep/2": {"up/sub/deep/2"}, "none/": nil, "6/": nil,
			} {
				if got, err := s.older(t.Context(), prefix); err != nil || !slices.Equal(got, want) {
					t.Errorf("%q: got %q, %v, want %q", prefix, got, err, want)
				}
			}
			for _, prefix := range []string{"/", "../", "a//", ".", "up/../"} {
				if got, err := s.older(t.Context(), prefix); err == nil {
					t.Errorf("%q: got %q", prefix, got)
				}
			}
			for _, err := range s.Older(t.Context(), "", time.Now()) {
				must(t, err)
				break // Going on would panic.
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if got, err := s.older(ctx, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// More than one page, of which each key is deleted as soon as it is known. A
// second sweep finds the two at which the test's S3 loses its place.
func TestOlderWhileDeleting(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			for i := range 2100 {
				s.plant(fmt.Sprintf("up/%02d/%d", i%7, i), time.Now().Add(past))
			}
			for _, least := range []int{2098, 0} {
				count := 0
				for key, err := range s.Older(t.Context(), "up/", time.Now().Add(-time.Hour)) {
					must(t, err)
					must(t, s.Delete(t.Context(), key))
					count++
				}
				if count < least {
					t.Errorf("got %d keys", count)
				}
			}
			s.holds(t)
		})
	}
}

// What a crash has left goes, and what is being written stays.
func TestOlderRemovesRemains(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			s.leave("up", time.Now().Add(past))
			s.leave("else", time.Now().Add(past))
			s.leave("up/now", time.Now())
			before := len(s.all())
			got, err := s.older(t.Context(), "up/")
			if err != nil || len(got) != 0 || before != 3 {
				t.Errorf("got %q of %d, %v", got, before, err)
			}
			left := strings.Join(s.all(), " ")
			if !strings.Contains(left, "else/") || !strings.Contains(left, "up/now/") || len(s.all()) != 2 {
				t.Errorf("left are %s", left)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			must(t, s.Check(t.Context()))
			s.holds(t)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.Check(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Whoever opens a key gets one write's bytes as a whole, or, when another
// replaces them in a bucket amid that, an error.
func TestWritersOfOneKey(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 100_000+i) }
			s.write(t, "key", content(0))
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					for range 5 {
						if _, err := s.Write(t.Context(), "key", bytes.NewReader(content(i)), mib); err != nil {
							t.Error(err)
						}
					}
				})
				group.Go(func() {
					for range 10 {
						got, err := s.readOnce(t, "key")
						if err == nil && (len(got) < 100_000 || !bytes.Equal(got, content(len(got)-100_000))) {
							t.Errorf("read a mixture of %d bytes", len(got))
						}
					}
				})
			}
			group.Wait()
			s.holds(t, "key")
		})
	}
}

func TestServeContent(t *testing.T) {
	t.Parallel()
	for kind, in := range storages {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := in(t)
			content := noise(9 * mib)
			s.write(t, "key", content)
			at := func(from, to int) []byte { return content[from:to] }
			end := len(content)
			for _, test := range []struct {
				method, ranges string
				status         int
				want           []byte
			}{
				{"GET", "", 200, content}, {"HEAD", "", 200, nil}, {"GET", "bytes=0-0", 206, at(0, 1)}, {"GET", "bytes=5-9", 206, at(5, 10)},
				{"GET", "bytes=-5", 206, at(end-5, end)}, {"GET", "bytes=8388600-8388700", 206, at(8388600, 8388701)}, {"GET", "bytes=9437183-", 206, at(end-1, end)},
				{"GET", "bytes=9437184-", 416, nil}, {"GET", "bytes=0-99999999", 206, content}, {"GET", "bytes=0-1,9437180-9437181", 206, nil}, {"HEAD", "bytes=5-9", 206, nil},
			} {
				got := s.serve(t, test.method, test.ranges)
				if got.Code != test.status || test.want != nil && !bytes.Equal(got.Body.Bytes(), test.want) {
					t.Errorf("%s %s: got %d with %d bytes", test.method, test.ranges, got.Code, got.Body.Len())
				}
				if strings.Contains(test.ranges, ",") && (!bytes.Contains(got.Body.Bytes(), at(0, 2)) || !bytes.Contains(got.Body.Bytes(), at(9437180, 9437182))) {
					t.Errorf("%s: got %q", test.ranges, got.Body.String())
				}
			}
			s.write(t, "key", nil)
			if got := s.serve(t, "GET", ""); got.Code != 200 || got.Body.Len() != 0 || got.Header().Get("Content-Length") != "0" {
				t.Errorf("an empty file: got %d, %v", got.Code, got.Header())
			}
		})
	}
}

func (s storage) serve(t *testing.T, method, ranges string) *httptest.ResponseRecorder {
	t.Helper()
	file, err := s.Open(t.Context(), "key")
	must(t, err)
	defer file.Close()
	r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
	if ranges != "" {
		r.Header.Set("Range", ranges)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, file)
	return w
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, storageURL := range []string{"", "/var/lib/files", "s3://", "gs://bucket", "file:///dev/null", "file:///dev/null/files", "s3://key:canary@bucket"} {
		if store, err := files.Open(storageURL); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, %v", storageURL, store, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"file:///var/lib/accord/files", "file:///a/", "file:///a%20b", "s3://bucket", "s3://bucket/", "s3://a.bucket-7?region=eu-central-1",
		"s3://bucket?region=garage&endpoint=https://s3.example.com", "s3://bucket?endpoint=http://127.0.0.1:9000", "s3://bucket?endpoint=http%3A%2F%2F[::1]:9000/",
	} {
		if err := files.CheckURL(good); err != nil {
			t.Errorf("%s: got %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "canary", "/var/lib/canary", "file://", "file:///", "file://canary", "file://canary/files", "file:canary", "file://./canary", "file:///canary?create_dir=1", "file:///canary#x",
		"file:///..", "s3:///canary", "s3://canary/prefix", "s3://CANARY", "s3://ca", "s3://canary?canary=1", "s3://canary?region=a&region=b", "s3://canary?endpoint=s3.example.com",
		"s3://canary?endpoint=ftp://canary", "s3://canary?endpoint=https://canary/path", "s3://canary?endpoint=https://u:canary@host", "s3://canary?endpoint=https://", "s3://canary?%zz",
		"s3://key:canary@bucket", "https://canary.s3.amazonaws.com", "s3://canary%zz",
	} {
		if err := files.CheckURL(bad); err == nil || strings.Contains(strings.ToLower(err.Error()), "canary") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}
