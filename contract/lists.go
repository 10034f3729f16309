package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (w *walk) list(s shape, value any, at []string) {
	items := s.itemsOf()
	list, _ := value.([]any)
	if len(list) == 0 {
		if like := w.base(items, true, 0); like != nil {
			list = []any{like}
		}
	}
	several := func(n int) []any { return w.several(items, list, n) }
	if c := s.containers(); len(c) > 0 {
		several = func(n int) []any { return w.containing(s, c[0], n, 0) }
		for _, each := range c {
			w.contained(s, each, at)
		}
	}
	w.unlimited(s, at, []any{}, "minItems")
	for _, r := range s.all("minItems") {
		least := s.count("minItems", 0)
		w.add(r, at, true, several(least), "%d items", least)
		if least > 0 {
			w.add(r, at, false, several(least-1), "%d items", least-1)
		}
	}
	for _, r := range s.all("maxItems") {
		if most := s.count("maxItems", maxItems); most < maxItems {
			w.add(r, at, true, several(most), "%d items", most)
			outer := w.through
			if unique, ok := s.rule("uniqueItems"); ok { // there may be no more values that differ
				w.through = append(slices.Clone(outer), unique.pointer)
			}
			w.add(r, at, false, several(most+1), "%d items", most+1)
			w.through = outer
		}
	}
	if r, ok := s.rule("uniqueItems"); ok && r.value == true && len(list) > 0 {
		twice := []any{list[0]}
		if c := s.containers(); len(c) > 0 {
			twice = w.mixed(s, c[0], c[0].least, 1, 0)
		}
		if len(twice) > 0 {
			w.add(r, at, false, append(twice, twice[len(twice)-1]), "an item twice")
		}
	}
	w.following(s, list, at)
	if items == "" || !w.concerns(items) {
		return
	}
	i := len(w.first(s, true, 0))
	if c := s.containers(); len(c) > 0 { // one that it need not contain
		made := w.mixed(s, c[0], c[0].least, 1, 0)
		if i = c[0].least; len(made) <= i {
			made = w.containing(s, c[0], i+1, 0)
		}
		w.instead(made, value, at, func() { w.itemAt(items, made, i, at) })
		return
	}
	w.itemAt(items, list, i, at)
}

// container is what a schema says of the items that a list has to contain.
type container struct {
	contains rule
	least    int
	most     int // -1 for any number
	// min and max are where the limits are said: the first one by contains itself where
	// there is no minContains.
	min, max rule
}

// containers lists them, each with the limits that stand beside it.
func (s shape) containers() (found []container) {
	for _, r := range s.all("contains") {
		c := container{contains: r, least: 1, most: -1, min: r}
		for keyword, of := range map[string]struct {
			limit *int
			said  *rule
		}{"minContains": {&c.least, &c.min}, "maxContains": {&c.most, &c.max}} {
			i := slices.IndexFunc(s.rules, func(other rule) bool {
				return other.pointer == strings.TrimSuffix(r.pointer, "contains")+keyword
			})
			if i < 0 {
				continue
			}
			if n, ok := itemLimit(s.rules[i].value); ok {
				*of.limit, *of.said = n, s.rules[i]
			}
		}
		found = append(found, c)
	}
	return found
}

// itemLimit reads a limit that a list may reach.
func itemLimit(value any) (int, bool) {
	number, _ := value.(json.Number)
	n, err := strconv.Atoi(number.String())
	return n, err == nil && n >= 0 && n < maxItems
}

// containing is a list of n items, of which as many as may be are such as it has to
// contain. It is shorter where there are no others.
func (m maker) containing(s shape, c container, n, depth int) []any {
	matching := n
	if c.most >= 0 {
		matching = min(n, c.most)
	}
	return m.mixed(s, c, matching, n-matching, depth)
}

// mixed is a list of so many items that it has to contain, and so many others, as far as
// there are others.
func (m maker) mixed(s shape, c container, matching, others, depth int) []any {
	all := c.contains.pointer
	if items := s.itemsOf(); items != "" {
		all = joined(all, items)
	}
	list := make([]any, 0, matching+others)
	if matching > 0 {
		list = m.varied(list, all, m.base(all, true, depth+1), matching, func(item any) bool { return len(m.schemas.broken(all, item)) == 0 })
	}
	if others == 0 || m.plain {
		return list
	}
	other := func(item any) bool {
		return len(m.schemas.broken(c.contains.pointer, item)) > 0 && (s.itemsOf() == "" || len(m.schemas.broken(s.itemsOf(), item)) == 0)
	}
	if one, ok := m.other(s, c, other); ok {
		list = m.varied(list, cmp.Or(s.itemsOf(), c.contains.pointer), one, others, other)
	}
	return list
}

