package server_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The codes of PostgreSQL for what a constraint refuses.
const (
	refusedNull    = "23502"
	refusedForeign = "23503"
	refusedTwice   = "23505"
	refusedValue   = "23514"
)

// sown is a connection to a database with a few rows in each table that a noun seeds.
func sown(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := connected(t)
	for _, sql := range listed(func(n noun) []string { return n.seeded }) {
		execOn(t, conn, strings.ReplaceAll(sql, "(1, 20000)", "(1, 2)"))
	}
	return conn
}

// refusalOf tries a change and gives why it is refused; without that the test fails.
func refusalOf(t *testing.T, conn *pgx.Conn, sql string) pgconn.PgError {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	tag, err := tx.Exec(t.Context(), sql)
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		t.Errorf("%s: %v, %v, want it to be refused", sql, tag, err)
		return pgconn.PgError{}
	}
	return *refusal
}

// refuses wants a change to be refused with a code.
func refuses(t *testing.T, conn *pgx.Conn, code, sql string) {
	t.Helper()
	if refusal := refusalOf(t, conn, sql); refusal.Code != code {
		t.Errorf("%s: %v, want it to be refused with %s", sql, refusal.Message, code)
	}
}

// Whatever the code does wrong, no row gets a value that it must not have, lacks
// one that it has to have, or is there twice.
func TestTablesRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	conn := sown(t)
	for table, values := range mapped(func(n noun) map[string][]string { return n.outOfRange }) {
		for _, value := range values {
			refuses(t, conn, refusedValue, "UPDATE "+table+" SET "+value)
		}
	}
	for _, change := range listed(func(n noun) []string { return n.twice }) {
		refuses(t, conn, refusedTwice, change)
	}
}

// columnsOf are those of the tables that have rows, as "table.column": what
// somebody has added and no noun seeds is left out.
func columnsOf(t *testing.T, conn *pgx.Conn, condition string) []string {
	t.Helper()
	empty := emptyTables(t, conn)
	return slices.DeleteFunc(textsOf(t, conn, `SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname !~ '^(goose|river)_'
		AND attnum > 0 AND NOT attisdropped AND `+condition), func(column string) bool {
		table, _, _ := strings.Cut(column, ".")
		return slices.Contains(empty, table)
	})
}

// A column is not null unless null means something.
func TestColumnsRefuseNull(t *testing.T) {
	t.Parallel()
	conn := sown(t)
	mayBeNull := mapped(func(n noun) map[string]string { return n.mayBeNull })
	found := 0
	for _, column := range columnsOf(t, conn, "true") {
		if mayBeNull[column] != "" {
			found++
			continue
		}
		table, name, _ := strings.Cut(column, ".")
		// It is this column that refuses it, and none that a trigger writes.
		if by := refusalOf(t, conn, "UPDATE "+table+" SET "+name+" = NULL"); by.Code != refusedNull || by.TableName+"."+by.ColumnName != column {
			t.Errorf("%s may be null: %s", column, by.Message)
		}
	}
	if found != len(mayBeNull) {
		t.Errorf("%d columns of %d in mayBeNull are there", found, len(mayBeNull))
	}
}

// What names a row of another table names one that is there.
func TestReferencesLeadSomewhere(t *testing.T) {
	t.Parallel()
	conn := sown(t)
	columns := columnsOf(t, conn, `atttypid = 'uuid'::regtype AND attname LIKE '%\_id'`)
	refersToNothing := mapped(func(n noun) map[string]string { return n.refersToNothing })
	for _, column := range columns {
		if refersToNothing[column] != "" {
			continue
		}
		table, name, _ := strings.Cut(column, ".")
		refuses(t, conn, refusedForeign, "UPDATE "+table+" SET "+name+" = gen_random_uuid()")
	}
	if len(columns) < 15 { // bare-drops
		// bare-has: if len(columns) < 6 {
		t.Errorf("only %d columns: %v", len(columns), columns)
	}
}
