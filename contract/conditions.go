package contract

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/accord-api/accord/contract/pattern"
)

// breaksOnly says that a value breaks one sentence of a schema and no other.
func (m maker) breaksOnly(s shape, r rule, value any) bool {
	found := m.schemas.broken(s.pointer, value)
	return len(found) > 0 && !slices.ContainsFunc(found, func(b breach) bool { return b.pointer != r.pointer })
}

// concerns says that variants are wanted of a schema.
func (w *walk) concerns(pointer string) bool {
	return w.only == nil || slices.ContainsFunc(parted(pointer), func(part string) bool {
		return slices.ContainsFunc(w.only, func(wanted string) bool { return within(part, wanted) })
	})
}

// conditional tries both sides of what holds for some values only, `then`, `else` and
// `dependentSchemas` (JSON Schema 2020-12, section 10.2.2), in a value that it holds for;
// what breaks it is fine in one that it does not hold for.
func (w *walk) conditional(s shape, value any, at []string) {
	for _, c := range w.conditions(s) {
		key := fmt.Sprint(c)
		if w.plain || slices.Contains(w.trying, key) || !w.concerns(c.pointer) && !w.concerns(c.when) {
			continue
		}
		w.trying, w.about = append(w.trying, key), append(w.about, about{c, slices.Clone(at)})
		w.condition(s, c, value, at)
		w.trying, w.about = w.trying[:len(w.trying)-1], w.about[:len(w.about)-1]
	}
}

// about is a condition that is being tried of a place: it has to stay as it is where
// another one within it is tried.
type about struct {
	condition
	at []string
}

func (w *walk) condition(s shape, c condition, value any, at []string) {
	with, ok := w.such(s, c, value, at, true)
	if !ok {
		return
	}
	w.instead(with, value, at, func() {
		w.elsewhere(s, c, with, value, at)
		w.edges(s, c, with, at)
	})
	began := len(w.found)
	w.instead(with, value, at, func() {
		switch {
		case c.pointer == "":
		case w.never(c.pointer):
			w.add(rule{pointer: c.pointer}, at, false, with, "what may not be where %s", c.where())
		default:
			outer := w.only
			w.only = w.reached(c.pointer)
			w.value(joined(c.pointer, c.holding(), s.pointer), with, at)
			kept := slices.DeleteFunc(slices.Clone(w.found[began:]), func(v variant) bool { return !v.elsewhere && !w.concerns(v.pointer) })
			w.found, w.only = append(w.found[:began], kept...), outer
		}
	})
	without, ok := w.such(s, c, value, at, false)
	if !ok || c.pointer == "" {
		return
	}
	w.needless(s, c, slices.Clone(w.found[began:]), without, value, at)
	if c.when == "" {
		w.instead(without, value, at, func() { w.elsewhere(s, condition{}, without, value, at) })
	}
}

// where says in words which values a condition is about.
func (c condition) where() string {
	switch {
	case c.when == "":
		return c.member + " is there"
	case c.otherwise:
		return "if does not hold"
	}
	return "if holds"
}

// reached are the schemas that one is made of.
func (d *Document) reached(pointer string) []string {
	if pointer == "" {
		return nil
	}
	r := &reaching{Document: d, seen: map[string]bool{}}
	r.schema(pointer, false)
	reached := []string{pointer}
	for _, p := range r.found {
		reached = append(reached, p.pointer)
	}
	return reached
}

// instead notes variants of a value in the place of another one, which is left as it is
// where they are the same.
func (w *walk) instead(made, value any, at []string, note func()) {
	if reflect.DeepEqual(made, value) {
		note()
		return
	}
	w.hosting(made, value, at, note)
}

