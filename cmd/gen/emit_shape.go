package main

import (
	"fmt"
	"strings"
)

func (c *contract) shapeOf(s *schema) string {
	if s.kind == "object" && s.name != "" && !s.nullable {
		return "&" + shapeName(s.name)
	}

	return "&" + c.shapeLiteral(s)
}

func shapeName(schema string) string { return "shape" + typeName(schema) }

// emitShapes fills the tables in init, so that schemas may refer to themselves.
func (m *model) emitShapes(e *emitter) {
	names := m.requestSchemas()
	if len(names) == 0 {
		return
	}
	e.line("var (")
	for _, name := range names {
		e.line("%s validate.Shape", shapeName(name))
	}
	e.line(")\n\nfunc init() {")
	for _, name := range names {
		e.line("%s = %s", shapeName(name), m.shapeLiteral(m.schemaOf(m.component(name))))
	}
	e.line("}")
}

// shapeLiteral writes the composite literal of a shape, without the address.
func (c *contract) shapeLiteral(s *schema) string {
	kind := map[string]string{
		"object": "Object", "array": "Array", "string": "String", "integer": "Integer", "number": "Number", "boolean": "Boolean",
	}[s.kind]
	fields := []string{"Kind: validate." + kind}
	add := func(format string, args ...any) { fields = append(fields, fmt.Sprintf(format, args...)) }
	if s.nullable {
		add("Nullable: true")
	}
	switch {
	case s.kind == "integer":
		add("Bits: %d", s.bits())
	case s.kind == "array":
		add("Items: %s", c.shapeOf(c.schemaOf(s.items)))
	case formats[s.kind][s.format] == "decoded":
		add("Format: validate.%s", map[string]string{"uuid": "UUID", "date": "Date", "date-time": "DateTime"}[s.format])
	case s.kind == "object":
		fields = append(fields, c.objectFields(s)...)
	}

	return "validate.Shape{" + strings.Join(fields, ", ") + "}"
}

func (c *contract) objectFields(s *schema) []string {
	var fields, members []string
	if s.closed {
		fields = append(fields, "Closed: true")
	}
	if n := s.count("minProperties", 0); n > 0 {
		fields = append(fields, fmt.Sprintf("MinMembers: %d", n))
	}
	if n := s.count("maxProperties", 0); n > 0 {
		fields = append(fields, fmt.Sprintf("MaxMembers: %d", n))
	}
	for _, m := range s.members {
		required := ""
		if m.required {
			required = "Required: true, "
		}
		members = append(members, fmt.Sprintf("{Name: %q, %sShape: %s},\n", m.name, required, c.shapeOf(c.schemaOf(m.node))))
	}

	return append(fields, "Members: []validate.Member{\n"+strings.Join(members, "")+"}")
}
