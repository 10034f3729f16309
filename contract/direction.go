package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// The keywords of members that only one direction has: answers, and requests.
const (
	readOnly  = "readOnly"
	writeOnly = "writeOnly"
)

// marked gives the rule by which a schema is one of the two.
func (d *Document) marked(pointer, keyword string) (rule, bool) {
	for _, r := range d.shape(pointer).all(keyword) {
		if r.value == true {
			return r, true
		}
	}
	return rule{}, false
}

// readOnly says that a member is only ever in answers.
func (d *Document) readOnly(pointer string) bool {
	_, ok := d.marked(pointer, readOnly)
	return ok
}

// withoutRequired is the document as one direction is held to it: `required` wants no
// member that only the other one has (OpenAPI 3.0.4, section 4.7.24.2).
func (d *Document) withoutRequired(keyword string) *Document {
	if !says(d.root, keyword) {
		return d
	}
	changed := d
	for _, pointer := range slices.Backward(d.needless(d.root, "", keyword, nil)) {
		changed = changed.with(pointer, absent{})
	}
	return changed
}

// says finds out whether a keyword is true anywhere.
func says(node any, keyword string) bool {
	switch node := node.(type) {
	case []any:
		return slices.ContainsFunc(node, func(item any) bool { return says(item, keyword) })
	case map[string]any:
		if node[keyword] == true {
			return true
		}
		for _, each := range node {
			if says(each, keyword) {
				return true
			}
		}
	}
	return false
}

// needless lists the names in `required` of members with a keyword, in the order in
// which they stand there. names are such members of the schema that this is a part of.
func (d *Document) needless(node any, pointer, keyword string, names []string) (found []string) {
	switch node := node.(type) {
	case []any:
		for i, item := range node {
			found = append(found, d.needless(item, fmt.Sprintf("%s/%d", pointer, i), keyword, names)...)
		}
	case map[string]any:
		if node["properties"] != nil || node["allOf"] != nil {
			names = slices.Clone(names)
			for _, member := range d.members(d.shape(pointer)) {
				if _, ok := d.marked(member.pointer, keyword); ok {
					names = append(names, member.name)
				}
			}
		}
		for _, key := range sorted(node) {
			at := pointer + "/" + escape(key)
			switch key {
			case "required":
				for i, name := range list(node[key]) {
					if text, ok := name.(string); ok && slices.Contains(names, text) {
						found = append(found, fmt.Sprintf("%s/%d", at, i))
					}
				}
			case "allOf":
				found = append(found, d.needless(node[key], at, keyword, names)...)
			default:
				found = append(found, d.needless(node[key], at, keyword, nil)...)
			}
		}
	}
	return found
}

// asked is a value without the members that only answers have.
func (d *Document) asked(pointer string, value any) any {
	return d.pruned(pointer, value, 0)
}

func (d *Document) pruned(pointer string, value any, depth int) any {
	if depth > 20 {
		return value
	}
	switch value := value.(type) {
	case map[string]any:
		left := maps.Clone(value)
		for _, member := range d.members(d.shape(pointer)) {
			if each, there := value[member.name]; !there {
				continue
			} else if d.readOnly(member.pointer) {
				delete(left, member.name)
			} else {
				left[member.name] = d.pruned(member.pointer, each, depth+1)
			}
		}
		return left
	case []any:
		items, ok := d.shape(pointer).rule("items")
		if !ok {
			return value
		}
		left := slices.Clone(value)
		for i := range left {
			left[i] = d.pruned(items.pointer, left[i], depth+1)
		}
		return left
	}
	return value
}

// owned is a place in requests of what the server alone says.
type owned struct {
	member
	rule rule
	at   []string
}

// ownedIn lists them in a value.
func (d *Document) ownedIn(pointer string, value any, at []string) (found []owned) {
	if len(at) > 20 {
		return nil
	}
	s := d.shape(pointer)
	switch value := value.(type) {
	case map[string]any:
		for _, member := range d.members(s) {
			below := append(slices.Clone(at), member.name)
			if r, ok := d.marked(member.pointer, readOnly); ok {
				found = append(found, owned{member, r, below})
			} else if each, there := value[member.name]; there {
				found = append(found, d.ownedIn(member.pointer, each, below)...)
			}
		}
	case []any:
		if items, ok := s.rule("items"); ok && len(value) > 0 {
			found = d.ownedIn(items.pointer, value[0], append(slices.Clone(at), "0"))
		}
	}
	return found
}

