package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// schema is what a schema says once its $ref, its allOf and its null are taken together.
type schema struct {
	node     *yaml.Node
	name     string // of the component, "" for one that stands in place
	kind     string // the JSON type, "" for any
	nullable bool
	format   string
	rules    []*yaml.Node // every node whose keywords hold
	members  []member
	closed   bool
	items    *yaml.Node
}

type member struct {
	name     string
	required bool
	node     *yaml.Node
}

func (s *schema) has(name string) bool {
	return slices.ContainsFunc(s.members, func(m member) bool { return m.name == name })
}

// keyword returns the first rule that has it, or nil.
func (s *schema) keyword(name string) *yaml.Node {
	for _, rule := range s.rules {
		if n := get(rule, name); n != nil {
			return n
		}
	}

	return nil
}

func (s *schema) count(name string, otherwise int) int {
	n, err := strconv.Atoi(text(s.keyword(name)))
	if err != nil {
		return otherwise
	}

	return n
}

// enum lists what is allowed, for enum and const alike.
func (s *schema) enum() []*yaml.Node {
	if n := s.keyword("const"); n != nil {
		return []*yaml.Node{n}
	}

	return items(s.keyword("enum"))
}

func (c *contract) schemaOf(n *yaml.Node) *schema {
	s := &schema{node: n}
	c.collect(s, n, 0)
	var required []string
	for _, rule := range s.rules {
		required = append(required, texts(get(rule, "required"))...)
	}
	for i := range s.members {
		s.members[i].required = slices.Contains(required, s.members[i].name)
	}

	return s
}

// collect adds the keywords of one schema, then those it refers to.
func (c *contract) collect(s *schema, n *yaml.Node, depth int) {
	if n == nil || depth > maxNesting {
		return
	}
	if n.Kind != yaml.MappingNode {
		c.faults.add(n, "boolean schemas are not supported")

		return
	}
	if get(n, "$ref") != nil {
		target, name := c.resolve(n)
		if depth == 0 && target != nil {
			s.name = name
		}
		if len(entries(n)) > 1 {
			c.collectOwn(s, n, depth)
		}
		c.collect(s, target, depth+1)

		return
	}
	c.collectOwn(s, n, depth)
}

func (c *contract) collectOwn(s *schema, n *yaml.Node, depth int) {
	s.rules = append(s.rules, n)
	c.collectType(s, get(n, "type"))
	if format := text(get(n, "format")); format != "" {
		s.format = format
	}
	for _, e := range entries(get(n, "properties")) {
		if !s.has(e.name) {
			s.members = append(s.members, member{name: e.name, node: e.value})
		}
	}
	s.closed = s.closed || isFalse(get(n, "additionalProperties"))
	if list := get(n, "items"); list != nil {
		s.items = list
	}
	for _, part := range items(get(n, "allOf")) {
		c.collect(s, part, depth+1)
	}
	if other := nullAlternative(n); other != nil {
		s.nullable = true
		if depth == 0 {
			_, s.name = c.resolve(other)
		}
		c.collect(s, other, depth+1)
	}
}

func (c *contract) collectType(s *schema, n *yaml.Node) {
	types := texts(n)
	if t := text(n); t != "" {
		types = []string{t}
	}
	for _, t := range types {
		switch {
		case t == "null":
			s.nullable = true
		case s.kind != "" && s.kind != t:
			c.faults.add(n, "a schema can have one type, or [type, 'null']")
		default:
			s.kind = t
		}
	}
}

// nullAlternative returns X of anyOf or oneOf [X, {type: 'null'}], else nil.
func nullAlternative(n *yaml.Node) *yaml.Node {
	for _, key := range []string{"anyOf", "oneOf"} {
		list := items(get(n, key))
		if len(list) == 2 && text(get(list[1], "type")) == "null" {
			return list[0]
		}
	}

	return nil
}

// annotations say nothing about what is valid.
var annotations = []string{
	"$ref", "title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
	"externalDocs", "$comment", "x-pattern-message", "type", "enum", "const", "allOf", "anyOf", "oneOf", "format",
}

