package catalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/accord-api/accord/cmd/gen/catalog"
)

// read makes a catalog of migrations, the first of which makes tables.
func read(t *testing.T, migrations ...string) *catalog.Catalog {
	t.Helper()

	root := fstest.MapFS{"schema/00001_a.sql": {Data: []byte(`-- Of all kinds.
-- +goose Up
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE others (a uuid, b uuid, PRIMARY KEY (a, b));
CREATE TABLE things (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 20),
    kind character varying(10) CHECK (kind = ANY (ARRAY['x', 'y'])),
    mood mood,
    count integer CHECK (count > 0) CHECK (count <= 9),
    a uuid, b uuid,
    CONSTRAINT things_others FOREIGN KEY (a, b) REFERENCES others,
    CONSTRAINT things_name_key UNIQUE (name),
    CHECK (character_length(kind) < 5 AND count >= 2)
);
-- +goose Down
DROP TABLE things;
`)}}
	for i, migration := range migrations {
		root[fmt.Sprintf("schema/%05d_a.sql", i+2)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + migration + "\n-- +goose Down\n")}
	}
	c, err := catalog.Read(root)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

// told is what the catalog knows of a column, in one line.
func told(c *catalog.Catalog, table, column string) string {
	t := c.Tables[table]
	if t == nil || t.Column(column) == nil {
		return "none"
	}
	found := t.Column(column)
	words := []string{found.Type}
	if !found.Nullable {
		words = append(words, "not null")
	}
	if limit := t.Limit(found); limit != nil {
		words = append(words, fmt.Sprintf("length %d at %s", limit.Max, limit.Place))
	}
	if enum := c.Enum(t, found); enum != nil {
		words = append(words, fmt.Sprintf("%v at %s", enum.Values, enum.Place))
	}
	if r := t.Range(found); r != nil {
		words = append(words, fmt.Sprintf("%s to %s", r.Min, r.Max))
	}

	return strings.Join(words, ", ")
}

