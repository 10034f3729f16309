package pattern

import "slices"

// limits are the least and the greatest length of a string, in characters;
// max is unbounded for any.
type limits struct{ min, max int }

func (l limits) allow(n int) bool { return n >= l.min && (l.max == unbounded || n <= l.max) }

// A search gives up after so many nodes unless it is told less, and after so
// many steps: a node is met again and again before strings may end.
const (
	patience = 50_000
	maxSteps = 1_000_000
)

type outcome int

const (
	found   outcome = iota
	none            // there is no such string
	unknown         // the search has given up
)

type step struct{ node, from, letter int }

// shortest is the shortest string that the graph accepts, and of those the
// most readable. It looks at no more than so many nodes.
func shortest(g graph, a *alphabet, within limits, most int) (string, outcome) {
	steps, level := []step{{from: -1}}, []int{0}
	seen := map[int]bool{0: true}
	for length := 0; len(level) > 0 && (within.max == unbounded || length <= within.max); length++ {
		if length >= within.min {
			for _, at := range level {
				if g.final(steps[at].node) {
					return spell(steps, at, a), found
				}
			}
		}
		if length < within.min {
			seen = map[int]bool{} // a node may be met again before strings may end
		}
		steps, level = advance(g, steps, level, seen)
		if len(seen) > most || len(steps) > maxSteps {
			return "", unknown
		}
	}
	return "", none
}

func advance(g graph, steps []step, level []int, seen map[int]bool) (all []step, next []int) {
	for _, at := range level {
		for _, e := range g.edges(steps[at].node) {
			if !seen[e.to] {
				seen[e.to] = true
				next = append(next, len(steps))
				steps = append(steps, step{e.to, at, e.letter})
			}
		}
	}
	return steps, next
}

func spell(steps []step, at int, a *alphabet) string {
	var text []rune
	for ; steps[at].from >= 0; at = steps[at].from {
		text = append(text, a.letters[steps[at].letter].shown)
	}
	slices.Reverse(text)
	return string(text)
}

// member is the shortest string of an expression.
func member(n *node, within limits) (string, outcome) {
	p := compile(n)
	a := newAlphabet(p.sets, p.context)
	return shortest(newWalk(newMachine(p, a, 0)), a, within, patience)
}

// compare is the shortest string that is wanted, by whether each of two
// programs matches it.
func compare(a, b *program, within limits, most int, wanted func(inA, inB bool) bool) (string, outcome) {
	letters := newAlphabet(slices.Concat(a.sets, b.sets), a.context || b.context)
	first := newDFA(newMachine(a, letters, 0))
	second := newDFA(newMachine(b, letters, len(a.sets)))
	return shortest(newProduct(first, second, wanted), letters, within, most)
}

func onlyFirst(inA, inB bool) bool { return inA && !inB }
func both(inA, inB bool) bool      { return inA && inB }
func differ(inA, inB bool) bool    { return inA != inB }
