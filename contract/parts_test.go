package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

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
	const schema = "/paths/~1things/post/requestBody/content/application~1json/schema"
	for flaw, pointer := range map[string]string{
		"":                     "",
		"properties/b/maximum": "/properties/b/maximum",
		"properties/a/type":    "/properties/a/type",
	} {
		flaws := map[string]any{}
		if flaw != "" {
			flaws[flaw] = nil
		}
		told := disagreements(t, source, flaws)
		if flaw == "" && len(told) > 0 || flaw != "" && !slices.ContainsFunc(told, func(text string) bool { return strings.HasPrefix(text, schema+pointer) }) {
			t.Errorf("%s: %s", flaw, strings.Join(told, "\n"))
		}
	}
	// The parts of allOf are a list: a server that knows none of them.
	if told := disagreements(t, source, map[string]any{"allOf": []any{true}}); !slices.ContainsFunc(told, func(text string) bool { return strings.HasPrefix(text, schema+"/allOf/0/properties/a/maxLength") }) ||
		!slices.ContainsFunc(told, func(text string) bool { return strings.HasPrefix(text, schema+"/allOf/0/properties/b/minimum") }) {
		t.Errorf("no allOf: %s", strings.Join(told, "\n"))
	}
}

// Of each type that a value may have both sides of its limits are tried.
func TestLimitsOfEachType(t *testing.T) {
	t.Parallel()
	const source = `{
	"type": "object", "required": ["size"], "additionalProperties": false,
	"properties": {"size": {"type": ["string", "integer"], "maxLength": 20, "minimum": 1, "maximum": 10}, "of": {"type": ["number", "string", "null"], "maximum": 10, "minLength": 2, "maxLength": 5}}
}`
	const schema = "/paths/~1things/post/requestBody/content/application~1json/schema/"
	for _, flaw := range []string{"", "properties/size/maxLength", "properties/size/minimum", "properties/size/maximum", "properties/of/maximum", "properties/of/minLength", "properties/of/maxLength"} {
		flaws := map[string]any{}
		if flaw != "" {
			flaws[flaw] = nil
		}
		told := disagreements(t, source, flaws)
		if flaw == "" && len(told) > 0 || flaw != "" && !slices.ContainsFunc(told, func(text string) bool { return strings.HasPrefix(text, schema+flaw) }) {
			t.Errorf("%s: %s", flaw, strings.Join(told, "\n"))
		}
	}
}

// disagreements are what a server that holds bodies to a schema, but for its flaws, is
// told.
func disagreements(t *testing.T, source string, flaws map[string]any) (told []string) {
	t.Helper()
	result, err := contract.Run(t.Context(), conditionsDocument(t, source), contract.Target{URL: schemaServer(t, source, flaws)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range result.Failed() {
		for _, f := range o.Failures {
			told = append(told, f.Pointer+": "+o.Name+": "+f.Text)
		}
	}
	return told
}
