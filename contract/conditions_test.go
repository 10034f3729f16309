package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// The schemas of the keywords that hold for some values, items and members only.
const (
	conditionsSchema = `{
	"type": "object",
	"required": ["name"],
	"properties": {
		"name": {"type": "string", "maxLength": 20},
		"country": {"type": "string", "enum": ["DE", "US", "FR"]},
		"zip": {"type": "string", "minLength": 2, "maxLength": 12},
		"card": {"type": "string", "maxLength": 20},
		"street": {"type": "string", "maxLength": 20},
		"amount": {"type": "integer", "minimum": 0, "maximum": 99, "if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"maximum": 5}}
	},
	"if": {"required": ["country"], "properties": {"country": {"const": "US"}}},
	"then": {"required": ["zip"], "properties": {"zip": {"pattern": "^[0-9]+$", "minLength": 5}}},
	"else": {"properties": {"zip": {"maxLength": 8}}},
	"dependentSchemas": {"card": {"required": ["street"], "properties": {"street": {"minLength": 3}}}}
}`
	chainSchema = `{
	"type": "object",
	"required": ["kind"],
	"properties": {"kind": {"type": "string", "enum": ["a", "b", "c"]}, "x": {"type": "string"}, "y": {"type": "integer"}},
	"if": {"properties": {"kind": {"const": "a"}}},
	"then": {"required": ["x"]},
	"else": {"if": {"properties": {"kind": {"const": "b"}}}, "then": {"required": ["y"], "not": {"required": ["x"]}}, "else": {"properties": {"x": {"maxLength": 3}, "y": false}}}
}`
	itemsSchema = `{
	"type": "object",
	"properties": {
		"tags": {
			"type": "array", "maxItems": 6, "items": {"type": "string", "enum": ["a", "b", "c"]},
			"contains": {"const": "a"}, "minContains": 2, "maxContains": 3
		},
		"pair": {"type": "array", "prefixItems": [{"type": "string", "maxLength": 3}, {"type": "integer"}], "unevaluatedItems": false},
		"rest": {"type": "array", "prefixItems": [{"type": "string", "maxLength": 3}], "unevaluatedItems": {"type": "integer"}}
	}
}`
	membersSchema = `{
	"type": "object",
	"properties": {
		"labels": {
			"type": "object", "additionalProperties": false,
			"patternProperties": {"^x-[a-z]+$": {"type": "string", "maxLength": 5}, "^n": {"type": "integer", "maximum": 9}, "^no": false}
		},
		"notes": {"type": "object", "patternProperties": {"^x-[a-z]+$": {"type": "string", "maxLength": 5}}},
		"size": {"type": "object", "allOf": [{"properties": {"width": {"type": "integer"}}}], "unevaluatedProperties": false},
		"more": {"type": "object", "allOf": [{"properties": {"width": {"type": "integer"}}}], "unevaluatedProperties": {"type": "string", "maxLength": 3}}
	}
}`
)

