package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/db"
)

const (
	// ownerKey is where a storage says whose it is.
	ownerKey = "owner"
	// maxOwner bounds what is read of it.
	maxOwner = 1 << 10
	// storageQuarantine is how long nothing is swept from a storage that the
	// database has not had before: time to see that it is the wrong one.
	storageQuarantine = time.Hour
)

// ErrForeignStorage is the error of ClaimStorage for a storage of another database.
var ErrForeignStorage = errors.New("it belongs to another database, whose sweep would delete what this one keeps: " +
	`use another storage, or delete the object "owner" in it to hand it over`)

// errNewStorage keeps a database from sweeping what may be another's.
var errNewStorage = errors.New("the storage is new to this database")

// errNewerStorage keeps a database that was restored from sweeping.
var errNewerStorage = errors.New("the storage has been swept since: the database is an older one, restored from a backup, and does not know the newer files; " +
	`nothing is swept before the object "owner" is deleted from the storage`)

// storageOwner is what a storage says of whose it is.
type storageOwner struct {
	Database uuid.UUID `json:"database"`
	Sweeps   int64     `json:"sweeps"`
	Since    time.Time `json:"since"`
}

// ClaimStorage makes the storage this database's own where it is nobody's. It
// returns ErrForeignStorage where it is another's: then it must not be used.
func ClaimStorage(ctx context.Context, queries *db.Queries, store *files.Store, now time.Time) error {
	if _, _, err := claimStorage(ctx, queries, store, now); err != nil {
		return fmt.Errorf("asking whose the storage is: %w", err)
	}
	return nil
}

// claimStorage gives what the storage says and what the database says.
func claimStorage(ctx context.Context, queries *db.Queries, store *files.Store, now time.Time) (told storageOwner, ours db.StorageOwner, err error) {
	if ours, err = queries.StorageOwner(ctx, uuid.New()); err != nil {
		return told, ours, err
	}
	told, err = readOwner(ctx, store)
	if errors.Is(err, files.ErrNotExist) {
		told = storageOwner{Database: ours.ID, Sweeps: ours.Sweeps, Since: now}
		err = told.write(ctx, store)
	}
	if err == nil && told.Database != ours.ID {
		err = ErrForeignStorage
	}
	return told, ours, err
}

func readOwner(ctx context.Context, store *files.Store) (o storageOwner, err error) {
	r, err := store.Open(ctx, ownerKey)
	if err != nil {
		return o, err
	}
	defer r.Close()
	if err := json.NewDecoder(io.LimitReader(r, maxOwner)).Decode(&o); err != nil {
		return o, fmt.Errorf("reading whose the storage is: %w", err)
	}
	return o, nil
}

func (o storageOwner) write(ctx context.Context, store *files.Store) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = store.Write(ctx, ownerKey, bytes.NewReader(text), maxOwner)
	return err
}

// maySweep says whether what the database does not know may be deleted, and why
// not. Each sweep is counted, first in the database and then in the storage: a
// database that is behind the storage was restored.
func (w *storageSweepWorker) maySweep(ctx context.Context) (reason, err error) {
	told, ours, err := claimStorage(ctx, w.Queries, w.Files, w.Now())
	switch {
	case errors.Is(err, ErrForeignStorage):
		return err, nil
	case err != nil:
		return nil, err
	case told.Sweeps > ours.Sweeps:
		return errNewerStorage, nil
	case w.Now().Sub(told.Since) < storageQuarantine:
		return fmt.Errorf("%w since %s, and nothing is swept within %s", errNewStorage, told.Since.UTC().Format(time.RFC3339), storageQuarantine), nil
	}
	if ours, err = w.Queries.StorageSwept(ctx); err != nil {
		return nil, err
	}
	told.Sweeps = ours.Sweeps
	return nil, told.write(ctx, w.Files)
}
