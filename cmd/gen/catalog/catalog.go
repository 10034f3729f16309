// Package catalog knows the tables that the migrations make, as far as a contract
// has to agree with them, and the pages that the queries read. It reads SQL with
// PostgreSQL's own parser and needs no database.
package catalog

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Place is a line of a file.
type Place struct {
	File string
	Line int
}

// String is the form that editors know: file:line.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Catalog holds the tables as they are after the last migration.
type Catalog struct {
	Tables map[string]*Table

	enums map[string]*Enum
	// indexTables says which table an index belongs to, for DROP INDEX.
	indexTables map[string]string
}

// Table is one table.
type Table struct {
	Place
	Name        string
	Columns     []*Column
	Indexes     []*Index
	ForeignKeys []*ForeignKey

	checks []*check
}

// Column is one column and what it takes.
type Column struct {
	Place
	Name string
	// Type is PostgreSQL's own name: int8 for bigint, bool for boolean. That of an
	// array ends in [].
	Type string
	// Length is what varchar(n) takes; 0 for no limit.
	Length   int
	Nullable bool

	digits string // of numeric(6,2): "6,2"; "" for any
}

// Index is an index, the one of a primary key or a unique constraint included.
type Index struct {
	Place
	Name   string
	Unique bool
	// Columns are its keys; "" for an expression.
	Columns []string
	// Descending says it for each of them.
	Descending []bool

	where []node
}

// ForeignKey refers to another table.
type ForeignKey struct {
	Place
	Name    string
	Columns []string
	Target  string
}

// Enum is what a column may hold, and where that is said.
type Enum struct {
	Place
	Values []string
}

// Limit is how many characters a text may have, and where that is said.
type Limit struct {
	Place
	Max int
}

// Read takes the migrations below root/schema in the order of their names, and of
// each what stands above its Down.
func Read(root fs.FS) (*Catalog, error) {
	names, err := fs.Glob(root, "schema/*.sql")
	if err != nil {
		return nil, fmt.Errorf("looking for migrations: %w", err)
	}
	c := &Catalog{Tables: map[string]*Table{}, enums: map[string]*Enum{}, indexTables: map[string]string{}}
	for _, name := range names {
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("reading a migration: %w", err)
		}
		up := string(source)
		if down := gooseDown.FindStringIndex(up); down != nil {
			up = up[:down[0]]
		}
		in := text{name, up}
		statements, err := parse(in)
		if err != nil {
			return nil, err
		}
		for _, s := range statements {
			c.apply(in, s)
		}
	}

	return c, nil
}

var gooseDown = regexp.MustCompile(`(?mi)^--\s*\+goose\s+down\s*$`)

// text is what places are looked up in.
type text struct{ file, source string }

func (t text) at(offset int) Place {
	return Place{t.file, 1 + strings.Count(t.source[:min(max(offset, 0), len(t.source))], "\n")}
}

// Column finds a column by its name; nil where there is none.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}

	return nil
}

// Enum is what CHECK (... IN ...) or the type lets a column hold; nil for anything.
func (c *Catalog) Enum(t *Table, column *Column) *Enum {
	var found *Enum
	if of := c.enums[column.Type]; of != nil {
		found = of
	}
	for _, check := range t.checks {
		if check.column != column.Name || check.values == nil {
			continue
		}
		if found == nil {
			found = &Enum{check.Place, check.values}
		} else {
			found = &Enum{check.Place, slices.DeleteFunc(slices.Clone(found.Values), func(v string) bool { return !slices.Contains(check.values, v) })}
		}
	}

	return found
}

// Limit is the shortest of what CHECK (char_length(...) <= ...) and varchar(n) say;
// nil where they say nothing.
func (t *Table) Limit(column *Column) *Limit {
	var found *Limit
	if column.Length > 0 {
		found = &Limit{column.Place, column.Length}
	}
	for _, check := range t.checks {
		most := check.max.Whole(-1).Value
		if check.column == column.Name && check.of == ofLength && most != nil && most.Num().IsInt64() && (found == nil || int(most.Num().Int64()) < found.Max) {
			found = &Limit{check.Place, int(most.Num().Int64())}
		}
	}

	return found
}

// Pattern is the regular expression of CHECK (... ~ '...'); "" for none.
func (t *Table) Pattern(column *Column) (pattern string, at Place) {
	for _, check := range t.checks {
		if check.column == column.Name && check.pattern != "" {
			return check.pattern, check.Place
		}
	}

	return "", column.Place
}

// IndexedFor says whether an index helps to find the rows with a value of the
// column: it is the index's first key, or whether it is null is what the index is
// confined to.
func (t *Table) IndexedFor(column string) bool {
	return slices.ContainsFunc(t.Indexes, func(i *Index) bool {
		if i.Columns[0] == column {
			return !slices.ContainsFunc(i.where, func(n node) bool { return n.kind != "NullTest" })
		}

		return slices.ContainsFunc(i.where, func(n node) bool {
			_, tested := n.fields.node("arg").column()

			return n.kind == "NullTest" && tested == column
		})
	})
}

// Indexed says whether an index finds the rows that refer to one of another table.
func (t *Table) Indexed(key *ForeignKey) bool {
	return slices.ContainsFunc(t.Indexes, func(i *Index) bool {
		return len(i.Columns) >= len(key.Columns) && sameSet(i.Columns[:len(key.Columns)], key.Columns) &&
			!slices.ContainsFunc(i.where, func(n node) bool { return !excludesNull(n, key.Columns) })
	})
}

// excludesNull says whether a condition of an index leaves out no row that refers
// to anything.
func excludesNull(n node, columns []string) bool {
	_, tested := n.fields.node("arg").column()

	return n.kind == "NullTest" && n.fields.text("nulltesttype") == "IS_NOT_NULL" && slices.Contains(columns, tested)
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
