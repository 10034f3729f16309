package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// UploadFolder is where the storage keeps what was uploaded, each under a key
// of its own; what reports were made into is beside it.
const (
	UploadFolder = "uploads/"
	reportFolder = "reports/"
)

const (
	// MaxKeys is how many keys one DeleteBytes may have: a bucket takes a request
	// for each.
	MaxKeys = 100
	// storageAge is how old bytes are before they can be somebody's leftovers:
	// far older than any write that is still under way.
	storageAge = 24 * time.Hour
	// storageBatch is how many keys the database is asked about at once.
	storageBatch        = 500
	storageSweepTimeout = time.Hour
)

// DeleteBytes deletes what the storage keeps under keys whose rows are deleted
// in the same transaction.
type DeleteBytes struct {
	Keys []string `json:"keys"`
}

// Kind names the job in the database.
func (DeleteBytes) Kind() string { return "delete-bytes" }

type deleteBytesWorker struct {
	river.WorkerDefaults[DeleteBytes]
	Config
}

// Work deletes what can be deleted, and tries all again if that is not all.
func (w *deleteBytesWorker) Work(ctx context.Context, job *river.Job[DeleteBytes]) error {
	var failed error
	for _, key := range job.Args.Keys {
		failed = errors.Join(failed, w.Files.Delete(ctx, key))
	}
	return failed
}

// StorageSweep deletes bytes that belong to no file. A crash leaves them
// between the two steps of an upload or a report: first the bytes, then the row.
type StorageSweep struct{}

// Kind names the job in the database.
func (StorageSweep) Kind() string { return "storage-sweep" }

// InsertOpts keeps one sweep an hour, however many instances run.
func (StorageSweep) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: sweepEvery}}
}

type storageSweepWorker struct {
	river.WorkerDefaults[StorageSweep]
	Config
}

// Timeout lets a large storage be listed to its end.
func (w *storageSweepWorker) Timeout(*river.Job[StorageSweep]) time.Duration {
	return storageSweepTimeout
}

// Work sweeps the folders whose bytes have rows, of a storage that is surely this
// database's.
func (w *storageSweepWorker) Work(ctx context.Context, _ *river.Job[StorageSweep]) error {
	reason, err := w.maySweep(ctx)
	if err != nil {
		return fmt.Errorf("asking whose the storage is: %w", err)
	}
	if reason != nil {
		level := slog.LevelWarn
		if errors.Is(reason, errNewStorage) { // as each one is in its first hours
			level = slog.LevelInfo
		}
		w.Log.Log(ctx, level, "the storage is not swept", "reason", reason.Error())
		return nil
	}
	for _, folder := range []string{UploadFolder, reportFolder} {
		n, err := w.sweep(ctx, folder)
		if n > 0 {
			w.Log.InfoContext(ctx, "swept", "folder", folder, "keys", n)
		}
		if err != nil {
			return fmt.Errorf("sweeping the storage: %w", err)
		}
	}
	return nil
}

// sweep tells how many keys it has deleted.
func (w *storageSweepWorker) sweep(ctx context.Context, folder string) (deleted int, err error) {
	batch := make([]string, 0, storageBatch)
	for key, err := range w.Files.Older(ctx, folder, w.Now().Add(-storageAge)) {
		if err != nil {
			return deleted, err
		}
		if batch = append(batch, key); len(batch) < storageBatch {
			continue
		}
		n, err := w.deleteUnknown(ctx, batch)
		deleted += n
		if err != nil {
			return deleted, err
		}
		batch = batch[:0]
	}
	n, err := w.deleteUnknown(ctx, batch)
	return deleted + n, err
}

// deleteUnknown deletes those of the keys that belong to no file.
func (w *storageSweepWorker) deleteUnknown(ctx context.Context, keys []string) (deleted int, err error) {
	known, err := w.Queries.FileKeys(ctx, keys)
	if err != nil {
		return 0, fmt.Errorf("asking which keys belong to files: %w", err)
	}
	belongs := make(map[string]bool, len(known))
	for _, key := range known {
		belongs[key] = true
	}
	for _, key := range keys {
		if belongs[key] {
			continue
		}
		if err := w.Files.Delete(ctx, key); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, nil
}
