package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	unheardQueries = "-- name: NoteMake :exec\nINSERT INTO notes (id) VALUES (@id)\nON CONFLICT (id) DO UPDATE SET a = 1;\n\n-- name: NoteMark :exec\n-- exec: one that is gone needs no mark.\nUPDATE notes SET a = 1 WHERE id = @id;\n\n"
	rightMigration = "-- What people write down.\n\n-- +goose Up\nCREATE TABLE notes ();\n\n-- +goose Down\nDROP TABLE notes;\n"
	rightQueries   = unheardQueries + "-- Of notes.\n\n-- name: NoteGet :one\nSELECT 1;\n\n-- name: NoteList :many\n-- stream\nSELECT 2\nFROM notes;\n"
)

// Each fault is put beside what is right, and has to be named with its file.
func TestSQLRefusals(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ path, text, want string }{
		"one number twice":    {"schema/00001_create_more.sql", rightMigration, "schema/00001_create_notes.sql:1: its number is that of schema/00001_create_more.sql: take the next free one"},
		"the queue's number":  {"schema/00002_create_more.sql", rightMigration, "schema/00002_create_more.sql:1: its number is that of pg/river.go"},
		"no number":           {"schema/create_more.sql", rightMigration, "schema/create_more.sql:1: its name has to have the form 00001_verb_noun.sql"},
		"no Up":               {"schema/00003_more.sql", "CREATE TABLE more ();\n-- +goose Down\n", "schema/00003_more.sql:1: it has no line `-- +goose Up`"},
		"no Down":             {"schema/00003_more.sql", "-- +goose Up\nCREATE TABLE more ();\n-- There is no +goose Down.\n", "schema/00003_more.sql:1: it has no section `-- +goose Down`"},
		"Down before Up":      {"schema/00003_more.sql", "-- +goose Down\n-- +goose Up\n", "schema/00003_more.sql:1: `-- +goose Up` has to stand before"},
		"SQL of no query":     {"queries/more.sql", rightQueries + "\n-- Forgotten.\n\nSELECT 3\nFROM notes;\n", "queries/more.sql:21: this SQL belongs to no `-- name:"},
		"SQL at the end":      {"queries/more.sql", rightQueries + "SELECT 3\n", "queries/more.sql:18: this SQL belongs to no `-- name:"},
		"an unheard DELETE":   {"queries/more.sql", "-- name: NoteDelete :exec\nDELETE FROM notes\nWHERE id = @id AND user_id = @user_id;\n", "queries/more.sql:1: NoteDelete changes a row that may not be there"},
		"an unheard UPDATE":   {"queries/more.sql", rightQueries + "\n-- exec:\n-- name: NoteMove :exec\nWITH a AS (UPDATE notes SET a = 1 WHERE id = sqlc.arg('id'))\nSELECT 1;\n", "queries/more.sql:20: NoteMove changes a row"},
		"a name that is none": {"queries/more.sql", "-- name: NoteGet\nSELECT 1;\n", "queries/more.sql:2: this SQL belongs to no `-- name:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			root := fstest.MapFS{
				"pg/river.go":                   {Data: []byte("var steps = []step{\n\t{version: 2, first: 1, last: 8},\n}")},
				"schema/00001_create_notes.sql": {Data: []byte(rightMigration)},
				"queries/notes.sql":             {Data: []byte(rightQueries)},
			}
			if err := checkSQL(root); err != nil {
				t.Fatalf("what is right is refused: %v", err)
			}
			root[c.path] = &fstest.MapFile{Data: []byte(c.text)}
			if err := checkSQL(root); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// The repository's own SQL is right, and its job queue's number is found.
func TestOwnSQL(t *testing.T) {
	t.Parallel()

	root := os.DirFS("../..")
	if err := checkSQL(root); err != nil {
		t.Error(err)
	}
	if taken := queueNumbers(root); taken[2] == "" {
		t.Errorf("the queue's numbers are %v", taken)
	}
}
