package server_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/servertest"
)

// TestNothingPersonalStays deletes an account that owns a row in every table
// which can name one. The tables are those of the schema, so that a new one is
// found here when no query takes it away.
func TestNothingPersonalStays(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	p := s.Register()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	useEverything(t, s, p)
	columns := ownerColumns(t, conn)
	staysBehind := mapped(func(n noun) map[string]string { return n.staysBehind })
	for _, c := range columns {
		if c.count(t, conn, p.User.ID) == 0 {
			c.insert(t, conn, p.User.ID)
		}
	}

	p.DELETE("/api/v1/users/me", map[string]any{"password": p.Password}).Expect(http.StatusNoContent)
	for _, c := range columns {
		stays := staysBehind[c.table+"."+c.name] != ""
		if left := c.count(t, conn, p.User.ID); (left > 0) != stays {
			t.Errorf("%s.%s has %d rows of a deleted account: delete them by a query marked `-- personal`, or say in staysBehind why they stay", c.table, c.name, left)
		}
	}
}

// useEverything leaves rows in the tables whose constraints no made-up row meets.
func useEverything(t *testing.T, s *servertest.Server, p *servertest.Person) {
	t.Helper()
	ownEverything(p, s.Admin())
	for _, o := range makers(t) {
		o.make(t, p)
	}
	s.Eventually("the link of the first mail is made", func() bool {
		return column(t, s, "SELECT count(*)::text FROM mail_tokens WHERE user_id = $1", p.User.ID) == "1"
	})
}

// ownEverything leaves what each noun says that somebody may own.
func ownEverything(p, admin *servertest.Person) {
	for _, n := range nouns {
		if n.own != nil {
			n.own(p, admin)
		}
	}
}

// ownerColumn is a column that names an account.
type ownerColumn struct{ table, name string }

// ownerColumns are those that refer to users, or whose name says so.
func ownerColumns(t *testing.T, conn *pgx.Conn) []ownerColumn {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT c.table_name, c.column_name FROM information_schema.columns c
		JOIN information_schema.tables USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE' AND c.column_name IN ('user_id', 'owner_id', 'actor_id', 'subject_id')
		UNION
		SELECT conrelid::regclass::text, attname FROM pg_constraint
		JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
		WHERE contype = 'f' AND confrelid = 'users'::regclass
		ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c ownerColumn, err error) {
		err = row.Scan(&c.table, &c.name)
		return c, err
	})
	if err != nil || len(columns) < 4 {
		t.Fatalf("columns %v: %v", columns, err)
	}
	return columns
}

func (c ownerColumn) count(t *testing.T, conn *pgx.Conn, user uuid.UUID) (n int) {
	t.Helper()
	query := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = $1", pgx.Identifier{c.table}.Sanitize(), pgx.Identifier{c.name}.Sanitize())
	if err := conn.QueryRow(t.Context(), query, user).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// inventions are values for columns that have to have one, by type.
var inventions = map[string]string{
	"uuid": "gen_random_uuid()", "text": "'a'", "bytea": `'\x00'`, "boolean": "false", "jsonb": "'{}'", "date": "now()", "timestamp with time zone": "now()",
	"smallint": "1", "integer": "1", "bigint": "1", "numeric": "1", "double precision": "1", "ARRAY": "'{}'",
}

// insert makes a row up.
func (c ownerColumn) insert(t *testing.T, conn *pgx.Conn, user uuid.UUID) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT column_name, data_type FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name = $1 AND column_name <> $2
			AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'`, c.table, c.name)
	if err != nil {
		t.Fatal(err)
	}
	names, values := []string{pgx.Identifier{c.name}.Sanitize()}, []string{"$1"}
	var name, kind string
	if _, err := pgx.ForEachRow(rows, []any{&name, &kind}, func() error {
		names, values = append(names, pgx.Identifier{name}.Sanitize()), append(values, inventions[kind])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", pgx.Identifier{c.table}.Sanitize(), strings.Join(names, ", "), strings.Join(values, ", "))
	if slices.Contains(values, "") {
		t.Fatalf("%s: there is no made-up value for one of its types: let useEverything leave a row in it", insert)
	}
	if _, err := conn.Exec(t.Context(), insert, user); err != nil {
		t.Fatalf("%s: %v: let useEverything leave a row in it", insert, err)
	}
}
