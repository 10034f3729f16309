package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"gopkg.in/yaml.v3"
)

// emitter writes Go source.
type emitter struct{ strings.Builder }

func (e *emitter) line(format string, args ...any) { fmt.Fprintf(e, format+"\n", args...) }

// validators writes validate.gen.go: for each body type its shape and its
// rules, for each operation one Validate.
func (m *model) validators() string {
	body := &emitter{}
	for _, name := range m.requestSchemas() {
		m.emitType(body, name)
	}
	for _, op := range m.contract.operations {
		m.emitOperation(body, op)
	}
	m.emitShapes(body)

	e := &emitter{}
	e.line("%spackage api\n\nimport (\n%s)\n", header, imports(body.String()))
	for _, p := range m.patterns {
		e.line("var %s = regexp.MustCompile(%s)", p.variable, goString(p.text))
	}

	return e.String() + "\n" + body.String()
}

// imports lists what the text uses of the packages that validators may need.
func imports(text string) string {
	var list strings.Builder
	for _, use := range []struct{ word, path string }{
		{"fmt.", "fmt"}, {"pattern", "regexp"}, {"strconv.", "strconv"}, {"time.", "time"}, {"", ""},
		{"nullable.", "github.com/oapi-codegen/nullable"}, {"openapi_types.", "github.com/oapi-codegen/runtime/types"},
		{"validate.", modulePath + "/validate"},
	} {
		switch {
		case use.path == "":
			list.WriteString("\n")
		case strings.Contains(text, use.word) && use.word == "openapi_types.":
			list.WriteString("openapi_types " + goString(use.path) + "\n")
		case strings.Contains(text, use.word):
			list.WriteString(goString(use.path) + "\n")
		}
	}

	return list.String()
}

// goString writes a string literal, in backquotes where those read better and
// everything in it can be seen.
func goString(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToASCII(s)
	}
	if strings.Contains(s, `\`) && !strings.Contains(s, "`") {
		return "`" + s + "`"
	}

	return strconv.Quote(s)
}

func (m *model) emitType(e *emitter, name string) {
	s := m.schemaOf(m.component(name))
	t, ok := m.types[name]
	if !ok || t.IsAlias() {
		m.faults.add(s.node, "schema %s: it has no struct of its own in Go, so that it cannot be validated", name)

		return
	}
	e.line("// Shape is what the JSON of a %s has to look like.", t.TypeName)
	e.line("func (*%s) Shape() *validate.Shape { return &%s }\n", t.TypeName, shapeName(name))
	e.line("func (v *%s) validate(c *validate.Check) {", t.TypeName)
	for i, member := range s.members {
		m.emitMember(e, name, t.Schema, i, member)
	}
	e.line("}\n")
	m.emitTypeDefaults(e, s, t)
}

func (m *model) emitMember(e *emitter, owner string, goSchema codegen.Schema, i int, member member) {
	p, ok := property(goSchema, member.name)
	if !ok {
		m.faults.add(member.node, "schema %s: the member %q got no field in Go", owner, member.name)

		return
	}
	s := m.schemaOf(member.node)
	value := m.deref(p.GoTypeDef(), "v."+p.GoFieldName(), s, member.required)
	inner := &emitter{}
	m.emitValue(inner, s, p.Schema, value, 0)
	if inner.Len() == 0 {
		return
	}
	e.line("%sc.Member(%d, %q)\n%sc.End()%s", value.open, i, member.name, inner, value.shut)
}

// place is how generated code reaches a value: the expression for it, its Go
// type, and what stands around for a value that may be absent.
type place struct{ expr, goType, open, shut string }

// deref finds the value behind a field that may be absent or null.
func (m *model) deref(goType, expr string, s *schema, required bool) place {
	switch {
	case strings.HasPrefix(goType, "nullable.Nullable["):
		inner := strings.TrimSuffix(strings.TrimPrefix(goType, "nullable.Nullable["), "]")

		return place{"value", inner, "if value, err := " + expr + ".Get(); err == nil {\n", "\n}"}
	case strings.HasPrefix(goType, "*"):
		inner := strings.TrimPrefix(goType, "*")
		if s.kind == "object" {
			return place{expr, inner, "if " + expr + " != nil {\n", "\n}"}
		}

		return place{"*" + expr, inner, "if " + expr + " != nil {\n", "\n}"}
	case s.kind == "array" && (!required || s.nullable):
		return place{expr, goType, "if " + expr + " != nil {\n", "\n}"}
	}

	return place{expr: expr, goType: goType}
}

