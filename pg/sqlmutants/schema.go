package main

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/schema"
)

// dropped lists what a migrated database can do without: its kind, table, the
// column where it is of one alone, its name, and the SQL that drops it. What is
// unique leaves an index behind, so that its speed is not what is missed. Primary
// keys stay: others refer to them.
const dropped = `
WITH ours AS (
	SELECT oid, relname FROM pg_class
	WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname !~ '^(goose|river)_'
), indexes AS (
	SELECT indexrelid, indrelid, indisunique, indexrelid::regclass::text AS name,
		replace(pg_get_indexdef(indexrelid), 'CREATE UNIQUE INDEX', 'CREATE INDEX') AS plain,
		EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('u', 'p')) AS constrains
	FROM pg_index
)
SELECT CASE WHEN indisunique THEN 'unique' ELSE 'index' END AS kind, relname::text AS table, '' AS column, name,
	'DROP INDEX ' || name || CASE WHEN indisunique THEN '; ' || plain ELSE '' END AS sql, indexrelid AS made
FROM indexes JOIN ours ON oid = indrelid WHERE NOT constrains
UNION ALL
SELECT CASE contype WHEN 'c' THEN 'check' WHEN 'u' THEN 'unique' ELSE 'foreign key' END, relname,
	CASE WHEN cardinality(conkey) = 1 THEN (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) ELSE '' END,
	conname, format('ALTER TABLE %I DROP CONSTRAINT %I', relname, conname) || CASE WHEN contype = 'u' THEN '; ' || plain ELSE '' END,
	pg_constraint.oid
FROM pg_constraint JOIN ours ON ours.oid = conrelid LEFT JOIN indexes ON indexrelid = conindid
WHERE contype IN ('c', 'u', 'f')
UNION ALL
SELECT 'not null', relname, attname, relname || '.' || attname,
	format('ALTER TABLE %I ALTER COLUMN %I DROP NOT NULL', relname, attname), attnum::int::oid
FROM pg_attribute JOIN ours ON oid = attrelid
WHERE attnum > 0 AND attnotnull AND NOT attisdropped
	AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary AND attnum = ANY (indkey))
ORDER BY kind, "table", made`

// schemaMutants migrates an empty database and gives one mutant for each thing in
// it that can be dropped.
func schemaMutants(ctx context.Context, url string) ([]mutant, error) {
	if _, err := pg.Migrate(ctx, url, pg.Up); err != nil {
		return nil, err
	}
	lines, err := migrationLines()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, dropped)
	if err != nil {
		return nil, err
	}
	seen := map[string]int{} // constraints of a whole table, by their words
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (mutant, error) {
		var m mutant
		var column string
		var made uint32
		if err := row.Scan(&m.kind, &m.about, &column, &m.what, &m.schema, &made); err != nil {
			return m, err
		}
		at := lines.find(m, column, seen)
		m.file, m.line = at.file, at.number
		if m.line == 0 {
			return m, fmt.Errorf("%s %s is in no migration", m.kind, m.what)
		}
		return m, nil
	})
}

// line is one of a migration. table is the one that it stands in the making of.
type line struct {
	file   string
	number int
	text   string
	table  string
}

type lines []line

var creates = regexp.MustCompile(`^CREATE TABLE (\w+) \(`)

func migrationLines() (all lines, err error) {
	names, err := fs.Glob(schema.FS, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(schema.FS, name)
		if err != nil {
			return nil, err
		}
		table := ""
		for i, text := range strings.Split(string(text), "\n") {
			if made := creates.FindStringSubmatch(text); made != nil {
				table = made[1]
			} else if strings.HasPrefix(text, ")") {
				table = ""
			}
			all = append(all, line{"schema/" + name, i + 1, strings.TrimSpace(text), table})
		}
	}
	return all, nil
}

// words are how a constraint of a whole table begins.
var words = map[string]string{kindCheck: "CHECK", kindUnique: "UNIQUE", kindForeign: "FOREIGN KEY"}

// find gives the line that a mutant takes something from: the one that names it,
// that of its column, or that of the constraint among those of its table.
func (all lines) find(m mutant, column string, seen map[string]int) line {
	named := regexp.MustCompile(`^(?:CREATE|ALTER|ADD|CONSTRAINT).*\b` + regexp.QuoteMeta(m.what) + `\b`)
	begins, nth := column+" ", 0
	if column == "" {
		begins = words[m.kind]
		nth = seen[m.about+begins]
	}
	for _, l := range all {
		if named.MatchString(l.text) {
			return l
		}
	}
	if column == "" {
		seen[m.about+begins]++
	}
	for _, l := range all {
		if l.table != m.about || !strings.HasPrefix(l.text, begins) {
			continue
		}
		if nth == 0 {
			return l
		}
		nth--
	}
	return line{}
}
