package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/accord-api/accord/contract/format"
	"github.com/accord-api/accord/contract/pattern"
)

// constraints are the keywords by which a schema refuses values.
var constraints = []string{
	"type", "enum", "const", "minLength", "maxLength", "pattern", "format",
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
	"minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "prefixItems", "unevaluatedItems",
	"required", "additionalProperties", "unevaluatedProperties", "minProperties", "maxProperties", "propertyNames",
	"patternProperties", "dependentRequired", "dependentSchemas", "oneOf", "anyOf", "not", "then", "else", "discriminator",
}

// tries collects what an operation asks of requests and no case breaks.
type tries struct {
	*deriver
	operation *operation
	broken    map[string]bool // pointers that a case breaks
	seen      map[string]bool
	found     []Claim
	in        string // where the value stands: a place of a parameter, or a media type
}

// untried lists what an operation asks of requests and no case of it breaks, without
// a reason why none could.
func (d *deriver) untried(o *operation, cases []Case) []Claim {
	t := &tries{deriver: d, operation: o, broken: map[string]bool{}, seen: map[string]bool{}}
	for _, c := range cases {
		if len(c.want.statuses) > 0 && !c.want.accepted || c.script.Kind == scriptOwned {
			t.broken[c.Pointer] = true
		}
	}
	for _, p := range o.parameters {
		if t.in = p.in; p.required && p.in != "path" {
			t.want(p.pointer+"/required", "required", "")
		}
		t.schema(p.schema, 0)
	}
	if o.bodyRequired {
		t.want(o.bodyPointer+"/required", "required", "")
	}
	for _, b := range o.bodies {
		if t.in = b.mediaType; b.schema != "" {
			t.schema(b.schema, 0)
		}
	}
	return t.found
}

// want notes a sentence that no case breaks, unless there is a reason.
func (t *tries) want(pointer, keyword, why string) {
	tried := slices.ContainsFunc(sorted(t.broken), func(broken string) bool { return within(broken, pointer) })
	c := Claim{pointer, t.line(pointer), fmt.Sprintf("%s sends nothing that breaks %s", t.operation.id, keyword)}
	if !tried && why == "" && !slices.Contains(t.found, c) {
		t.found = append(t.found, c)
	}
}

// schema goes through a schema of requests and all that is in it.
func (t *tries) schema(pointer string, depth int) {
	key := t.in + " " + pointer
	if depth > 20 || t.seen[key] {
		return
	}
	t.seen[key] = true
	s := t.shape(pointer)
	t.said(s, s, depth)
}

// said goes through what is said of a value that is described by a schema: all of it, or
// what holds under a condition.
func (t *tries) said(s, part shape, depth int) {
	for _, r := range part.rules {
		if slices.Contains(constraints, r.keyword) {
			t.rule(s, r, depth)
		}
	}
	for _, m := range t.members(s) {
		if !slices.ContainsFunc(t.members(part), func(own member) bool { return own.name == m.name }) {
			continue
		}
		for _, at := range parted(m.pointer) {
			if t.never(at) {
				t.want(at, m.name+", which may not be there,", "")
			}
		}
		r, only := t.marked(m.pointer, readOnly)
		switch {
		case !only:
			t.schema(m.pointer, depth+1)
		case t.showsMember([]string{t.operation.id}, m.name):
			t.want(r.pointer, readOnly, "")
		}
	}
	if by, ok := t.discriminator(part); ok {
		for _, name := range by.names {
			t.schema(by.schemas[name], depth+1)
		}
	}
	if items := s.itemsOf(); items != "" && part.itemsOf() != "" {
		t.schema(items, depth+1)
	}
}

