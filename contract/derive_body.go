package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// body tries both sides of what is said about the body of a request.
func (c *casing) body() {
	o := c.operation
	if len(o.bodies) == 0 {
		return
	}
	refused := want{statuses: c.refused()}
	without := c.valid
	without.Body, without.MediaType = nil, ""
	if o.bodyRequired {
		empty := without
		if empty.MediaType = o.bodies[0].mediaType; strings.HasPrefix(empty.MediaType, "multipart/") {
			empty.MediaType = "" // it would have to say a boundary
		}
		c.add("without a body", o.bodyPointer+"/required", empty.raw(empty.MediaType, ""), want{statuses: c.refused(http.StatusUnsupportedMediaType)})
	} else {
		c.add("without a body", o.bodyPointer, without, want{accepted: true})
	}
	for _, mediaType := range []string{"text/plain", "application/xml", "application/octet-stream"} {
		if !slices.ContainsFunc(o.bodies, func(b body) bool { return matchesRange(b.mediaType, mediaType) }) {
			c.add("as "+mediaType, o.bodyPointer+"/content", c.valid.raw(mediaType, "x"), want{statuses: c.either(http.StatusUnsupportedMediaType, c.refused()...)})
		}
	}
	for _, b := range o.bodies {
		r := c.valid
		r.MediaType, r.Body = b.mediaType, c.content(o, b, b.example())
		if b.mediaType != o.bodies[0].mediaType {
			c.add("as "+b.mediaType, b.pointer, r, want{accepted: true})
		}
		if isJSON(b.mediaType) {
			c.add(b.mediaType+" that is none", b.pointer, r.raw(b.mediaType, "{"), refused)
		}
		c.bodySides(b, r)
		c.borrowed(b, r)
		c.shown(b, r)
	}
}

// bodySides tries both sides of each sentence about a body.
func (c *casing) bodySides(b body, r request) {
	typed := isJSON(b.mediaType)
	whole := b.example()
	if whole == nil {
		whole = c.base(b.schema, true, 0)
	}
	for i, shown := range b.examples {
		if found, err := c.schemas.breaches(b.schema, shown); err == nil && len(found) > 0 {
			c.add(fmt.Sprintf("%s: example %d", b.mediaType, i+1), b.pointer, r, want{}).fault = "the example is not valid: " + found[0].at + ": " + found[0].text
			continue
		}
		if i > 0 {
			changed := r
			changed.Body = c.content(c.operation, b, shown)
			c.add(fmt.Sprintf("%s: example %d", b.mediaType, i+1), b.pointer, changed, want{accepted: true})
		}
	}
	c.madeUp(b, r, whole)
	c.owned(b, r, whole)
	if !typed {
		c.texts(b, r)
	}
	for _, v := range c.around(b.schema, whole) {
		if !typed && (strings.HasSuffix(v.pointer, "/type") || v.value == nil) {
			continue
		}
		changed := r
		changed.Body = v.put(r.Body, c.likeTemplate(r.Body, whole, v))
		w := want{accepted: true}
		if !v.valid {
			w = want{statuses: c.refused(), field: v.field()}
		} else if shown := c.shows(b, v); shown != nil {
			changed.Body = replaced(c.content(c.operation, b, shown), v.at, v.value)
		}
		made := c.add(b.mediaType+" "+v.place()+": "+v.what, v.pointer, changed, w)
		if !v.valid && typed {
			made.field = fieldName(v.place())
		}
		if v.valid {
			control := r
			if usual := valueAt(v.hosted(whole), v.place()); v.comparable(usual) {
				control.Body = replaced(changed.Body, v.at, c.inner(v, usual))
			}
			made.control, made.place = &control, v.place()
			if strings.Contains(v.pointer, "/enum/") {
				made.together = c.combined(b, changed, v)
			}
		}
	}
}

// madeUp tells where a body that was made up is not valid, or cannot be looked at: its
// limits are then not tried, and the author of the document can mend that.
func (c *casing) madeUp(b body, r request, whole any) {
	found, err := c.schemas.breaches(b.schema, whole)
	switch {
	case err != nil:
		c.add(b.mediaType+": a body that is valid", b.schema, r, want{}).fault = "what is valid cannot be told: " + err.Error()
	case len(found) > 0:
		c.add(b.mediaType+": a body that is valid", found[0].pointer, r, want{}).fault = "no value can be made for " + cmp.Or(found[0].at, "/") +
			" (" + found[0].text + "): give the body an example, so that its limits are tried"
	}
}

// texts tries what cannot be read as the types of a form's members.
func (c *casing) texts(b body, r request) {
	for _, member := range c.members(c.shape(b.schema)) {
		for _, text := range c.untyped(member.pointer) {
			changed := r
			changed.Body = withMember(r.Body, member.name, text)
			c.add(b.mediaType+" "+member.name+": "+text, c.typeOf(member.pointer), changed, want{statuses: c.refused(), field: member.name})
		}
	}
}

