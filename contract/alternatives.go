package contract

import (
	"fmt"
	"reflect"
	"slices"
)

// alternatives tries each alternative, and both sides of what it says. value is what
// stands in the place.
func (w *walk) alternatives(s shape, value any, at []string) {
	for _, keyword := range []string{"oneOf", "anyOf"} {
		r, ok := s.rule(keyword)
		branches, _ := r.value.([]any)
		if !ok || !w.concerns(r.pointer) || w.among(r.pointer) {
			continue
		}
		outer := w.maker
		w.maker = w.one(r.pointer)
		for i := range branches {
			branch := fmt.Sprintf("%s/%d", r.pointer, i)
			made := w.base(branch, true, 0)
			if isJoined(s.pointer) {
				made = w.mended(joined(branch, s.pointer), value, 0)
			}
			if by, ok := w.discriminator(s); ok {
				if name := by.named(w.Document, branch); name != "" {
					made = w.called(by, name, 0)
				}
			}
			w.add(rule{pointer: branch}, at, true, made, "the alternative %d", i+1)
			w.through = append(w.through, r.pointer)
			w.within(branch, value, made, at)
			w.through = w.through[:len(w.through)-1]
		}
		w.maker = outer
	}
}

// within tries what an alternative says, where it stands for what is in the place.
func (w *walk) within(pointer string, value, made any, at []string) {
	if len(w.schemas.broken(pointer, value)) == 0 && len(w.misnamed(w.schemas, pointer, value, 0)) == 0 {
		w.value(pointer, value, at)
		return
	}
	w.hosting(made, nil, at, func() { w.value(pointer, made, at) })
}

// hosting notes variants of what stands in a place instead of what does. Of what is over
// what stands there, the same members stay those of the whole; nil for none.
func (w *walk) hosting(made, over any, at []string, note func()) {
	outer, outerAt, outerOver := w.host, w.hostAt, w.over
	if outer == nil {
		w.host, w.hostAt, w.over = made, slices.Clone(at), over
	} else {
		w.host = replaced(outer, at[len(outerAt):], made)
	}
	note()
	w.host, w.hostAt, w.over = outer, outerAt, outerOver
}

// put is a whole with a value in the variant's place.
func (v variant) put(whole, value any) any { return replaced(v.hosted(whole), v.at, value) }

// hosted is a whole in which the variant's place is there.
func (v variant) hosted(whole any) any {
	if v.host == nil {
		return whole
	}
	return replaced(whole, v.hostAt, like(valueAt(whole, variant{at: v.hostAt}.place()), v.over, v.host))
}

// like is a host in which what is the same in what it stands for is the template's.
func like(template, over, host any) any {
	if template != nil && over != nil && reflect.DeepEqual(over, host) {
		return template
	}
	parts, some := host.(map[string]any)
	before, known := over.(map[string]any)
	given, there := template.(map[string]any)
	if !some || !known || !there {
		return host
	}
	made := map[string]any{}
	for name, value := range parts {
		made[name] = like(given[name], before[name], value)
	}
	return made
}