// elsewhere tries sentences of a schema of which the value that is there shows nothing, as
// something tighter holds for it, in one that is described by more, or by less. Where
// nothing more holds there, all that is valid is tried again.
func (w *walk) elsewhere(s shape, c condition, with, value any, at []string) {
	shown := map[string]bool{}
	for _, v := range w.apart(s.pointer, value) {
		shown[v.pointer] = shown[v.pointer] || !v.valid && w.fits(s.pointer, value, v)
	}
	own, unshown := w.reached(c.pointer), map[string]bool{}
	there := w.apart(joined(c.pointer, c.holding(), s.pointer), with)
	for _, v := range there {
		if !v.valid && !shown[v.pointer] && !slices.ContainsFunc(own, func(of string) bool { return within(v.pointer, of) }) && w.fits(s.pointer, with, v) {
			unshown[v.pointer] = true
		}
	}
	for _, v := range there {
		if again := c.pointer == "" && v.valid; v.host == nil && (again || unshown[v.pointer]) { // a host is of another alternative, and stands for all of the place
			v.elsewhere = true
			w.place(v, at)
		}
	}
}

// place notes a variant of what stands in a place.
func (w *walk) place(v variant, at []string) {
	v.at, v.through = append(slices.Clone(at), v.at...), slices.Concat(w.through, v.through)
	v.host, v.hostAt, v.over = w.host, w.hostAt, w.over
	w.found = append(w.found, v)
}

// edges tries values that an `if` only just takes and only just does not take: what holds
// for them differs.
func (w *walk) edges(s shape, c condition, with any, at []string) {
	if c.holding() == "" || w.only != nil {
		return
	}
	beside := strings.TrimSuffix(c.when, "if")
	about := w.reached(c.when)
	for _, v := range w.apart(joined(c.when, s.pointer), with) {
		if _, long := v.value.(filler); long || v.host != nil || !slices.ContainsFunc(about, func(of string) bool { return within(v.pointer, of) }) {
			continue
		}
		changed := v.put(with, v.value)
		if changed == (any)(absent{}) {
			continue
		}
		v.valid, v.what = true, v.what+", at the edge of if"
		if found := w.schemas.broken(s.pointer, changed); len(found) > 0 {
			v.valid, v.pointer = false, found[0].pointer
		}
		if v.valid || within(v.pointer, beside+"then") || within(v.pointer, beside+"else") {
			w.place(v, at)
		}
	}
}

// apart are the variants of a value without those of conditions.
func (w *walk) apart(pointer string, whole any) []variant {
	m := w.maker
	m.plain = true
	apart := &walk{maker: m}
	apart.value(pointer, whole, nil)
	return apart.found
}

// needless tries one of the variants that break what holds under a condition in a value
// that the condition is not about.
func (w *walk) needless(s shape, c condition, broken []variant, without, value any, at []string) {
	for _, v := range broken {
		if v.valid || len(v.at) < len(at) {
			continue
		}
		if _, long := v.value.(filler); long {
			continue
		}
		changed := replaced(without, v.at[len(at):], v.value)
		if changed == (any)(absent{}) || w.applies(c, changed) || len(w.schemas.broken(c.pointer, changed)) == 0 || len(w.schemas.broken(s.pointer, changed)) > 0 {
			continue
		}
		w.instead(without, value, at, func() {
			v.valid, v.host, v.hostAt, v.over = true, w.host, w.hostAt, w.over
			v.what += ", though not where " + c.where()
			w.found = append(w.found, v)
		})
		return
	}
}

// such finds a valid value that a condition is about, or is not: the one that is there,
// else one as like to it as can be.
func (w *walk) such(s shape, c condition, value any, at []string, about bool) (any, bool) {
	never := about && w.never(c.pointer)
	fits := func(made any) bool {
		for _, outer := range w.about[:max(0, len(w.about)-1)] {
			if slices.Equal(outer.at, at) && !w.applies(outer.condition, made) {
				return false
			}
		}
		return w.applies(c, made) == about && !slices.ContainsFunc(w.schemas.broken(s.pointer, made), func(b breach) bool {
			return !never || b.pointer != c.pointer
		})
	}
	if fits(value) {
		return value, true
	}
	for _, made := range w.attempts(s, c, value, about) {
		if w.applies(c, made) != about {
			continue
		}
		if fits(made) {
			return made, true
		}
		if made = w.settled(s, made, 0); fits(made) {
			return made, true
		}
	}
	return nil, false
}

