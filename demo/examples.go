package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// What the contract's examples name, so that whoever tries an operation with its
// example finds something. All of it belongs to the first account with the role user.
// These ids are older than all others, as what has them is the oldest of its kind.
var (
	exampleUser         = uuid.MustParse("0198c0de-0000-7000-8000-000000000001")
	exampleProduct      = uuid.MustParse("0198c0de-3000-7000-8000-000000000001")
	exampleNotification = uuid.MustParse("0198c0de-3333-7000-8000-000000000004")
	exampleOrder        = uuid.MustParse("0198c0de-4000-7000-8000-000000000001")
	exampleReport       = uuid.MustParse("0198c0de-5000-7000-8000-000000000001")
	exampleReportFile   = uuid.MustParse("0198c0de-6000-7000-8000-000000000001")
	exampleFile         = uuid.MustParse("0198c0de-6000-7000-8000-000000000002")
	exampleSession      = uuid.MustParse("0198c0de-7a10-7b3c-9f00-2b1f5a6c7d8e")
)

const (
	// exampleStock is at least how many pieces there are of the example's product.
	exampleStock = 25
	// exampleNotes is the content of the example's file.
	exampleNotes = "Notes of the first meeting.\n"
	// exampleDevice is where the example's session is.
	exampleDevice = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	// exampleAddress is one for documentation (RFC 5737).
	exampleAddress = "203.0.113.7"
	// exampleSessionLife is how long the session lasts.
	exampleSessionLife = 7 * day
)

// forExample makes a row the one that the examples name.
func (p *product) forExample() { p.id, p.stock = exampleProduct, max(p.stock, exampleStock) }

// forExample makes an order the one that the examples name, which can be paid and
// cancelled.
func (o *order) forExample() { o.id, o.life = exampleOrder, o.life[:1] }

// isExample says whether an account is the one that has what the examples name.
func (f *filling) isExample(account uuid.UUID) bool {
	customers := f.customers()
	return len(customers) > 0 && customers[0].ID == account
}

// writeExamples adds what the examples name and nothing else has made: a session that
// can be ended, of which there are no tokens, and a file.
func (f *filling) writeExamples(ctx context.Context, tx pgx.Tx) error {
	for _, account := range f.customers()[:min(1, len(f.customers()))] {
		since := f.Now.Add(-time.Hour).Truncate(time.Microsecond)
		session := rows{
			table:   "sessions",
			columns: []string{"id", "user_id", "created_at", "last_used_at", "expires_at", "ip", "user_agent"},
			values:  [][]any{{exampleSession, account.ID, since, since, since.Add(exampleSessionLife), exampleAddress, exampleDevice}},
		}
		if err := add(ctx, tx, []rows{session}); err != nil {
			return err
		}
		if err := f.writeNotes(ctx, db.New(tx), account.ID); err != nil {
			return fmt.Errorf("making a file: %w", err)
		}
	}
	return nil
}

// writeNotes writes the bytes before the row, as writeReport does.
func (f *filling) writeNotes(ctx context.Context, queries *db.Queries, account uuid.UUID) error {
	file := db.FileCreateParams{
		ID: exampleFile, UserID: account, Name: "notes.txt",
		StorageKey: jobs.UploadFolder + exampleFile.String(), Now: f.Now.Truncate(time.Microsecond),
	}
	f.uploads = append(f.uploads, file)
	written, err := f.Files.Write(ctx, file.StorageKey, strings.NewReader(exampleNotes), int64(len(exampleNotes)))
	if err != nil {
		return err
	}
	file.ContentType, file.Size, file.Sha256 = written.ContentType, written.Size, written.SHA256[:]
	_, err = queries.FileCreate(ctx, file)
	return err
}