// emitValue writes the rules of one value, nothing where there are none.
func (m *model) emitValue(e *emitter, s *schema, goSchema codegen.Schema, v place, depth int) {
	switch s.kind {
	case "object":
		e.line("%s.validate(c)", v.expr)
	case "array":
		m.emitArray(e, s, goSchema, v, depth)
	case "string":
		m.emitString(e, s, v)
	case "integer", "number":
		m.emitNumber(e, s, v)
	}
	if values := s.enum(); len(values) > 0 {
		m.emitEnum(e, s, v)
	}
}

func (m *model) emitArray(e *emitter, s *schema, goSchema codegen.Schema, v place, depth int) {
	least, most := s.count("minItems", 0), s.count("maxItems", -1)
	if least > 0 || most >= 0 {
		e.line("c.Items(len(%s), %d, %d)", v.expr, least, most)
	}
	if isTrue(s.keyword("uniqueItems")) {
		e.line("validate.Unique(c, %s)", v.expr)
	}
	index := string("ijklmnop"[depth])
	element := codegen.Schema{}
	if goSchema.ArrayType != nil {
		element = *goSchema.ArrayType
	}
	inner := &emitter{}
	list := v.expr
	if strings.HasPrefix(list, "*") {
		list = "(" + list + ")"
	}
	itemPlace := place{expr: list + "[" + index + "]", goType: element.TypeDecl()}
	m.emitValue(inner, m.schemaOf(s.items), element, itemPlace, depth+1)
	if inner.Len() > 0 {
		e.line("for %s := range %s {\nc.Item(%s)\n%sc.End()\n}", index, v.expr, index, inner)
	}
}

func (m *model) emitString(e *emitter, s *schema, v place) {
	expr := v.expr
	if v.goType != "string" {
		expr = "string(" + expr + ")"
	}
	for _, rule := range s.rules {
		if n := get(rule, "minLength"); n != nil && n.Value != "0" {
			e.line("c.MinLength(%s, %s)", expr, n.Value)
		}
		if n := get(rule, "maxLength"); n != nil {
			e.line("c.MaxLength(%s, %s)", expr, n.Value)
		}
		if n := get(rule, "pattern"); n != nil {
			e.line("c.Pattern(%s, %s, %q)", expr, m.pattern(n.Value), patternMessage(rule))
		}
	}
	if check := formats["string"][s.format]; check != "" && check != "decoded" {
		e.line("c.Format(%s, validate.%s, %q)", expr, check, formatMessages[s.format])
	}
}

// patternMessage says in words what a pattern asks for.
func patternMessage(rule *yaml.Node) string {
	if words := text(get(rule, "x-pattern-message")); words != "" {
		return words
	}

	return "must match " + text(get(rule, "pattern"))
}

var formatMessages = map[string]string{
	"email": "must be an e-mail address", "hostname": "must be a host name", "uri": "must be a URI",
	"uri-reference": "must be a URI or a relative reference", "ipv4": "must be an IPv4 address", "ipv6": "must be an IPv6 address",
}

// pattern returns the variable that holds a compiled pattern.
func (m *model) pattern(text string) string {
	for _, p := range m.patterns {
		if p.text == text {
			return p.variable
		}
	}
	p := pattern{fmt.Sprintf("pattern%d", len(m.patterns)+1), text}
	m.patterns = append(m.patterns, p)

	return p.variable
}

// bounds are the numeric keywords: when they are broken, and how that is said.
var bounds = []struct{ keyword, broken, code, relation string }{
	{"minimum", "<", "CodeMinimum", "at least"},
	{"exclusiveMinimum", "<=", "CodeMinimum", "more than"},
	{"maximum", ">", "CodeMaximum", "at most"},
	{"exclusiveMaximum", ">=", "CodeMaximum", "less than"},
}

func (m *model) emitNumber(e *emitter, s *schema, v place) {
	for _, rule := range s.rules {
		for _, b := range bounds {
			if n := get(rule, b.keyword); n != nil {
				e.line("if %s %s %s {\nc.Bound(validate.%s, %q, %q)\n}", v.expr, b.broken, n.Value, b.code, b.relation, n.Value)
			}
		}
		if n := get(rule, "multipleOf"); n != nil && s.kind == "integer" {
			e.line("if %s%%%s != 0 {\nc.MultipleOf(%q)\n}", v.expr, n.Value, n.Value)
		} else if n != nil {
			e.line("if !validate.IsMultiple(float64(%s), %q) {\nc.MultipleOf(%q)\n}", v.expr, n.Value, n.Value)
		}
	}
}

func (m *model) emitEnum(e *emitter, s *schema, v place) {
	var literals, words []string
	for _, value := range s.enum() {
		words = append(words, value.Value)
		if s.kind == "string" {
			literals = append(literals, goString(value.Value))
		} else {
			literals = append(literals, value.Value)
		}
	}
	e.line("switch %s {\ncase %s:\ndefault:\nc.Enum(%q)\n}", v.expr, strings.Join(literals, ", "), quoteList(words))
}
