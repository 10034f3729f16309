package jobs_test

import (
	"errors"
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

// stored lists the keys of the storage, but for the one that says whose it is.
func (b *bench) stored() (keys []string) {
	b.Helper()
	err := fs.WalkDir(os.DirFS(b.dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != "owner" {
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

// owned is a storage that the database has had for so long.
func (b *bench) owned(age time.Duration) {
	b.Helper()
	if err := jobs.ClaimStorage(b.Context(), b.queries, b.files, b.now.Add(-age)); err != nil {
		b.Fatal(err)
	}
}

// Another database's storage is neither claimed nor swept, nor is one that is new,
// or newer than the database.
func TestStorageOfAnother(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(b *bench)
		want    string // in the log; "" where it is swept
	}{
		"ours":      {func(b *bench) { b.owned(time.Hour) }, ""},
		"new":       {func(*bench) {}, "is new to this database"},
		"young":     {func(b *bench) { b.owned(time.Hour - time.Second) }, "is new to this database"},
		"another's": {func(b *bench) { b.owned(time.Hour); b.exec("UPDATE storage_owner SET id = gen_random_uuid()") }, "another database"},
		"an older database": {func(b *bench) {
			b.exec("INSERT INTO storage_owner (id, sweeps) VALUES (gen_random_uuid(), 7)")
			b.owned(time.Hour)
			b.exec("UPDATE storage_owner SET sweeps = 6")
		}, "restored from a backup"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t)
			c.prepare(b)
			b.stores("uploads/lost", 25*time.Hour)
			b.start(b.jobs)
			b.becomes("storage-sweep", "completed 1")
			if swept := len(b.stored()) == 0; swept != (c.want == "") || !strings.Contains(b.log.String(), c.want) {
				t.Errorf("stored are %q; the log:\n%s", b.stored(), b.log)
			}
			if c.want == "another database" {
				if err := jobs.ClaimStorage(t.Context(), b.queries, b.files, b.now); !errors.Is(err, jobs.ErrForeignStorage) {
					t.Errorf("it is claimed: %v", err)
				}
			}
		})
	}
}

// Each sweep is counted on both sides.
func TestSweepsAreCounted(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.owned(time.Hour)
	b.start(b.jobs)
	b.becomes("storage-sweep", "completed 1")
	owner, err := os.ReadFile(filepath.Join(b.dir, "owner"))
	if err != nil || !strings.Contains(string(owner), `"sweeps":1`) || b.text("SELECT sweeps::text FROM storage_owner") != "1" {
		t.Errorf("owner %s (%v)", owner, err)
	}
}

// What is old and belongs to no file goes, and nothing else.
func TestStorageSweep(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.owned(time.Hour)
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
	b.owned(time.Hour)
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
