package contract

import "fmt"

// The kinds of what a document describes an operation by.
const (
	kindOperation = "operation"
	kindParameter = "parameter"
	kindBody      = "request body"
	kindMedia     = "media type"
	kindResponse  = "response"
	kindHeader    = "header"
	kindSchema    = "schema"
)

// part is one object of the document that an operation is described by.
type part struct {
	pointer string
	kind    string
	// answer says that it is about answers.
	answer bool
}

// parts lists all that describes an operation, each object once.
func (d *Document) parts(o *operation) []part {
	r := &reaching{Document: d, seen: map[string]bool{}}
	r.add(o.pointer, kindOperation, false)
	for _, p := range o.parameters {
		r.add(p.pointer, kindParameter, false)
		r.schema(p.schema, false)
	}
	if o.bodyPointer != "" {
		r.add(o.bodyPointer, kindBody, false)
	}
	for _, b := range o.bodies {
		r.add(b.pointer, kindMedia, false)
		r.schema(b.schema, false)
	}
	for _, response := range o.responses {
		r.add(response.pointer, kindResponse, true)
		for _, h := range response.headers {
			r.add(h.pointer, kindHeader, true)
			r.schema(h.schema, true)
		}
		for _, b := range response.bodies {
			r.add(b.pointer, kindMedia, true)
			r.schema(b.schema, true)
		}
	}
	return r.found
}

type reaching struct {
	*Document
	seen  map[string]bool
	found []part
}

func (r *reaching) add(pointer, kind string, answer bool) bool {
	if r.seen[pointer] {
		return false
	}
	r.seen[pointer] = true
	r.found = append(r.found, part{pointer, kind, answer})
	return true
}

// schema goes through a schema and all that is in it.
func (r *reaching) schema(pointer string, answer bool) {
	if pointer == "" {
		return
	}
	object, at := r.resolve(pointer)
	if object == nil || !r.add(at, kindSchema, answer) {
		return
	}
	for _, keyword := range []string{"properties", "patternProperties", "$defs"} {
		below, _ := object[keyword].(map[string]any)
		for _, name := range r.inOrder(at+"/"+keyword, below) {
			r.schema(at+"/"+keyword+"/"+escape(name), answer)
		}
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf", "prefixItems"} {
		for i := range list(object[keyword]) {
			r.schema(fmt.Sprintf("%s/%s/%d", at, keyword, i), answer)
		}
	}
	for _, keyword := range []string{"items", "additionalProperties", "not", "if", "then", "else", "contains"} {
		if _, ok := object[keyword].(map[string]any); ok {
			r.schema(at+"/"+keyword, answer)
		}
	}
}