var keywords = map[string][]string{
	"object":  {"properties", "required", "additionalProperties", "minProperties", "maxProperties"},
	"array":   {"items", "minItems", "maxItems", "uniqueItems"},
	"string":  {"minLength", "maxLength", "pattern"},
	"integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
	"number":  {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
	"boolean": {},
}

// formats that validators know, by type. The value says how: a function of
// package validate, "decoded" where decoding checks it, or "" where there is nothing to check.
var formats = map[string]map[string]string{
	"string": {
		"": "", "password": "", "uuid": "decoded", "date": "decoded", "date-time": "decoded",
		"email": "IsEmail", "hostname": "IsHostname", "uri": "IsURI", "uri-reference": "IsURIReference",
		"ipv4": "IsIPv4", "ipv6": "IsIPv6",
	},
	"integer": {"": "", "int32": "", "int64": ""},
	"number":  {"": "", "double": ""},
	"boolean": {"": ""},
	"array":   {"": ""},
	"object":  {"": ""},
}

// checkSchemas refuses what validators could not enforce in a request, and what
// the type generator would silently get wrong anywhere.
func (c *contract) checkSchemas() {
	for _, e := range entries(get(c.root, "components", "schemas")) {
		c.checkEverywhere("schema "+e.name, e.value)
	}
	c.checkAnswers()
	c.checkPatchDefaults()
	checked, closed := map[string]bool{}, map[string]bool{}
	for _, op := range c.operations {
		where := "operation " + op.id
		for _, p := range op.params {
			c.checkParam(where+": parameter "+p.name, p)
		}
		for _, b := range op.bodies {
			if b.structured() {
				c.checkBody(where+": "+b.mediaType, b, checked)
			}
			if b.json() || b.multipart() {
				c.checkClosed(where+": "+b.mediaType, b.schema, closed)
			}
		}
	}
}

// checkAnswers goes on with the schemas that stand in answers themselves.
func (c *contract) checkAnswers() {
	check := func(where string, response *yaml.Node) {
		for _, e := range entries(get(response, "content")) {
			if schema := get(e.value, "schema"); schema != nil {
				c.checkPart(where, schema)
			}
		}
	}
	for _, op := range c.operations {
		for _, e := range entries(get(op.node, "responses")) {
			check("operation "+op.id+": "+e.name, e.value)
		}
	}
	for _, e := range entries(get(c.root, "components", "responses")) {
		check("components.responses."+e.name, e.value)
	}
}

// checkEverywhere walks a schema of requests or answers.
func (c *contract) checkEverywhere(where string, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		c.faults.add(n, "%s: boolean schemas are not supported", where)

		return
	}
	c.checkWords(where, n)
	s := c.schemaOf(n)
	for _, value := range s.enum() {
		if value.Tag == "!!null" {
			c.faults.add(value, "%s: null cannot stand in enum; use anyOf: [..., {type: 'null'}]", where)
		}
	}
	if s.keyword("const") != nil && s.kind == "" {
		c.faults.add(n, "%s: const needs a type", where)
	}
	for _, m := range s.members {
		c.checkPart(where+"."+m.name, m.node)
	}
	if s.items != nil {
		c.checkPart(where+"[]", s.items)
	}
}

// otherKeywords of JSON Schema are for answers alone.
var otherKeywords = []string{
	"not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
	"prefixItems", "contains", "minContains", "maxContains", "unevaluatedItems", "contentEncoding", "contentMediaType", "contentSchema",
	"discriminator", "xml", "$defs", "$id", "$schema", "$anchor",
}

// checkWords finds what JSON Schema would pass over in silence.
func (c *contract) checkWords(where string, n *yaml.Node) {
	for _, e := range entries(n) {
		known := strings.HasPrefix(e.name, "x-") || slices.Contains(annotations, e.name) || slices.Contains(otherKeywords, e.name)
		for _, list := range keywords {
			known = known || slices.Contains(list, e.name)
		}
		if !known {
			c.faults.add(e.key, "%s: %q is no keyword of a schema (a text with a comma needs quotes)", where, e.name)
		}
	}
}

