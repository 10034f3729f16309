package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"gopkg.in/yaml.v3"
)

func (c *contract) component(name string) *yaml.Node {
	return get(c.root, "components", "schemas", name)
}

func (c *contract) operation(id string) *operation {
	i := slices.IndexFunc(c.operations, func(o *operation) bool { return o.id == id })
	if i < 0 {
		return &operation{}
	}

	return c.operations[i]
}

// validated says that the operation takes something that has to be checked.
func (o *operation) validated() bool {
	return len(o.params) > 0 || slices.ContainsFunc(o.bodies, body.structured)
}

// extendTemplates gives the templates what they ask about the contract.
func (c *contract) extendTemplates() {
	codegen.TemplateFunctions["hasParams"] = func(id string) bool { return len(c.operation(id).params) > 0 }
	codegen.TemplateFunctions["isValidated"] = func(id string) bool { return c.operation(id).validated() }
	codegen.TemplateFunctions["hasDefaults"] = func(id string) bool { return c.hasDefaults(c.operation(id)) }
	codegen.TemplateFunctions["readParam"] = c.readParamCode
}

// readParamCode is the expression with which the wrapper reads one parameter.
func (c *contract) readParamCode(id, in, name, goType string) (string, error) {
	op := c.operation(id)
	i := slices.IndexFunc(op.params, func(p param) bool { return p.in == in && p.name == name })
	if i < 0 {
		return "", fmt.Errorf("operation %s: parameter %s is not in the contract", id, name)
	}
	p, s, list := op.params[i], c.schemaOf(op.params[i].schema), ""
	if s.kind == "array" {
		s, list, goType = c.schemaOf(s.items), "List", strings.TrimPrefix(goType, "[]")
	}
	parse := parser(s, goType)
	if in == "path" {
		return fmt.Sprintf("validate.Path(from, %d, %q, ctx.Param(%q), %s)", i, name, name, parse), nil
	}
	required := ""
	if p.required {
		required = "Required"
	}
	place := map[string]string{"query": "Query", "header": "Header"}[in]

	return fmt.Sprintf("validate.%s%s%s(from, %d, %q, %s)", required, place, list, i, name, parse), nil
}

// parser is the function of package validate that reads a parameter's text.
func parser(s *schema, goType string) string {
	switch s.kind + "/" + s.format {
	case "string/uuid":
		return "validate.UUIDText"
	case "string/date":
		return "validate.DateText"
	case "string/date-time":
		return "validate.TimeText"
	case "integer/int32":
		return "validate.Int32[" + goType + "]"
	case "integer/int64":
		return "validate.Int64[" + goType + "]"
	}
	name := map[string]string{"string": "Text", "integer": "Int", "number": "Float64", "boolean": "Bool"}[s.kind]

	return "validate." + name + "[" + goType + "]"
}

func (m *model) emitOperation(e *emitter, op *operation) {
	m.emitKept(e, op)
	if !op.validated() {
		return
	}
	goOp := m.operations[op.id]
	request := codegen.UppercaseFirstCharacter(goOp.OperationId) + "RequestObject"
	inner := &emitter{}
	for i, p := range op.params {
		m.emitParam(inner, goOp, i, p)
	}
	for _, field := range bodyFields(op, goOp) {
		inner.line("if r.%s != nil {\nr.%s.validate(c)\n}", field.name, field.name)
	}
	e.line("// Validate returns every way in which the request breaks the contract's rules.")
	e.line("func (r %s) Validate() validate.Violations {\nc := new(validate.Check)\n%s\nreturn c.Found()\n}\n", request, inner)
	m.emitDefaults(e, op, goOp, request)
	m.emitPolicyField(e, op, goOp, request)
}

// bodyField is a field of the request object that holds a decoded body.
type bodyField struct {
	name   string
	schema *yaml.Node
}

func bodyFields(op *operation, goOp codegen.OperationDefinition) []bodyField {
	var fields []bodyField
	for _, b := range op.bodies {
		i := slices.IndexFunc(goOp.Bodies, func(g codegen.RequestBodyDefinition) bool { return g.ContentType == b.mediaType })
		if i < 0 || !b.structured() {
			continue
		}
		name := "Body"
		if len(goOp.Bodies) > 1 {
			name = goOp.Bodies[i].NameTag + "Body"
		}
		fields = append(fields, bodyField{name, b.schema})
	}

	return fields
}

// goParam is the type generator's view of a parameter, and the field that holds it.
func goParam(goOp codegen.OperationDefinition, p param) (codegen.ParameterDefinition, string) {
	for _, g := range slices.Concat(goOp.PathParams, goOp.QueryParams, goOp.HeaderParams) {
		if g.ParamName == p.name && g.In == p.in {
			if p.in == "path" {
				return g, "r." + codegen.UppercaseFirstCharacter(g.GoName())
			}

			return g, "r.Params." + g.GoName()
		}
	}

	return codegen.ParameterDefinition{}, ""
}

