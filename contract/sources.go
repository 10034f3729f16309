package contract

import "slices"

// source is an operation of whose exchange a request can take a value.
type source struct {
	operation string
	value     any // the link's, of which runtime expressions may be a part
}

// argument is a value for a parameter: what a link gives for it, here or for the
// same parameter elsewhere, or its example.
func (d *deriver) argument(o *operation, p parameter) any {
	if from, ok := d.nearest(o, d.sources(o, p)); ok {
		return d.expression(from.operation, from.value)
	}
	if len(p.examples) > 0 {
		return p.examples[0]
	}
	return d.guess(o, p)
}

// sources lists where a parameter's value can come from, the best first.
func (d *deriver) sources(o *operation, p parameter) (found []source) {
	for _, l := range d.links[o.id] {
		for _, name := range []string{p.name, p.in + "." + p.name} {
			if value, ok := l.parameters[name]; ok {
				found = append(found, source{l.from, value})
			}
		}
	}
	for _, other := range d.operations {
		if p.in == "path" && other != o {
			for _, l := range d.links[other.id] {
				if value, ok := l.parameters[p.name]; ok {
					found = append(found, source{l.from, value})
				}
			}
		}
	}
	return found
}

// bodySources lists where members of a body can come from.
func (d *deriver) bodySources(o *operation) (found []source) {
	for _, l := range d.links[o.id] {
		if _, ok := l.body.(map[string]any); ok {
			found = append(found, source{l.from, l.body})
		}
	}
	return found
}

// nearest is the first of the sources that needs nothing of the operation itself.
func (d *deriver) nearest(o *operation, sources []source) (source, bool) {
	if len(sources) == 0 {
		return source{}, false
	}
	ranks := d.ranks()
	i := slices.IndexFunc(sources, func(from source) bool { return ranks[from.operation] < ranks[o.id] })
	if i < 0 {
		return source{}, false
	}
	return sources[i], true
}

// ranked says how far operations are from those that need nothing of others. Links may
// lead in circles, and to where they come from; who follows them to lower ranks only,
// comes to an end. Where each operation needs another one, the first is taken to need
// none.
func (d *deriver) ranked() map[string]int {
	ranks := map[string]int{}
	for rank := 0; len(ranks) < len(d.operations); rank++ {
		var next []string
		for _, o := range d.operations {
			if _, known := ranks[o.id]; !known && d.rests(o, ranks) {
				next = append(next, o.id)
			}
		}
		if len(next) == 0 {
			i := slices.IndexFunc(d.operations, func(o *operation) bool { _, known := ranks[o.id]; return !known })
			next = append(next, d.operations[i].id)
		}
		for _, id := range next {
			ranks[id] = rank
		}
	}
	return ranks
}

// rests says that of whatever an operation takes from others, something is at hand.
func (d *deriver) rests(o *operation, ranks map[string]int) bool {
	all := [][]source{d.bodySources(o)}
	for _, p := range o.parameters {
		all = append(all, d.sources(o, p))
	}
	return !slices.ContainsFunc(all, func(sources []source) bool {
		return len(sources) > 0 && !slices.ContainsFunc(sources, func(from source) bool { _, known := ranks[from.operation]; return known })
	})
}
