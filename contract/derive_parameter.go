package contract

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// parameter tries both sides of what is said about a parameter.
func (c *casing) parameter(p parameter) {
	if p.required && p.in != "path" {
		c.add(p.name+" is missing", p.pointer+"/required", c.valid.with(p.key(), absent{}), want{statuses: c.refused(), field: p.name})
	}
	c.examplesOf(p)
	whole := c.base(p.schema, true, 0)
	if !p.required {
		control := c.valid.with(p.key(), c.inner(variant{schema: p.schema, value: whole}, whole))
		c.add("with "+p.name, p.pointer, c.valid.with(p.key(), c.argument(c.operation, p)), want{accepted: true}).control = &control
	}
	for _, v := range c.around(p.schema, whole) {
		value := v.put(whole, v.value)
		if v.value == nil || (strings.HasSuffix(v.pointer, "/type") && !v.valid) || !p.sendable(value) {
			continue
		}
		w := want{accepted: true}
		if !v.valid {
			w = want{statuses: c.refused(), field: p.name}
			if p.in == "path" && len(c.operation.declares(c.refused()...)) == 0 {
				w.statuses = c.refused(http.StatusNotFound)
			}
		}
		what := p.name + ": " + v.what
		if place := v.place(); place != "" && p.style == deepObject {
			what = p.name + " " + place + ": " + v.what
		}
		made := c.add(what, v.pointer, c.valid.with(p.key(), value), w)
		if !v.valid && len(v.at) == 0 {
			made.field = p.name
		}
		if v.valid {
			control := c.valid.with(p.key(), v.put(whole, c.inner(v, valueAt(v.hosted(whole), v.place()))))
			made.control, made.place = &control, "/"+escape(p.name)
		}
	}
	c.misread(p, whole)
}

// examplesOf holds the examples of a parameter against its schema.
func (c *casing) examplesOf(p parameter) {
	shown := slices.Clone(p.examples)
	for _, r := range c.shape(p.schema).all("examples") {
		shown = append(shown, list(r.value)...)
	}
	for i, value := range shown {
		if found, err := c.schemas.breaches(p.schema, value); err == nil && len(found) > 0 {
			c.add(fmt.Sprintf("%s: example %d", p.name, i+1), p.pointer, c.valid, want{}).fault = "the example is not valid: " + found[0].at + ": " + found[0].text
		}
	}
}

// misread sends texts that cannot be read as the type of a parameter, of an item of its
// list or of a member of its object.
func (c *casing) misread(p parameter, whole any) {
	try := func(pointer, name string, value func(text string) any) {
		for _, text := range c.untyped(pointer) {
			if sent := value(text); p.sendable(sent) {
				c.add(name+": "+text, c.typeOf(pointer), c.valid.with(p.key(), sent), want{statuses: c.refused(), field: p.name})
			}
		}
	}
	s := c.shape(p.schema)
	switch items, ok := s.rule("items"); s.kind() {
	case "array":
		if ok {
			try(items.pointer, p.name, func(text string) any { return []any{text} })
		}
	case "object":
		for _, m := range c.members(s) {
			try(m.pointer, p.name+" /"+escape(m.name), func(text string) any { return withMember(whole, m.name, text) })
		}
	default:
		try(p.schema, p.name, func(text string) any { return text })
	}
}

// typeOf is where the type of a schema is said.
func (d *Document) typeOf(pointer string) string {
	if r, ok := d.shape(pointer).rule("type"); ok {
		return r.pointer
	}
	return pointer + "/type"
}

// fitsIn says whether a text can be told apart in a place of a request.
func fitsIn(in, text string) bool {
	switch in {
	case "path":
		return text != "" && text != "." && text != ".." && !strings.ContainsAny(text, "/\x00")
	case "header", "cookie":
		return text != "" && text == strings.TrimSpace(text) && !strings.ContainsFunc(text, controls)
	}
	return !strings.ContainsRune(text, 0)
}

// controls says that no header has a character (RFC 9110, section 5.5).
func controls(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }
