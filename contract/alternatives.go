package contract

import (
	"fmt"
	"slices"
)

// alternatives tries each alternative, and both sides of what it says. value is what
// stands in the place.
func (w *walk) alternatives(s shape, value any, at []string) {
	for _, keyword := range []string{"oneOf", "anyOf"} {
		r, ok := s.rule(keyword)
		branches, _ := r.value.([]any)
		if !ok {
			continue
		}
		for i := range branches {
			branch := fmt.Sprintf("%s/%d", r.pointer, i)
			made := w.base(branch, true, 0)
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
	}
}

// within tries what an alternative says, where it stands for what is in the place.
func (w *walk) within(pointer string, value, made any, at []string) {
	if len(w.schemas.broken(pointer, value)) == 0 && len(w.misnamed(w.schemas, pointer, value, 0)) == 0 {
		w.value(pointer, value, at)
		return
	}
	outer, outerAt := w.host, w.hostAt
	if outer == nil {
		w.host, w.hostAt = made, slices.Clone(at)
	} else {
		w.host = replaced(outer, at[len(outerAt):], made)
	}
	w.value(pointer, made, at)
	w.host, w.hostAt = outer, outerAt
}

// put is a whole with a value in the variant's place.
func (v variant) put(whole, value any) any { return replaced(v.hosted(whole), v.at, value) }

// hosted is a whole in which the variant's place is there.
func (v variant) hosted(whole any) any {
	if v.host == nil {
		return whole
	}
	return replaced(whole, v.hostAt, v.host)
}
