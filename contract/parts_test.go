package contract_test

import (
	"testing"

	"github.com/accord-api/accord/contract"
)

// findsFlaws holds servers to a schema of bodies that each know a sentence of it less, and
// one that knows all.
func findsFlaws(t *testing.T, source string, pointers ...string) {
	t.Helper()
	findsFault(t, flawed(t, source, nil), "")
	for _, pointer := range pointers {
		findsFault(t, flawed(t, source, map[string]any{pointer: nil}), bodySchema+pointer)
	}
}

const bodySchema = "/paths/~1things/post/requestBody/content/application~1json/schema/"

// flawed is what comes of a server that holds bodies to a schema, but for its flaws.
func flawed(t *testing.T, source string, flaws map[string]any) *contract.Result {
	t.Helper()
	result, err := contract.Run(t.Context(), conditionsDocument(t, source), contract.Target{URL: schemaServer(t, source, flaws)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// A member that several parts of a schema speak of keeps to all of them, and each is
// tried.
func TestMembersInParts(t *testing.T) {
	t.Parallel()
	const source = `{
	"type": "object", "required": ["a"],
	"example": {"a": "abc"},
	"properties": {"a": {"type": "string"}, "b": {"type": "integer", "maximum": 100}},
	"allOf": [
		{"properties": {"a": {"maxLength": 5}, "b": {"minimum": 10}}},
		{"properties": {"a": {"minLength": 2}}}
	]
}`
	findsFlaws(t, source, "properties/b/maximum", "properties/a/type")
	// The parts of allOf are a list: a server that knows none of them.
	result := flawed(t, source, map[string]any{"allOf": []any{true}})
	for _, pointer := range []string{"allOf/0/properties/a/maxLength", "allOf/0/properties/b/minimum", "allOf/1/properties/a/minLength"} {
		findsFault(t, result, bodySchema+pointer)
	}
}

// Of each type that a value may have both sides of its limits are tried.
func TestLimitsOfEachType(t *testing.T) {
	t.Parallel()
	findsFlaws(t, `{
	"type": "object", "required": ["size"], "additionalProperties": false,
	"properties": {"size": {"type": ["string", "integer"], "maxLength": 20, "minimum": 1, "maximum": 10}, "of": {"type": ["number", "string", "null"], "maximum": 10, "minLength": 2, "maxLength": 5}}
}`, "properties/size/maxLength", "properties/size/minimum", "properties/size/maximum", "properties/of/maximum", "properties/of/minLength", "properties/of/maxLength")
}
