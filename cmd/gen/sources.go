package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
)

// checkSQL finds what goose and sqlc would let pass in silence, or refuse without
// the name of the file.
func checkSQL(root fs.FS) error {
	migrations, err := fs.Glob(root, "schema/*.sql")
	if err != nil {
		return fmt.Errorf("looking for migrations: %w", err)
	}
	queries, err := fs.Glob(root, "queries/*.sql")
	if err != nil {
		return fmt.Errorf("looking for queries: %w", err)
	}
	taken, wrong := queueNumbers(root), []error{}
	for _, name := range migrations {
		wrong = append(wrong, checkFile(root, name, func(source string, f *faults) { checkMigration(source, taken, f) }))
	}
	for _, name := range queries {
		wrong = append(wrong, checkFile(root, name, checkQueries))
	}

	return errors.Join(wrong...)
}

func checkFile(root fs.FS, name string, check func(source string, f *faults)) error {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return fmt.Errorf("reading SQL: %w", err)
	}
	f := &faults{file: name}
	check(string(source), f)

	return f.err()
}

var queueStep = regexp.MustCompile(`\{version: (\d+),`)

// queueNumbers are the migrations that are written in Go.
func queueNumbers(root fs.FS) map[int]string {
	taken := map[int]string{}
	const name = "pg/river.go"
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return taken // a root without a server
	}
	for _, m := range queueStep.FindAllStringSubmatch(string(source), -1) {
		if number, err := strconv.Atoi(m[1]); err == nil {
			taken[number] = name
		}
	}

	return taken
}

var (
	migrationName = regexp.MustCompile(`^(\d{5})_[a-z0-9_]+\.sql$`)
	gooseUp       = regexp.MustCompile(`(?mi)^--\s*\+goose\s+up\s*$`)
	gooseDown     = regexp.MustCompile(`(?mi)^--\s*\+goose\s+down\s*$`)
)

// checkMigration keeps in taken which file has which number.
func checkMigration(source string, taken map[int]string, f *faults) {
	if m := migrationName.FindStringSubmatch(path.Base(f.file)); m == nil {
		f.addLine(1, "its name has to have the form 00001_verb_noun.sql")
	} else if number, err := strconv.Atoi(m[1]); err != nil {
		f.addLine(1, "its number: %v", err)
	} else if taken[number] != "" {
		f.addLine(1, "its number is that of %s: take the next free one", taken[number])
	} else {
		taken[number] = f.file
	}
	up, down := gooseUp.FindStringIndex(source), gooseDown.FindStringIndex(source)
	switch {
	case up == nil:
		f.addLine(1, "it has no line `-- +goose Up`, so that none of its SQL would run")
	case down == nil:
		f.addLine(1, "it has no section `-- +goose Down`, so that it could not be taken back")
	case down[0] < up[0]:
		f.addLine(1, "`-- +goose Up` has to stand before `-- +goose Down`")
	}
}

var (
	// changesOne is an UPDATE or DELETE, in a WITH too, but no ON CONFLICT DO UPDATE.
	changesOne = regexp.MustCompile(`(?mi)(^|\()(UPDATE|DELETE)\s`)
	takesID    = regexp.MustCompile(`@id\b|sqlc\.n?arg\('?id'?\)`)
	unheard    = regexp.MustCompile(`^--\s*exec:\s*\S`)
)

func checkQueries(source string, f *faults) {
	for _, q := range readQueries(source) {
		if q.command == "exec" && !q.unheard && changesOne.MatchString(q.text) && takesID.MatchString(q.text) {
			f.addLine(q.line, "%s changes a row that may not be there, and :exec does not tell: use :one with RETURNING, which makes no row a 404, or :execrows, or say why it does not matter in a line `-- exec: ...`", q.name)
		}
		if q.name == "" && q.sql > 0 {
			f.addLine(q.sql, "this SQL belongs to no `-- name: NounVerb :one` (or :many, :exec), so that no function comes from it")
		}
	}
}
