package files_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
)

// A large file takes no more memory than its parts, and in a folder next to
// none. Not parallel, because it counts what the whole process allocates.
//
//nolint:paralleltest // see above
func TestMemoryOfALargeFile(t *testing.T) {
	const size = 64 * mib
	_, inFolder := folder(t)
	for name, test := range map[string]struct {
		s    storage
		most uint64
	}{
		"folder": {inFolder, mib},
		"bucket": {storage{Store: open(t, "s3://bucket?region=test-1&endpoint="+forgetful(t).URL)}, 12 * mib},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			written, err := test.s.Write(t.Context(), "key", io.LimitReader(zeros{}, size), size)
			runtime.ReadMemStats(&after)
			must(t, err)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes are written with %d KiB allocated in all", written.Size, allocated>>10)
			if written.Size != size || allocated > test.most {
				t.Errorf("%d bytes took %d", written.Size, allocated)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// forgetful takes parts as S3 does, and keeps nothing, so that what it holds is
// not counted.
func forgetful(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"etag"`)
		switch {
		case r.URL.Query().Has("uploads"):
			_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key><UploadId>1</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPost:
			_, _ = io.WriteString(w, `<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>key</Key><ETag>"e"</ETag></CompleteMultipartUploadResult>`)
		}
	}))
	t.Cleanup(server.Close)
	return server
}