func (t *tries) rule(s shape, r rule, depth int) {
	switch r.keyword {
	case "required":
		for i, name := range list(r.value) {
			t.want(fmt.Sprintf("%s/%d", r.pointer, i), fmt.Sprintf("required (%v)", name), t.unasked(s, r, name))
		}
	case "additionalProperties", "unevaluatedProperties":
		if _, described := r.value.(map[string]any); described {
			t.schema(r.pointer, depth+1)
		} else if r.value == false {
			t.want(r.pointer, r.keyword, "")
		}
	case "oneOf", "anyOf":
		for i := range list(r.value) {
			t.schema(fmt.Sprintf("%s/%d", r.pointer, i), depth+1)
		}
		if !t.brokenIn(r) {
			t.want(r.pointer, r.keyword, t.everything(r))
		}
	case "then", "else":
		t.conditional(s, r.pointer, r.keyword, depth)
	case "dependentSchemas", "patternProperties":
		of, _ := r.value.(map[string]any)
		for _, name := range t.inOrder(r.pointer, of) {
			at, keyword := r.pointer+"/"+escape(name), fmt.Sprintf("%s (%s)", r.keyword, name)
			switch {
			case r.keyword == "dependentSchemas":
				t.conditional(s, at, keyword, depth)
			case t.never(at):
				t.want(at, keyword, "")
			default:
				t.schema(at, depth+1)
			}
		}
	case "contains", "minContains", "maxContains":
		t.want(r.pointer, r.keyword, s.uncontained(r))
	default:
		t.want(r.pointer, r.keyword, t.reason(s, r))
	}
}

// conditional goes through what holds for some of the values of a schema.
func (t *tries) conditional(s shape, pointer, keyword string, depth int) {
	if t.never(pointer) {
		t.want(pointer, keyword, "")
		return
	}
	whole := joined(s.pointer, pointer)
	if key := t.in + " " + whole; depth <= 20 && !t.seen[key] {
		t.seen[key] = true
		t.said(t.shape(whole), t.shape(pointer), depth+1)
	}
}

// uncontained says why no list is without what it has to contain, or has too much of it.
func (s shape) uncontained(r rule) string {
	for _, c := range s.containers() {
		switch r.pointer {
		case c.max.pointer:
			if most := s.count("maxItems", maxItems); most <= c.most {
				return fmt.Sprintf("a list of at most %d items has no more of it", most)
			}
			return ""
		case c.contains.pointer, c.min.pointer:
			if c.least == 0 {
				return "a list need contain none"
			}
			return ""
		}
	}
	return "it says nothing without contains"
}

// brokenIn says that a case breaks what one of several alternatives says.
func (t *tries) brokenIn(r rule) bool {
	for i := range list(r.value) {
		_, at := t.resolve(fmt.Sprintf("%s/%d", r.pointer, i))
		if slices.ContainsFunc(sorted(t.broken), func(broken string) bool { return within(broken, at) }) {
			return true
		}
	}
	return false
}

// unasked says why a member that is required need not be sent.
func (t *tries) unasked(s shape, r rule, name any) string {
	for _, m := range t.members(s) {
		if m.name == name && t.readOnly(m.pointer) {
			return "only answers have it"
		}
	}
	for _, before := range s.all("required") {
		if before.pointer == r.pointer || !isJoined(s.pointer) {
			break
		}
		if slices.Contains(list(before.value), name) {
			return "another part of the schema says so as well"
		}
	}
	return ""
}

// everything says that one of several alternatives takes any value of its place.
func (t *tries) everything(r rule) string {
	for i := range list(r.value) {
		if s := t.shape(fmt.Sprintf("%s/%d", r.pointer, i)); t.textual() && s.kind() == "string" && s.anything() {
			return "every text is one of them"
		}
	}
	return ""
}

// textual says that the place holds texts only.
func (t *tries) textual() bool { return !isJSON(t.in) }

