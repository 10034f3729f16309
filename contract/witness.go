package contract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Claim is something that the document says may come, and whether it ever came.
// A claim that nothing bears witness of may be wrong without anybody noticing.
type Claim struct {
	// Pointer is the sentence, Line where it stands.
	Pointer string
	Line    int
	Text    string
}

// witnesses collects what came of what may come.
type witnesses struct {
	*deriver
	claims map[string]Claim // by pointer and text
	seen   map[string]bool
}

// unproven lists what the document claims of answers to some operations and none
// of them has shown.
func (d *deriver) unproven(operations []*operation, exchanges map[string][]*exchange) []Claim {
	w := &witnesses{deriver: d, claims: map[string]Claim{}, seen: map[string]bool{}}
	for _, o := range operations {
		w.operation(o, exchanges[o.id])
	}
	var open []Claim
	for _, key := range sorted(w.claims) {
		if !w.seen[key] {
			open = append(open, w.claims[key])
		}
	}
	return open
}

// claim notes something that may come, and whether it did.
func (w *witnesses) claim(pointer string, seen bool, text string, args ...any) {
	text = fmt.Sprintf(text, args...)
	key := pointer + " " + text
	if _, known := w.claims[key]; !known {
		w.claims[key] = Claim{pointer, w.line(pointer), text}
	}
	w.seen[key] = w.seen[key] || seen
}

func (w *witnesses) operation(o *operation, done []*exchange) {
	for i := range o.responses {
		r := &o.responses[i]
		at := o.pointer + "/responses/" + escape(r.status)
		came := slices.DeleteFunc(slices.Clone(done), func(e *exchange) bool { return e.method != o.method || o.response(e.status) != r })
		w.claim(at, len(came) > 0 || r.status == "default", "%s answers %s", o.id, r.status)
		for _, h := range r.headers {
			var values []any
			for _, e := range came {
				if value := e.answer.Get(h.name); value != "" {
					values = append(values, headerValue(w.shape(h.schema), value))
				}
			}
			w.claim(r.pointer+"/headers/"+escape(h.name), len(values) > 0, "the header %s comes", h.name)
			w.schema(h.schema, values, 0)
		}
		w.bodies(r, came)
	}
}

func (w *witnesses) bodies(r *response, came []*exchange) {
	for _, b := range r.bodies {
		if b.schema == "" {
			continue
		}
		var values []any
		kinds := 0
		for _, e := range came {
			if contentType := e.answer.Get("Content-Type"); !matchesRange(b.mediaType, strings.TrimSpace(strings.Split(contentType, ";")[0])) {
				continue
			}
			kinds++
			if value, err := decode(e.received); strings.HasSuffix(b.mediaType, "json") && err == nil && !e.cut {
				values = append(values, value)
			}
		}
		w.claim(b.pointer, kinds > 0, "a body as %s comes", b.mediaType)
		if strings.HasSuffix(b.mediaType, "json") {
			w.schema(b.schema, values, 0)
		}
	}
}

// schema notes what a schema says of values, and which of it they show.
func (w *witnesses) schema(pointer string, values []any, depth int) {
	if depth > 20 {
		return
	}
	_, pointer = w.resolve(pointer)
	s := w.shape(pointer)
	if w.claim(pointer, len(values) > 0, "a value comes"); len(values) == 0 {
		return // what may come in it shows nothing either way
	}
	for _, r := range s.all("enum") {
		for i, each := range list(r.value) {
			w.claim(fmt.Sprintf("%s/%d", r.pointer, i), slices.ContainsFunc(values, func(v any) bool { return scalarOf(v) && v == each || v == nil && each == nil }), "the value %v", each)
		}
	}
	if r, ok := s.rule("type"); ok && s.takes("null") {
		w.claim(r.pointer, slices.Contains(kindsOf(values), "null"), "null")
	}
	if r, ok := s.rule("type"); ok && s.kind() != "" {
		w.claim(r.pointer, slices.ContainsFunc(kindsOf(values), func(kind string) bool { return kind == s.kind() || s.kind() == "" && kind != "null" }), "%s", s.kind())
	}
	w.limits(s, values)
	switch s.kind() {
	case "object":
		w.object(s, values, depth)
	case "array":
		if items, ok := s.rule("items"); ok {
			var below []any
			for _, value := range values {
				below = append(below, list(value)...)
			}
			w.schema(items.pointer, below, depth+1)
		}
	case "string":
		w.free(s, values)
	}
}

func kindsOf(values []any) []string {
	var kinds []string
	for _, value := range values {
		kind := "object"
		switch value := value.(type) {
		case nil:
			kind = "null"
		case string:
			kind = "string"
		case bool:
			kind = "boolean"
		case json.Number:
			kind = "integer"
			if strings.ContainsAny(value.String(), ".eE") {
				kind = "number"
			}
		case []any:
			kind = "array"
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// limits want a value at each limit.
func (w *witnesses) limits(s shape, values []any) {
	for _, keyword := range []string{"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "minProperties", "maxProperties"} {
		for _, r := range s.all(keyword) {
			at := slices.ContainsFunc(values, func(value any) bool { return measure(keyword, value) == fmt.Sprint(r.value) })
			w.claim(r.pointer, at, "one at the limit %v", r.value)
		}
	}
}

func measure(keyword string, value any) string {
	switch value := value.(type) {
	case string:
		if strings.HasSuffix(keyword, "Length") {
			return fmt.Sprint(utf8.RuneCountInString(value))
		}
	case []any:
		if strings.HasSuffix(keyword, "Items") {
			return fmt.Sprint(len(value))
		}
	case map[string]any:
		if strings.HasSuffix(keyword, "Properties") {
			return fmt.Sprint(len(value))
		}
	case json.Number:
		if strings.HasSuffix(keyword, "imum") {
			return value.String()
		}
	}
	return ""
}

func (w *witnesses) object(s shape, values []any, depth int) {
	for _, member := range w.members(s) {
		var below []any
		absent := false
		for _, value := range values {
			object, ok := value.(map[string]any)
			if !ok {
				continue
			}
			if each, there := object[member.name]; there {
				below = append(below, each)
			} else {
				absent = true
			}
		}
		w.claim(member.pointer, len(below) > 0, "the member %s", member.name)
		if member.required == nil {
			w.claim(member.pointer, absent, "one without %s", member.name)
		}
		w.schema(member.pointer, below, depth+1)
	}
	if r, ok := s.rule("additionalProperties"); !ok || r.value != false {
		more := slices.ContainsFunc(values, func(value any) bool {
			object, _ := value.(map[string]any)
			return slices.ContainsFunc(sorted(object), func(name string) bool {
				return !slices.ContainsFunc(w.members(s), func(m member) bool { return m.name == name })
			})
		})
		w.claim(s.pointer, more, "a member that is not declared")
	}
}

// formatted are texts that look as a format wants them: an id, a time, an address.
var formatted = regexp.MustCompile(`^([0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d(T.*)?|\S+@\S+|[\d.:]+|(https?:/)?/\S*)$`)

// free wants a text that only a free text can be, where the schema does not say
// that it is anything else.
func (w *witnesses) free(s shape, values []any) {
	if !s.anything() {
		return
	}
	w.claim(s.pointer, slices.ContainsFunc(values, func(value any) bool {
		text, ok := value.(string)
		return ok && !formatted.MatchString(text)
	}), "a text of no format")
}