// untyped are texts that cannot be read as the type of a schema.
func (c *casing) untyped(pointer string) (texts []string) {
	if c.shape(pointer).takes("string") {
		return nil
	}
	for _, text := range []string{"abc", "1.5", "1e", "--1"} {
		if found, err := c.schemas.breaches(pointer, headerValue(c.shape(pointer), text)); err == nil && len(found) > 0 {
			texts = append(texts, text)
		}
	}
	return texts
}

// shown tries members that examples have and an open schema does not declare: they
// may be anything.
func (c *casing) shown(b body, r request) {
	s := c.shape(b.schema)
	if _, closed := s.closed(); closed || !s.object() {
		return
	}
	examples := slices.Clone(b.examples)
	for _, rule := range s.all("examples") {
		examples = append(examples, list(rule.value)...)
	}
	for _, example := range examples {
		object, _ := example.(map[string]any)
		for _, name := range sorted(object) {
			if slices.ContainsFunc(c.members(s), func(m member) bool { return m.name == name }) {
				continue
			}
			for what, value := range map[string]string{"no text": "", "another text": unknownText, "a long text": strings.Repeat("a", maxText)} {
				changed := r
				changed.Body = withMember(r.Body, name, value)
				c.add(b.mediaType+" with "+name+" as "+what, s.pointer, changed, want{accepted: true})
			}
		}
	}
}

// combined gives other members each of the values that they may have.
func (c *casing) combined(b body, r request, v variant) (requests []request) {
	for _, member := range c.members(c.shape(b.schema)) {
		listed, ok := c.shape(member.pointer).rule("enum")
		if !ok || slices.Equal(v.at, []string{member.name}) {
			continue
		}
		for _, value := range list(listed.value) {
			other := r
			other.Body = withMember(r.Body, member.name, value)
			requests = append(requests, other)
		}
	}
	return requests
}

// borrowed tries members that the answers of an operation have, and its body not:
// what a server takes in silence is easily one of them.
func (c *casing) borrowed(b body, r request) {
	s := c.shape(b.schema)
	closed, ok := s.closed()
	if !ok {
		return
	}
	for _, response := range c.operation.responses {
		for _, answer := range response.bodies {
			if response.status >= "3" || answer.schema == "" {
				continue
			}
			for _, each := range c.members(c.shape(answer.schema)) {
				if !slices.ContainsFunc(c.members(s), func(own member) bool { return own.name == each.name }) {
					changed := r
					changed.Body = withMember(r.Body, each.name, c.base(each.pointer, true, 0))
					c.add(b.mediaType+" with "+each.name+" of the answer", closed.pointer, changed, want{statuses: c.refused(), field: each.name})
				}
			}
		}
	}
}

// comparable says that another value in the place is as good as the one that is
// tried. What is left out or added, null, and a value of another type than the usual one
// stand against the request as it is.
func (v variant) comparable(usual any) bool {
	_, gone := v.value.(absent)
	_, text := v.value.(string)
	_, other := usual.(json.Number)
	return !gone && !v.added && v.value != nil && v.field() != unknownName && !(text && other)
}

// shows finds an example that has a variant's value in its place, since what else
// a body holds may depend on it.
func (c *casing) shows(b body, v variant) any {
	for _, shown := range b.examples {
		if value := valueAt(shown, v.place()); scalarOf(v.value) && value == v.value {
			return shown
		}
	}
	return nil
}

func scalarOf(value any) bool {
	switch value.(type) {
	case string, bool, json.Number:
		return true
	}
	return false
}

// likeTemplate puts what stands for other exchanges in the first item of a list, where
// that is the one of the whole.
func (c *casing) likeTemplate(template, whole any, v variant) any {
	made, ok := v.value.([]any)
	given, _ := valueAt(template, v.place()).([]any)
	usual, _ := valueAt(whole, v.place()).([]any)
	if !ok || len(made) == 0 || len(given) == 0 || len(usual) > 0 && !reflect.DeepEqual(made[0], usual[0]) {
		return v.value
	}
	made = slices.Clone(made)
	made[0] = given[0]
	return made
}

// inner is another valid value in a variant's place, at no edge of anything: what
// is refused with it as well is not refused for the variant's sake. It is as like
// to one that is known to be good as can be.
func (c *casing) inner(v variant, like any) any {
	s := c.shape(v.schema)
	switch v.value.(type) {
	case string:
		least, most := s.count("minLength", 0), s.count("maxLength", 64)
		if text, ok := like.(string); ok && text != "" {
			for n := utf8.RuneCountInString(text) + 1; n < most && n < 2*len(text)+8; n++ {
				if found, err := c.schemas.breaches(v.schema, cycle(text, n)); err == nil && len(found) == 0 {
					return cycle(text, n)
				}
			}
		}
		for n := max(least+1, (least+min(most, 40))/2); n < max(most, least+2); n++ {
			if text, ok := c.maker.text(s, n, 4242); ok {
				return text
			}
		}
	case json.Number:
		if _, number := like.(json.Number); !isJoined(v.schema) || !number || same(like, v.value) {
			return add(c.baseNumber(s), 1)
		}
		return like // the next one may break what holds under the condition
	case []any:
		if made, ok := c.between(s, v.pointer); ok {
			return made
		}
	}
	return c.base(v.schema, true, 0)
}
