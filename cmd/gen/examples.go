package main

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// checkExamples holds each example, and each default, against its schema: they
// are what people copy.
func (c *contract) checkExamples() {
	x := &examples{contract: c, compiler: jsonschema.NewCompiler()}
	x.compiler.DefaultDraft(jsonschema.Draft2020)
	x.compiler.AssertFormat()
	if err := x.compiler.AddResource("openapi.json", plain(c.root)); err != nil {
		c.faults.add(c.root, "reading the document as JSON: %v", err)

		return
	}
	c.eachPart(func(where, _ string, n *yaml.Node) { x.findBroken(where, "", n) })
	c.eachPart(func(where, pointer string, n *yaml.Node) { x.walk(where, pointer, "", n) })
}

type examples struct {
	*contract
	compiler *jsonschema.Compiler
	broken   bool // a schema is no schema
}

// findBroken looks below a node for schemas that nothing can be held against, so
// that they are told at their own line and not at that of each example.
func (x *examples) findBroken(where, key string, n *yaml.Node) {
	if !slices.Contains(named, key) {
		kinds := get(n, "type")
		for _, kind := range append(texts(kinds), text(kinds)) {
			if _, known := keywords[kind]; !known && kind != "null" && kind != "" {
				x.tellBroken(kinds, "%s: %q is no type: %s or null would be right", where, kind, strings.Join(sortedKeys(keywords), ", "))
			}
		}
		if pattern := text(get(n, "pattern")); pattern != "" {
			if _, err := regexp.Compile(pattern); err != nil {
				x.tellBroken(get(n, "pattern"), "%s: pattern: %s", where, patternProblem(pattern))
			}
		}
	}
	for _, e := range entries(n) {
		if !isValue(key, e.name) {
			x.findBroken(where, e.name, e.value)
		}
	}
	for _, item := range items(n) {
		x.findBroken(where, key, item)
	}
}

func (x *examples) tellBroken(at *yaml.Node, format string, args ...any) {
	x.broken = true
	x.faults.add(at, format, args...)
}

// walk looks below a node, which stands under the key, for whatever has an
// example: a body or a parameter beside its schema, a schema in itself.
func (x *examples) walk(where, pointer, key string, n *yaml.Node) {
	if get(n, "schema") != nil {
		x.check(where+": the example", pointer+"/schema", get(n, "example"))
		for _, e := range entries(get(n, "examples")) {
			x.check(where+": the example", pointer+"/schema", get(e.value, "value"))
		}
	} else if !slices.Contains(named, key) && isSchema(n) {
		x.check(where+": the example", pointer, get(n, "example"))
		x.check(where+": the default", pointer, get(n, "default"))
		for _, example := range items(get(n, "examples")) {
			x.check(where+": the example", pointer, example)
		}
	}
	for _, e := range entries(n) {
		if !isValue(key, e.name) {
			x.walk(where, pointer+"/"+escapePointer(e.name), e.name, e.value)
		}
	}
	for i, item := range items(n) {
		x.walk(where, pointer+"/"+strconv.Itoa(i), key, item)
	}
}

func isSchema(n *yaml.Node) bool {
	return slices.ContainsFunc([]string{"type", "$ref", "allOf", "anyOf", "oneOf"}, func(word string) bool { return get(n, word) != nil })
}

func (x *examples) check(where, schema string, example *yaml.Node) {
	if example == nil {
		return
	}
	rule, err := x.compiler.Compile("openapi.json#" + schema)
	if err != nil {
		if !x.broken { // else it follows from that
			x.faults.add(example, "%s: %v", where, err)
		}

		return
	}
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](rule.Validate(plain(example))); ok {
		for _, leaf := range leaves(invalid) {
			place := strings.Join(leaf.InstanceLocation, ".")
			if place != "" {
				place = " at " + place
			}
			x.faults.add(instanceNode(example, leaf.InstanceLocation), "%s breaks its schema%s: %s", where, place, inWords(leaf))
		}
	}
}
