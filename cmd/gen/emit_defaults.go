package main

import (
	"slices"
	"strings"

	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"gopkg.in/yaml.v3"
)

// hasDefaults says whether something of a request may be absent and then has a
// value all the same.
func (c *contract) hasDefaults(o *operation) bool {
	return slices.ContainsFunc(o.params, func(p param) bool { return c.defaultOf(p) != nil }) ||
		slices.ContainsFunc(o.bodies, func(b body) bool {
			return b.structured() && c.leadsToDefaults(c.schemaOf(b.schema), map[string]bool{})
		})
}

// defaultOf is nil for a required parameter: its default never holds.
func (c *contract) defaultOf(p param) *yaml.Node {
	if p.required {
		return nil
	}

	return c.schemaOf(p.schema).keyword("default")
}

// leadsToDefaults says whether an object or a list has them, in whatever depth.
func (c *contract) leadsToDefaults(s *schema, seen map[string]bool) bool {
	if seen[s.name] {
		return false
	}
	if s.name != "" {
		seen[s.name] = true
	}
	if s.items != nil && c.leadsToDefaults(c.schemaOf(s.items), seen) {
		return true
	}

	return slices.ContainsFunc(s.members, func(m member) bool {
		inner := c.schemaOf(m.node)

		return !m.required && inner.keyword("default") != nil || c.leadsToDefaults(inner, seen)
	})
}

// checkDefault refuses a default that could not be filled in.
func (c *contract) checkDefault(where string, s *schema, required bool) {
	n := s.keyword("default")
	switch {
	case n == nil:
	case required:
		c.faults.add(n, "%s: it is required, so that its default never holds", where)
	case s.nullable || s.kind == "array" || s.kind == "object" || formats[s.kind][s.format] == "decoded":
		c.faults.add(n, "%s: a default of this type is not supported", where)
	}
}

// checkPatchDefaults refuses them in merge patches, where absent means unchanged.
func (c *contract) checkPatchDefaults() {
	for _, name := range sortedKeys(c.patchSchemas()) {
		for _, m := range c.schemaOf(c.component(name)).members {
			if n := c.schemaOf(m.node).keyword("default"); n != nil {
				c.faults.add(n, "schema %s.%s: a merge patch leaves what is absent as it is, so that no default holds", name, m.name)
			}
		}
	}
}

func (m *model) emitDefaults(e *emitter, op *operation, goOp codegen.OperationDefinition, request string) {
	if !m.hasDefaults(op) {
		return
	}
	e.line("// WithDefaults fills in the defaults of what is absent.")
	e.line("func (r %s) WithDefaults() %s {", request, request)
	for _, p := range op.params {
		if value := m.defaultOf(p); value != nil {
			g, field := goParam(goOp, p)
			emitDefault(e, field, g.TypeDef(), m.schemaOf(p.schema), value)
		}
	}
	for _, field := range bodyFields(op, goOp) {
		if m.leadsToDefaults(m.schemaOf(field.schema), map[string]bool{}) {
			e.line("if r.%s != nil {\nr.%s.setDefaults()\n}", field.name, field.name)
		}
	}
	e.line("\nreturn r\n}\n")
}

func emitDefault(e *emitter, field, goType string, s *schema, value *yaml.Node) {
	literal := value.Value
	if s.kind == "string" {
		literal = goString(literal)
	}
	e.line("if %s == nil {\nvalue := %s(%s)\n%s = &value\n}", field, goType, literal, field)
}

// emitTypeDefaults writes how a body type fills its defaults in, where it has some.
func (m *model) emitTypeDefaults(e *emitter, s *schema, t codegen.TypeDefinition) {
	if !m.leadsToDefaults(s, map[string]bool{}) {
		return
	}
	e.line("// setDefaults fills in the defaults of members that are absent.")
	e.line("func (v *%s) setDefaults() {", t.TypeName)
	for _, member := range s.members {
		p, ok := property(t.Schema, member.name)
		if !ok {
			continue // told by emitMember
		}
		inner, field := m.schemaOf(member.node), "v."+p.GoFieldName()
		if value := inner.keyword("default"); value != nil && !member.required {
			emitDefault(e, field, strings.TrimPrefix(p.GoTypeDef(), "*"), inner, value)
		} else {
			m.emitInnerDefaults(e, inner, m.deref(p.GoTypeDef(), field, inner, member.required), 0)
		}
	}
	e.line("}\n")
}

func (m *model) emitInnerDefaults(e *emitter, s *schema, v place, depth int) {
	if !m.leadsToDefaults(s, map[string]bool{}) {
		return
	}
	if s.kind == "array" {
		index := string("ijklmnop"[depth])
		e.line("%sfor %s := range %s {", v.open, index, v.expr)
		m.emitInnerDefaults(e, m.schemaOf(s.items), place{expr: v.expr + "[" + index + "]"}, depth+1)
		e.line("}%s", v.shut)
	} else {
		e.line("%s%s.setDefaults()%s", v.open, v.expr, v.shut)
	}
}
