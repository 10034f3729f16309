package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/accord-api/accord/contract/format"
)

// variant is a value at one side of what one sentence of the document says.
type variant struct {
	// pointer is the sentence; at is the value's place in the whole, as steps.
	pointer string
	at      []string
	// schema is that of the place.
	schema string
	value  any
	// valid says on which side it is.
	valid bool
	what  string
	// through are the sentences about alternatives that the place is one of: what is
	// wrong in an alternative is told as theirs.
	through []string
	// host has to stand at hostAt for the place to be there: another alternative than the
	// whole is; nil for none.
	host   any
	hostAt []string
	// elsewhere says that it shows nothing but under a condition, which it is not of.
	elsewhere bool
	// added says that the place is there for the variant's sake only.
	added bool
	// over is what the host stands for, of which it keeps what is the same; nil where it
	// keeps nothing.
	over any
}

// around makes what stands on both sides of each sentence about a value and about
// all that is in it. whole is a valid value of the schema.
func (m maker) around(pointer string, whole any) []variant {
	return m.known.get(m.touched(pointer), pointer, whole, func() []variant {
		w := &walk{maker: m}
		w.value(pointer, whole, nil)
		return slices.DeleteFunc(w.found, func(v variant) bool { return !m.fits(pointer, whole, v) })
	})
}

// known keeps what is the same for all documents that differ in one part only:
// the variants of schemas, and what is wrong with answers.
type known struct {
	variants sync.Map // by pointer and value
	answers  sync.Map // []Failure by *exchange
}

// get makes what is not there. What is touched by a change is made each time.
func (k *known) get(touched bool, pointer string, whole any, made func() []variant) []variant {
	if touched {
		return made()
	}
	key := pointer + " " + fmt.Sprint(whole)
	if found, ok := k.variants.Load(key); ok {
		return slices.Clone(found.([]variant))
	}
	found := made()
	k.variants.Store(key, slices.Clone(found))
	return found
}

// touched says whether the document's change is in a schema.
func (m maker) touched(pointer string) bool {
	if m.change == "" {
		return false
	}
	r := &reaching{Document: m.Document, seen: map[string]bool{}}
	r.schema(pointer, false)
	return r.seen[m.change]
}

// fits says whether a variant is on the side that it says, and beyond no other
// sentence, which would hide whether the one is kept.
func (m maker) fits(pointer string, whole any, v variant) bool {
	value := v.put(whole, v.value)
	if _, long := v.value.(filler); long || value == (any)(absent{}) {
		return true
	}
	found, err := m.schemas.breaches(pointer, value)
	if err != nil {
		return false
	}
	misnamed := m.misnamed(m.schemas, pointer, value, 0)
	switch {
	case v.valid:
		return len(found) == 0 && len(misnamed) == 0
	case strings.HasSuffix(v.pointer, "/discriminator"): // alternatives may tell of it as well
		return len(misnamed) > 0
	case len(found) == 0 && len(misnamed) == 0: // a format that only OpenAPI knows
		return strings.HasSuffix(v.pointer, "/format")
	}
	return !slices.ContainsFunc(append(found, misnamed...), func(b breach) bool {
		return !strings.HasSuffix(b.pointer, "/discriminator") && b.pointer != v.pointer && !strings.HasPrefix(v.pointer, b.pointer+"/") && !slices.ContainsFunc(v.through, func(also string) bool { return within(b.pointer, also) })
	})
}

// walk goes through a value and notes variants.
type walk struct {
	maker
	found   []variant
	schema  string
	depth   int
	through []string
	host    any
	hostAt  []string
	over    any

	only   []string // schemas of which variants are wanted; nil for all
	trying []string // conditions that are being tried
	about  []about  // the same, each with its place
}

func (w *walk) add(r rule, at []string, valid bool, value any, what string, args ...any) {
	w.found = append(w.found, variant{
		pointer: parted(r.pointer)[0], at: slices.Clone(at), schema: w.schema, value: value, valid: valid, what: fmt.Sprintf(what, args...),
		through: slices.Clone(w.through), host: w.host, hostAt: w.hostAt, over: w.over,
	})
}

func (w *walk) value(pointer string, value any, at []string) {
	if w.depth >= 20 {
		return
	}
	w.depth++
	outer := w.schema
	w.schema = pointer
	defer func() { w.depth--; w.schema = outer }()
	s := w.shape(pointer)
	w.types(s, at)
	w.listed(s, at)
	w.alternatives(s, value, at)
	w.kinds(s, value, at)
	w.ruledOut(s, value, at)
	w.conditional(s, value, at)
	w.others(s, at)
	switch s.kind() {
	case "string":
		w.text(s, at)
	case "integer", "number":
		w.number(s, at)
	case "array":
		w.list(s, value, at)
	case "object":
		w.object(s, value, at)
	case "boolean":
		if r, ok := s.rule("type"); ok {
			w.add(r, at, true, true, "true")
			w.add(r, at, true, false, "false")
		}
	}
}

