package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	notesTable = `-- Notes.

-- +goose Up
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE people (id uuid PRIMARY KEY);
CREATE TABLE notes (
    id      uuid PRIMARY KEY,
    owner   uuid NOT NULL REFERENCES people,
    title   varchar(80) NOT NULL,
    state   text NOT NULL CHECK (state IN ('open', 'done')),
    stars   smallint NOT NULL CHECK (stars >= 1 AND stars < 6),
    code    text NOT NULL CHECK (code ~ '^[A-Z]-[0-9]$'),
    read_at timestamptz,
    short   text CHECK (length(short) <= 20),
    bytes   bigint NOT NULL,
    weight  numeric(6, 2) NOT NULL CHECK (weight >= 0.5),
    ratio   double precision NOT NULL CHECK (ratio > 0 AND ratio <= 1),
    hash    bytea NOT NULL,
    labels  text[] NOT NULL,
    mood    mood,
    extra   jsonb NOT NULL,
    ip      inet NOT NULL
);
CREATE INDEX notes_owner_idx ON notes (owner, id DESC);
CREATE INDEX notes_state_idx ON notes (state, id);
CREATE INDEX notes_unread_idx ON notes (owner, id) WHERE read_at IS NULL;
CREATE INDEX notes_bytes_idx ON notes (bytes, id);

-- +goose Down
DROP TABLE notes;
`
	notesQueries = `-- name: NoteList :many
-- By owner.
SELECT * FROM notes n
WHERE n.owner = @owner AND n.id < @before
ORDER BY n.id DESC
LIMIT sqlc.arg('max');

-- name: NoteListLargest :many
SELECT * FROM notes
WHERE (bytes, id) < (@at_bytes::bigint, @at_id::uuid)
ORDER BY bytes DESC, id DESC
LIMIT @max;
`
)

func notes(t *testing.T) fstest.MapFS {
	t.Helper()

	source, err := os.ReadFile("testdata/lock.yaml")
	if err != nil {
		t.Fatal(err)
	}

	return fstest.MapFS{
		contractName:                    {Data: source},
		"schema/00001_create_notes.sql": {Data: []byte(notesTable)},
		"queries/notes.sql":             {Data: []byte(notesQueries)},
	}
}

func TestNotesAgree(t *testing.T) {
	t.Parallel()

	root := notes(t)
	if err := checkLock(root[contractName].Data, root); err != nil {
		t.Error(err)
	}
}

