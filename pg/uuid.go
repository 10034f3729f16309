package pg

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
)

// registerUUID makes google/uuid a type that pgx reads and writes in binary by
// itself. Without it, one would go through driver.Valuer and sql.Scanner, as
// text.
func registerUUID(types *pgtype.Map) {
	pgxuuid.Register(types) // writes
	types.RegisterType(&pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: uuidCodec{}})
}

// uuidCodec reads the bytes as they come. pgxuuid has a way to as well, but pgx
// asks first whether the target is an sql.Scanner, and then makes a text and
// has it parsed: three allocations for each id.
type uuidCodec struct{ pgxuuid.UUIDCodec }

func (c uuidCodec) PlanScan(types *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*uuid.UUID); ok && format == pgtype.BinaryFormatCode {
		return scanUUID{}
	}
	return c.UUIDCodec.PlanScan(types, oid, format, target)
}

type scanUUID struct{}

func (scanUUID) Scan(src []byte, dst any) error {
	id, ok := dst.(*uuid.UUID)
	if !ok || len(src) != len(id) { // NULL has no bytes
		return fmt.Errorf("a uuid of %d bytes cannot be read into %T", len(src), dst)
	}
	copy(id[:], src)
	return nil
}