// maxWhere stops at a schema that contains itself without a name in between.
const maxWhere = 1000

// checkPart leaves out what is checked as a component of its own.
func (c *contract) checkPart(where string, n *yaml.Node) {
	if c.schemaOf(n).name == "" && len(where) < maxWhere {
		c.checkEverywhere(where, n)
	}
}

func (c *contract) checkParam(where string, p param) {
	s := c.schemaOf(p.schema)
	c.checkDefault(where, s, p.required)
	if s.kind == "array" && p.in == "query" {
		c.checkRules(where, s)
		s = c.schemaOf(s.items)
	}
	if s.kind == "object" || s.kind == "array" || s.nullable {
		c.faults.add(p.node, "%s: a parameter has to be a string, number or boolean, or in the query a list of them", where)

		return
	}
	c.checkRules(where, s)
	if p.in == "path" && !p.required {
		c.faults.add(p.node, "%s: a path parameter has to be required", where)
	}
}

func (c *contract) checkBody(where string, b body, checked map[string]bool) {
	s := c.schemaOf(b.schema)
	if c.checkUnions(where, s) {
		return
	}
	if s.name == "" || s.kind != "object" || s.nullable {
		c.faults.add(b.schema, "%s: the body has to be a $ref to a named object schema", where)

		return
	}
	if b.form() {
		for _, m := range s.members {
			if c.schemaOf(m.node).kind == "object" {
				c.faults.add(m.node, "%s: %s: a form has no nested objects", where, m.name)
			}
		}
	}
	c.checkRequest(where, s, checked)
}

// checkRequest walks a schema that a request body reaches.
func (c *contract) checkRequest(where string, s *schema, checked map[string]bool) {
	if s.name != "" {
		if checked[s.name] {
			return
		}
		checked[s.name] = true
	}
	c.checkRules(where, s)
	if s.kind == "object" && s.name == "" {
		c.faults.add(s.node, "%s: an object in a request has to be a named schema, so that it gets a Go type", where)

		return
	}
	for _, m := range s.members {
		inner := c.schemaOf(m.node)
		c.checkDefault(where+"."+m.name, inner, m.required)
		c.checkRequest(where+"."+m.name, inner, checked)
	}
	if s.items != nil {
		inner := c.schemaOf(s.items)
		if inner.nullable {
			c.faults.add(s.items, "%s: items that may be null are not supported in requests", where)
		}
		c.checkRequest(where+"[]", inner, checked)
	}
}

// checkClosed wants each object that a body reaches to say whether it takes
// unknown members: a mistyped name must not be dropped by an oversight. A form of
// OAuth has to take them, so that forms are left out.
func (c *contract) checkClosed(where string, n *yaml.Node, seen map[string]bool) {
	s := c.schemaOf(n)
	if s.name != "" {
		if seen[s.name] {
			return
		}
		seen[s.name] = true
		where = "schema " + s.name
	}
	if s.kind == "object" && s.keyword("additionalProperties") == nil {
		c.faults.add(s.rules[0], "%s: it needs additionalProperties: false, or true where a request may have members that are not known", where)
	}
	for _, m := range s.members {
		c.checkClosed(where+"."+m.name, m.node, seen)
	}
	if s.items != nil {
		c.checkClosed(where+"[]", s.items, seen)
	}
}

const maxMembers = 64

func (c *contract) checkRules(where string, s *schema) {
	allowed, known := keywords[s.kind]
	if c.checkUnions(where, s) {
		return
	}
	if !known {
		c.faults.add(s.node, "%s: a schema in a request needs one of the types object, array, string, integer, number, boolean", where)

		return
	}
	for _, rule := range s.rules {
		for _, e := range entries(rule) {
			if !slices.Contains(annotations, e.name) && !slices.Contains(allowed, e.name) {
				c.faults.add(e.key, "%s: %q is not supported for %s in a request", where, e.name, aOrAn(s.kind))
			}
		}
	}
	if _, known := formats[s.kind][s.format]; !known {
		c.faults.add(s.node, "%s: the format %q of %s cannot be checked", where, s.format, aOrAn(s.kind))
	}
	c.checkLeaf(where, s)
	c.checkObject(where, s)
}