// owned sends members that only answers have: they are refused or ignored (JSON Schema
// Validation 2020-12, section 9.4). That one of them is taken shows where each of two
// values comes back as it was sent; without an answer that has it, nothing could show.
func (c *casing) owned(b body, r request, whole any) {
	if c.operation.safe() {
		return
	}
	for _, o := range c.ownedIn(b.schema, whole, nil) {
		one, another := c.two(o.pointer)
		if another == nil || !c.showsMember([]string{c.operation.id}, o.name) {
			continue
		}
		request, control := r, r
		request.Body, control.Body = replaced(r.Body, o.at, one), replaced(r.Body, o.at, another)
		place := variant{at: o.at}.place()
		made := c.script(b.mediaType+" "+place+": what only answers have", o.rule.pointer, request, script{Kind: scriptOwned}, want{})
		made.control, made.place = &control, place
	}
}

// two are values of a schema that differ; the second one is nil where there is none.
func (c *casing) two(pointer string) (one, another any) {
	s := c.shape(pointer)
	one = c.base(pointer, true, 0)
	if text, ok := one.(string); ok && c.free(pointer) {
		n := max(utf8.RuneCountInString(text), min(12, s.count("maxLength", 12)))
		return fresh{Schema: pointer, Length: n}, fresh{Schema: pointer, Length: n, Again: true}
	}
	if _, ok := one.(bool); ok {
		return true, false
	}
	if r, ok := s.rule("enum"); ok {
		if values := list(r.value); len(values) > 1 {
			return values[0], values[1]
		}
		return one, nil
	}
	another = c.item(pointer, one, 1)
	if found, err := c.schemas.breaches(pointer, another); err != nil || len(found) > 0 || reflect.DeepEqual(one, another) {
		return one, nil
	}
	return one, another
}

// showsMember says whether an answer of an operation that was done, or of what its links
// lead to, has a member by a name.
func (d *deriver) showsMember(operations []string, name string) bool {
	for _, o := range d.operations {
		followed := o.safe() && slices.ContainsFunc(d.links[o.id], func(l link) bool { return slices.Contains(operations, l.from) })
		if !followed && !slices.Contains(operations, o.id) {
			continue
		}
		for i := range o.responses {
			if !strings.HasPrefix(o.responses[i].status, "2") {
				continue
			}
			r := &reaching{Document: d.Document, seen: map[string]bool{}}
			r.response(&o.responses[i])
			for _, p := range r.found {
				at := p.pointer + "/properties/" + escape(name)
				if _, hidden := d.marked(at, writeOnly); p.kind == kindSchema && d.at(at) != nil && !hidden {
					return true
				}
			}
		}
	}
	return false
}

// ignored wants what only answers have to be refused or without effect. That a refusal is
// declared, its answer is held to as any other.
func (j *judgement) ignored(c Case, done []*exchange) {
	if len(done) < 2 || slices.ContainsFunc(done[:2], func(e *exchange) bool { return !e.echoes(c.place) }) {
		return
	}
	if !same(valueAt(done[0].value, c.place), valueAt(done[1].value, c.place)) {
		j.fail(j.pointer, "a request sets what only answers have: %s is %s", fieldName(c.place), plainText(valueAt(done[0].value, c.place)))
	}
}