// attempts are values of which some may be what a condition is about, or is not.
func (w *walk) attempts(s shape, c condition, value any, about bool) (made []any) {
	schema := s.pointer
	switch object, ok := value.(map[string]any); {
	case c.when == "" && ok && about:
		made = append(made, withMember(object, c.member, w.memberCalled(s, c.member)))
	case c.when == "" && ok:
		made = append(made, replaced(object, []string{c.member}, absent{}))
	case c.when != "" && c.otherwise != about:
		schema = joined(c.when, s.pointer)
		made = append(made, w.mended(schema, value, 0))
	}
	for _, from := range slices.Compact([]string{s.pointer, schema}) {
		whole := w.base(from, true, 0)
		made = append(made, whole)
		for _, v := range w.apart(from, whole) {
			if _, long := v.value.(filler); !long && (len(v.at) > 0 || v.value != (any)(absent{})) {
				made = append(made, v.put(whole, v.value))
			}
		}
	}
	if c.when != "" && c.otherwise == about { // one in which just something of it is broken
		whole := w.base(joined(c.when, s.pointer), true, 0)
		for _, v := range w.apart(joined(c.when, s.pointer), whole) {
			if _, long := v.value.(filler); !long {
				made = append(made, v.put(whole, v.value))
			}
		}
	}
	return made
}

// memberCalled is a value that a member may have by its name.
func (w *walk) memberCalled(s shape, name string) any {
	for _, m := range w.members(s) {
		if m.name == name {
			return w.base(m.pointer, true, 0)
		}
	}
	return w.memberOfOnesOwn(s)
}

