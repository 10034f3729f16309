package catalog

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Page is a query that reads a page by its keys: it goes on after the last row of
// the page before, in an order, up to a limit that it is given.
type Page struct {
	// Place is the line of its ORDER BY.
	Place
	Table *Table
	// Order are the columns that it is sorted by.
	Order []string
	// Pinned are the columns that have one value in the whole list.
	Pinned []string

	// Computed says that it is sorted by something else as well.
	Computed bool

	descending []bool
	where      []node
}

// Pages finds the pages among the queries of one file below root.
func (c *Catalog) Pages(root fs.FS, name string) ([]*Page, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, fmt.Errorf("reading queries: %w", err)
	}
	in := text{name, string(source)}
	statements, err := parse(in)
	if err != nil {
		return nil, err
	}
	var list []*Page
	for _, s := range statements {
		if page := c.pageOf(s.node); page != nil {
			page.Place = in.at(s.orderBy(in.source))
			list = append(list, page)
		}
	}

	return list, nil
}

// orderBy is where the last ORDER BY of a statement stands: that of the query
// itself, for those of its parts stand before.
func (s statement) orderBy(source string) int {
	return s.start + max(0, strings.LastIndex(strings.ToUpper(source[s.start:s.end]), "ORDER BY"))
}

// pageOf is nil for a query that reads no page.
func (c *Catalog) pageOf(n node) *Page {
	if n.kind != "SelectStmt" || !n.fields.node("limitCount").given() {
		return nil
	}
	names := c.tablesOf(n.fields.nodes("fromClause"))
	p := &Page{where: n.fields.node("whereClause").conditions()}
	for _, by := range n.fields.nodes("sortClause") {
		table, column := c.columnOf(names, by.fields.node("node"))
		if table == nil || p.Table != nil && p.Table != table {
			p.Computed = true

			continue
		}
		p.Table = table
		p.Order = append(p.Order, column)
		p.descending = append(p.descending, by.fields.text("sortby_dir") == "SORTBY_DESC")
	}
	goesOn := func(n node) bool { return c.goesOn(names, p, n) }
	if p.Table == nil || !p.Computed && !slices.ContainsFunc(p.where, goesOn) {
		return nil
	}
	p.Pinned = c.pinned(names, p)

	return p
}

// given says that it is an argument of the query.
func (n node) given() bool {
	n = n.bare()

	return n.kind == "FuncCall" && slices.Contains(n.fields.texts("funcname"), "sqlc") || n.kind == "A_Expr" && n.fields.last("name") == "@"
}

func (c *Catalog) pinned(names map[string]*Table, p *Page) []string {
	var list []string
	for _, n := range p.where {
		if n.fields.text("kind") != "AEXPR_OP" || n.fields.last("name") != "=" {
			continue
		}
		right, _ := c.columnOf(names, n.fields.node("rexpr"))
		if left, column := c.columnOf(names, n.fields.node("lexpr")); left == p.Table && right == nil {
			list = append(list, column)
		}
	}

	return list
}

// goesOn says whether a condition compares the first column of the order, or all
// of them as a row, with what the caller gives.
func (c *Catalog) goesOn(names map[string]*Table, p *Page, n node) bool {
	if operator := n.fields.last("name"); n.kind != "A_Expr" || operator != "<" && operator != ">" {
		return false
	}
	left, right := n.fields.node("lexpr"), n.fields.node("rexpr")
	if left.kind == "RowExpr" {
		left, right = first(left.fields.nodes("args")), first(right.fields.nodes("args"))
	}
	table, column := c.columnOf(names, left)
	other, _ := c.columnOf(names, right)

	return table == p.Table && column == p.Order[0] && other == nil
}

// tablesOf are the tables of a FROM by the names that they have there.
func (c *Catalog) tablesOf(from []node) map[string]*Table {
	names := map[string]*Table{}
	for len(from) > 0 {
		n := from[0]
		from = from[1:]
		switch n.kind {
		case "JoinExpr":
			from = append(from, n.fields.node("larg"), n.fields.node("rarg"))
		case "RangeVar":
			name := n.fields.text("relname")
			if alias := n.fields.object("alias").text("aliasname"); alias != "" {
				names[alias] = c.Tables[name]
			} else {
				names[name] = c.Tables[name]
			}
		}
	}

	return names
}

// columnOf is the column that a node names; nil for any other node.
func (c *Catalog) columnOf(names map[string]*Table, n node) (*Table, string) {
	of, column := n.column()
	if column == "" {
		return nil, ""
	}
	for name, table := range names {
		if (of == "" || of == name) && table != nil && table.Column(column) != nil {
			return table, column
		}
	}

	return nil, ""
}

// Unique says whether no two rows of the list have the same place in its order: a
// unique index has no other columns than those, none of which may be null.
func (p *Page) Unique() bool {
	return slices.ContainsFunc(p.Table.Indexes, func(i *Index) bool {
		return i.Unique && p.implies(i) && !slices.ContainsFunc(i.Columns, func(name string) bool {
			column := p.Table.Column(name)

			return column == nil || column.Nullable || !slices.Contains(p.Order, name) && !slices.Contains(p.Pinned, name)
		})
	})
}

// Indexed says whether an index has the rows in the list's order.
func (p *Page) Indexed() bool {
	return slices.ContainsFunc(p.Table.Indexes, func(i *Index) bool {
		pinned := 0
		for pinned < len(i.Columns) && slices.Contains(p.Pinned, i.Columns[pinned]) && !slices.Contains(p.Order, i.Columns[pinned]) {
			pinned++
		}

		return p.implies(i) && p.sorted(i.Columns[pinned:], i.Descending[pinned:])
	})
}

// sorted says whether the columns of an index begin with the order, all of it
// forwards or all of it backwards.
func (p *Page) sorted(columns []string, descending []bool) bool {
	if len(columns) < len(p.Order) || !slices.Equal(columns[:len(p.Order)], p.Order) {
		return false
	}
	for i := range p.Order {
		if (descending[i] == p.descending[i]) != (descending[0] == p.descending[0]) {
			return false
		}
	}

	return true
}

// implies says whether the index holds all rows that the query asks for.
func (p *Page) implies(i *Index) bool {
	return !slices.ContainsFunc(i.where, func(condition node) bool {
		return !slices.ContainsFunc(p.where, condition.same)
	})
}