func TestColumns(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ migration, column, want string }{
		"a key":                     {"", "things.id", "uuid, not null"},
		"a length":                  {"", "things.name", "text, not null, length 20 at schema/00001_a.sql:7"},
		"values and the shorter":    {"", "things.kind", "varchar, length 4 at schema/00001_a.sql:14, [x y] at schema/00001_a.sql:8"},
		"an enum":                   {"", "things.mood", "mood, [good bad] at schema/00001_a.sql:3"},
		"a range of three":          {"", "things.count", "int4, 2 to 9"},
		"a part of a key":           {"", "others.b", "uuid, not null"},
		"another value":             {"ALTER TYPE mood ADD VALUE 'odd';", "things.mood", "mood, [good bad odd] at schema/00001_a.sql:3"},
		"a renamed value":           {"ALTER TYPE mood RENAME VALUE 'bad' TO 'ill';", "things.mood", "mood, [good ill] at schema/00001_a.sql:3"},
		"a dropped type":            {"ALTER TABLE things DROP COLUMN mood; DROP TYPE mood;", "things.mood", "none"},
		"a new column":              {"ALTER TABLE things ADD COLUMN at date[] NOT NULL DEFAULT '{}';", "things.at", "date[], not null"},
		"not null":                  {"ALTER TABLE things ALTER count SET NOT NULL;", "things.count", "int4, not null, 2 to 9"},
		"a key of an index":         {"ALTER TABLE things DROP CONSTRAINT things_pkey; CREATE UNIQUE INDEX i ON things (count); ALTER TABLE things ADD PRIMARY KEY USING INDEX i;", "things.count", "int4, not null, 2 to 9"},
		"a renamed rule":            {"ALTER TABLE things RENAME CONSTRAINT things_count_check1 TO few; ALTER TABLE things DROP CONSTRAINT few;", "things.count", "int4, 2 to 2147483647"},
		"null":                      {"ALTER TABLE things ALTER name DROP NOT NULL;", "things.name", "text, length 20 at schema/00001_a.sql:7"},
		"a fraction":                {"ALTER TABLE things ADD COLUMN a1 numeric(6,2) CHECK (a1 >= 0.5);", "things.a1", "numeric, 0.5 to 9999.99"},
		"no digits behind":          {"ALTER TABLE things ADD COLUMN a1 decimal(3) NOT NULL;", "things.a1", "numeric, not null, -999 to 999"},
		"any digits":                {"ALTER TABLE things ADD COLUMN a1 numeric CHECK (a1 < 2.50);", "things.a1", "numeric, any number to 2.5 (exclusive)"},
		"a floating point":          {"ALTER TABLE things ADD COLUMN a1 double precision CHECK (a1 > 0 AND a1 <= 1);", "things.a1", "float8, 0 (exclusive) to 1"},
		"a fraction of whole ones":  {"ALTER TABLE things ADD CHECK (count > 3.5 AND count < 7.5);", "things.count", "int4, 4 to 7"},
		"below none":                {"ALTER TABLE things ADD COLUMN a1 int CHECK (a1 > -3.5 AND a1 < -0.5);", "things.a1", "int4, -3 to -1"},
		"another type":              {"ALTER TABLE things ALTER count TYPE bigint, DROP CONSTRAINT things_count_check1;", "things.count", "int8, 2 to 9223372036854775807"},
		"a name that is taken":      {"ALTER TABLE things ADD CHECK (count < 5 OR count > 7), ADD CHECK (count < 6); ALTER TABLE things DROP CONSTRAINT things_count_check2;", "things.count", "int4, 2 to 5"},
		"more than":                 {"ALTER TABLE things ADD CHECK (count > 3);", "things.count", "int4, 4 to 9"},
		"a longer text":             {"ALTER TABLE things DROP CONSTRAINT things_check, ALTER kind TYPE varchar(30);", "things.kind", "varchar, length 30 at schema/00002_a.sql:2, [x y] at schema/00001_a.sql:8"},
		"fewer values":              {"ALTER TABLE things ADD CHECK (kind IN ('y', 'z'));", "things.kind", "varchar, length 4 at schema/00001_a.sql:14, [y] at schema/00002_a.sql:2"},
		"one value":                 {"ALTER TABLE things ADD CHECK (name = 'a');", "things.name", "text, not null, length 20 at schema/00001_a.sql:7, [a] at schema/00002_a.sql:2"},
		"one length":                {"ALTER TABLE things ADD CHECK (length(name) = 3) NOT VALID;", "things.name", "text, not null, length 3 at schema/00002_a.sql:2"},
		"a renamed column":          {"ALTER TABLE things RENAME name TO title;", "things.title", "text, not null, length 20 at schema/00001_a.sql:7"},
		"a renamed table":           {"ALTER TABLE things RENAME TO items;", "items.count", "int4, 2 to 9"},
		"a dropped table":           {"DROP TABLE things, others;", "others.a", "none"},
		"what is not of one column": {"ALTER TABLE things ADD CHECK (count < 4 OR name = 'a'), ADD CHECK (mod(count, 2) = 0), ADD CHECK (count <> 3);", "things.count", "int4, 2 to 9"},
		"what another table has":    {"ALTER TABLE nowhere ADD COLUMN a text; CREATE INDEX i ON nowhere (a);", "things.a", "uuid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			table, column, _ := strings.Cut(c.column, ".")
			if got := told(read(t, c.migration), table, column); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestIndexes(t *testing.T) {
	t.Parallel()

	const own, others = "things (a, b)", "things (name)"
	for name, c := range map[string]struct {
		migration string
		want      []string // what is indexed of these two and the reference
	}{
		"at first":           {"", []string{others}},
		"in another order":   {"CREATE INDEX i ON things (b, a, id);", []string{others, own}},
		"of another table":   {"CREATE INDEX i ON others (b, a);", []string{others}},
		"too few":            {"CREATE INDEX i ON things (a);", []string{others}},
		"of words":           {"CREATE INDEX i ON things USING gin (a, b);", []string{others}},
		"where there is one": {"CREATE INDEX i ON things (a, b) WHERE a IS NOT NULL;", []string{others, own}},
		"of some":            {"CREATE INDEX i ON things (a, b) WHERE count > 3;", []string{others}},
		"of none":            {"CREATE INDEX i ON things (a, b) WHERE a IS NULL;", []string{others}},
		"dropped":            {"CREATE INDEX i ON things (a, b); DROP INDEX public.i;", []string{others}},
		"dropped as a rule":  {"ALTER TABLE things DROP CONSTRAINT things_name_key;", []string{}},
		"of lower case":      {"ALTER TABLE things DROP CONSTRAINT things_name_key; CREATE INDEX i ON things (lower(name));", []string{}},
		"of other rows":      {"ALTER TABLE things DROP CONSTRAINT things_name_key; CREATE INDEX i ON things (name) WHERE count > 1;", []string{}},
		"renamed, dropped":   {"CREATE INDEX i ON things (a, b); ALTER INDEX i RENAME TO j; DROP INDEX j;", []string{others}},
		"renamed rules":      {"ALTER TABLE things RENAME CONSTRAINT things_name_key TO k; ALTER TABLE things RENAME CONSTRAINT things_others TO o; ALTER TABLE things DROP CONSTRAINT k, DROP CONSTRAINT o;", []string{"no reference"}},
		"a key of an index":  {"CREATE UNIQUE INDEX i ON things (a, b); ALTER TABLE things ADD CONSTRAINT k UNIQUE USING INDEX i;", []string{others, own}},
		"a dropped column":   {"ALTER TABLE things DROP COLUMN name, DROP COLUMN a;", []string{"no reference"}},
		"a dropped one":      {"ALTER TABLE things DROP CONSTRAINT things_others;", []string{others, "no reference"}},
		"a renamed column":   {"CREATE INDEX i ON things (a, b); ALTER TABLE things RENAME b TO c;", []string{others, "things (a, c)"}},
		"a renamed table":    {"CREATE INDEX i ON things (a, b); ALTER TABLE things RENAME TO items; DROP INDEX i;", []string{"items (name)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			found := []string{}
			tables := read(t, c.migration).Tables
			for _, table := range []*catalog.Table{tables["things"], tables["items"]} {
				if table == nil {
					continue
				}
				if table.IndexedFor("name") {
					found = append(found, table.Name+" (name)")
				}
				for _, key := range table.ForeignKeys {
					if table.Indexed(key) {
						found = append(found, table.Name+" ("+strings.Join(key.Columns, ", ")+")")
					}
				}
				if len(table.ForeignKeys) == 0 {
					found = append(found, "no reference")
				}
			}
			if !slices.Equal(found, c.want) {
				t.Errorf("got %q, want %q", found, c.want)
			}
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ query, want string }{
		"by the key":             {"SELECT * FROM things WHERE id < @before\nORDER BY id DESC LIMIT @max;", "things [id] at 2, unique, indexed"},
		"by a joined table":      {"SELECT * FROM others JOIN things t ON t.a = others.a WHERE t.id > @after::uuid ORDER BY t.id LIMIT sqlc.narg('max')::int;", "things [id] at 1, unique, indexed"},
		"under a value":          {"SELECT * FROM others WHERE a = @a AND b > @after ORDER BY b LIMIT @max;", "others [b] at 1, unique, indexed"},
		"by a row":               {"SELECT * FROM others WHERE (a, b) > (@a, @b) ORDER BY a, b LIMIT @max;", "others [a b] at 1, unique, indexed"},
		"there and back":         {"SELECT * FROM others WHERE (a, b) > (@a, @b) ORDER BY a, b DESC LIMIT @max;", "others [a b] at 1, unique"},
		"backwards":              {"SELECT * FROM others WHERE (a, b) < (@a, @b) ORDER BY a DESC, b DESC LIMIT @max;", "others [a b] at 1, unique, indexed"},
		"by what is not unique":  {"SELECT * FROM things WHERE count > @after ORDER BY count LIMIT @max;", "things [count] at 1"},
		"by what may be null":    {"SELECT * FROM things WHERE kind > @after ORDER BY kind LIMIT @max;", "things [kind] at 1, indexed"},
		"under a joined column":  {"SELECT * FROM others JOIN things ON true WHERE others.a = things.a AND others.b > @after ORDER BY others.b LIMIT @max;", "others [b] at 1"},
		"of some":                {"SELECT * FROM things WHERE a > @after AND things.b IS NULL ORDER BY a LIMIT @max;", "things [a] at 1, indexed"},
		"of others than some":    {"SELECT * FROM things WHERE a > @after AND b IS NOT NULL ORDER BY a LIMIT @max;", "things [a] at 1"},
		"by what is worked out":  {"SELECT * FROM things ORDER BY lower(name), id LIMIT @max;", "things [id] at 1, unique, computed"},
		"from the first always":  {"SELECT * FROM things ORDER BY id LIMIT @max;", ""},
		"with another as limit":  {"SELECT * FROM things, others WHERE id < others.a ORDER BY id LIMIT @max;", ""},
		"as many as ever":        {"SELECT * FROM things WHERE id < @before ORDER BY id LIMIT 100;", ""},
		"all":                    {"SELECT * FROM things WHERE id < @before ORDER BY id;", ""},
		"a change":               {"DELETE FROM things WHERE id < @before;", ""},
		"of a table of its own":  {"WITH found AS (SELECT 1 AS n) SELECT * FROM found WHERE n < @before ORDER BY n LIMIT @max;", ""},
		"by a table of its own":  {"WITH found AS (SELECT 1 AS n) SELECT * FROM found JOIN things ON true WHERE things.id < @before ORDER BY things.id LIMIT @max;", "things [id] at 1, unique, indexed"},
		"in an order of its own": {"SELECT * FROM (SELECT id FROM things ORDER BY name) x JOIN others ON true WHERE (a, b) > (@a, @b)\nORDER BY a, b LIMIT @max;", "others [a b] at 2, unique, indexed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			root := fstest.MapFS{"queries/a.sql": {Data: []byte(c.query)}}
			pages, err := read(t, "CREATE INDEX i ON things (a) WHERE b IS NULL; CREATE UNIQUE INDEX j ON things (kind);").Pages(root, "queries/a.sql")
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, p := range pages {
				got += fmt.Sprintf("%s %v at %d", p.Table.Name, p.Order, p.Line)
				if p.Unique() {
					got += ", unique"
				}
				switch {
				case p.Computed:
					got += ", computed"
				case p.Indexed():
					got += ", indexed"
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNoSQL(t *testing.T) {
	t.Parallel()

	root := fstest.MapFS{"schema/1.sql": {Data: []byte("-- +goose Up\n\nCREATE TABEL a ();")}, "queries/1.sql": {Data: []byte("SELECT 1;\nSELECT FRM;;\n(")}}
	if _, err := catalog.Read(root); err == nil || !strings.Contains(err.Error(), `schema/1.sql:3: syntax error at or near "TABEL"`) {
		t.Errorf("got %v", err)
	}
	if _, err := read(t).Pages(root, "queries/1.sql"); err == nil || !strings.Contains(err.Error(), "queries/1.sql:3: syntax error at end of input") {
		t.Errorf("got %v", err)
	}
	if _, err := read(t).Pages(root, "queries/2.sql"); err == nil {
		t.Error("a file that is not there is read")
	}
}