// conditionsDocument takes bodies of a schema.
func conditionsDocument(t *testing.T, schema string) *contract.Document {
	t.Helper()
	d, err := contract.Parse("conditions.yaml", []byte(strings.ReplaceAll(rareDocument, rareSchema, strings.ReplaceAll(schema, "\t", ""))))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConditionsAreTried(t *testing.T) {
	t.Parallel()
	const schema = "/paths/~1things/post/requestBody/content/application~1json/schema/"
	const tags, labels = "properties/tags/", "properties/labels/patternProperties/"
	for name, c := range map[string]struct {
		source  string
		flaw    string
		value   any
		pointer string
	}{
		"no flaw of conditions":         {source: conditionsSchema},
		"no flaw of a chain":            {source: chainSchema},
		"no then of else":               {chainSchema, "else/then/required", nil, "else/then/required/0"},
		"no not of else":                {chainSchema, "else/then/not", nil, "else/then/not"},
		"no else of else":               {chainSchema, "else/else/properties/x", nil, "else/else/properties/x/maxLength"},
		"a member that may not be":      {chainSchema, "else/else/properties/y", nil, "else/else/properties/y"},
		"no flaw of items":              {source: itemsSchema},
		"no flaw of members":            {source: membersSchema},
		"no then":                       {conditionsSchema, "then", nil, "then/required/0"},
		"no required in then":           {conditionsSchema, "then/required", nil, "then/required/0"},
		"no pattern in then":            {conditionsSchema, "then/properties/zip/pattern", nil, "then/properties/zip/pattern"},
		"no limit in then":              {conditionsSchema, "then/properties/zip/minLength", nil, "then/properties/zip/minLength"},
		"a tighter limit in then":       {conditionsSchema, "then/properties/zip/minLength", 6, "then/properties/zip/minLength"},
		"no else":                       {conditionsSchema, "else", nil, "else/properties/zip/maxLength"},
		"a tighter limit in else":       {conditionsSchema, "else/properties/zip/maxLength", 7, "else/properties/zip/maxLength"},
		"then for others":               {conditionsSchema, "if/properties/country", map[string]any{"enum": []any{"US", "FR"}}, "properties/country/enum/2"},
		"else for all":                  {conditionsSchema, "if", false, "then/required/0"},
		"no then of a number":           {conditionsSchema, "properties/amount/then", nil, "properties/amount/then/multipleOf"},
		"no else of a number":           {conditionsSchema, "properties/amount/else", nil, "properties/amount/else/maximum"},
		"no dependent schema":           {conditionsSchema, "dependentSchemas", nil, "dependentSchemas/card/required/0"},
		"no limit in the dependent one": {conditionsSchema, "dependentSchemas/card/properties/street/minLength", nil, "dependentSchemas/card/properties/street/minLength"},
		"the dependent one for all":     {conditionsSchema, "dependentSchemas", map[string]any{"name": map[string]any{"required": []any{"street"}}}, "dependentSchemas/card/required/0"},
		"nothing that it contains":      {itemsSchema, tags + "contains", nil, tags + "contains"},
		"one is enough":                 {itemsSchema, tags + "minContains", 1, tags + "minContains"},
		"two are not enough":            {itemsSchema, tags + "minContains", 3, tags + "minContains"},
		"three are too many":            {itemsSchema, tags + "maxContains", 2, tags + "maxContains"},
		"four are not too many":         {itemsSchema, tags + "maxContains", 4, tags + "maxContains"},
		"any item":                      {itemsSchema, tags + "items/enum", nil, tags + "items/enum"},
		"a longer list":                 {itemsSchema, tags + "maxItems", 7, tags + "maxItems"},
		"any member by a pattern":       {membersSchema, labels + "^x-[a-z]+$", true, labels + "^x-[a-z]+$/type"},
		"a longer member by a pattern":  {membersSchema, labels + "^x-[a-z]+$/maxLength", 6, labels + "^x-[a-z]+$/maxLength"},
		"a shorter member by a pattern": {membersSchema, labels + "^x-[a-z]+$/maxLength", 4, labels + "^x-[a-z]+$/maxLength"},
		"a larger number by a pattern":  {membersSchema, labels + "^n/maximum", 10, labels + "^n/maximum"},
		"a name that may not be":        {membersSchema, labels + "^no", nil, labels + "^no"},
		"names of another kind":         {membersSchema, labels[:len(labels)-1], map[string]any{"": map[string]any{}}, "properties/labels/additionalProperties"},
		"the pattern for all":           {membersSchema, "properties/notes/patternProperties", map[string]any{"": map[string]any{"maxLength": 5, "type": "string"}}, "properties/notes/patternProperties/^x-[a-z]+$"},
		"members of one's own":          {membersSchema, "properties/size/unevaluatedProperties", nil, "properties/size/unevaluatedProperties"},
		"a longer member of one's own":  {membersSchema, "properties/more/unevaluatedProperties/maxLength", 4, "properties/more/unevaluatedProperties/maxLength"},
		"no member of one's own":        {membersSchema, "properties/more/unevaluatedProperties", false, "properties/more/unevaluatedProperties"},
		"an item more":                  {itemsSchema, "properties/pair/unevaluatedItems", nil, "properties/pair/unevaluatedItems"},
		"an item more of any kind":      {itemsSchema, "properties/rest/unevaluatedItems", nil, "properties/rest/unevaluatedItems/type"},
		"no item more":                  {itemsSchema, "properties/rest/unevaluatedItems", false, "properties/rest/unevaluatedItems"},
		"any first item":                {itemsSchema, "properties/pair/prefixItems", []any{true, true}, "properties/pair/prefixItems/0/maxLength"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flaws := map[string]any{}
			if c.flaw != "" {
				flaws[c.flaw] = c.value
			}
			result, err := contract.Run(t.Context(), conditionsDocument(t, c.source), contract.Target{URL: schemaServer(t, c.source, flaws)}, nil)
			if err != nil {
				t.Fatal(err)
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

// mutatedSchema has each of the keywords once.
const mutatedSchema = `{
	"type": "object",
	"required": ["amount"],
	"properties": {
		"amount": {"type": "integer", "minimum": 0, "maximum": 99, "if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"maximum": 5}},
		"card": {"type": "string", "maxLength": 20},
		"street": {"type": "string", "maxLength": 20},
		"tags": {"type": "array", "maxItems": 6, "items": {"type": "string", "enum": ["a", "b"]}, "contains": {"const": "a"}, "minContains": 2, "maxContains": 3},
		"labels": {"type": "object", "additionalProperties": false, "patternProperties": {"^x-": {"type": "string", "maxLength": 5}, "^y": false}},
		"size": {"type": "object", "properties": {"width": {"type": "integer"}}, "unevaluatedProperties": false}
	},
	"dependentSchemas": {"card": {"required": ["street"]}}
}`

func TestConditionsAreMutated(t *testing.T) {
	t.Parallel()
	score, err := contract.Mutate(t.Context(), conditionsDocument(t, mutatedSchema), contract.Target{URL: schemaServer(t, mutatedSchema, nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{
		"amount/then: there is no then", "amount/else: there is no else", "amount/then/multipleOf: it need be no multiple of 10", "amount/else/maximum: maximum is 6 instead of 5",
		"amount/if/minimum: minimum is 11 instead of 10",
		"dependentSchemas/card: nothing more holds where card is there", "dependentSchemas/card/required/0: street is not required",
		"minContains: minContains is 1 instead of 2", "minContains: minContains is 3 instead of 2", "maxContains: maxContains is 2 instead of 3", "maxContains: maxContains is 4 instead of 3",
		"^x-: a member whose name matches ^x- may be anything", "^x-/maxLength: maxLength is 6 instead of 5", "^y: a member whose name matches ^y may be anything",
		"unevaluatedProperties: members of one's own are allowed",
	} {
		i := slices.IndexFunc(score.Mutants, func(v contract.Verdict) bool { return strings.HasSuffix(v.Pointer+": "+v.What, "/"+change) })
		if i < 0 || score.Mutants[i].Killer == "" {
			t.Errorf("%s: mutant %d is not noticed", change, i)
		}
	}
}