// hidden wants no member in an answer that only requests have.
func (j *judgement) hidden(pointer string, value any, depth int) {
	if depth > 20 {
		return
	}
	s := j.shape(pointer)
	for _, r := range slices.Concat(s.all("oneOf"), s.all("anyOf")) {
		for i := range list(r.value) {
			if branch := fmt.Sprintf("%s/%d", r.pointer, i); len(j.answers.broken(branch, value)) == 0 {
				j.hidden(branch, value, depth+1)
			}
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, member := range j.members(s) {
			each, there := value[member.name]
			if !there {
				continue
			}
			if r, ok := j.marked(member.pointer, writeOnly); ok {
				j.fail(r.pointer, "an answer has %s, which only requests have", member.name)
			}
			j.hidden(member.pointer, each, depth+1)
		}
	case []any:
		if items, ok := s.rule("items"); ok {
			for _, item := range value {
				j.hidden(items.pointer, item, depth+1)
			}
		}
	}
}

// echoes says that an answer, or what was read back after it, has a value as the request
// sent it.
func (e *exchange) echoes(place string) bool {
	sent := valueAt(e.value, place)
	return e.status < http.StatusMultipleChoices && sent != nil && slices.ContainsFunc(append([]*exchange{e}, e.after...), func(shown *exchange) bool {
		value, err := shown.decoded()
		return err == nil && same(valueAt(value, place), sent)
	})
}

// same says that two values are equal; 1.0 is 1.
func same(a, b any) bool {
	x, number := a.(json.Number)
	y, also := b.(json.Number)
	if !number || !also {
		return reflect.DeepEqual(a, b)
	}
	left, ok := new(big.Rat).SetString(x.String())
	right, fine := new(big.Rat).SetString(y.String())
	return ok && fine && left.Cmp(right) == 0
}

// returned claims that what was sent comes back as it was, where request and answer share
// a schema: else the member is one that only answers have.
func (w *witnesses) returned(o *operation, taken []*exchange) {
	for _, b := range o.bodies {
		for _, member := range w.members(w.shape(b.schema)) {
			if _, hidden := w.marked(member.pointer, writeOnly); hidden || w.readOnly(member.pointer) || !w.answersShare(o, member) {
				continue
			}
			place := "/" + escape(member.name)
			w.claim(member.pointer, slices.ContainsFunc(taken, func(e *exchange) bool { return e.echoes(place) }), "%s comes back from %s as it was sent", member.name, o.id)
		}
	}
}

// answersShare says that an answer to what was done has a member by the same schema.
func (d *Document) answersShare(o *operation, of member) bool {
	return slices.ContainsFunc(o.responses, func(r response) bool {
		return strings.HasPrefix(r.status, "2") && slices.ContainsFunc(r.bodies, func(b body) bool {
			return slices.ContainsFunc(d.members(d.shape(b.schema)), func(m member) bool { return m.pointer == of.pointer })
		})
	})
}

// directions adds and drops readOnly and writeOnly of a member.
func (m *mutating) directions(p part, name string, required bool) {
	at := p.pointer + "/properties/" + escape(name)
	schema, ok := m.Document.at(at).(map[string]any)
	if !ok {
		return
	}
	for _, keyword := range []string{readOnly, writeOnly} {
		what := map[string]string{readOnly: "only answers have %s", writeOnly: "only requests have %s"}[keyword]
		said := schema[keyword] == true
		if _, there := m.marked(at, keyword); there && !said {
			continue // what it refers to says so
		}
		if said {
			what = "not " + what
		}
		if why := m.oneWay(p, name, keyword, required); why != "" {
			m.same(at+"/"+keyword, why, what, name)
		} else if said {
			m.drop(at+"/"+keyword, what, name)
		} else {
			m.change(at+"/"+keyword, true, what, name)
		}
	}
}

// oneWay says why one of the keywords would change nothing, "" where it would.
func (m *mutating) oneWay(p part, name, keyword string, required bool) string {
	users := m.users[p.pointer]
	switch {
	case keyword == writeOnly && !m.answered(p):
		return "it is of requests alone, and writeOnly is about answers"
	case keyword == readOnly && !m.requests[p.pointer]:
		return "it is of answers alone, and readOnly is about requests"
	case keyword == readOnly && !required && !m.showsMember(users, name):
		return fmt.Sprintf("a request may be without it, and no answer of %s has a %s, which would show whether it is ignored", strings.Join(users, ", "), name)
	}
	return ""
}

// heldByServer says that a member that may be left out is only in answers, where the
// server has it so already: what came back was never what was sent; "" otherwise.
func (m *mutation) heldByServer(mutant Mutant) string {
	name, only := strings.CutSuffix(mutant.Pointer, "/"+readOnly)
	name = name[strings.LastIndexByte(name, '/')+1:]
	if !only || m.at(mutant.Pointer) != nil || slices.Contains(list(m.at(mutant.part+"/required")), any(unescape(name))) {
		return ""
	}
	n := m.overruled(mutant.operations, "/"+name)
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("the server has it so: %d different values were sent and taken, and the answers have other ones", n)
}

// overruled counts the different values that were sent in a place and taken, where the
// answer has another one there; 0 where a value is answered only if it was sent.
func (m *mutation) overruled(operations []string, place string) int {
	sent, answered := map[string]bool{}, map[string]bool{}
	var echoes []string
	for _, id := range operations {
		for status, done := range m.came[id] {
			for _, e := range done {
				value := valueAt(e.value, place)
				answer, err := e.decoded()
				switch shown := valueAt(answer, place); {
				case status >= http.StatusMultipleChoices || value == nil || err != nil:
				case e.echoes(place):
					echoes = append(echoes, plainText(value))
				case shown != nil:
					sent[plainText(value)], answered[plainText(shown)] = true, true
				}
			}
		}
	}
	if slices.ContainsFunc(echoes, func(value string) bool { return !answered[value] }) {
		return 0
	}
	return len(sent)
}

// answered says that answers are described by a part.
func (m *mutating) answered(p part) bool {
	return slices.ContainsFunc(m.operations, func(o *operation) bool {
		return slices.Contains(m.users[p.pointer], o.id) && slices.ContainsFunc(o.responses, func(r response) bool { return m.reaches(r.pointer, p.pointer) })
	})
}