// reason says why no request can break a keyword of a value, and nothing else; "" where
// one could.
func (t *tries) reason(s shape, r rule) string {
	listed, limited := s.rule("enum")
	switch r.keyword {
	case "type":
		if before, _ := s.rule("type"); before.pointer != r.pointer && fmt.Sprint(before.value) == fmt.Sprint(r.value) {
			return "another part of the schema says so as well"
		}
		return t.anyType(s)
	case "enum", "const":
		return ""
	case "format":
		return t.formatted(s, r)
	case "uniqueItems":
		if r.value != true {
			return "it is not asked for"
		}
		if s.count("maxItems", 2) < 2 {
			return "a list of at most one item has none twice"
		}
	}
	if limited && t.keeps(s, list(listed.value)) {
		return "only listed values get that far"
	}
	switch {
	case strings.HasPrefix(r.keyword, "min") && fmt.Sprint(r.value) == "0" && r.keyword != "minimum":
		return "nothing has less than 0"
	case strings.HasSuffix(r.keyword, "Length"):
		return t.length(s, r)
	case r.keyword == "maxItems":
		if limit := t.operation.policy.bodyLimit; isJSON(t.in) && limit > 0 && int64(2*s.count("maxItems", 0)) >= limit {
			return fmt.Sprintf("a longer list is larger than the body limit of %d bytes", limit)
		}
	case r.keyword == "pattern":
		p, everything := s.pattern(r), parsed("", s.count("minLength", -1), s.count("maxLength", -1))
		if p != nil {
			if all, known := p.Equivalent(everything); all && known {
				return "it matches every text of these lengths"
			}
		}
	}
	return ""
}

// keeps says that the listed values break nothing else of a schema.
func (t *tries) keeps(s shape, values []any) bool {
	return !slices.ContainsFunc(values, func(value any) bool {
		found, err := t.schemas.breaches(s.pointer, value)
		return err != nil || len(found) > 0
	})
}

// anyType says why no value of the place has another type.
func (t *tries) anyType(s shape) string {
	switch {
	case !t.textual():
		if _, limited := s.rule("enum"); limited && len(s.types()) > 0 {
			return ""
		}
		if len(s.types()) == 7 {
			return "it takes every type"
		}
	case s.kind() == "object":
		return "a form is one, whatever is in it"
	case s.takes("string"):
		return "every text is a string"
	case s.kind() == "array":
		if items, ok := s.rule("items"); !ok || t.shape(items.pointer).takes("string") {
			return "every text is a list of one"
		}
	}
	return ""
}

// formatted says why a format refuses nothing by itself.
func (t *tries) formatted(s shape, r rule) string {
	name, _ := r.value.(string)
	whole := map[string]any{}
	for _, keyword := range []string{"minimum", "maximum"} {
		if limit, ok := s.rule(keyword); ok {
			whole[keyword] = limit.value
		}
	}
	if why := noRule(whole, name); why != "" {
		return why
	}
	if name == "float" || name == "double" {
		return "every number is one, as near as it can be kept"
	}
	if p := t.patternOf(s); p != nil && format.Known(name) && !slices.ContainsFunc(format.Invalid(name), p.Match) {
		return "the pattern refuses what the format does"
	}
	return ""
}

func (t *tries) patternOf(s shape) *pattern.Pattern {
	r, ok := s.rule("pattern")
	if !ok {
		return nil
	}
	return s.pattern(r)
}

// length says why no text is only too short or too long.
func (t *tries) length(s shape, r rule) string {
	number, _ := r.value.(json.Number)
	n, err := number.Int64()
	if err != nil || n > 1<<31 {
		return ""
	}
	limit := t.operation.policy.bodyLimit
	short := r.keyword == "minLength"
	switch {
	case short && n == 1 && t.in == "path":
		return "with nothing in its place a path is another one"
	case !short && slices.ContainsFunc(t.operation.bodies, func(b body) bool { return b.mediaType == t.in }) && limit > 0 && n >= limit:
		return fmt.Sprintf("a longer text is larger than the body limit of %d bytes", limit)
	case !short && s.format() == "email" && n >= maxEmail:
		return "the format email lets no address have more than 254 characters"
	}
	for _, other := range s.all("pattern") {
		expr, _ := other.value.(string)
		least, most := 0, int(n)-1
		if !short {
			least, most = int(n)+1, -1
		}
		if p := parsed(expr, least, most); p != nil && p.Empty() {
			return fmt.Sprintf("the pattern %s matches no text that is only too %s", expr, map[bool]string{true: "short", false: "long"}[short])
		}
	}
	return ""
}
