// Package files keeps uploaded files and finished reports, in a folder or in
// an S3 bucket. It knows their bytes by a key and nothing else: whose they are
// and what they are called is in the database.
package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// ErrNotExist is the error of Store.Open for a key that holds nothing.
var ErrNotExist = errors.New("the storage has no such key")

// ErrTooLarge is the error of Store.Write for more bytes than it may take.
var ErrTooLarge = errors.New("more bytes than allowed")

// Store keeps bytes under keys. It is safe for concurrent use, also by several
// processes. Make it with Open or OpenFolder.
//
// A key is made of lower-case letters, digits and ._- in elements that are
// separated by slashes and begin with no dot: uploads/0199e6a2. It has at most
// 200 bytes. No key may be another's folder.
type Store struct {
	backend  backend
	location string
}

// backend is a way to keep bytes. It gets sound keys and prefixes only.
type backend interface {
	// write keeps all that m gives, or nothing.
	write(ctx context.Context, key string, m *meter) error
	open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	delete(ctx context.Context, key string) error
	older(ctx context.Context, prefix string, than time.Time) iter.Seq2[string, error]
	close() error
}

// Option changes how a storage is reached.
type Option func(*options)

type options struct {
	wrap func(http.RoundTripper) http.RoundTripper
}

// WithTransport puts something around what sends the requests to a bucket. They are
// signed by then: it may add to their headers, and change nothing.
func WithTransport(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(o *options) { o.wrap = wrap }
}

// Open opens the storage at a URL:
//
//	file:///var/lib/accord/files
//	s3://bucket?region=eu-central-1
//	s3://bucket?region=garage&endpoint=https://s3.example.com
//
// The folder is made when it is missing, for its user alone. The credentials
// for a bucket are found the AWS way: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY, the shared files of AWS_PROFILE, or the role of the
// machine. Without endpoint the bucket is at Amazon, and without region it is
// asked for its own. Nothing is sent yet: Check finds out whether it works.
func Open(storageURL string, options ...Option) (*Store, error) {
	place, err := parseURL(storageURL)
	if err != nil {
		return nil, fmt.Errorf("reading the URL of the storage: %w", err)
	}
	if place.folder != "" {
		return OpenFolder(place.folder)
	}
	b, err := openBucket(place, options)
	if err != nil {
		return nil, fmt.Errorf("opening the bucket %s: %w", place.bucket, err)
	}
	return &Store{backend: b, location: place.String()}, nil
}

// OpenFolder opens the storage in a folder, as Open does for a file URL.
func OpenFolder(dir string) (*Store, error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder for files: %w", err)
	}
	return &Store{backend: f, location: dir}, nil
}

// Written is what Write has found out about the bytes.
type Written struct {
	Size   int64 // in bytes
	SHA256 [sha256.Size]byte
	// ContentType is what the first bytes look like, of at most 100 bytes:
	// nobody's word is taken for it. It may be text/html or a script, so it
	// must never be served inline.
	ContentType string
}

// Write keeps all that r gives under key, in the place of what was there. When
// it returns, a crash or a power cut loses none of it. More than limit bytes
// are ErrTooLarge. After an error, a panic of r, or the end of ctx, which is
// looked at between two reads, nothing of r is left under the key.
func (s *Store) Write(ctx context.Context, key string, r io.Reader, limit int64) (Written, error) {
	if err := checkKey(key); err != nil {
		return Written{}, err
	}
	m := newMeter(ctx, r, limit)
	if err := s.backend.write(ctx, key, m); err != nil {
		return Written{}, fmt.Errorf("writing %s: %w", key, err)
	}
	return m.written(), nil
}

// Open gives what is kept under key, or ErrNotExist. The reader suits
// http.ServeContent, has to be closed, and ctx has to last until then.
func (s *Store) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	r, err := s.backend.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", key, err)
	}
	return r, nil
}

// Delete drops what is kept under key, if anything is. Whoever is reading it
// may read on from a folder, but not from a bucket.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := s.backend.delete(ctx, key); err != nil {
		return fmt.Errorf("deleting %s: %w", key, err)
	}
	return nil
}

// Older gives the keys that begin with prefix and were written before a time,
// in no particular order, and ends with the first error. The storage is read
// page by page, and keys may be deleted on the way. It is for sweeping: what a
// crash has left of writes that began before that time is removed as well.
func (s *Store) Older(ctx context.Context, prefix string, than time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield("", err)
			return
		}
		for key, err := range s.backend.older(ctx, prefix, than) {
			if err != nil {
				yield("", fmt.Errorf("listing old files: %w", err))
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// Check tells whether the storage works: it writes, reads and deletes.
func (s *Store) Check(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("checking the storage %s: %w", s.location, err)
	}
	return nil
}

func (s *Store) check(ctx context.Context) error {
	key := "check-" + strings.ToLower(rand.Text())
	if _, err := s.Write(ctx, key, strings.NewReader(key), int64(len(key))); err != nil {
		return err
	}
	return errors.Join(s.checkContent(ctx, key), s.Delete(ctx, key))
}

// checkContent tells whether the key holds its own name.
func (s *Store) checkContent(ctx context.Context, key string) error {
	r, err := s.Open(ctx, key)
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("reading %s: %w", key, err)
	}
	if !bytes.Equal(content, []byte(key)) {
		return fmt.Errorf("reading %s: it is not what was written", key)
	}
	return nil
}

// Close gives back what the storage holds open. Readers stay open.
func (s *Store) Close() error { return s.backend.close() }

const maxKey = 200

var keyPattern = regexp.MustCompile(`^[a-z0-9_-][a-z0-9._-]*(/[a-z0-9_-][a-z0-9._-]*)*$`)

// checkKey keeps a key inside the storage, apart from the names of temporary
// files, and the same on every file system.
func checkKey(key string) error {
	if len(key) > maxKey || !keyPattern.MatchString(key) {
		return fmt.Errorf("%q is not a key of the storage", key)
	}
	return nil
}

// checkPrefix takes what a key may begin with.
func checkPrefix(prefix string) error {
	if prefix == "" || keyPattern.MatchString(prefix+"x") {
		return nil
	}
	return fmt.Errorf("%q is not the beginning of a key of the storage", prefix)
}
