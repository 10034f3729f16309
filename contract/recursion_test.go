package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/contract"
)

// Schemas that refer to themselves: by two members, by a list that has to be there, by one
// of several alternatives, and with a condition.
const (
	treeSchema = `{
	"type": "object", "required": ["kind"],
	"properties": {
		"kind": {"type": "string", "enum": ["oak", "ash"]},
		"size": {"type": "integer", "minimum": 1, "maximum": 9},
		"left": {"$ref": "#SELF"}, "right": {"$ref": "#SELF"}
	}
}`
	listSchema = `{
	"type": "object", "required": ["name", "children"],
	"properties": {
		"name": {"type": "string", "maxLength": 9},
		"children": {"type": "array", "maxItems": 3, "items": {"$ref": "#SELF"}}
	}
}`
	exprSchema = `{
	"oneOf": [
		{"type": "object", "additionalProperties": false, "required": ["left", "right"], "properties": {"left": {"$ref": "#SELF"}, "right": {"$ref": "#SELF"}}},
		{"type": "integer", "minimum": 0, "maximum": 9}
	]
}`
	filterSchema = `{
	"oneOf": [
		{"type": "object", "additionalProperties": false, "required": ["and"], "properties": {"and": {"type": "array", "maxItems": 4, "items": {"$ref": "#SELF"}}}},
		{"type": "object", "additionalProperties": false, "required": ["or"], "properties": {"or": {"type": "array", "maxItems": 4, "items": {"$ref": "#SELF"}}}},
		{"type": "object", "additionalProperties": false, "required": ["not"], "properties": {"not": {"$ref": "#SELF"}}},
		{"type": "object", "additionalProperties": false, "required": ["add", "to"], "properties": {"add": {"$ref": "#SELF"}, "to": {"$ref": "#SELF"}}},
		{"type": "object", "additionalProperties": false, "required": ["sub", "of"], "properties": {"sub": {"$ref": "#SELF"}, "of": {"$ref": "#SELF"}}},
		{"type": "object", "additionalProperties": false, "required": ["mul", "by"], "properties": {"mul": {"$ref": "#SELF"}, "by": {"$ref": "#SELF"}}},
		{"type": "object", "additionalProperties": false, "required": ["eq"], "properties": {"eq": {"type": "string", "minLength": 1, "maxLength": 9}}}
	]
}`
	askedSchema = `{
	"type": "object", "required": ["kind"],
	"properties": {
		"kind": {"type": "string", "enum": ["oak", "ash"]},
		"size": {"type": "integer", "minimum": 1, "maximum": 9},
		"left": {"$ref": "#SELF"}, "right": {"$ref": "#SELF"}
	},
	"if": {"properties": {"kind": {"const": "oak"}}}, "then": {"properties": {"size": {"maximum": 5}}}
}`
)

func TestSchemasOfThemselves(t *testing.T) {
	t.Parallel()
	const schema = "/paths/~1things/post/requestBody/content/application~1json/schema"
	for name, c := range map[string]struct{ source, flaw, pointer string }{
		"a tree":                     {source: treeSchema},
		"any size of a tree":         {treeSchema, "properties/size/maximum", "/properties/size/maximum"},
		"any kind of a tree":         {treeSchema, "properties/kind/enum", "/properties/kind/enum"},
		"a list in itself":           {source: listSchema},
		"a longer list":              {listSchema, "properties/children/maxItems", "/properties/children/maxItems"},
		"a longer name":              {listSchema, "properties/name/maxLength", "/properties/name/maxLength"},
		"an expression":              {source: exprSchema},
		"a filter":                   {source: filterSchema},
		"a tree with a condition":    {source: askedSchema},
		"any size under a condition": {askedSchema, "then/properties/size/maximum", "/then/properties/size/maximum"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flaws := map[string]any{}
			if c.flaw != "" {
				flaws[c.flaw] = nil
			}
			server := schemaServer(t, strings.ReplaceAll(c.source, "#SELF", "#"), flaws)
			began := time.Now()
			result, err := contract.Run(t.Context(), conditionsDocument(t, strings.ReplaceAll(c.source, "#SELF", "#"+schema)), contract.Target{URL: server}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Minute || len(result.Outcomes) > 2000 {
				t.Errorf("%d cases took %s", len(result.Outcomes), took)
			}
			if c.pointer != "" {
				c.pointer = schema + c.pointer
			}
			findsFault(t, result, c.pointer)
			if len(result.Untried) > 0 {
				t.Errorf("not tried: %v", result.Untried)
			}
		})
	}
}
