package catalog

import (
	"slices"
	"strconv"
	"strings"
)

// apply does to the catalog what a statement does to the database. What changes
// nothing that a contract knows of is passed over.
func (c *Catalog) apply(in text, s statement) {
	f := s.node.fields
	switch s.node.kind {
	case "CreateStmt":
		c.createTable(in, f)
	case "AlterTableStmt":
		if t := c.Tables[f.object("relation").text("relname")]; t != nil {
			for _, command := range f.nodes("cmds") {
				c.alter(in, t, command.fields)
			}
		}
	case "IndexStmt":
		c.createIndex(in, f)
	case "CreateEnumStmt":
		c.enums[f.last("typeName")] = &Enum{in.at(s.start + leading(in.source[s.start:s.end])), f.texts("vals")}
	case "AlterEnumStmt":
		c.alterEnum(f)
	case "RenameStmt":
		c.rename(f)
	case "DropStmt":
		for _, object := range f.nodes("objects") {
			c.drop(f.text("removeType"), lastOf(object))
		}
	}
}

// leading is how much of a statement's text stands before the statement itself:
// spaces and whole lines of comments.
func leading(source string) int {
	offset := 0
	for line := range strings.Lines(source) {
		trimmed := strings.TrimSpace(line)
		if trimmed != "" && !strings.HasPrefix(trimmed, "--") {
			return offset + strings.Index(line, trimmed)
		}
		offset += len(line)
	}

	return 0
}

func lastOf(object node) string {
	names := object.list()
	if len(names) == 0 {
		return ""
	}

	return names[len(names)-1].fields.text("sval")
}

func (c *Catalog) createTable(in text, f fields) {
	relation := f.object("relation")
	t := &Table{Place: in.at(relation.location()), Name: relation.text("relname")}
	c.Tables[t.Name] = t
	for _, element := range f.nodes("tableElts") {
		switch element.kind {
		case "ColumnDef":
			c.addColumn(in, t, element.fields)
		case "Constraint":
			c.addConstraint(in, t, element.fields, nil)
		}
	}
}

func (c *Catalog) addColumn(in text, t *Table, f fields) {
	column := &Column{Place: in.at(f.location()), Name: f.text("colname"), Nullable: true}
	column.setType(f.object("typeName"))
	t.Columns = append(t.Columns, column)
	for _, constraint := range f.nodes("constraints") {
		c.addConstraint(in, t, constraint.fields, column)
	}
}

func (c *Column) setType(f fields) {
	c.Type, c.Length, c.digits = f.last("names"), 0, ""
	if value, ok := first(f.nodes("typmods")).constant(); ok && (c.Type == "varchar" || c.Type == "bpchar") {
		c.Length, _ = strconv.Atoi(value)
	}
	if c.Type == "numeric" {
		var sizes []string
		for _, n := range f.nodes("typmods") {
			size, _ := n.constant()
			sizes = append(sizes, size)
		}
		c.digits = strings.Join(sizes, ",")
	}
	if len(f.nodes("arrayBounds")) > 0 {
		c.Type += "[]"
	}
}

func first(list []node) node {
	if len(list) == 0 {
		return node{}
	}

	return list[0]
}

// addConstraint takes a constraint of one column, which it then stands beside, or
// of the table.
func (c *Catalog) addConstraint(in text, t *Table, f fields, of *Column) {
	keys, at := f.texts("keys"), in.at(f.location())
	if of != nil {
		keys = []string{of.Name}
	}
	switch f.text("contype") {
	case "CONSTR_NOTNULL":
		t.setNullable(keys, false)
	case "CONSTR_PRIMARY":
		index := c.addKey(t, f, at, keys, "pkey")
		t.setNullable(index.Columns, false)
	case "CONSTR_UNIQUE":
		c.addKey(t, f, at, keys, strings.Join(keys, "_")+"_key")
	case "CONSTR_FOREIGN":
		if of == nil {
			keys = f.texts("fk_attrs")
		}
		name := named(f, t.Name+"_"+strings.Join(keys, "_")+"_fkey")
		t.ForeignKeys = append(t.ForeignKeys, &ForeignKey{at, name, keys, f.object("pktable").text("relname")})
	case "CONSTR_CHECK":
		t.addChecks(f, at)
	}
}

// addKey adds the index of a key, unless the key takes one that is there (USING
// INDEX), which then gets its name.
func (c *Catalog) addKey(t *Table, f fields, at Place, keys []string, suffix string) *Index {
	if there := f.text("indexname"); there != "" {
		name := named(f, there)
		c.renameConstraint(t, there, name)
		if i := slices.IndexFunc(t.Indexes, func(i *Index) bool { return i.Name == name }); i >= 0 {
			return t.Indexes[i]
		}
	}
	index := &Index{Place: at, Name: named(f, t.Name+"_"+suffix), Unique: true, Columns: keys, Descending: make([]bool, len(keys))}
	c.addIndex(t, index)

	return index
}

func named(f fields, otherwise string) string {
	if name := f.text("conname"); name != "" {
		return name
	}

	return otherwise
}