// others tries the limits of texts and numbers where a value is of another type as well,
// which is the one that stands there.
func (w *walk) others(s shape, at []string) {
	kind := s.kind()
	number := kind == "integer" || kind == "number"
	for _, other := range s.types() {
		switch other {
		case "string":
			if kind != other {
				w.text(s, at)
			}
		case "integer", "number":
			if !number {
				w.number(s, at)
				number = true
			}
		}
	}
}

// types tries a value of each JSON type.
func (w *walk) types(s shape, at []string) {
	r, ok := s.rule("type")
	if !ok {
		return
	}
	for _, kind := range []string{"null", "boolean", "integer", "number", "string", "array", "object"} {
		value := map[string]any{
			"null": nil, "boolean": true, "integer": json.Number("12"), "number": json.Number("1.5"),
			"string": "12", "array": []any{}, "object": map[string]any{},
		}[kind]
		switch {
		case !s.takes(kind) && (kind != "integer" || !s.takes("number")):
			w.add(r, at, false, value, "%s instead of %s", kind, strings.Join(s.types(), " or "))
		case kind == "null" && s.takes("null"):
			w.add(r, at, true, nil, "null")
		case kind != s.kind() && slices.Contains(s.types(), kind):
			w.add(r, at, true, value, "%s", kind)
		}
	}
}

// listed tries each value of an enumeration, and ones that are not in it.
func (w *walk) listed(s shape, at []string) {
	for _, r := range s.all("enum") {
		values, _ := r.value.([]any)
		for i, each := range values {
			w.add(rule{pointer: fmt.Sprintf("%s/%d", r.pointer, i)}, at, true, each, "%v", each)
		}
		w.add(r, at, false, unknownText, "a value that is not listed")
		for _, each := range values {
			if text, ok := each.(string); ok {
				w.add(r, at, false, text+"x", "%sx", text)
				w.add(r, at, false, swapCase(text), "%s", swapCase(text))
			}
		}
	}
	for _, r := range s.all("const") {
		w.add(r, at, true, r.value, "%v", r.value)
		w.add(r, at, false, unknownText, "another value")
	}
}

func swapCase(text string) string {
	if upper := strings.ToUpper(text); upper != text {
		return upper
	}
	return strings.ToLower(text)
}

// ruledOut tries what the rarer keywords are against: a value that must not be, a member
// by a name that is none, and one without what it depends on.
func (w *walk) ruledOut(s shape, value any, at []string) {
	for _, r := range s.all("not") {
		wrong := w.base(r.pointer, true, 0)
		if wrong == nil { // it is of what the schema describes else
			wrong = w.mended(joined(r.pointer, s.pointer), value, 0)
		}
		w.add(r, at, false, wrong, "what must not be")
	}
	for _, r := range s.all("propertyNames") {
		names := &walk{maker: w.maker, schema: r.pointer} // they are texts, whether it says so or not
		names.listed(w.shape(r.pointer), nil)
		names.text(w.shape(r.pointer), nil)
		for _, v := range names.found {
			if name, ok := v.value.(string); ok && !v.valid {
				w.add(rule{pointer: v.pointer}, append(slices.Clone(at), name), false, w.memberOfOnesOwn(s), "a member called %q", name)
			}
		}
	}
	object, _ := value.(map[string]any)
	for _, r := range s.all("dependentRequired") {
		needs, _ := r.value.(map[string]any)
		for _, name := range sorted(needs) {
			for _, needed := range list(needs[name]) {
				others := maps.Clone(object)
				delete(others, fmt.Sprint(needed))
				if _, there := others[name]; there {
					w.add(rule{pointer: r.pointer + "/" + escape(name)}, at, false, others, "%s without %v", name, needed)
				}
			}
		}
	}
}

// memberOfOnesOwn is a value that a member may have that is not declared.
func (w *walk) memberOfOnesOwn(s shape) any {
	if r, ok := s.rule("additionalProperties"); ok && r.value != true {
		return w.base(r.pointer, true, 0)
	}
	return "x"
}

// unlimited tries what is far out, where no limit is said.
func (w *walk) unlimited(s shape, at []string, value any, limits ...string) {
	r, ok := s.rule("type")
	if !ok || slices.ContainsFunc(append(limits, "enum", "const"), func(keyword string) bool { _, said := s.rule(keyword); return said }) {
		return
	}
	text := plainText(value)
	if runes := utf8.RuneCountInString(text); runes > 20 {
		text = fmt.Sprintf("%d characters", runes)
	}
	w.add(r, at, true, value, "%s, as no limit is said", text)
}