// Each rule of the lock, broken once.
func TestLockRefusals(t *testing.T) {
	t.Parallel()

	const table, queries = "schema/00001_create_notes.sql", "queries/notes.sql"
	for name, c := range map[string]change{
		"null in an answer":          {contractName, "stars: {type: integer, format: int32, minimum: 1, maximum: 5}\n        code: {$ref: '#/components/schemas/Code'}\n        read_at: {type: [string, 'null'], format: date-time}\n        short", "stars: {type: [integer, 'null'], format: int32, minimum: 1, maximum: 5}\n        code: {$ref: '#/components/schemas/Code'}\n        read_at: {type: [string, 'null'], format: date-time}\n        short", contractName, "stars: {type: [integer, 'null']", table, "stars   smallint", "schema Note.stars: it may be null, but notes.stars is NOT NULL"},
		"a shorter varchar":          {table, "varchar(80)", "varchar(40)", contractName, "title: {type: string, maxLength: 80}\n        state: {$ref: '#/components/schemas/State'}\n        stars: {type: integer, format: int32, exclusiveMinimum: 0, exclusiveMaximum: 6}\n        code: {$ref: '#/components/schemas/Code'}\n        read_at: {type: [string, 'null'], format: date-time}\n        weight: {type: number, minimum: 1, maximum: 100}\n        lines", table, "varchar(40)", "schema NoteCreate.title: it may have 80 characters, but notes.title takes at most 40"},
		"a text without a limit":     {table, "text CHECK (length(short) <= 20)", "text", contractName, "short: {type", table, "short   text", "schema Note.short: it has at most 20 characters, but notes.short may have any number: a CHECK (char_length(short) <= 20) is missing"},
		"a request without a limit":  {contractName, "title: {type: string, maxLength: 80}\n        state: {$ref: '#/components/schemas/State'}\n        stars: {type: integer, format: int32, exclusiveMinimum: 0, exclusiveMaximum: 6}\n        code: {$ref: '#/components/schemas/Code'}\n        read_at: {type: [string, 'null'], format: date-time}\n        weight: {type: number, minimum: 1, maximum: 100}\n        lines", "title: {type: string}\n        lines", contractName, "title: {type: string}\n        lines", table, "title   varchar", "schema NoteCreate.title: it may have any number of characters, but notes.title takes at most 80"},
		"a lower end":                {table, "stars >= 1", "stars >= 0", contractName, "stars: {type: integer, format: int32, minimum: 1, maximum: 5}\n        code", table, "stars >= 0", "schema Note.stars: it is at least 1, but notes.stars may be 0"},
		"a higher lower end":         {table, "stars >= 1", "stars >= 2", contractName, "stars, in: query", table, "stars >= 2", "parameter stars: it may be 1, but notes.stars takes at least 2"},
		"a higher end":               {table, "stars < 6", "stars < 7", contractName, "stars: {type: integer, format: int32, minimum: 1, maximum: 5}\n        code", table, "stars < 7", "schema Note.stars: it is at most 5, but notes.stars may be 6"},
		"a lower fraction":           {table, "weight >= 0.5", "weight >= 0.25", contractName, "weight: {type: number, minimum: 0.5", table, "weight >= 0.25", "schema Note.weight: it is at least 0.5, but notes.weight may be 0.25"},
		"more digits":                {table, "numeric(6, 2)", "numeric(6, 1)", contractName, "weight: {type: number, minimum: 0.5", table, "numeric(6, 1)", "schema Note.weight: it is at most 9999.99, but notes.weight may be 99999.9"},
		"no digits":                  {table, "numeric(6, 2)", "numeric", contractName, "weight: {type: number, minimum: 0.5", table, "numeric NOT", "schema Note.weight: it is at most 9999.99, but notes.weight may be any number"},
		"an end that is in it":       {table, "ratio > 0", "ratio >= 0", contractName, "ratio: {", table, "ratio >= 0", "schema Note.ratio: it is at least 0 (exclusive), but notes.ratio may be 0"},
		"a fraction of a request":    {contractName, "{type: number, minimum: 1, maximum: 100}", "{type: number, minimum: 0.1, maximum: 100}", contractName, "weight: {type: number, minimum: 0.1", table, "weight >= 0.5", "schema NoteCreate.weight: it may be 0.1, but notes.weight takes at least 0.5"},
		"a request without an end":   {contractName, "{type: number, minimum: 1, maximum: 100}", "{type: number, minimum: 1}", contractName, "weight: {type: number, minimum: 1", table, "numeric(6, 2)", "schema NoteCreate.weight: it may be any number, but notes.weight takes at most 9999.99"},
		"a smaller type":             {contractName, "size: {type: integer, format: int64,", "size: {type: integer, format: int32,", contractName, "size: {", table, "bytes   bigint", "schema Note.size: it is at least -2147483648, but notes.bytes may be"},
		"a value of a type":          {table, "('good', 'bad')", "('good', 'bad', 'odd')", contractName, "mood: {type", table, "CREATE TYPE", "schema Note.mood: notes.mood may hold odd, which is not listed"},
		"no values":                  {contractName, "mood: {type: string, enum: [good, bad]}", "mood: {type: string}", contractName, "mood: {type", table, "CREATE TYPE", "schema Note.mood: it lists no values, but notes.mood holds only good, bad"},
		"values that nothing checks": {table, "text NOT NULL CHECK (state IN ('open', 'done'))", "text NOT NULL", contractName, "State: {type", table, "state   text", "schema Note.state: it is one of open, done, but notes.state may hold anything"},
		"another pattern":            {contractName, "'^[A-Z]-[0-9]$'", "'^[A-Z]-[1-9]$'", contractName, "'^[A-Z]-[1-9]$'", table, "code    text", "schema Note.code: its pattern is not that of notes.code, ^[A-Z]-[0-9]$"},
		"null in what has any form":  {table, "jsonb NOT NULL", "jsonb", contractName, "extra: {", table, "extra   jsonb", "schema Note.extra: it is required and never null, but notes.extra may be null"},
		"another type":               {table, "bytes   bigint", "bytes   text", contractName, "size: {", table, "bytes   text", "schema Note.size: it is an integer, but notes.bytes is text"},
		"another format":             {contractName, "id: {type: string, format: uuid}", "id: {type: string, maxLength: 36}", contractName, "id: {type", table, "id      uuid", "schema Note.id: it is a string, but notes.id is uuid"},
		"a list for a text":          {table, "labels  text[]", "labels  text", contractName, "labels: {", table, "labels  text", "schema Note.labels: it is an array, but notes.labels is text"},
		"a schema that does not say": {contractName, "      x-table: none\n", "", contractName, "type: object\n      additionalProperties: false\n      properties:\n        title: {type: string, maxLength: 8000}", table, "title   varchar", "schema NoteLine: its member title is called as a column of notes"},
		"a member that is no column": {contractName, "short: {type: string, maxLength: 20}", "brief: {type: string, maxLength: 20}", contractName, "brief: {", table, "CREATE TABLE notes", "schema Note.brief: notes"},
		"a column that is not there": {contractName, "x-column: read_at", "x-column: seen_at", contractName, "name: read,", table, "CREATE TABLE notes", "parameter read: x-column: there is no column seen_at in notes"},
		"a filter that is no column": {contractName, "{name: q, in: query, x-column: none,", "{name: q, in: query,", contractName, "name: q,", table, "CREATE TABLE notes", "parameter q: notes"},
		"a filter without an index":  {contractName, "x-unindexed: A person has few notes., ", "", contractName, "name: stars", table, "stars   smallint", "parameter stars: no index begins with notes.stars"},
		"an excuse without a need":   {contractName, "{name: state, in: query,", "{name: state, in: query, x-unindexed: It is short.,", contractName, "name: state", table, "state   text", "parameter state: notes.state has an index"},
		"a filter of nulls":          {table, "WHERE read_at IS NULL", "WHERE bytes IS NULL", contractName, "name: read,", table, "read_at timestamptz", "parameter read: no index begins with notes.read_at"},
		"an order without an index":  {table, "notes (bytes, id)", "notes (bytes, id DESC)", queries, "ORDER BY bytes", table, "CREATE TABLE notes", "NoteListLargest: no index of notes"},
		"an order without a key":     {table, "id      uuid PRIMARY KEY", "id      uuid NOT NULL", queries, "ORDER BY n.id", table, "CREATE TABLE notes", "NoteList: several rows of notes"},
		"a key that may be null":     {table, "id      uuid PRIMARY KEY", "id      uuid UNIQUE", queries, "ORDER BY n.id", table, "CREATE TABLE notes", "NoteList: several rows of notes"},
		"a worked out order":         {queries, "ORDER BY n.id DESC", "ORDER BY lower(n.title), n.state", queries, "ORDER BY lower", table, "CREATE TABLE notes", "NoteList: several rows of notes"},
		"a reference to another":     {table, "notes (owner, id DESC)", "notes (id, owner)", table, "owner   uuid", table, "CREATE TABLE people", "notes (owner) refers to people"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c.refused(t, notes(t))
		})
	}
}

