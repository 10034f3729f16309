package main

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// codeDocument is a copy of a document in the form from which the type
// generator makes the right Go.
func (c *contract) codeDocument(document *yaml.Node) *yaml.Node {
	root := clone(document)
	patched := c.patchSchemas()
	for _, e := range entries(get(root, "components", "schemas")) {
		c.prepare(e.value, patched[e.name])
	}

	return root
}

// patchSchemas are the components that merge patches reach: in them null and
// absent differ.
func (c *contract) patchSchemas() map[string]bool {
	names := map[string]bool{}
	for _, op := range c.operations {
		for _, b := range op.bodies {
			if b.patch() {
				c.reach(b.schema, names)
			}
		}
	}

	return names
}

// reach adds the names of all object components that a schema leads to.
func (c *contract) reach(n *yaml.Node, names map[string]bool) {
	s := c.schemaOf(n)
	if s.kind == "object" {
		if s.name == "" || names[s.name] { // one without a name is refused elsewhere
			return
		}
		names[s.name] = true
	}
	for _, m := range s.members {
		c.reach(m.node, names)
	}
	if s.items != nil {
		c.reach(s.items, names)
	}
}

// prepare changes one schema of the copy.
func (c *contract) prepare(n *yaml.Node, patched bool) {
	if constraintsOnly(get(n, "allOf")) {
		remove(n, "allOf") // it cannot be merged into a type; validators have it
	}
	if isTrue(get(n, "additionalProperties")) {
		remove(n, "additionalProperties") // what is not known is let in, and dropped
	}
	for i, e := range entries(get(n, "properties")) {
		c.prepare(e.value, false)
		if patched {
			c.makeNullable(e.value)
		}
		order := number(i + 1)
		order.Tag, order.Value = "!!float", order.Value+".0"
		set(e.value, "x-order", order)
	}
	if list := get(n, "items"); list != nil {
		c.prepare(list, false)
	}
}

// constraintsOnly says that an allOf adds rules to a value but no members and no type.
func constraintsOnly(allOf *yaml.Node) bool {
	list := items(allOf)
	for _, part := range list {
		for _, e := range entries(part) {
			if slices.Contains([]string{"$ref", "type", "properties", "items", "allOf", "anyOf", "oneOf", "additionalProperties"}, e.name) {
				return false
			}
		}
	}

	return len(list) > 0
}

// makeNullable gives a member that may be null a Go type that tells null from absent.
func (c *contract) makeNullable(n *yaml.Node) {
	s := c.schemaOf(n)
	if !s.nullable {
		return
	}
	goType := goTypes[s.kind+"/"+s.format]
	if s.name != "" {
		goType = typeName(s.name)
	}
	if goType == "" {
		c.faults.add(n, "a member of a merge patch that may be null has to be a string, number, boolean or a named schema")
	}
	set(n, "x-go-type", scalar("nullable.Nullable["+goType+"]"))
	set(n, "x-go-type-import", mapping("path", scalar("github.com/oapi-codegen/nullable")))
	set(n, "x-go-type-skip-optional-pointer", boolean(true))
}

var goTypes = map[string]string{
	"string/": "string", "string/password": "string", "string/email": "string", "string/uri": "string",
	"string/uri-reference": "string", "string/hostname": "string", "string/ipv4": "string", "string/ipv6": "string",
	"string/uuid": "openapi_types.UUID", "string/date": "openapi_types.Date", "string/date-time": "time.Time",
	"integer/": "int", "integer/int32": "int32", "integer/int64": "int64",
	"number/": "float64", "number/double": "float64", "boolean/": "bool",
}

// serverDocument is the document without error answers and derived headers:
// errors travel as Go errors, and the chain alone sends what is derived.
func (c *contract) serverDocument() *yaml.Node {
	root := c.codeDocument(c.served)
	for _, path := range entries(get(root, "paths")) {
		for _, method := range entries(path.value) {
			removeRefusals(get(method.value, "responses"))
		}
	}
	prune(root, "parameters")
	prune(root, "responses")
	prune(root, "headers")

	return root
}

// prune removes the components of one section that nothing refers to any more.
func prune(root *yaml.Node, section string) {
	pruneOf(root, section, func(string) bool { return true })
}

// pruneOf leaves the others of the section as they are.
func pruneOf(root *yaml.Node, section string, of func(name string) bool) {
	used := map[string]bool{}
	references(root, used)
	list := get(root, "components", section)
	for _, e := range entries(list) {
		if !used["#/components/"+section+"/"+e.name] && of(e.name) {
			remove(list, e.name)
		}
	}
}

func references(n *yaml.Node, used map[string]bool) {
	if ref := text(get(n, "$ref")); ref != "" {
		used[ref] = true
	}
	for _, child := range n.Content {
		references(child, used)
	}
}

// sortedKeys lists a map's keys in order, so that output does not depend on the map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// quoteList writes values as prose: `a, b or c`.
func quoteList(values []string) string {
	if len(values) == 1 {
		return values[0]
	}

	return "one of " + strings.Join(values, ", ")
}
