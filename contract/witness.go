package contract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/accord-api/accord/contract/format"
	"github.com/accord-api/accord/contract/pattern"
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
	part   string           // that claims are wanted of; "" for all
	claims map[string]Claim // by pointer and text
	seen   map[string]bool
	hidden string            // keyword of members that are not looked for
	texts  map[string]*texts // by pointer of a pattern
}

// unproven lists what the document, or one part of it, claims of some operations
// and nothing has shown: of answers that it came, of requests that it was taken.
func (d *deriver) unproven(operations []*operation, came arrived, part string) []Claim {
	return d.witnesses(operations, came, part).open()
}

func (d *deriver) witnesses(operations []*operation, came arrived, part string) *witnesses {
	w := &witnesses{deriver: d, part: part, claims: map[string]Claim{}, seen: map[string]bool{}, texts: map[string]*texts{}}
	for _, o := range operations {
		w.operation(o, came[o.id])
	}
	w.letIn()
	return w
}

// open are the claims that nothing has shown.
func (w *witnesses) open() []Claim {
	var open []Claim
	for _, key := range sorted(w.claims) {
		if !w.seen[key] {
			open = append(open, w.claims[key])
		}
	}
	return open
}

// shown says that texts came where a pattern is, and show all that it lets in.
func (w *witnesses) shown(pointer string) bool {
	texts := w.texts[pointer]
	return texts != nil && len(texts.came) > 0 && !slices.ContainsFunc(w.open(), func(c Claim) bool { return c.Pointer == pointer })
}

// claim notes something that may come, and whether it did.
func (w *witnesses) claim(pointer string, seen bool, text string, args ...any) {
	if w.part != "" && !within(pointer, w.part) {
		return
	}
	text = fmt.Sprintf(text, args...)
	key := pointer + " " + text
	if _, known := w.claims[key]; !known {
		w.claims[key] = Claim{pointer, w.line(pointer), text}
	}
	w.seen[key] = w.seen[key] || seen
}

func (w *witnesses) operation(o *operation, done map[int][]*exchange) {
	w.hidden = writeOnly
	for i := range o.responses {
		r := &o.responses[i]
		if w.part != "" && w.part != o.pointer && !w.reaches(r.pointer, w.part) {
			continue
		}
		at := o.pointer + "/responses/" + escape(r.status)
		came := o.with(r, done)
		w.claim(at, len(came) > 0 || r.status == "default", "%s answers %s", o.id, r.status)
		for _, h := range r.headers {
			var values []any
			for _, e := range came {
				if value := strings.Join(e.answer.Values(h.name), ", "); value != "" {
					values = append(values, w.simple(h.schema, h.explode, value))
				}
			}
			w.claim(r.pointer+"/headers/"+escape(h.name), len(values) > 0, "the header %s comes", h.name)
			if !h.required {
				w.claim(h.pointer, len(values) < len(came), "an answer without the header %s", h.name)
			}
			w.schema(h.schema, values, 0)
		}
		w.bodies(r, came)
	}
	w.requests(o, done)
}

// requests notes what was taken of what the document says that is taken.
func (w *witnesses) requests(o *operation, done map[int][]*exchange) {
	var taken []*exchange
	for status, all := range done {
		if accepted(o, status) {
			taken = append(taken, all...)
		}
	}
	taken = slices.DeleteFunc(taken, func(e *exchange) bool { return e.method != o.method })
	w.hidden = readOnly
	w.returned(o, taken)
	for _, p := range o.parameters {
		if w.part != "" && !w.reaches(p.schema, w.part) {
			continue
		}
		var values []any
		shape := w.shape(p.schema)
		for _, e := range taken {
			if value, given := e.parameters[p.key()]; given && p.sendable(value) {
				values = append(values, w.asText(shape, value))
			}
		}
		w.schema(p.schema, values, 0)
	}
	for _, b := range o.bodies {
		if w.part != "" && !w.reaches(b.schema, w.part) {
			continue
		}
		var values []any
		for _, e := range taken {
			if mediaType, _, _ := strings.Cut(e.header.Get("Content-Type"), ";"); e.value != nil && matchesRange(b.mediaType, mediaType) {
				values = append(values, w.sent(b, e.value))
			}
		}
		w.schema(b.schema, values, 0)
	}
}

// sent is a body as the server sees it: in forms all are texts.
func (w *witnesses) sent(b body, value any) any {
	object, ok := value.(map[string]any)
	if isJSON(b.mediaType) || !ok {
		return value
	}
	return w.textsOf(w.shape(b.schema), object)
}

// textsOf are the declared members of an object of texts.
func (w *witnesses) textsOf(s shape, object map[string]any) map[string]any {
	texts := map[string]any{}
	for _, member := range w.members(s) {
		if value, there := object[member.name]; there {
			texts[member.name] = w.asText(w.shape(member.pointer), value)
		}
	}
	return texts
}

// asText is a value as it is read where there are only texts.
func (w *witnesses) asText(s shape, value any) any {
	if object, ok := value.(map[string]any); ok {
		return w.textsOf(s, object)
	}
	several, ok := value.([]any)
	if !ok {
		return headerValue(s, plainText(value))
	}
	items, _ := s.rule("items")
	read := make([]any, len(several))
	for i := range several {
		read[i] = headerValue(w.shape(items.pointer), plainText(several[i]))
	}
	return read
}

