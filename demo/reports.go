package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// reportAge is how long ago the reports were asked for, so that they have the
// orders as they are.
const reportAge = time.Minute

// discardTimeout bounds the deleting of bytes that have no row.
const discardTimeout = 5 * time.Second

// writeReports makes a report of its orders for each account that has some, as
// the jobs do.
func (f *filling) writeReports(ctx context.Context, tx pgx.Tx) error {
	f.reports, f.uploads = nil, nil
	for i, account := range f.customers() {
		f.source.row(drawReport, int64(i))
		if err := f.writeReport(ctx, db.New(tx), account.ID, i == 0); err != nil {
			return fmt.Errorf("making a report: %w", err)
		}
	}
	return nil
}

// writeReport writes the bytes before the rows, which no one sees before all of
// this is committed: no row is ever without its bytes. One is the examples'.
func (f *filling) writeReport(ctx context.Context, queries *db.Queries, account uuid.UUID, example bool) error {
	asked := f.Now.Add(-reportAge).Truncate(time.Microsecond)
	ready := asked.Add(f.source.between(time.Second, reportAge)).Truncate(time.Microsecond)
	id, lease, made := f.source.id(asked), f.source.id(asked), f.source.id(ready)
	if example {
		id, made = exampleReport, exampleReportFile
	}
	_, err := queries.ReportCreate(ctx, db.ReportCreateParams{
		ID: id, UserID: account, Kind: jobs.ReportOrders, Format: "csv", Days: int32(ordering / day), Now: asked,
	})
	if err != nil {
		return err
	}
	report, err := queries.ReportClaim(ctx, db.ReportClaimParams{ID: id, Token: lease, Now: asked, LeaseExpiresAt: ready})
	if err != nil {
		return err
	}
	file, err := jobs.WriteReport(ctx, jobs.Config{Queries: queries, Files: f.Files}, report, made)
	file.Now = ready
	f.reports = append(f.reports, file) // also where that has failed, for discard
	if err != nil {
		return err
	}
	if _, err := queries.FileCreate(ctx, file); err != nil {
		return err
	}
	_, err = queries.ReportSucceed(ctx, db.ReportSucceedParams{ID: id, Token: lease, FileID: file.ID, Now: ready})
	return err
}

// discard deletes the bytes of files whose rows were not committed. When the
// transaction was run again, it wrote over those of the time before.
func (f *filling) discard(ctx context.Context) (failed error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	for _, r := range slices.Concat(f.reports, f.uploads) {
		failed = errors.Join(failed, f.Files.Delete(ctx, r.StorageKey))
	}
	return failed
}