// farText is a long text that a line of a request still takes.
const farText = 1000

func (w *walk) text(s shape, at []string) {
	w.lengths(s, at)
	if s.anything() {
		w.unlimited(s, at, strings.Repeat("a", farText), "maxLength")
		w.unlimited(s, at, "", "minLength")
	}
	if r, ok := s.rule("type"); ok && s.anything() {
		for _, text := range []string{"some text", "Ünï-cøde", "a\tb\nc", "\x01"} {
			w.add(r, at, true, text, "%q", text)
		}
	}
	for _, r := range s.all("pattern") {
		p := s.pattern(r)
		if p == nil {
			continue
		}
		for _, text := range p.Accepted() {
			w.add(r, at, true, text, "%q", text)
		}
		for _, text := range p.Refused() {
			w.add(r, at, false, text, "%q", text)
		}
		w.spoiled(s, r, at)
	}
	if r, ok := s.rule("format"); ok {
		name, _ := r.value.(string)
		for seed := range uint64(3) {
			if text, ok := format.Valid(name, seed); ok {
				w.add(r, at, true, text, "%q", text)
			}
		}
		for _, text := range format.Invalid(name) {
			w.add(r, at, false, text, "%q", text)
		}
	}
}

// lengths tries a text as short and as long as it may be, and one character more.
func (w *walk) lengths(s shape, at []string) {
	for _, r := range s.all("minLength") {
		least := s.count("minLength", 0)
		if text, ok := w.maker.text(s, least, 1); ok {
			w.add(r, at, true, text, "%d characters", least)
		}
		if least > 0 {
			w.wrongLength(s, r, at, least-1)
		}
	}
	for _, r := range s.all("maxLength") {
		most := s.count("maxLength", maxText)
		if most > maxText {
			if s.format() == "binary" && most <= maxBytes {
				w.add(r, at, true, filler{most}, "%d bytes", most)
				w.add(r, at, false, filler{most + 1}, "%d bytes", most+1)
			}
			continue
		}
		if text, ok := w.maker.text(s, most, 1); ok {
			w.add(r, at, true, text, "%d characters", most)
		}
		if wide := strings.Repeat("é", most); most > 0 && most < maxText {
			w.add(r, at, true, wide, "%d characters of two bytes", most)
		}
		w.wrongLength(s, r, at, most+1)
	}
}

// wrongLength tries texts of which only the length is wrong.
func (w *walk) wrongLength(s shape, r rule, at []string, n int) {
	told := false
	for _, text := range w.candidates(s, n, 1) {
		if utf8.RuneCountInString(text) == n {
			w.add(r, at, false, text, "%d characters", n)
			told = told || w.breaksOnly(s, r, text)
		}
	}
	for _, other := range s.all("pattern") {
		expr, _ := other.value.(string)
		if p := parsed(expr, -1, -1); p != nil && !told {
			if text, ok := p.Make(n, 1); ok {
				w.add(r, at, false, text, "%d characters", n)
			}
		}
	}
}

func (w *walk) number(s shape, at []string) {
	for _, limit := range []struct {
		keyword         string
		inside, outside int64
	}{{"minimum", 0, -1}, {"maximum", 0, 1}, {"exclusiveMinimum", 1, 0}, {"exclusiveMaximum", -1, 0}} {
		for _, r := range s.all(limit.keyword) {
			inside, outside := stepped(s, r.value, limit.inside), stepped(s, r.value, limit.outside)
			w.add(r, at, true, inside, "%s", inside)
			w.add(r, at, false, outside, "%s", outside)
		}
	}
	w.unlimited(s, at, json.Number("1000000"), "maximum", "exclusiveMaximum")
	w.unlimited(s, at, json.Number("-1"), "minimum", "exclusiveMinimum")
	if r, ok := s.rule("type"); ok && s.kind() == "number" {
		w.add(r, at, true, half(w.baseNumber(s)), "%s", half(w.baseNumber(s)))
	}
	for _, r := range s.all("multipleOf") {
		of := multiple(s, r.value)
		w.add(r, at, true, of, "%v", of)
		none := between(of, r.value)
		if s.kind() == "integer" {
			none = add(of, 1)
		}
		w.add(r, at, false, none, "%s", none)
		w.multiples(s, r, at)
	}
	if r, ok := s.rule("format"); ok {
		for _, text := range map[any][]string{
			"int32": {"2147483648", "-2147483649"}, "int64": {"9223372036854775808", "-9223372036854775809"},
		}[r.value] {
			if !s.outside(json.Number(text)) { // which would be refused for its limit
				w.add(r, at, false, json.Number(text), "%s", text)
			}
		}
	}
}