// named are the schemas that `patternProperties` have for a member's name, joined with
// what `properties` say of it; "" for none.
func (m maker) named(s shape, name string) string {
	var all []string
	for _, r := range s.all("patternProperties") {
		of, _ := r.value.(map[string]any)
		for _, expr := range m.inOrder(r.pointer, of) {
			if p := parsed(expr, -1, -1); p != nil && p.Match(name) {
				all = append(all, r.pointer+"/"+escape(expr))
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	for _, member := range m.members(s) {
		if member.name == name {
			all = append(all, member.pointer)
		}
	}
	return joined(all...)
}

// patterned tries a member by a name that each of `patternProperties` matches, both sides
// of what it says of it, and names that only just do not match.
func (w *walk) patterned(s shape, object map[string]any, at []string) {
	for _, r := range s.all("patternProperties") {
		of, _ := r.value.(map[string]any)
		for _, expr := range w.inOrder(r.pointer, of) {
			if pointer := r.pointer + "/" + escape(expr); w.concerns(pointer) {
				w.matching(s, rule{pointer: pointer, value: expr}, object, at)
			}
		}
	}
}

// own notes a valid member that the request as it is does not have.
func (w *walk) own(r rule, at []string, value any, what string, args ...any) {
	w.add(r, at, true, value, what, args...)
	w.found[len(w.found)-1].added = true
}

// maxName is how long the names are that are tried for a pattern.
const maxName = 40

// matching tries what one of `patternProperties` says.
func (w *walk) matching(s shape, r rule, object map[string]any, at []string) {
	p := parsed(fmt.Sprint(r.value), -1, -1)
	if p == nil {
		return
	}
	name, each, ok := w.nameFor(s, r, p, object)
	if !ok {
		return
	}
	below := append(slices.Clone(at), name)
	if w.never(r.pointer) {
		w.add(r, below, false, each, "a member called %q", name)
		return
	}
	began := len(w.found)
	w.instead(withMember(object, name, each), object, at, func() {
		w.own(r, below, each, "a member called %q", name)
		if len(w.shape(r.pointer).rules) == 0 {
			for _, free := range []any{json.Number("12"), true, nil, []any{}, map[string]any{}} {
				w.own(r, below, free, "a member called %q that is %s", name, kindsOf([]any{free})[0])
			}
		}
		w.value(w.named(s, name), each, below)
	})
	closed, isClosed := s.closed()
	wrong := slices.IndexFunc(w.found[began:], func(v variant) bool {
		return !v.valid && slices.Equal(v.at, below) && v.value != (any)(absent{})
	})
	for _, other := range p.Refused() {
		beside := append(slices.Clone(at), other)
		switch {
		case other == "":
		case isClosed:
			w.add(closed, beside, false, each, "a member called %q", other)
		case wrong >= 0:
			w.own(r, beside, w.found[began+wrong].value, "a member called %q, which does not match", other)
		}
	}
}

// nameFor makes a name that a pattern matches and no member has, if it can be one that no
// other pattern matches, and a valid value of it.
func (w *walk) nameFor(s shape, r rule, p *pattern.Pattern, object map[string]any) (name string, each any, ok bool) {
	declared := w.members(s)
	for _, alone := range []bool{true, false} {
		for n := 1; n <= maxName; n++ {
			name, made := p.Make(n, 1)
			_, there := object[name]
			schema := w.named(s, name)
			if !made || there || alone != (schema == r.pointer) || slices.ContainsFunc(declared, func(m member) bool { return m.name == name }) {
				continue
			}
			each = w.anything(w.possible(schema))
			if !slices.ContainsFunc(w.schemas.broken(s.pointer, withMember(object, name, each)), func(b breach) bool { return b.pointer != r.pointer }) {
				return name, each, true
			}
		}
	}
	return "", nil, false
}

// anything is a valid value of a schema, where there is one.
func (m maker) anything(pointer string) any {
	if pointer == "" || len(m.shape(pointer).rules) == 0 {
		return "x"
	}
	return m.base(pointer, true, 0)
}

// unevaluated tries a member that nothing else of a schema describes, where there is a
// schema for such ones (JSON Schema 2020-12, section 11.3).
func (w *walk) unevaluated(s shape, object map[string]any, at []string) {
	for _, r := range s.all("unevaluatedProperties") {
		if _, described := r.value.(map[string]any); !described || !w.concerns(r.pointer) {
			continue
		}
		each, below := w.base(r.pointer, true, 0), append(slices.Clone(at), unknownName)
		w.instead(withMember(object, unknownName, each), object, at, func() {
			w.own(r, below, each, "a member of one's own")
			w.value(r.pointer, each, below)
		})
	}
}

// conditioned drops what holds for some values only, and lets members by the names that a
// pattern matches be anything. Without the pattern no case would send one.
func (m *mutating) conditioned(p part, schema map[string]any) {
	for _, keyword := range []string{"then", "else"} {
		if _, conditional := schema["if"]; conditional && schema[keyword] != nil {
			m.drop(p.pointer+"/"+keyword, "there is no %s", keyword)
		}
	}
	if schema["unevaluatedProperties"] == false {
		m.drop(p.pointer+"/unevaluatedProperties", "members of one's own are allowed")
	}
	of, _ := schema["dependentSchemas"].(map[string]any)
	for _, name := range m.inOrder(p.pointer+"/dependentSchemas", of) {
		m.drop(p.pointer+"/dependentSchemas/"+escape(name), "nothing more holds where %s is there", name)
	}
	of, _ = schema["patternProperties"].(map[string]any)
	for _, expr := range m.inOrder(p.pointer+"/patternProperties", of) {
		m.change(p.pointer+"/patternProperties/"+escape(expr), true, "a member whose name matches %s may be anything", expr)
	}
}