// checkUnions says whether it found one that is not supported: what else might
// be said of the schema follows from it.
func (c *contract) checkUnions(where string, s *schema) (found bool) {
	for _, rule := range s.rules {
		for _, key := range []string{"anyOf", "oneOf"} {
			if n := get(rule, key); n != nil && nullAlternative(rule) == nil {
				c.faults.add(n, "%s: %s is supported in a request only as [schema, {type: 'null'}]", where, key)
				found = true
			}
		}
	}

	return found
}

func aOrAn(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}

	return "a " + noun
}

func (c *contract) checkLeaf(where string, s *schema) {
	if formats[s.kind][s.format] == "decoded" {
		for _, key := range []string{"minLength", "maxLength", "pattern", "enum", "const"} {
			if n := s.keyword(key); n != nil {
				c.faults.add(n, "%s: %s says nothing beside the format %s", where, key, s.format)
			}
		}
	}
	if s.kind == "number" && len(s.enum()) > 0 {
		c.faults.add(s.node, "%s: enum and const are not supported for numbers with fractions", where)
	}
	if s.kind == "integer" {
		for _, key := range keywords["integer"] {
			if n := s.keyword(key); n != nil && !isInteger(n.Value, s.bits()) {
				c.faults.add(n, "%s: %s has to be a whole number within the range of the type", where, key)
			}
		}
	}
	for _, rule := range s.rules {
		if n := get(rule, "pattern"); n != nil {
			if problem := patternProblem(n.Value); problem != "" {
				c.faults.add(n, "%s: pattern: %s", where, problem)
			}
		}
	}
}

func (c *contract) checkObject(where string, s *schema) {
	if s.kind == "array" && s.items == nil {
		c.faults.add(s.node, "%s: an array needs items", where)
	}
	if s.kind == "array" && isTrue(s.keyword("uniqueItems")) {
		if inner := c.schemaOf(s.items); inner.kind == "object" || inner.kind == "array" {
			c.faults.add(s.node, "%s: uniqueItems is supported for strings, numbers and booleans", where)
		}
	}
	if n := s.keyword("additionalProperties"); n != nil && n.Kind != yaml.ScalarNode {
		c.faults.add(n, "%s: additionalProperties as a schema is not supported in a request", where)
	}
	if len(s.members) > maxMembers {
		c.faults.add(s.node, "%s: more than %d members", where, maxMembers)
	}
	for _, rule := range s.rules {
		for _, name := range texts(get(rule, "required")) {
			if !s.has(name) {
				c.faults.add(get(rule, "required"), "%s: %q is required but not among the properties", where, name)
			}
		}
	}
}

func isInteger(value string, bits int) bool {
	_, err := strconv.ParseInt(value, 10, bits)

	return err == nil
}

// bits of the Go type of an integer.
func (s *schema) bits() int {
	if s.format == "int32" {
		return 32
	}

	return 64
}

// patternProblem says why a pattern does not mean the same to Go (RE2) and to
// the browsers and tools that read the document (ECMA-262); "" if it does.
func patternProblem(pattern string) string {
	if _, err := regexp.Compile(pattern); err != nil {
		return "it does not compile: " + err.Error()
	}
	class := false
	for i := 0; i < len(pattern); i++ {
		switch ch := pattern[i]; {
		case ch == '\\':
			i++
			if strings.IndexByte("aACpPQEsSzZ", pattern[i]) >= 0 {
				return `\` + pattern[i:i+1] + " means different things to Go and to JavaScript"
			}
		case class && strings.HasPrefix(pattern[i:], "[:"):
			return "[:names:] mean nothing to JavaScript"
		case class:
			class = ch != ']'
		case ch == '[':
			class = true
		case ch == '.':
			return "an unescaped . takes other line ends in Go than in JavaScript; use a class"
		case strings.HasPrefix(pattern[i:], "(?") && !strings.HasPrefix(pattern[i:], "(?:"):
			return "of the (?...) groups only (?:...) is the same everywhere"
		}
	}

	return ""
}
