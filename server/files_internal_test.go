package server

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/db"
)

var errLost = errors.New("the connection is lost")

// losing is a storage whose connection breaks at a place of the file.
type losing struct {
	*bytes.Reader
	at int64
}

func (l losing) Read(p []byte) (int, error) {
	rest := l.at - (l.Size() - int64(l.Len()))
	if rest <= 0 {
		return 0, errLost
	}
	return l.Reader.Read(p[:min(int64(len(p)), rest)])
}

// A storage that fails midway is a failure of the download, so that it is logged
// and the connection is broken.
func TestDownloadFailsWithItsStorage(t *testing.T) {
	t.Parallel()
	file := db.File{Name: "x", Size: 1000, Sha256: make([]byte, sha256.Size), StorageKey: "uploads/x", CreatedAt: time.Now()}
	for asked, lost := range map[string]bool{"": true, "bytes=0-99": false, "bytes=0-600": true, "bytes=0-1,10-19": false, "bytes=0-1,400-600": true} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Range", asked)
		err := serveFile(httptest.NewRecorder(), r, file, losing{bytes.NewReader(make([]byte, file.Size)), 500})
		if errors.Is(err, errLost) != lost || lost && !strings.Contains(err.Error(), file.StorageKey) {
			t.Errorf("%q: error %v", asked, err)
		}
	}
}

// Who deletes a file while somebody begins to read it has lost nothing.
func TestDownloadOfAFileThatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	s, _ := rotating(t)
	store, err := files.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s.files = store
	file := db.File{ID: newID(), UserID: newID(), StorageKey: "uploads/x"}
	if content, err := s.openFile(t.Context(), file); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("opened %v, %v", content, err)
	}
}
