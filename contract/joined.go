package contract

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// and joins the pointers of schemas that describe the same value, such as those of a
// member that both `properties` and a `then` speak of. No pointer has it in it.
const and = "\x00"

// joined names all of several schemas as one, each once; "" is none.
func joined(pointers ...string) string {
	var parts []string
	for _, pointer := range pointers {
		for _, part := range parted(pointer) {
			if part != "" && !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
	}
	return strings.Join(parts, and)
}

// parted are the pointers of which one is joined.
func parted(pointer string) []string { return strings.Split(pointer, and) }

// isJoined says that a pointer is one of several schemas.
func isJoined(pointer string) bool { return strings.Contains(pointer, and) }

// joinedURL is what the joined schemas are called among schemas.
const joinedURL = "mem:///joined/"

// address is the URL that a schema is compiled by; several are put together by allOf.
func (s *schemas) address(pointer string) (string, error) {
	if !isJoined(pointer) {
		return documentURL + "#" + fragment(pointer), nil
	}
	var all []any
	for _, part := range parted(pointer) {
		all = append(all, map[string]any{"$ref": documentURL + "#" + fragment(part)})
	}
	at := joinedURL + url.PathEscape(pointer)
	return at, s.compiler.AddResource(at, map[string]any{"allOf": all})
}

// itemsOf is the schema of a list's items, joined where the list's is; "" for none.
func (s shape) itemsOf() string {
	all := slices.DeleteFunc(s.all("items"), func(r rule) bool { return r.value == false })
	if len(all) == 0 {
		return ""
	}
	at := all[0].pointer
	if isJoined(s.pointer) {
		for _, r := range all {
			at = joined(at, r.pointer)
		}
	}
	return at
}

// never says that a schema takes no value.
func (d *Document) never(pointer string) bool {
	return slices.ContainsFunc(parted(pointer), func(part string) bool { return d.at(part) == false })
}

// possible is a joined schema without those that take no value; "" for none.
func (d *Document) possible(pointer string) string {
	return joined(slices.DeleteFunc(parted(pointer), func(part string) bool { return d.at(part) == false })...)
}

// listed is the first value that a joined schema names and takes.
func (m maker) listed(s shape) (any, bool) {
	for _, r := range s.rules {
		var values []any
		switch r.keyword {
		case "const", "example", "default":
			values = []any{r.value}
		case "enum", "examples":
			values = list(r.value)
		}
		for _, value := range values {
			if value = m.asked(s.pointer, value); len(m.schemas.broken(s.pointer, value)) == 0 {
				return value, true
			}
		}
	}
	return nil, false
}

// mended is a value in which what a schema refuses is made anew. What nothing can be made
// for stays wrong.
func (m maker) mended(pointer string, value any, depth int) any {
	if depth > 20 || len(m.schemas.broken(pointer, value)) == 0 {
		return value
	}
	s := m.shape(pointer)
	object, ok := value.(map[string]any)
	if !ok || s.kind() != "object" {
		return m.base(pointer, true, depth+1)
	}
	object = maps.Clone(object)
	for _, member := range m.members(s) {
		each, there := object[member.name]
		switch {
		case m.readOnly(member.pointer):
		case m.never(member.pointer):
			delete(object, member.name)
		case there:
			object[member.name] = m.mended(member.pointer, each, depth+1)
		case member.required != nil:
			object[member.name] = m.base(member.pointer, true, depth+1)
		}
	}
	for _, r := range s.all("not") {
		of, _ := r.value.(map[string]any)
		if slices.Contains(parted(pointer), r.pointer) {
			continue // it is what is wanted
		}
		for _, name := range list(of["required"]) {
			if text, ok := name.(string); ok && len(m.schemas.broken(r.pointer, object)) == 0 {
				delete(object, text)
			}
		}
	}
	return object
}

// condition is a schema that holds for some of the values of a place.
type condition struct {
	// pointer is what holds for them, "" where nothing does.
	pointer string
	// when is the schema that they keep, or where otherwise is set do not keep; "" where
	// they are the objects with a member.
	when      string
	otherwise bool
	member    string
}

// holding is the schema that the values of a condition keep; "" for none.
func (c condition) holding() string {
	if c.otherwise {
		return ""
	}
	return c.when
}

// conditions lists those of a schema.
func (d *Document) conditions(s shape) (found []condition) {
	for _, r := range s.rules {
		switch r.keyword {
		case "if":
			beside := strings.TrimSuffix(r.pointer, "if")
			for _, branch := range []string{"then", "else"} {
				c := condition{when: r.pointer, otherwise: branch == "else"}
				if d.at(beside+branch) != nil {
					c.pointer = beside + branch
				}
				found = append(found, c)
			}
		case "dependentSchemas":
			of, _ := r.value.(map[string]any)
			for _, name := range d.inOrder(r.pointer, of) {
				found = append(found, condition{pointer: r.pointer + "/" + escape(name), member: name})
			}
		}
	}
	return found
}

// applies says that a value is one of those that a condition is about.
func (m maker) applies(c condition, value any) bool {
	if c.when == "" {
		object, _ := value.(map[string]any)
		_, there := object[c.member]
		return there
	}
	return len(m.schemas.broken(c.when, value)) == 0 != c.otherwise
}

// settled is a value that keeps the conditions of its schema too, as far as one is found.
func (m maker) settled(s shape, value any, depth int) any {
	if len(m.conditions(s)) == 0 {
		return value
	}
	at := s.pointer
	for depth < 20 {
		i := slices.IndexFunc(m.conditions(m.shape(at)), func(c condition) bool {
			return c.pointer != "" && !slices.Contains(parted(at), c.pointer) && m.applies(c, value) && len(m.schemas.broken(c.pointer, value)) > 0
		})
		if i < 0 {
			break
		}
		c := m.conditions(m.shape(at))[i]
		if object, ok := value.(map[string]any); ok && c.when == "" && m.never(c.pointer) {
			value = replaced(object, []string{c.member}, absent{})
			continue
		}
		at = joined(c.pointer, at)
		value = m.mended(at, value, depth+1)
	}
	return value
}

// bound says that what a member may be depends on more than its own schema.
func (m maker) bound(s shape, name string) bool {
	return m.named(s, name) != "" || slices.ContainsFunc(m.conditions(s), func(c condition) bool {
		at := joined(c.pointer, c.when)
		return c.member == name || slices.ContainsFunc(m.members(m.shape(at)), func(of member) bool { return of.name == name })
	})
}
