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

// mayBeNull are the columns of the tables in seeded that may be null, with what
// that means.
var mayBeNull = map[string]string{
	"users.email_verified_at":   "not verified",
	"users.deleted_at":          "not deleted",
	"users.password_changed_at": "the first password",
	"sessions.revoked_at":       "not revoked",
	"sessions.revoked_reason":   "not revoked",
	"refresh_tokens.used_at":    "not used",
	"refresh_tokens.successor":  "not used",
	"audit_events.actor_id":     "nobody was signed in",
	"audit_events.subject_id":   "it is about no account",
	"idempotency_keys.status":   "at work",
	"idempotency_keys.headers":  "at work",
	"idempotency_keys.body":     "at work",
	"products.retired_at":       "on sale",
	"notifications.read_at":     "unread",
	"reports.lease_token":       "nobody works on it",
	"reports.lease_expires_at":  "nobody works on it",
	"reports.file_id":           "there is no file",
	"reports.finished_at":       "not finished",
}

// refersToNothing are the columns that name a row and outlive it.
var refersToNothing = map[string]string{
	"audit_events.actor_id":   "the trail outlives what it speaks of",
	"audit_events.subject_id": "as above",
}

// outOfRange are values that a row must not have, whoever writes it, by tables.
var outOfRange = map[string][]string{
	"users": {"email = repeat('x', 255)", "username = repeat('x', 51)", "full_name = repeat('x', 101)", "role = 'guest'"},
	"sessions": {
		"revoked_at = now(), revoked_reason = 'nonsense'", "revoked_at = now()", "revoked_reason = 'logout'",
	},
	"refresh_tokens": {
		`hash = '\x00'`, "used_at = now()", "successor = hash",
	},
	"mail_tokens":  {`hash = '\x00'`, "purpose = 'nonsense'"},
	"audit_events": {"outcome = 'nonsense'"},
	"idempotency_keys": {
		"key = ''", "key = repeat('x', 256)", `request_hash = '\x00'`, "status = 199", "status = 300",
	},
	"products": {
		"sku = repeat('x', 65)", "name = repeat('x', 201)", "description = repeat('x', 5001)", "price = -1", "price = 1000000001",
		"currency = 'eur'", "currency = 'EURO'", "stock = -1", "stock = 1000000001",
	},
	"orders": {"status = 'nonsense'", "currency = 'eur'", "currency = 'EURO'", "total = -1", "items = 0"},
	"order_lines": {
		"position = 0", "quantity = 0", "price = -1",
	},
	"notifications": {"kind = repeat('x', 51)", "title = repeat('x', 201)", "link = repeat('x', 201)"},
	"files": {
		"name = repeat('x', 256)", "content_type = repeat('x', 101)", "size = -1", `sha256 = '\x00'`, "storage_key = repeat('x', 201)",
	},
	"reports": {
		"kind = 'nonsense'", "format = 'nonsense'", "days = 0", "days = 367", "progress = -1", "progress = 101",
		"status = 'nonsense', finished_at = NULL", "status = 'nonsense'",
		"status = 'running', finished_at = NULL", "lease_token = id, lease_expires_at = now()",
		"lease_expires_at = now()", "status = 'running', finished_at = NULL, lease_token = id",
		"finished_at = NULL", "status = 'queued'",
	},
	"storage_owner": {"one = false"},
}

// twice are changes that make two rows the same where there may be one.
var twice = []string{
	"UPDATE users SET email = CASE email WHEN 'p1@example.com' THEN email ELSE 'P1@EXAMPLE.COM' END",
	"UPDATE users SET username = CASE username WHEN 'p1' THEN username ELSE 'P1' END",
	"UPDATE mail_tokens SET user_id = (SELECT user_id FROM mail_tokens LIMIT 1)",
	"UPDATE products SET sku = CASE sku WHEN 'sku-1' THEN sku ELSE 'SKU-1' END",
	`INSERT INTO order_lines (order_id, position, product_id, quantity, sku, name, price)
		SELECT order_id, position + 1, product_id, quantity, sku, name, price FROM order_lines`,
	"UPDATE notifications SET user_id = (SELECT user_id FROM notifications LIMIT 1)",
	"UPDATE files SET storage_key = 'x'",
}

// sown is a connection to a database with a few rows in each table of seeded.
func sown(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := connected(t)
	for _, sql := range seeded {
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
	for table, values := range outOfRange {
		for _, value := range values {
			refuses(t, conn, refusedValue, "UPDATE "+table+" SET "+value)
		}
	}
	for _, change := range twice {
		refuses(t, conn, refusedTwice, change)
	}
}

// columnsOf are those of the tables that have rows, as "table.column": what
// somebody has added and seeded does not know is left out.
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
	listed := 0
	for _, column := range columnsOf(t, conn, "true") {
		if mayBeNull[column] != "" {
			listed++
			continue
		}
		table, name, _ := strings.Cut(column, ".")
		// It is this column that refuses it, and none that a trigger writes.
		if by := refusalOf(t, conn, "UPDATE "+table+" SET "+name+" = NULL"); by.Code != refusedNull || by.TableName+"."+by.ColumnName != column {
			t.Errorf("%s may be null: %s", column, by.Message)
		}
	}
	if listed != len(mayBeNull) {
		t.Errorf("%d columns of %d in mayBeNull are there", listed, len(mayBeNull))
	}
}

// What names a row of another table names one that is there.
func TestReferencesLeadSomewhere(t *testing.T) {
	t.Parallel()
	conn := sown(t)
	columns := columnsOf(t, conn, `atttypid = 'uuid'::regtype AND attname LIKE '%\_id'`)
	for _, column := range columns {
		if refersToNothing[column] != "" {
			continue
		}
		table, name, _ := strings.Cut(column, ".")
		refuses(t, conn, refusedForeign, "UPDATE "+table+" SET "+name+" = gen_random_uuid()")
	}
	if len(columns) < 15 {
		t.Errorf("only %d columns: %v", len(columns), columns)
	}
}
