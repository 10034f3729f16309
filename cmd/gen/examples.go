package main

import (
	"errors"
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
	c.eachPart(func(where, pointer string, n *yaml.Node) { x.walk(where, pointer, "", n) })
}

type examples struct {
	*contract
	compiler *jsonschema.Compiler
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
		x.faults.add(example, "%s: %v", where, err)

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