// multiples tries the multiples that are next to a limit, which itself may be none.
func (w *walk) multiples(s shape, of rule, at []string) {
	for _, limit := range s.rules {
		outward := map[string]int64{"minimum": -1, "exclusiveMinimum": -1, "maximum": 1, "exclusiveMaximum": 1}[limit.keyword]
		if outward == 0 {
			continue
		}
		inside, ok := multiple(shape{rules: []rule{limit, of}}, of.value).(json.Number)
		if !ok {
			continue
		}
		outside := stepped(shape{rules: []rule{of}}, inside, outward)
		w.add(limit, at, true, inside, "%s", inside)
		w.add(limit, at, false, outside, "%s", outside)
	}
}

func (w *walk) object(s shape, value any, at []string) {
	object, _ := value.(map[string]any)
	whole, again := w.maker, w.nested(s.pointer) > 0
	w.maker = w.maker.in(s)
	defer func() { w.maker = whole }()
	var unevaluated []string // which a member that is wrong is as well, where it is described elsewhere
	for _, r := range s.all("unevaluatedProperties") {
		unevaluated = append(unevaluated, r.pointer)
	}
	for _, member := range w.members(s) {
		below := append(slices.Clone(at), member.name)
		if w.readOnly(member.pointer) {
			continue
		}
		if w.never(member.pointer) {
			for _, part := range parted(member.pointer) {
				w.add(rule{pointer: part}, below, false, w.anything(w.possible(member.pointer)), "with %s", member.name)
			}
			continue
		}
		if member.required != nil {
			w.add(*member.required, below, false, absent{}, "without %s", member.name)
			if _, few := s.rule("minProperties"); few {
				others := whole.baseObject(s, true, 0).(map[string]any)
				delete(others, member.name)
				w.add(*member.required, at, false, others, "all but %s", member.name)
			}
		} else {
			w.add(rule{pointer: member.pointer}, below, true, absent{}, "without %s", member.name)
		}
		each, there := object[member.name]
		if !there && again {
			continue
		}
		if !there {
			each = w.base(member.pointer, true, 0)
			w.add(rule{pointer: member.pointer}, below, true, each, "with %s", member.name)
		}
		if w.concerns(member.pointer) {
			outer := w.through
			w.through = slices.Concat(outer, unevaluated)
			w.value(member.pointer, each, below)
			w.through = outer
		}
	}
	if r, ok := s.closed(); ok {
		w.add(r, append(slices.Clone(at), unknownName), false, "x", "a member that is not declared")
	} else if _, said := s.rule("additionalProperties"); !said && s.object() {
		w.add(rule{pointer: s.pointer}, append(slices.Clone(at), unknownName), true, "x", "a member that is not declared")
	}
	if r, ok := s.rule("additionalProperties"); ok && r.value != false && r.value != true {
		below := append(slices.Clone(at), unknownName)
		each := w.base(r.pointer, true, 0)
		w.add(r, below, true, each, "a member of one's own")
		w.value(r.pointer, each, below)
	}
	w.patterned(s, object, at)
	w.unevaluated(s, object, at)
	w.size(s, object, at, "minProperties", -1)
	w.size(s, object, at, "maxProperties", 1)
}

// size tries as many members as there may be, and one more in a direction.
func (w *walk) size(s shape, object map[string]any, at []string, keyword string, outward int) {
	for _, r := range s.all(keyword) {
		limit := s.count(keyword, 0)
		if of := w.sized(s, object, limit); of != nil {
			w.add(r, at, true, of, "%d members", limit)
		}
		if of := w.sized(s, object, limit+outward); of != nil {
			w.add(r, at, false, of, "%d members", limit+outward)
		}
	}
}

// sized is an object with n of its members, nil where there are fewer.
func (w *walk) sized(s shape, object map[string]any, n int) map[string]any {
	made := map[string]any{}
	for _, member := range w.members(s) {
		if len(made) < n && !w.readOnly(member.pointer) {
			if made[member.name] = object[member.name]; made[member.name] == nil {
				made[member.name] = w.base(member.pointer, true, 0)
			}
		}
	}
	if n < 0 || len(made) != n {
		return nil
	}
	return made
}

// place is a variant's as a JSON pointer, "" for the whole.
func (v variant) place() string {
	var b strings.Builder
	for _, step := range v.at {
		b.WriteByte('/')
		b.WriteString(escape(step))
	}
	return b.String()
}

// field is the name that an answer would call the place by: the last one that is
// a name.
func (v variant) field() string {
	for _, step := range slices.Backward(v.at) {
		if _, err := strconv.Atoi(step); err != nil {
			return step
		}
	}
	return ""
}
