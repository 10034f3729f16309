package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/accord-api/accord/cmd/gen/catalog"
)

// Marks say which table and which columns a part of the contract comes from. They
// are for the lock alone and not published.
const (
	tableMark     = "x-table"     // on an object schema: a table, or none
	columnMark    = "x-column"    // on a member or a parameter: a column, several, table.column, or none
	unindexedMark = "x-unindexed" // on a parameter: what bounds the walk of a list without an index for it
)

const nothing = "none"

// checkLock holds the contract and the SQL against each other. A contract that
// cannot be read has been told of elsewhere.
func checkLock(source []byte, root fs.FS) error {
	read, ok := readable(source)
	if !ok {
		return nil
	}
	tables, err := catalog.Read(root)
	if err != nil {
		return err
	}
	l := &lock{contract: read, catalog: tables, objects: map[string]*object{}}
	l.checkObjects()
	l.checkFilters()
	wrong := []error{l.faults.err()}
	wrong = append(wrong, checkForeignKeys(tables)...)

	return errors.Join(append(wrong, checkPages(tables, root)...)...)
}

func readable(source []byte) (c *contract, ok bool) {
	doc, err := parse(source)
	if err != nil {
		return nil, false
	}
	c = readContract(doc)

	return c, doc.faults.err() == nil
}

type lock struct {
	*contract
	catalog *catalog.Catalog
	objects map[string]*object
}

// object is an object schema that operations take or give.
type object struct {
	where string
	name  string // of the component, "" for one that stands in place
	*schema
	requested, answered bool
}

// checkObjects looks at each schema that a body of a request or an answer reaches,
// by its table.
func (l *lock) checkObjects() {
	for _, op := range l.operations {
		where := "operation " + op.id
		for _, b := range op.bodies {
			l.find(where+": "+b.mediaType, b.schema, func(o *object) *bool { return &o.requested })
		}
		for _, answer := range entries(get(op.node, "responses")) {
			response, _ := l.resolve(answer.value)
			for _, e := range entries(get(response, "content")) {
				l.find(where+": "+answer.name, get(e.value, "schema"), func(o *object) *bool { return &o.answered })
			}
		}
	}
	for _, where := range sortedKeys(l.objects) {
		o := l.objects[where]
		if table := l.tableOf(o); table != nil {
			for _, m := range o.members {
				l.checkMember(o, table, m)
			}
		} else if l.mark(o) == nil {
			l.checkUnsaid(o)
		}
	}
}

// find adds the object schemas below a node, and notes in each whether it is for
// requests or for answers.
func (l *lock) find(where string, n *yaml.Node, use func(*object) *bool) {
	if n == nil || len(where) > maxWhere {
		return
	}
	s := l.schemaOf(n)
	if s.name != "" {
		where = "schema " + s.name
	}
	if s.kind == "object" {
		o := l.objects[where]
		if o == nil {
			o = &object{where: where, name: s.name, schema: s}
			l.objects[where] = o
		}
		if *use(o) {
			return
		}
		*use(o) = true
	}
	for _, m := range s.members {
		l.find(where+"."+m.name, m.node, use)
	}
	l.find(where+"[]", s.items, use)
}

func (l *lock) mark(o *object) *yaml.Node { return o.keyword(tableMark) }

// tableOf is the table that a schema names, or that is named as it is; nil for none.
func (l *lock) tableOf(o *object) *catalog.Table {
	if mark := l.mark(o); mark != nil {
		table := l.catalog.Tables[text(mark)]
		if table == nil && text(mark) != nothing {
			l.faults.add(mark, "%s: %s: no migration in schema/ makes a table %q", o.where, tableMark, text(mark))
		}

		return table
	}
	for _, suffix := range []string{"", "Create", "Update"} {
		if noun, ok := strings.CutSuffix(o.name, suffix); ok && noun != "" {
			if table := l.catalog.Tables[tableName(noun)]; table != nil {
				return table
			}
		}
	}

	return nil
}

