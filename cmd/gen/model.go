package main

import (
	"bytes"
	"fmt"
	goformat "go/format"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// model joins the contract with the Go names and types that the type generator gave it.
type model struct {
	*contract
	types      map[string]codegen.TypeDefinition // by component name
	operations map[string]codegen.OperationDefinition
	patterns   []pattern
}

// pattern is a regular expression compiled once, in a package variable.
type pattern struct{ variable, text string }

func (c *contract) readModel(spec *openapi3.T) (*model, error) {
	m := &model{
		contract:   c,
		types:      map[string]codegen.TypeDefinition{},
		operations: map[string]codegen.OperationDefinition{},
	}
	types, err := codegen.GenerateTypesForSchemas(nil, spec.Components.Schemas, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the generated types: %w", err)
	}
	for _, t := range types {
		if _, there := m.types[t.JsonName]; !there {
			m.types[t.JsonName] = t
		}
	}
	operations, err := codegen.OperationDefinitions(spec)
	if err != nil {
		return nil, fmt.Errorf("reading the generated operations: %w", err)
	}
	for _, op := range operations {
		m.operations[op.SpecOperationId] = op
	}
	for _, op := range c.operations {
		if _, there := m.operations[op.id]; !there {
			return nil, fmt.Errorf("reading the generated operations: %s is missing", op.id)
		}
	}

	return m, nil
}

// property finds the Go field of a member.
func property(s codegen.Schema, name string) (codegen.Property, bool) {
	i := slices.IndexFunc(s.Properties, func(p codegen.Property) bool { return p.JsonFieldName == name })
	if i < 0 {
		return codegen.Property{}, false
	}

	return s.Properties[i], true
}

// requestSchemas are the object components that bodies reach, in the document's order.
func (c *contract) requestSchemas() []string {
	names := map[string]bool{}
	for _, op := range c.operations {
		for _, b := range op.bodies {
			if b.structured() {
				c.reach(b.schema, names)
			}
		}
	}
	var list []string
	for _, e := range entries(get(c.root, "components", "schemas")) {
		if names[e.name] {
			list = append(list, e.name)
		}
	}

	return list
}

func format(source string) ([]byte, error) {
	text, err := goformat.Source([]byte(source))
	if err != nil {
		return nil, fmt.Errorf("%w in:\n%s", err, numbered(source))
	}

	return text, nil
}

// numbered is for the generator's own author: which line of the output is wrong.
func numbered(source string) string {
	var b bytes.Buffer
	for i, line := range bytes.Split([]byte(source), []byte("\n")) {
		fmt.Fprintf(&b, "%5d %s\n", i+1, line)
	}

	return b.String()
}
