package contract

import (
	"fmt"
	"slices"
	"strings"
)

// discriminator says by the value of a member which schema an object is of (OpenAPI 3.1,
// section 4.8.25).
type discriminator struct {
	property string
	pointer  string
	names    []string          // those that are said, or else those of the schemas
	schemas  map[string]string // pointers by all names
}

// schemasAt is where a document has the schemas that are known by names.
const schemasAt = "/components/schemas/"

func (d *Document) discriminator(s shape) (by discriminator, ok bool) {
	r, said := s.rule("discriminator")
	object, _ := r.value.(map[string]any)
	by = discriminator{pointer: r.pointer, schemas: map[string]string{}}
	if by.property, ok = object["propertyName"].(string); !said || !ok {
		return by, false
	}
	mapping, _ := object["mapping"].(map[string]any)
	var mapped []string
	for _, name := range d.inOrder(r.pointer+"/mapping", mapping) {
		at, local := target(fmt.Sprint(mapping[name]))
		if !local {
			at = schemasAt + escape(at)
		}
		if d.at(at) != nil {
			by.names, by.schemas[name], mapped = append(by.names, name), at, append(mapped, at)
		}
	}
	for _, at := range d.alternativesTo(s, r) {
		name := unescape(strings.TrimPrefix(at, schemasAt))
		if !slices.Contains(mapped, at) {
			by.names = append(by.names, name)
		}
		if by.schemas[name] == "" {
			by.schemas[name] = at
		}
	}
	return by, len(by.names) > 0
}

// alternativesTo are the schemas with names among the alternatives of one with a
// discriminator, or those that are put together from it where it has none.
func (d *Document) alternativesTo(s shape, r rule) (pointers []string) {
	branches := slices.Concat(s.all("oneOf"), s.all("anyOf"))
	for _, b := range branches {
		for _, each := range list(b.value) {
			branch, _ := each.(map[string]any)
			if at, ok := strings.CutPrefix(fmt.Sprint(branch["$ref"]), "#"+schemasAt); ok {
				pointers = append(pointers, schemasAt+at)
			}
		}
	}
	if len(branches) > 0 {
		return pointers
	}
	known, _ := d.at(strings.TrimSuffix(schemasAt, "/")).(map[string]any)
	for _, name := range d.inOrder(strings.TrimSuffix(schemasAt, "/"), known) {
		schema, _ := known[name].(map[string]any)
		for _, each := range list(schema["allOf"]) {
			if parent, _ := each.(map[string]any); parent["$ref"] == "#"+strings.TrimSuffix(r.pointer, "/discriminator") {
				pointers = append(pointers, schemasAt+escape(name))
			}
		}
	}
	return pointers
}

// named gives the name of the schema at a pointer, "" where it is none of those that are
// told apart.
func (by discriminator) named(d *Document, pointer string) string {
	_, at := d.resolve(pointer)
	for _, name := range by.names {
		if _, target := d.resolve(by.schemas[name]); target == at {
			return name
		}
	}
	return ""
}

// called makes a valid object of a name.
func (m maker) called(by discriminator, name string, depth int) any {
	return withMember(m.base(by.schemas[name], true, depth+1), by.property, name)
}

// baseCalled is a valid object of a schema with a discriminator: of the first schema that
// it tells apart, or of this one where it is such a schema.
func (m maker) baseCalled(s shape, all bool, depth int) (any, bool) {
	by, ok := m.discriminator(s)
	if !ok {
		return nil, false
	}
	if name := by.named(m.Document, s.pointer); name != "" {
		return withMember(m.baseObject(s, all, depth), by.property, name), true
	}
	var schemas []string
	for _, name := range by.names {
		schemas = append(schemas, by.schemas[name])
	}
	ending := m.endingOf(by.pointer, schemas)
	return m.one(by.pointer).called(by, by.names[slices.Index(schemas, ending)], depth), true
}

// kinds tries an object of each name, one of no name, and one that has another's name.
func (w *walk) kinds(s shape, value any, at []string) {
	by, ok := w.discriminator(s)
	if !ok || by.named(w.Document, s.pointer) != "" || !w.concerns(by.pointer) || w.among(by.pointer) {
		return
	}
	outer := w.maker
	w.maker = w.one(by.pointer)
	defer func() { w.maker = outer }()
	alternatives := slices.Concat(s.all("oneOf"), s.all("anyOf")) // which are walked through anyhow
	for i, name := range by.names {
		made := w.called(by, name, 0)
		w.add(rule{pointer: by.pointer}, at, true, made, "a %s", name)
		other := by.names[(i+1)%len(by.names)]
		w.add(rule{pointer: by.pointer}, at, false, withMember(made, by.property, other), "a %s that is called %s", name, other)
		if len(alternatives) == 0 {
			w.within(by.schemas[name], value, made, at)
		}
	}
	w.add(rule{pointer: by.pointer}, at, false, withMember(w.called(by, by.names[0], 0), by.property, unknownText), "what is called by no name")
}

// misnamed lists where a value is not of the schema that its discriminators name.
func (d *Document) misnamed(held *schemas, pointer string, value any, depth int) (found []breach) {
	if depth > 20 || !d.discriminates {
		return nil
	}
	s := d.shape(pointer)
	switch value := value.(type) {
	case map[string]any:
		by, ok := d.discriminator(s)
		if !ok || by.named(d, pointer) != "" {
			found = d.misnamedBelow(held, s, value, depth)
			break
		}
		name, _ := value[by.property].(string)
		at := by.schemas[name]
		if at == "" && schemasAt+escape(name) == strings.TrimSuffix(by.pointer, "/discriminator") {
			return nil // the schema itself, which others are put together from
		}
		if at == "" {
			return []breach{{pointer: by.pointer, text: fmt.Sprintf("%s is %q, which names no schema", by.property, name)}}
		}
		for _, b := range held.broken(at, value) {
			found = append(found, breach{pointer: b.pointer, at: b.at, text: fmt.Sprintf("it is called %s, and is none: %s", name, b.text)})
		}
		return append(found, d.misnamed(held, at, value, depth+1)...)
	case []any:
		if items, ok := s.rule("items"); ok {
			for _, item := range value {
				found = append(found, d.misnamed(held, items.pointer, item, depth+1)...)
			}
		}
	}
	return found
}

// misnamedBelow looks at the members of an object and the alternatives that it is one of.
func (d *Document) misnamedBelow(held *schemas, s shape, value map[string]any, depth int) (found []breach) {
	for _, m := range d.members(s) {
		if each, there := value[m.name]; there {
			found = append(found, d.misnamed(held, m.pointer, each, depth+1)...)
		}
	}
	for _, r := range slices.Concat(s.all("oneOf"), s.all("anyOf")) {
		for i := range list(r.value) {
			if branch := fmt.Sprintf("%s/%d", r.pointer, i); len(held.broken(branch, value)) == 0 {
				found = append(found, d.misnamed(held, branch, value, depth+1)...)
			}
		}
	}
	return found
}

// mentions finds out whether a key is anywhere in a part of a document.
func mentions(node any, key string) bool {
	switch node := node.(type) {
	case []any:
		return slices.ContainsFunc(node, func(item any) bool { return mentions(item, key) })
	case map[string]any:
		if _, ok := node[key]; ok {
			return true
		}
		for _, each := range node {
			if mentions(each, key) {
				return true
			}
		}
	}
	return false
}