func (m *model) emitParam(e *emitter, goOp codegen.OperationDefinition, i int, p param) {
	g, field := goParam(goOp, p)
	s := m.schemaOf(p.schema)
	goType := g.TypeDef()
	if g.HasOptionalPointer() {
		goType = "*" + goType
	}
	value := m.deref(goType, field, s, p.required)
	inner := &emitter{}
	if s.kind == "string" && value.goType == "string" && len(s.enum()) == 0 {
		inner.line("c.Text(%s)", value.expr)
	}
	m.emitValue(inner, s, g.Schema, value, 0)
	if inner.Len() > 0 {
		e.line("%sc.Param(%d, %q)\n%sc.End()%s", value.open, i, p.name, inner, value.shut)
	}
}

// emitKept writes what the chain asks of requests whose answers it keeps.
func (m *model) emitKept(e *emitter, op *operation) {
	goOp := m.operations[op.id]
	request := codegen.UppercaseFirstCharacter(goOp.OperationId) + "RequestObject"
	for _, p := range derivedParams {
		if !p.applies(op) {
			continue
		}
		_, field := goParam(goOp, op.params[slices.IndexFunc(op.params, func(own param) bool { return own.name == p.name })])
		e.line("// Members are what makes the request the same as another one: all but the header %s.", p.name)
		e.line("func (r %s) Members() any {\n%s = nil\nreturn r\n}\n", request, field)
	}
	if op.cached() {
		e.line("// CacheTags name what the answer is made of: a change of it makes a kept one stale.")
		e.line("func (r %s) CacheTags() []string {\nreturn []string{%s}\n}\n", request, strings.Join(op.cacheTags(goOp), ", "))
	}
}

// cacheTags are the expressions of the tags, with the request's own values in them.
func (o *operation) cacheTags(goOp codegen.OperationDefinition) []string {
	var tags []string
	for _, tag := range o.policy.cache.tags {
		expression := fmt.Sprintf("%q", tag)
		if name := tagParam(tag); name != "" {
			_, field := goParam(goOp, o.params[slices.IndexFunc(o.params, func(p param) bool { return p.in == "path" && p.name == name })])
			prefix, _, _ := strings.Cut(tag, ":")
			expression = fmt.Sprintf("%q + fmt.Sprint(%s)", prefix+":", field)
		}
		tags = append(tags, expression)
	}

	return tags
}

func (m *model) emitPolicyField(e *emitter, op *operation, goOp codegen.OperationDefinition, request string) {
	if countBy(op.policy.limits, "field") == 0 {
		return
	}
	e.line("// PolicyField is the value that a rate limit by field:name counts for.")
	e.line("func (r %s) PolicyField(name string) string {\nswitch name {", request)
	for _, l := range op.policy.limits {
		if l.by == "field" {
			e.line("case %q:\n%s", l.field, m.policyField(op, goOp, l.field))
		}
	}
	e.line("}\n\nreturn \"\"\n}\n")
}

func (m *model) policyField(op *operation, goOp codegen.OperationDefinition, name string) string {
	e := &emitter{}
	for _, p := range op.params {
		if p.name == name {
			g, field := goParam(goOp, p)
			goType := g.TypeDef()
			if g.HasOptionalPointer() {
				goType = "*" + goType
			}
			m.emitReturn(e, m.deref(goType, field, m.schemaOf(p.schema), p.required), m.schemaOf(p.schema))
		}
	}
	for _, field := range bodyFields(op, goOp) {
		s := m.schemaOf(field.schema)
		at := slices.IndexFunc(s.members, func(x member) bool { return x.name == name })
		p, ok := property(m.types[s.name].Schema, name)
		if at < 0 || !ok {
			continue
		}
		value := m.deref(p.GoTypeDef(), "r."+field.name+"."+p.GoFieldName(), m.schemaOf(s.members[at].node), s.members[at].required)
		e.line("if r.%s != nil {", field.name)
		m.emitReturn(e, value, m.schemaOf(s.members[at].node))
		e.line("}")
	}

	return e.String()
}

func (m *model) emitReturn(e *emitter, value place, s *schema) {
	expr := "fmt.Sprint(" + value.expr + ")"
	switch {
	case s.kind == "string" && value.goType == "string":
		expr = value.expr
	case s.kind == "string" && formats["string"][s.format] != "decoded":
		expr = "string(" + value.expr + ")"
	}
	e.line("%sreturn %s%s", value.open, expr, value.shut)
}
