package main

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"gopkg.in/yaml.v3"
)

//go:embed policy.schema.json
var policySchema string

// policySchemaValue is the schema as a JSON value: this program's own, so that it
// is one.
func policySchemaValue() any {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(policySchema))
	if err != nil {
		panic(err)
	}

	return value
}

// checkPolicy holds an x-policy against its schema and reports each fault at its own line.
func (c *contract) checkPolicy(where, definition string, n *yaml.Node) bool {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("policy.json", policySchemaValue()); err != nil {
		panic(err) // the schema is part of this program
	}
	err := compiler.MustCompile("policy.json#/$defs/" + definition).Validate(plain(n))
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		for _, leaf := range leaves(invalid) {
			place := strings.Join(append([]string{"x-policy"}, leaf.InstanceLocation...), ".")
			c.faults.add(instanceNode(n, leaf.InstanceLocation), "%s: %s: %s", where, place, policyFault(leaf))
		}
	}

	return err == nil
}

// leaves are the faults themselves, without what they are causes of.
func leaves(e *jsonschema.ValidationError) (list []*jsonschema.ValidationError) {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	for _, cause := range e.Causes {
		list = append(list, leaves(cause)...)
	}

	return list
}

// instanceNode is where in the document a value stands that was held against a schema.
func instanceNode(n *yaml.Node, location []string) *yaml.Node {
	for _, step := range location {
		if next := get(n, step); next != nil {
			n = next
		} else if i, err := strconv.Atoi(step); err == nil && i < len(items(n)) {
			n = items(n)[i]
		}
	}

	return n
}

func inWords(e *jsonschema.ValidationError) string {
	return e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

// policyFault says what is wrong, and what would be right.
func policyFault(e *jsonschema.ValidationError) string {
	rule := ruleAt(e.SchemaURL)
	if unknown, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		known, _ := rule["properties"].(map[string]any)

		return fmt.Sprintf("%s is not known; the keys are %s", strings.Join(unknown.Properties, ", "), strings.Join(sortedKeys(known), ", "))
	}
	var right []string
	examples, _ := rule["examples"].([]any)
	for _, example := range examples {
		right = append(right, fmt.Sprint(example))
	}
	words := inWords(e)
	if pattern, ok := e.ErrorKind.(*kind.Pattern); ok {
		words = fmt.Sprintf("%q has the wrong form", pattern.Got)
	}
	if len(right) > 0 {
		words += "; " + strings.Join(right, " or ") + " would be right"
	}

	return words
}

// ruleAt is the part of the schema that an error names.
func ruleAt(schemaURL string) map[string]any {
	_, pointer, _ := strings.Cut(schemaURL, "#")
	rule := policySchemaValue()
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		step, err := url.PathUnescape(step)
		object, ok := rule.(map[string]any)
		if err != nil || !ok {
			return nil
		}
		rule = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	object, _ := rule.(map[string]any)

	return object
}
