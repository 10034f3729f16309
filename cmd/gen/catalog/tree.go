package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wasilibs/go-pgquery/parser"
)

// statement is one statement of a file, with where it begins and ends.
type statement struct {
	node       node
	start, end int
}

// node is a node of PostgreSQL's parse tree: its kind and its fields. Only what
// the catalog asks for is ever looked at.
type node struct {
	kind   string
	fields fields
}

type fields map[string]any

// parse reads SQL as PostgreSQL does. What sqlc adds is an operator (@name) or a
// function (sqlc.arg) to it.
func parse(in text) ([]statement, error) {
	parsed, err := treeOf(in.source)
	if wrong, ok := errors.AsType[*parser.Error](err); ok {
		return nil, fmt.Errorf("%s: %w", in.at(wrong.Cursorpos-1), err)
	}
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", in.file, err)
	}
	var tree struct {
		Stmts []struct {
			Stmt     any `json:"stmt"`
			Location int `json:"stmt_location"`
			Length   int `json:"stmt_len"`
		} `json:"stmts"`
	}
	decoder := json.NewDecoder(bytes.NewReader(parsed))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("reading the parse tree of %s: %w", in.file, err)
	}
	list := make([]statement, len(tree.Stmts))
	for i, s := range tree.Stmts {
		end := s.Location + s.Length
		if s.Length == 0 {
			end = len(in.source)
		}
		list[i] = statement{asNode(s.Stmt), s.Location, end}
	}

	return list, nil
}

// asNode reads {"Kind": {fields}}.
func asNode(value any) node {
	object, _ := value.(map[string]any)
	for kind, inner := range object {
		content, _ := inner.(map[string]any)

		return node{kind, content}
	}

	return node{}
}

func (f fields) node(key string) node { return asNode(f[key]) }

func (f fields) nodes(key string) []node {
	values, _ := f[key].([]any)
	list := make([]node, len(values))
	for i, value := range values {
		list[i] = asNode(value)
	}

	return list
}

func (f fields) object(key string) fields {
	object, _ := f[key].(map[string]any)

	return object
}

func (f fields) text(key string) string {
	text, _ := f[key].(string)

	return text
}

func (f fields) isTrue(key string) bool { return f[key] == true }

// location is a byte offset; the tree leaves 0 out.
func (f fields) location() int {
	number, _ := f["location"].(json.Number)
	offset, err := number.Int64()
	if err != nil {
		return 0
	}

	return int(offset)
}

// texts are the strings of a list, such as the parts of a name.
func (f fields) texts(key string) []string {
	var list []string
	for _, n := range f.nodes(key) {
		list = append(list, n.fields.text("sval"))
	}

	return list
}

// last is a name without its schema.
func (f fields) last(key string) string {
	names := f.texts(key)
	if len(names) == 0 {
		return ""
	}

	return names[len(names)-1]
}

// column is the name of the column that the node is, and of its table where it
// says so; "" for any other node.
func (n node) column() (table, column string) {
	if n.kind != "ColumnRef" {
		return "", ""
	}
	names := n.fields.texts("fields")
	if len(names) > 1 {
		table = names[len(names)-2]
	}

	return table, names[len(names)-1]
}

// columns are the names of all columns below the node, each once.
func (n node) columns() []string {
	found := map[string]bool{}
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			if _, name := asNode(value).column(); name != "" {
				found[name] = true
			}
			for _, inner := range value {
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	walk(map[string]any{n.kind: map[string]any(n.fields)})

	return slices.Sorted(maps.Keys(found))
}

// bare is the node without casts, which say nothing about what a value may be.
func (n node) bare() node {
	for n.kind == "TypeCast" {
		n = n.fields.node("arg")
	}

	return n
}

// constant is the text of a string or a number; ok is false for any other node.
func (n node) constant() (value string, ok bool) {
	n = n.bare()
	if n.kind != "A_Const" {
		return "", false
	}
	for key, inner := range n.fields {
		object, isObject := inner.(map[string]any)
		if !isObject || key == "boolval" {
			continue
		}
		switch value := object[key].(type) {
		case nil:
			return map[string]string{"ival": "0"}[key], true
		case string:
			return value, true
		case json.Number:
			return value.String(), true
		}
	}

	return "", false
}

// list are the elements of a list or an array.
func (n node) list() []node {
	n = n.bare()
	if n.kind == "A_ArrayExpr" {
		return n.fields.nodes("elements")
	}

	return n.fields.nodes("items")
}

// conditions are the parts of a condition that all have to be true.
func (n node) conditions() []node {
	if n.kind == "" {
		return nil
	}
	if n.kind != "BoolExpr" || n.fields.text("boolop") != "AND_EXPR" {
		return []node{n}
	}
	var list []node
	for _, part := range n.fields.nodes("args") {
		list = append(list, part.conditions()...)
	}

	return list
}

// same says whether two nodes are the same SQL, wherever they stand.
func (n node) same(other node) bool { return n.canonical() == other.canonical() }

// canonical is the node without places, and without the table that a column's
// name may have before it.
func (n node) canonical() string {
	text, err := json.Marshal(placeless(map[string]any{n.kind: map[string]any(n.fields)}))
	if err != nil { // it comes from JSON
		return fmt.Sprint(n)
	}

	return string(text)
}

func placeless(value any) any {
	switch value := value.(type) {
	case map[string]any:
		object := map[string]any{}
		for key, inner := range value {
			if list, ok := inner.([]any); ok && key == "fields" && len(list) > 1 {
				inner = list[len(list)-1:]
			}
			if key != "location" {
				object[key] = placeless(inner)
			}
		}

		return object
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			list[i] = placeless(inner)
		}

		return list
	}

	return value
}