// A pattern that both sides have does not hide that their lengths differ.
func TestLengthBesideAPattern(t *testing.T) {
	t.Parallel()

	root := notes(t)
	const table = "schema/00001_create_notes.sql"
	schema := strings.Replace(string(root[table].Data), "CHECK (code ~", "CHECK (char_length(code) <= 40) CHECK (code ~", 1)
	root[table] = &fstest.MapFile{Data: []byte(schema)}
	source := strings.Replace(string(root[contractName].Data), "Code: {type: string, maxLength: 3,", "Code: {type: string, maxLength: 400,", 1)
	err := checkLock([]byte(source), root)
	if err == nil || !strings.Contains(err.Error(), "schema NoteCreate.code: it may have 400 characters, but notes.code takes at most 40") {
		t.Errorf("got %v", err)
	}
}

// A table that no migration makes has no second place.
func TestUnknownTable(t *testing.T) {
	t.Parallel()

	root := notes(t)
	source := strings.Replace(string(root[contractName].Data), "x-table: none", "x-table: lines", 1)
	err := checkLock([]byte(source), root)
	if err == nil || !strings.Contains(err.Error(), `schema NoteLine: x-table: no migration in schema/ makes a table "lines"`) {
		t.Errorf("got %v", err)
	}
}

// What is no SQL is told with its file.
func TestLockOfNoSQL(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"schema/00001_create_notes.sql", "queries/notes.sql"} {
		root := notes(t)
		root[name].Data = append([]byte("SELEKT 1;\n"), root[name].Data...)
		if err := checkLock(root[contractName].Data, root); err == nil || !strings.Contains(err.Error(), name+":1: syntax error") {
			t.Errorf("got %v", err)
		}
	}
}

// The marks are for the lock: whoever reads the published document sees none.
func TestMarksAreNotPublished(t *testing.T) {
	t.Parallel()

	doc, err := parse(notes(t)[contractName].Data)
	if err != nil {
		t.Fatal(err)
	}
	c := readContract(doc)
	publish(c)
	for _, mark := range []string{tableMark, columnMark, unindexedMark} {
		if strings.Contains(string(writeJSON(c.root)), mark) || strings.Contains(string(writeJSON(c.served)), mark) {
			t.Errorf("%s is published", mark)
		}
	}
}

// A member that is called as a mark is, and a value that has one, are none.
func TestOnlyMarksAreRemoved(t *testing.T) {
	t.Parallel()

	doc, err := parse([]byte("x-table: a\nproperties: {x-table: {x-column: b, type: string}}\nexample: {x-column: c}\n"))
	if err != nil {
		t.Fatal(err)
	}
	removeMarks("", doc.root)
	if got, want := string(compactJSON(doc.root)), `{"properties":{"x-table":{"type":"string"}},"example":{"x-column":"c"}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