// with gives those of what has come that a response describes.
func (o *operation) with(r *response, done map[int][]*exchange) []*exchange {
	var came []*exchange
	for status, all := range done {
		if o.response(status) == r {
			came = append(came, all...)
		}
	}
	return slices.DeleteFunc(came, func(e *exchange) bool { return e.method != o.method })
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
			if value, err := e.decoded(); isJSON(b.mediaType) && err == nil && !e.cut {
				values = append(values, value)
			}
		}
		w.claim(b.pointer, kinds > 0, "a body as %s comes", b.mediaType)
		if isJSON(b.mediaType) {
			w.schema(b.schema, values, 0)
		}
	}
}

// nothingCame is the claim without which no other one of a schema says anything.
const nothingCame = "a value comes"

// schema notes what a schema says of values, and which of it they show.
func (w *witnesses) schema(pointer string, values []any, depth int) {
	if depth > 20 {
		return
	}
	_, pointer = w.resolve(pointer)
	if w.part != "" && !w.reaches(pointer, w.part) {
		return
	}
	s := w.shape(pointer)
	if w.claim(pointer, len(values) > 0, nothingCame); len(values) == 0 {
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
	if r, ok := s.rule("type"); ok {
		for _, kind := range s.types() {
			if kind != "null" {
				w.claim(r.pointer, slices.Contains(kindsOf(values), kind), "%s", kind)
			}
		}
	}
	w.limits(s, values)
	w.branches(s, values, depth)
	switch s.kind() {
	case "object":
		w.object(s, values, depth)
	case "array":
		w.repeated(s, values)
		if items, ok := s.rule("items"); ok {
			var below []any
			for _, value := range values {
				below = append(below, list(value)...)
			}
			w.schema(items.pointer, below, depth+1)
		}
	case "string":
		w.free(s, values)
	case "integer":
		w.unbounded(s, values)
	}
}

// unbounded wants a number that only a format of integers would keep out, where there
// is none.
func (w *witnesses) unbounded(s shape, values []any) {
	most, limited := s.rule("maximum")
	if high, ok := most.value.(json.Number); s.format() != "" || limited && (!ok || format.Integer("int64", high) == nil) {
		return
	}
	w.claim(s.pointer+"/format", slices.ContainsFunc(values, func(v any) bool { return format.Integer("int64", v) != nil }), "a number that no int64 holds")
}

// branches wants values of each alternative.
func (w *witnesses) branches(s shape, values []any, depth int) {
	for _, keyword := range []string{"anyOf", "oneOf"} {
		for _, r := range s.all(keyword) {
			nulls := false
			for i := range list(r.value) {
				nulls = nulls || slices.Equal(w.shape(fmt.Sprintf("%s/%d", r.pointer, i)).types(), []string{"null"})
			}
			for i := range list(r.value) {
				branch := fmt.Sprintf("%s/%d", r.pointer, i)
				only := w.shape(branch).types()
				w.schema(branch, slices.DeleteFunc(slices.Clone(values), func(value any) bool {
					if value == nil && nulls && !slices.Equal(only, []string{"null"}) {
						return true // it is the other alternative's
					}
					return len(w.schemas.broken(branch, value)) > 0 && len(w.answers.broken(branch, value)) > 0
				}), depth+1)
			}
		}
	}
}

// repeated wants a list with an item twice, where the schema does not forbid it.
func (w *witnesses) repeated(s shape, values []any) {
	if r, ok := s.rule("uniqueItems"); ok && r.value == true {
		return
	}
	w.claim(s.pointer+"/uniqueItems", slices.ContainsFunc(values, func(value any) bool {
		seen := map[any]bool{}
		return slices.ContainsFunc(list(value), func(item any) bool {
			twice := scalarOf(item) && seen[item]
			if scalarOf(item) {
				seen[item] = true
			}
			return twice
		})
	}), "an item twice")
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
			limit := fmt.Sprint(r.value)
			at := slices.ContainsFunc(values, func(value any) bool { return measure(keyword, value) == limit })
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
		if _, other := w.marked(member.pointer, w.hidden); other {
			continue // they are of the other direction
		}
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

// formatted are texts that look as a format wants them, or are of another type: an
// id, a time, an address, a number.
var formatted = regexp.MustCompile(`^(true|false|[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d(T.*)?|\S+@\S+|[\d.:]+|(https?:/)?/\S*)$`)

// free wants a text that only a free text can be, where the schema does not say
// that it is anything else.
func (w *witnesses) free(s shape, values []any) {
	w.patterns(s, values)
	if !s.anything() {
		return
	}
	w.claim(s.pointer+"/format", slices.ContainsFunc(values, func(value any) bool {
		text, ok := value.(string)
		return ok && !formatted.MatchString(text)
	}), "a text of no format")
}

// patterns notes the texts that came for patterns, from all places.
func (w *witnesses) patterns(s shape, values []any) {
	for _, r := range s.all("pattern") {
		p := s.pattern(r)
		if p == nil || w.part != "" && !within(r.pointer, w.part) {
			continue
		}
		if w.texts[r.pointer] == nil {
			w.texts[r.pointer] = &texts{pattern: p, came: map[string]bool{}}
		}
		for _, value := range values {
			if text, ok := value.(string); ok {
				w.texts[r.pointer].came[text] = true
			}
		}
	}
}

// texts are those that have come where a pattern is.
type texts struct {
	pattern *pattern.Pattern
	came    map[string]bool
}

// letIn wants texts that show all that each pattern lets in.
func (w *witnesses) letIn() {
	for _, pointer := range sorted(w.texts) {
		for _, m := range w.texts[pointer].pattern.Unshown(sorted(w.texts[pointer].came)) {
			w.claim(pointer, false, "a text that tells it from %s (%s)", m.Expr, m.What)
		}
	}
}