// tableName is the plural of a schema's name as SQL has it: OrderLine, order_lines.
func tableName(noun string) string {
	var b strings.Builder
	for i, r := range noun {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	name := strings.ToLower(b.String())
	switch last := name[len(name)-1]; {
	case last == 'y' && !strings.HasSuffix(name, "ay") && !strings.HasSuffix(name, "ey") && !strings.HasSuffix(name, "oy"):
		return name[:len(name)-1] + "ies"
	case last == 's', last == 'x', strings.HasSuffix(name, "ch"), strings.HasSuffix(name, "sh"):
		return name + "es"
	}

	return name + "s"
}

// checkUnsaid refuses a schema without a table whose members look like columns: it
// has to say that it is none.
func (l *lock) checkUnsaid(o *object) {
	if o.isPage() {
		return
	}
	var best *catalog.Table
	most := 0
	for _, name := range sortedKeys(l.catalog.Tables) {
		count := 0
		for _, m := range o.members {
			if get(m.node, columnMark) == nil && l.catalog.Tables[name].Column(m.name) != nil {
				count++
			}
		}
		if count > most {
			best, most = l.catalog.Tables[name], count
		}
	}
	if best == nil {
		return
	}
	i := slices.IndexFunc(o.members, func(m member) bool { return best.Column(m.name) != nil })
	column := best.Column(o.members[i].name)
	l.faults.add(o.rules[0], "%s: its member %s is called as a column of %s (%s): say `%s: %s`, or `%s: %s` where it comes from no table",
		o.where, column.Name, best.Name, column.Place, tableMark, best.Name, tableMark, nothing)
}

// isPage says that a schema is a page of a list.
func (s *schema) isPage() bool { return s.has("items") && s.has("next_cursor") }

// columns are those that a member or a parameter stands for; ok is false where
// there is none to hold it against. Without a mark it is the one of its name.
func (l *lock) columns(where string, table *catalog.Table, name string, n *yaml.Node) (list []located, ok bool) {
	mark := get(n, columnMark)
	if text(mark) == nothing {
		return nil, false
	}
	names := append(texts(mark), text(mark))
	if mark == nil {
		names = []string{name}
	}
	for _, name := range slices.DeleteFunc(names, func(name string) bool { return name == "" }) {
		if one := l.locate(table, name); one.column != nil {
			list = append(list, one)
		} else if mark != nil {
			l.faults.add(mark, "%s: %s: there is no column %s%s", where, columnMark, name, placed(table))
		}
	}

	return list, len(list) > 0
}

// located is a column and its table.
type located struct {
	table  *catalog.Table
	column *catalog.Column
}

func (c located) String() string { return c.table.Name + "." + c.column.Name }

func (l *lock) locate(table *catalog.Table, name string) located {
	if other, column, ok := strings.Cut(name, "."); ok {
		table, name = l.catalog.Tables[other], column
	}
	if table == nil {
		return located{}
	}

	return located{table, table.Column(name)}
}

func placed(table *catalog.Table) string {
	if table == nil {
		return ""
	}

	return fmt.Sprintf(" in %s (%s)", table.Name, table.Place)
}

func (l *lock) checkMember(o *object, table *catalog.Table, m member) {
	where := o.where + "." + m.name
	inner := l.schemaOf(m.node)
	columns, ok := l.columns(where, table, m.name, m.node)
	if !ok {
		if get(m.node, columnMark) == nil && !l.nested(inner) {
			l.faults.add(m.node, "%s: %s (%s) has no column of this name: say `%s: name`, or `%s: %s` where it is worked out",
				where, table.Name, table.Place, columnMark, columnMark, nothing)
		}

		return
	}
	for _, column := range columns {
		h := &held{lock: l, located: column, where: where, node: m.node, schema: inner, requested: o.requested, answered: o.answered}
		if h.checkType() {
			h.checkNull(m.required)
			h.checkValues()
		}
	}
}

// nested says that a member has objects in it, which have tables of their own.
func (l *lock) nested(s *schema) bool {
	return s.kind == "object" || s.items != nil && l.schemaOf(s.items).kind == "object"
}
