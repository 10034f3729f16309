package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"github.com/rclone/gofakes3/signature"

	"github.com/accord-api/accord/files"
)

const (
	bucketName = "accord-test"
	accessKey  = "AKIDACCORD"
	secretKey  = "the-secret-of-a-test"
	// past is when the tests' old files were written.
	past = -48 * time.Hour
)

func TestMain(m *testing.M) {
	if os.Getenv(asWriter) != "" {
		writeUntilKilled()
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// storage is a store with what a test needs to look behind it.
type storage struct {
	*files.Store
	// all lists everything that is kept, also what no key leads to.
	all func() []string
	// plant keeps bytes as if they had been written then.
	plant func(key string, at time.Time)
	// leave is what a crash leaves of a write that began then.
	leave func(dir string, at time.Time)
}

// storages are what each test is run on.
var storages = map[string]func(*testing.T) storage{"folder": inFolder, "bucket": inBucket}

func open(t *testing.T, storageURL string) *files.Store {
	t.Helper()
	store, err := files.Open(storageURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func inFolder(t *testing.T) storage {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a folder", "files")
	s := storage{Store: open(t, "file://"+strings.ReplaceAll(dir, " ", "%20"))}
	s.all = func() []string { return filesBelow(t, dir) }
	s.plant = func(name string, at time.Time) {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(name), 0o600))
		must(t, os.Chtimes(path, at, at))
	}
	s.leave = func(in string, at time.Time) { s.plant(in+"/.new-ABC", at) }
	return s
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			all = append(all, name)
		}
		return err
	}))
	return all
}

// s3 is a server that speaks S3, and what a test can do to it.
type s3 struct {
	backend gofakes3.Backend
	url     string // of the storage
	server  *httptest.Server
	handler http.Handler
	// now is the server's clock, as an offset from the real one.
	now atomic.Int64
	// before may answer a request itself, and then returns true.
	before atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]

	mu       sync.Mutex
	requests []string
	faults   []string
}

// Now and Since make it a gofakes3.TimeSource.
func (s *s3) Now() time.Time                  { return time.Now().Add(time.Duration(s.now.Load())).UTC() }
func (s *s3) Since(t time.Time) time.Duration { return s.Now().Sub(t) }

func newS3(t *testing.T) *s3 {
	t.Helper()
	s := &s3{}
	s.backend = s3mem.New(s3mem.WithTimeSource(s))
	must(t, s.backend.CreateBucket(t.Context(), bucketName))
	s.handler = gofakes3.New(s.backend, gofakes3.WithTimeSource(s), gofakes3.WithTimeSkewLimit(0)).Server()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.observe(r)
		// This server takes an empty delimiter for one that is not empty.
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "delimiter=&", "", 1)
		if before := s.before.Load(); before != nil && (*before)(w, r) {
			return
		}
		s.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.server.Close()
		for _, fault := range s.faults {
			t.Error(fault)
		}
	})
	// Without this the server says of a bucket that had no uploads yet that it
	// has no such upload.
	id, err := s.client(t).NewMultipartUpload(t.Context(), bucketName, "first", minio.PutObjectOptions{})
	must(t, err)
	must(t, s.client(t).AbortMultipartUpload(t.Context(), bucketName, "first", id))
	s.requests = nil
	s.url = "s3://" + bucketName + "?region=test-1&endpoint=" + s.server.URL
	return s
}

// observe sees to it that every request is signed, and what it sends with it.
func (s *s3) observe(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	if code := signature.V4SignVerifyWithSecret(r, secretKey); code != signature.ErrNone {
		s.faults = append(s.faults, fmt.Sprintf("%s %s: wrong signature: %v", r.Method, r.URL, signature.GetAPIError(code)))
	}
	sum := sha256.Sum256(body)
	if got := r.Header.Get("X-Amz-Content-Sha256"); r.Method == http.MethodPut && err == nil && got != hex.EncodeToString(sum[:]) {
		s.faults = append(s.faults, fmt.Sprintf("%s %s: got hash %q", r.Method, r.URL, got))
	}
}

func (s *s3) intercept(f func(w http.ResponseWriter, r *http.Request) bool) { s.before.Store(&f) }

func inBucket(t *testing.T) storage {
	t.Helper()
	return newS3(t).storage(t)
}

func (s *s3) storage(t *testing.T) storage {
	t.Helper()
	at := func(at time.Time, do func()) {
		s.now.Store(int64(time.Until(at)))
		do()
		s.now.Store(0)
	}
	return storage{
		Store: open(t, s.url),
		all: func() []string {
			objects, err := s.backend.ListBucket(t.Context(), bucketName, &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
			must(t, err)
			var all []string
			for _, object := range objects.Contents {
				all = append(all, object.Key)
			}
			return append(all, s.uploads(t)...)
		},
		plant: func(key string, then time.Time) {
			at(then, func() {
				_, err := s.backend.PutObject(t.Context(), bucketName, key, nil, strings.NewReader(key), int64(len(key)))
				must(t, err)
			})
		},
		leave: func(dir string, then time.Time) {
			at(then, func() {
				_, err := s.client(t).NewMultipartUpload(t.Context(), bucketName, dir+"/left", minio.PutObjectOptions{})
				must(t, err)
			})
		},
	}
}

// client asks the server without the store.
func (s *s3) client(t *testing.T) *minio.Core {
	t.Helper()
	client, err := minio.NewCore(s.server.Listener.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(accessKey, secretKey, ""), Region: "test-1"})
	must(t, err)
	return client
}

// uploads lists those that were begun and not ended.
func (s *s3) uploads(t *testing.T) []string {
	t.Helper()
	list, err := s.client(t).ListMultipartUploads(t.Context(), bucketName, "", "", "", "", 1000)
	must(t, err)
	var uploads []string
	for _, upload := range list.Uploads {
		uploads = append(uploads, "upload of "+upload.Key)
	}
	return uploads
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s storage) write(t *testing.T, key string, content []byte) files.Written {
	t.Helper()
	written, err := s.Write(t.Context(), key, bytes.NewReader(content), int64(len(content)))
	must(t, err)
	return written
}

func (s storage) read(t *testing.T, key string) []byte {
	t.Helper()
	content, err := s.readOnce(t, key)
	must(t, err)
	return content
}

func (s storage) readOnce(t *testing.T, key string) ([]byte, error) {
	t.Helper()
	r, err := s.Open(t.Context(), key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (s storage) holds(t *testing.T, want ...string) {
	t.Helper()
	all := s.all()
	slices.Sort(all)
	if !slices.Equal(all, want) {
		t.Errorf("the storage holds %q, want %q", all, want)
	}
}

func (s storage) isMissing(t *testing.T, key string) {
	t.Helper()
	if _, err := s.Open(t.Context(), key); !errors.Is(err, files.ErrNotExist) {
		t.Errorf("%s: got %v, want %v", key, err, files.ErrNotExist)
	}
}

func (s storage) older(ctx context.Context, prefix string) (keys []string, err error) {
	for key, err := range s.Older(ctx, prefix, time.Now().Add(-time.Hour)) {
		if err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, nil
}
