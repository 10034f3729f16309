package main

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// change is one difference that is put into a copy of the contract or the SQL. The
// faults have to name the lines of both marks: in the contract or the queries, and
// in the schema.
type change struct {
	file, old, with string
	in, at          string // a file and a text in the line that the fault is told at
	inSQL, atSQL    string // a file and a text in the line that it names as well
	want            string
}

// lockedCopy is a copy of what the lock reads of the repository.
func lockedCopy(t *testing.T) fstest.MapFS {
	t.Helper()

	root, copied := os.DirFS("../.."), fstest.MapFS{}
	for _, pattern := range []string{contractName, "schema/*.sql", "queries/*.sql"} {
		names, err := fs.Glob(root, pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(root, name)
			if err != nil {
				t.Fatal(err)
			}
			copied[name] = &fstest.MapFile{Data: text}
		}
	}

	return copied
}

// lineOf finds the first line with a text, as file:line.
func lineOf(t *testing.T, root fstest.MapFS, name, text string) string {
	t.Helper()

	source := string(root[name].Data)
	before, _, found := strings.Cut(source, text)
	if !found {
		t.Fatalf("%s has no %q", name, text)
	}

	return fmt.Sprintf("%s:%d", name, 1+strings.Count(before, "\n"))
}

func (c change) refused(t *testing.T, root fstest.MapFS) {
	t.Helper()

	source := string(root[c.file].Data)
	if !strings.Contains(source, c.old) {
		t.Fatalf("%s has no %q", c.file, c.old)
	}
	root[c.file].Data = []byte(strings.Replace(source, c.old, c.with, 1))
	err := checkLock(root[contractName].Data, root)
	if err == nil {
		t.Fatal("it is not refused")
	}
	at, also := lineOf(t, root, c.in, c.at), lineOf(t, root, c.inSQL, c.atSQL)
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.HasPrefix(line, at+": ") && strings.Contains(line, "("+also+")") && strings.Contains(line, c.want) {
			return
		}
	}
	t.Errorf("got %v\nwant a line that begins with %s and names %s and %q", err, at, also, c.want)
}

// The repository's own contract and SQL agree.
func TestOwnLock(t *testing.T) {
	t.Parallel()

	root := lockedCopy(t)
	if err := checkLock(root[contractName].Data, root); err != nil {
		t.Error(err)
	}
}

// Differences between the repository's own contract and SQL, one at a time.
func TestOwnDifferences(t *testing.T) {
	t.Parallel()

	const accounts = "schema/00001_create_accounts.sql"
	// bare-drops {
	const (
		products, orders = "schema/00004_create_products.sql", "schema/00005_create_orders.sql"
		reports          = "schema/00008_create_reports.sql"
	)
	// bare-drops }
	for name, c := range map[string]change{
		"a column becomes nullable": {
			accounts, "full_name         text NOT NULL", "full_name         text", contractName, "full_name: {$ref: '#/components/schemas/FullName'}", accounts, "full_name         text",
			"schema User.full_name: it is required and never null, but users.full_name may be null",
		},
		"a request takes null": {
			contractName, "is_active: {type: boolean, description: False deactivates", "is_active: {type: [boolean, 'null'], description: False deactivates", contractName, "False deactivates the account", accounts, "is_active         boolean",
			"schema AdminUserUpdate.is_active: null is let in, but users.is_active is NOT NULL",
		},
		"a column takes more than an answer": {
			accounts, "CHECK (char_length(email) <= 254)", "CHECK (char_length(email) <= 320)", contractName, "maxLength: 254\n", accounts, "char_length(email)",
			"schema User.email: it has at most 254 characters, but users.email may have 320",
		},
		"a member of no column": {
			accounts, "    last_used_at   timestamptz NOT NULL,\n", "", contractName, "last_used_at: {type: string", accounts, "CREATE TABLE sessions",
			"schema Session.last_used_at: sessions",
		},
		// bare-drops {
		"an answer's null is dropped": {
			contractName, "file_id: {type: [string, 'null'], format: uuid", "file_id: {type: string, format: uuid", contractName, "file_id: {type: string, format: uuid, desc", reports, "file_id          uuid",
			"schema Report.file_id: it is required and never null, but reports.file_id may be null",
		},
		"a column takes less than a request": {
			products, "CHECK (char_length(description) <= 5000)", "CHECK (char_length(description) <= 4000)", contractName, "maxLength: 5000", products, "char_length(description)",
			"schema ProductCreate.description: it may have 5000 characters, but products.description takes at most 4000",
		},
		"a new value of a column": {
			orders, "'delivered', 'cancelled')", "'delivered', 'cancelled', 'returned')", contractName, "enum: [pending, paid, shipped, delivered, cancelled]", orders, "status     text",
			"schema Order.status: orders.status may hold returned, which is not listed",
		},
		"a new value in the contract": {
			contractName, "enum: [csv, html]", "enum: [csv, html, pdf]", contractName, "enum: [csv, html, pdf]", reports, "format           text",
			"schema ReportRequest.format: reports.format never takes pdf",
		},
		"a range in the contract": {
			contractName, "maximum: 366", "maximum: 1000", contractName, "maximum: 1000\n", reports, "days             integer",
			"schema ReportRequest.days: it may be 1000, but reports.days takes at most 366",
		},
		"a filter loses its index": {
			orders, "CREATE INDEX orders_status_idx ON orders (status, id DESC);", "", contractName, "name: status\n      in: query", orders, "status     text",
			"operation listOrders: parameter status: no index begins with orders.status",
		},
		"an order loses its key": {
			"queries/files.sql", "AND id < @before\nORDER BY id DESC", "AND created_at < @before\nORDER BY created_at DESC", "queries/files.sql", "ORDER BY created_at DESC", "schema/00007_create_files.sql", "CREATE TABLE files",
			"FileList: several rows of files",
		},
		"a reference loses its index": {
			reports, "CREATE INDEX reports_file_idx ON reports (file_id);", "", reports, "file_id          uuid", "schema/00007_create_files.sql", "CREATE TABLE files",
			"reports (file_id) refers to files",
		},
		// bare-drops }
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c.refused(t, lockedCopy(t))
		})
	}
}