func (t *Table) setNullable(names []string, nullable bool) {
	for _, name := range names {
		if column := t.Column(name); column != nil {
			column.Nullable = nullable
		}
	}
}

func (c *Catalog) createIndex(in text, f fields) {
	relation := f.object("relation")
	t := c.Tables[relation.text("relname")]
	if t == nil || f.text("accessMethod") != "btree" {
		return // the others serve no order and no equality of a column
	}
	index := &Index{Place: in.at(relation.location()), Name: f.text("idxname"), Unique: f.isTrue("unique"), where: f.node("whereClause").conditions()}
	for _, element := range f.nodes("indexParams") {
		index.Columns = append(index.Columns, element.fields.text("name"))
		index.Descending = append(index.Descending, element.fields.text("ordering") == "SORTBY_DESC")
	}
	c.addIndex(t, index)
}

func (c *Catalog) addIndex(t *Table, index *Index) {
	t.Indexes = append(t.Indexes, index)
	c.indexTables[index.Name] = t.Name
}

func (c *Catalog) alter(in text, t *Table, f fields) {
	name, def := f.text("name"), f.node("def").fields
	switch f.text("subtype") {
	case "AT_AddColumn":
		c.addColumn(in, t, def)
	case "AT_DropColumn":
		t.dropColumn(name)
	case "AT_SetNotNull":
		t.setNullable([]string{name}, false)
	case "AT_DropNotNull":
		t.setNullable([]string{name}, true)
	case "AT_AlterColumnType":
		if column := t.Column(name); column != nil {
			column.setType(def.object("typeName"))
			column.Place = in.at(def.location())
		}
	case "AT_AddConstraint":
		c.addConstraint(in, t, def, nil)
	case "AT_DropConstraint":
		t.dropConstraint(name)
	}
}

func (t *Table) dropColumn(name string) {
	t.Columns = slices.DeleteFunc(t.Columns, func(c *Column) bool { return c.Name == name })
	t.Indexes = slices.DeleteFunc(t.Indexes, func(i *Index) bool { return slices.Contains(i.Columns, name) })
	t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(k *ForeignKey) bool { return slices.Contains(k.Columns, name) })
	t.checks = slices.DeleteFunc(t.checks, func(k *check) bool { return k.column == name })
}

func (t *Table) dropConstraint(name string) {
	t.Indexes = slices.DeleteFunc(t.Indexes, func(i *Index) bool { return i.Name == name })
	t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(k *ForeignKey) bool { return k.Name == name })
	t.checks = slices.DeleteFunc(t.checks, func(k *check) bool { return k.name == name })
}

func (c *Catalog) drop(kind, name string) {
	switch kind {
	case "OBJECT_TABLE":
		delete(c.Tables, name)
	case "OBJECT_TYPE":
		delete(c.enums, name)
	case "OBJECT_INDEX":
		if t := c.Tables[c.indexTables[name]]; t != nil {
			t.dropConstraint(name)
		}
	}
}

func (c *Catalog) alterEnum(f fields) {
	e := c.enums[f.last("typeName")]
	if e == nil {
		return
	}
	if i := slices.Index(e.Values, f.text("oldVal")); i >= 0 {
		e.Values[i] = f.text("newVal")
	} else {
		e.Values = append(e.Values, f.text("newVal"))
	}
}

func (c *Catalog) rename(f fields) {
	name := f.object("relation").text("relname")
	t := c.Tables[name]
	if f.text("renameType") == "OBJECT_INDEX" {
		c.renameConstraint(c.Tables[c.indexTables[name]], name, f.text("newname"))
	}
	if t == nil {
		return
	}
	switch f.text("renameType") {
	case "OBJECT_TABCONSTRAINT":
		c.renameConstraint(t, f.text("subname"), f.text("newname"))
	case "OBJECT_TABLE":
		delete(c.Tables, name)
		t.Name = f.text("newname")
		c.Tables[t.Name] = t
		for _, index := range t.Indexes {
			c.indexTables[index.Name] = t.Name
		}
	case "OBJECT_COLUMN":
		t.renameColumn(f.text("subname"), f.text("newname"))
	}
}

// renameConstraint renames an index as well, which a key and its index always are
// together.
func (c *Catalog) renameConstraint(t *Table, from, to string) {
	if t == nil {
		return
	}
	for _, index := range t.Indexes {
		if index.Name == from {
			index.Name = to
			c.indexTables[to] = t.Name
		}
	}
	for _, key := range t.ForeignKeys {
		if key.Name == from {
			key.Name = to
		}
	}
	for _, check := range t.checks {
		if check.name == from {
			check.name = to
		}
	}
}

func (t *Table) renameColumn(from, to string) {
	lists := [][]string{}
	for _, index := range t.Indexes {
		lists = append(lists, index.Columns)
	}
	for _, key := range t.ForeignKeys {
		lists = append(lists, key.Columns)
	}
	for _, list := range lists {
		if i := slices.Index(list, from); i >= 0 {
			list[i] = to
		}
	}
	if column := t.Column(from); column != nil {
		column.Name = to
	}
	for _, check := range t.checks {
		if check.column == from {
			check.column = to
		}
	}
}
