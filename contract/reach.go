package contract

import (
	"fmt"
	"slices"
)

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
	for i := range o.responses {
		r.response(&o.responses[i])
	}
	return r.found
}

func (r *reaching) response(response *response) {
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

// changes says whether the document's change is one of what it says of answers
// with a response; nil stands for statuses that have none.
func (d *deriver) changes(o *operation, response *response) bool {
	if d.change == "" || response == nil {
		return d.change != ""
	}
	return d.change == o.pointer || d.change == defaultPolicy || d.reaches(response.pointer, d.change)
}

// asks says whether requests of an operation are described by a part.
func (d *deriver) asks(o *operation, part string) bool {
	if part == "" {
		return false
	}
	for _, p := range o.parameters {
		if p.pointer == part || d.reaches(p.schema, part) {
			return true
		}
	}
	return slices.ContainsFunc(o.bodies, func(b body) bool { return b.schema != "" && d.reaches(b.schema, part) })
}

// reaches says whether a response or schema is described by a part.
func (d *deriver) reaches(from, part string) bool {
	key := [2]string{from, part}
	reached, known := d.reached.Load(key)
	if !known {
		r := &reaching{Document: d.Document, seen: map[string]bool{}}
		if response := d.responseAt(from); response != nil {
			r.response(response)
		} else {
			r.schema(from, true)
		}
		reached = r.seen[part]
		d.reached.Store(key, reached)
	}
	return reached.(bool)
}

func (d *deriver) responseAt(pointer string) *response {
	for _, o := range d.operations {
		for i := range o.responses {
			if o.responses[i].pointer == pointer {
				return &o.responses[i]
			}
		}
	}
	return nil
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
	for _, keyword := range []string{"properties", "patternProperties", "dependentSchemas", "$defs"} {
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
	if by, ok := r.discriminator(r.shape(at)); ok {
		for _, name := range by.names {
			r.schema(by.schemas[name], answer)
		}
	}
	for _, keyword := range []string{"items", "additionalProperties", "not", "if", "then", "else", "contains", "unevaluatedProperties", "unevaluatedItems"} {
		if _, ok := object[keyword].(map[string]any); ok {
			r.schema(at+"/"+keyword, answer)
		}
	}
}
