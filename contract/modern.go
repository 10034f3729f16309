package contract

import (
	"slices"
	"strconv"
	"strings"
)

// modernise turns the schemas of OpenAPI 3.0 into those of JSON Schema 2020-12.
func (d *Document) modernise(node any, pointer string) {
	switch node := node.(type) {
	case []any:
		for i, item := range node {
			d.modernise(item, pointer+"/"+strconv.Itoa(i))
		}
	case map[string]any:
		for _, key := range sorted(node) {
			below := pointer + "/" + escape(key)
			named, ok := node[key].(map[string]any)
			switch {
			case ok && slices.Contains(naming, key):
				for _, name := range sorted(named) {
					d.modernise(named[name], below+"/"+escape(name))
				}
			case !slices.Contains([]string{"example", "examples", "default", "enum", "const"}, key):
				d.modernise(node[key], below)
			}
		}
		d.moderniseSchema(node, pointer)
	}
}

func (d *Document) moderniseSchema(schema map[string]any, pointer string) {
	if nullable, ok := schema["nullable"].(bool); ok {
		if kind, typed := schema["type"].(string); typed && nullable {
			schema["type"] = []any{kind, "null"}
			if values, listed := schema["enum"].([]any); listed && !slices.Contains(values, nil) {
				schema["enum"] = append(values, nil)
			}
		}
		if _, typed := schema["type"]; !typed && nullable {
			d.alsoNull(schema, pointer)
		}
		delete(schema, "nullable")
	}
	for exclusive, limit := range map[string]string{"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"} {
		if set, ok := schema[exclusive].(bool); ok {
			if delete(schema, exclusive); set {
				schema[exclusive] = schema[limit]
				delete(schema, limit)
			}
		}
	}
}

// alsoNull lets null stand where a schema is put together from others. Strictly,
// nullable says nothing there; what is meant is plain.
func (d *Document) alsoNull(schema map[string]any, pointer string) {
	for _, keyword := range []string{"$ref", "allOf", "oneOf", "anyOf"} {
		if whole, ok := schema[keyword]; ok {
			delete(schema, keyword)
			schema["anyOf"] = []any{map[string]any{keyword: whole}, map[string]any{"type": "null"}}
			d.nullables = append(d.nullables, pointer)
			return
		}
	}
}

// written is where a pointer into what the document was read as leads to in what is
// written.
func (d *Document) written(pointer string) string {
	for _, nullable := range slices.Backward(d.nullables) { // the outer ones first
		rest, ok := strings.CutPrefix(pointer, nullable+"/anyOf")
		switch rest, first := strings.CutPrefix(rest, "/0"); {
		case ok && first && (rest == "" || rest[0] == '/'):
			pointer = nullable + rest
		case ok && (rest == "" || rest[0] == '/'):
			pointer = nullable + "/nullable"
		}
	}
	return pointer
}

// asWritten has the pointers of a result lead to what is written.
func (d *Document) asWritten(r *Result) {
	if d.nullables == nil {
		return
	}
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		o.Pointer = d.written(o.Pointer)
		for j := range o.Failures {
			o.Failures[j].Pointer = d.written(o.Failures[j].Pointer)
		}
	}
	for _, claims := range [][]Claim{r.Unproven, r.Untried} {
		for i := range claims {
			claims[i].Pointer = d.written(claims[i].Pointer)
		}
	}
}
