package jobs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// stores puts bytes under a key, as if so long ago.
func (b *bench) stores(key string, age time.Duration) {
	b.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		b.Fatal(err)
	}
	if then := b.now.Add(-age); age > 0 {
		if err := os.Chtimes(path, then, then); err != nil {
			b.Fatal(err)
		}
	}
}

// stored lists the keys of the storage.
func (b *bench) stored() (keys []string) {
	b.Helper()
	err := fs.WalkDir(os.DirFS(b.dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			keys = append(keys, path)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return keys
}

// file is the row of a key.
func (b *bench) file(user db.User, key string) {
	b.Helper()
	_, err := b.queries.FileCreate(b.Context(), db.FileCreateParams{
		ID: uuid.Must(uuid.NewV7()), UserID: user.ID, Name: "x", Sha256: make([]byte, 32), StorageKey: key, Now: b.now,
	})
	if err != nil {
		b.Fatal(err)
	}
}

// What is old and belongs to no file goes, and nothing else.
func TestStorageSweep(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	const old, young = 24*time.Hour + time.Minute, 24*time.Hour - time.Minute
	b.stores("uploads/known", old)
	b.file(user, "uploads/known")
	b.stores("reports/a/known", old)
	b.file(user, "reports/a/known")
	b.stores("uploads/young", young)
	b.stores("reports/a/young", young)
	b.stores("uploads/lost", old)
	b.stores("reports/a/lost", old)
	b.stores("reports/b/.new-LOST", old)
	b.stores("others/old", old)

	b.start(b.jobs)
	b.becomes("storage-sweep", "completed 1")
	want := []string{"others/old", "reports/a/known", "reports/a/young", "uploads/known", "uploads/young"}
	if got := b.stored(); !slices.Equal(got, want) {
		t.Errorf("stored are %q, want %q", got, want)
	}
	if !strings.Contains(b.log.String(), "keys=1") {
		t.Errorf("the log does not say how many:\n%s", b.log)
	}
}

// The database is asked about many keys at once, and about all of them.
func TestStorageSweepOfManyKeys(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	var known []string
	for i := range 1200 {
		key := fmt.Sprintf("uploads/%04d", i)
		b.stores(key, 25*time.Hour)
		if i%100 == 0 {
			b.file(user, key)
			known = append(known, key)
		}
	}
	b.start(b.jobs)
	b.becomes("storage-sweep", "completed 1")
	if got := b.stored(); !slices.Equal(got, known) {
		t.Errorf("stored are %d, want %d", len(got), len(known))
	}
}

// Bytes are deleted with the transaction that asks for it, whatever some of the
// keys are.
func TestDeleteBytes(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	for _, key := range []string{"uploads/1", "uploads/2", "uploads/kept"} {
		b.stores(key, 0)
	}
	b.start(b.jobs)
	b.enqueue(jobs.DeleteBytes{Keys: []string{"uploads/1", "uploads/gone"}})
	b.becomes("delete-bytes", "completed 1")
	if got := b.stored(); !slices.Equal(got, []string{"uploads/2", "uploads/kept"}) {
		t.Errorf("stored are %q", got)
	}
	b.enqueue(jobs.DeleteBytes{Keys: []string{"../no/key", "uploads/2"}})
	b.becomes("delete-bytes", "completed 1, retryable 1")
	if got := b.stored(); !slices.Equal(got, []string{"uploads/kept"}) {
		t.Errorf("stored are %q", got)
	}
}