// varied adds n items to a list that differ as far as they still are such as they have to be.
func (m maker) varied(list []any, pointer string, one any, n int, fits func(item any) bool) []any {
	for i := range n {
		item := m.item(pointer, one, i)
		if !fits(item) {
			item = one
		}
		list = append(list, item)
	}
	return list
}

// other finds an item that a list may have and need not contain.
func (m maker) other(s shape, c container, fits func(item any) bool) (any, bool) {
	for _, pointer := range []string{s.itemsOf(), c.contains.pointer} {
		if pointer == "" {
			continue
		}
		w := &walk{maker: m}
		whole := m.base(pointer, true, 0)
		for _, v := range append([]variant{{value: whole}}, w.apart(pointer, whole)...) {
			if _, long := v.value.(filler); long || len(v.at) == 0 && v.value == (any)(absent{}) {
				continue
			}
			if item := v.put(whole, v.value); fits(item) {
				return item, true
			}
		}
	}
	return nil, false
}

// contained tries as few and as many of the items that a list has to contain as there may
// be, and one less and one more (JSON Schema Validation 2020-12, sections 6.4.4 and 6.4.5).
func (w *walk) contained(s shape, c container, at []string) {
	list := func(n int) []any { return w.mixed(s, c, n, max(0, s.count("minItems", 0)-n), 0) }
	if c.least > 0 {
		w.add(c.min, at, true, list(c.least), "%d of what it has to contain", c.least)
		w.add(c.min, at, false, list(c.least-1), "%d of what it has to contain", c.least-1)
		outer := w.through
		w.through = append(slices.Clone(outer), c.min.pointer) // it is told of where it is said
		w.add(c.contains, at, false, []any{}, "nothing of what it has to contain")
		w.add(c.contains, at, false, w.mixed(s, c, 0, max(1, s.count("minItems", 0)), 0), "only what it need not contain")
		w.through = outer
	}
	if c.most >= 0 {
		w.add(c.max, at, true, list(c.most), "%d of what it has to contain", c.most)
		w.add(c.max, at, false, list(c.most+1), "%d of what it has to contain", c.most+1)
	}
}

// first are the items that a schema describes by their places.
func (m maker) first(s shape, all bool, depth int) []any {
	r, _ := s.rule("prefixItems")
	made := []any{}
	for i := range list(r.value) {
		made = append(made, m.base(fmt.Sprintf("%s/%d", r.pointer, i), all, depth+1))
	}
	return made
}

// following tries what is said of single items, and one item more than are described.
func (w *walk) following(s shape, items []any, at []string) {
	r, _ := s.rule("prefixItems")
	for i := range min(len(list(r.value)), len(items)) {
		if pointer := fmt.Sprintf("%s/%d", r.pointer, i); w.concerns(pointer) {
			w.itemAt(pointer, items, i, at)
		}
	}
	for _, r := range slices.Concat(s.all("unevaluatedItems"), s.all("items")) {
		_, described := r.value.(map[string]any)
		switch {
		case r.value == false:
			w.add(r, at, false, append(slices.Clone(items), "x"), "an item more")
		case described && r.keyword == "unevaluatedItems" && w.concerns(r.pointer):
			each := w.base(r.pointer, true, 0)
			w.instead(append(slices.Clone(items), each), items, at, func() {
				w.add(r, at, true, append(slices.Clone(items), each), "an item more")
				w.value(r.pointer, each, append(slices.Clone(at), strconv.Itoa(len(items))))
			})
		}
	}
}

// itemAt tries both sides of what is said of an item.
func (w *walk) itemAt(pointer string, list []any, i int, at []string) {
	if i < len(list) {
		w.value(pointer, list[i], append(slices.Clone(at), strconv.Itoa(i)))
	}
}

// several makes a list of n items.
func (m maker) several(pointer string, list []any, n int) []any {
	made := make([]any, 0, n)
	for i := range n {
		if i < len(list) {
			made = append(made, list[i])
		} else if len(list) > 0 {
			made = append(made, m.item(pointer, list[0], i))
		}
	}
	return made
}

// between is a list with one more or less of what it has to contain than at a limit, false
// where the pointer is of none.
func (m maker) between(s shape, pointer string) (any, bool) {
	for _, c := range s.containers() {
		n := c.least + 1
		if pointer == c.max.pointer {
			n = c.most - 1
		} else if pointer != c.min.pointer {
			continue
		}
		made := m.mixed(s, c, n, max(0, s.count("minItems", 0)-n), 0)
		return made, len(m.schemas.broken(s.pointer, made)) == 0
	}
	return nil, false
}
