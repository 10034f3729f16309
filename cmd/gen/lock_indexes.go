package main

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/accord-api/accord/cmd/gen/catalog"
)

// checkFilters holds the parameters of lists, and others that name a column,
// against the tables: what is looked for must be able to be there, and an index
// must find it.
func (l *lock) checkFilters() {
	for _, op := range l.operations {
		table := l.listed(op)
		for _, p := range op.params {
			if p.in == "query" && !slices.Contains(pageParams, p.name) && (table != nil || get(p.node, columnMark) != nil) {
				l.checkFilter(fmt.Sprintf("operation %s: parameter %s", op.id, p.name), table, p)
			}
		}
	}
}

// listed is the table whose rows an operation lists; nil where it lists none.
func (l *lock) listed(op *operation) *catalog.Table {
	page := l.pageOf(op)
	if page == nil {
		return nil
	}
	for _, m := range page.members {
		if m.name != "items" {
			continue
		}
		if item := l.schemaOf(l.schemaOf(m.node).items); item.kind == "object" {
			return l.tableOf(&object{where: "schema " + item.name, name: item.name, schema: item})
		}
	}

	return nil
}

func (l *lock) checkFilter(where string, table *catalog.Table, p param) {
	columns, ok := l.columns(where, table, p.name, p.node)
	if !ok && get(p.node, columnMark) == nil {
		l.faults.add(p.node, "%s: %s (%s) has no column of this name: say `%s: name`, or `%s: %s` where it looks for nothing in one",
			where, table.Name, table.Place, columnMark, columnMark, nothing)
	}
	marked := get(p.node, columnMark) != nil
	excuse := get(p.node, unindexedMark)
	for _, column := range columns {
		h := &held{lock: l, located: column, where: where, node: p.node, schema: l.schemaOf(p.schema), requested: true}
		if kinds[column.column.Type].kind == h.kind || !marked && h.checkType() {
			h.checkValues()
		}
		switch indexed := column.table.IndexedFor(column.column.Name); {
		case !indexed && strings.TrimSpace(text(excuse)) == "":
			h.tell(nil, column.column.Place, "no index begins with %s: make one, or say in `%s` what bounds the walk", column, unindexedMark)
		case indexed && excuse != nil:
			h.tell(excuse, column.column.Place, "%s has an index: take `%s` out", column, unindexedMark)
		}
	}
}

// checkForeignKeys wants an index for each: without one, whoever deletes a row
// walks all tables that might refer to it.
func checkForeignKeys(c *catalog.Catalog) []error {
	var wrong []error
	for _, name := range sortedKeys(c.Tables) {
		table := c.Tables[name]
		for _, key := range table.ForeignKeys {
			if table.Indexed(key) {
				continue
			}
			target := key.Target
			if other := c.Tables[target]; other != nil {
				target += fmt.Sprintf(" (%s)", other.Place)
			}
			f := &faults{file: key.File}
			f.addLine(key.Line, "%s (%s) refers to %s, and no index begins with it", table.Name, strings.Join(key.Columns, ", "), target)
			wrong = append(wrong, f.err())
		}
	}

	return wrong
}

// checkPages wants the order of each query that reads a page to be one: without a
// unique key in it, rows of the same place are shown twice or never.
func checkPages(c *catalog.Catalog, root fs.FS) []error {
	names, err := fs.Glob(root, "queries/*.sql")
	if err != nil {
		return []error{fmt.Errorf("looking for queries: %w", err)}
	}
	var wrong []error
	for _, name := range names {
		pages, err := c.Pages(root, name)
		if err != nil {
			wrong = append(wrong, err)

			continue
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return append(wrong, fmt.Errorf("reading queries: %w", err))
		}
		f := &faults{file: name}
		for _, page := range pages {
			checkPage(f, queryAt(string(source), page.Line), page)
		}
		wrong = append(wrong, f.err())
	}

	return wrong
}

func checkPage(f *faults, query string, page *catalog.Page) {
	order := strings.Join(page.Order, ", ")
	switch {
	case !page.Unique():
		f.addLine(page.Line, "%s: several rows of %s (%s) may have the same %s, so that a page ends among them: the order needs a unique key that is never null",
			query, page.Table.Name, page.Table.Place, order)
	case !page.Computed && !page.Indexed():
		f.addLine(page.Line, "%s: no index of %s (%s) has the rows in this order: %s",
			query, page.Table.Name, page.Table.Place, strings.Join(slices.Concat(page.Pinned, []string{order}), ", "))
	}
}

// queryAt is the name of the query that a line belongs to.
func queryAt(source string, line int) string {
	name := ""
	for _, q := range readQueries(source) {
		if q.line > 0 && q.line <= line {
			name = q.name
		}
	}

	return name
}
