package pattern

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds on what is made for one pattern. So that no sort of near miss crowds
// out the others, each may only fill up to its own.
const (
	mostAccepted   = 110
	enoughRefused  = 170
	commonRefused  = 215 // with the characters that are not in a class
	partsRefused   = 245 // with what lacks a part or has it twice
	mutantsRefused = 290 // with what tells mutants apart
	mostRefused    = 290
	// longest bounds strings that the pattern does not want longer.
	longest = 200
)

// briefly is how many nodes a search for one string looks at. What needs more
// differs only in very long strings, which the repetitions show.
const briefly = 2000

// samples are the strings made for a pattern.
type samples struct{ accepted, refused []string }

// enoughWork bounds how many strings are looked for, by the size of the expression:
// a list of all time zones has thousands of literals that might be missing.
const enoughWork = 2_000_000

// collector gathers strings, each once, and sorts them into those that match
// and those that do not.
type collector struct {
	*Pattern
	seen map[string]bool
	left int // how many more strings are looked for
	samples
}

func (p *Pattern) samples() *samples {
	p.once.Do(func() {
		c := &collector{Pattern: p, seen: map[string]bool{}, left: enoughWork / max(1, p.tree.size())}
		c.collect()
		sortStrings(c.accepted)
		sortStrings(c.refused)
		p.made = c.samples
	})
	return &p.made
}

func sortStrings(all []string) {
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b)), cmp.Compare(a, b))
	})
}

func (c *collector) collect() {
	at := places(c.tree)
	c.add("", enoughRefused)
	c.branchesAndRepeats(at)
	c.ends()
	c.literals(at)
	c.classes(at)
	c.parts(at)
	c.tellMutants()
	c.surround()
}

// add keeps a string of the right length while there is room.
func (c *collector) add(s string, room int) {
	if c.seen[s] || !c.within.allow(utf8.RuneCountInString(s)) {
		return
	}
	if c.Match(s) {
		if len(c.accepted) < mostAccepted {
			c.seen[s], c.accepted = true, append(c.accepted, s)
		}
		return
	}
	if len(c.refused) < room {
		c.seen[s], c.refused = true, append(c.refused, s)
	}
}

// accept adds the shortest string of the tree that matches.
func (c *collector) accept(tree *node) bool { return c.take(tree, true) }

// refuse adds the shortest string of the tree that does not match.
func (c *collector) refuse(tree *node) { c.take(tree, false) }

func (c *collector) take(tree *node, matches bool) bool {
	return c.takeUpTo(tree, matches, enoughRefused)
}

func (c *collector) takeUpTo(tree *node, matches bool, room int) bool {
	if c.left--; c.left < 0 {
		return false
	}
	s, result := member(tree, c.within)
	if result != found {
		return false
	}
	if c.Match(s) != matches {
		wanted := onlyFirst
		if matches {
			wanted = both
		}
		if s, result = compare(compile(tree), c.program, c.within, briefly, wanted); result != found {
			return false
		}
	}
	c.add(s, room)
	return true
}

func (c *collector) branchesAndRepeats(at []place) {
	for _, place := range at {
		n := place.node
		if place.branch {
			c.accept(place.force(n))
		}
		if _, ok := n.literal(); !ok && n.kind != assert {
			c.refuse(place.force(sequence(n, n)))
		}
		if n.kind == repeat {
			for _, k := range shown(n) {
				c.accept(place.force(times(n.subs[0], k, k)))
			}
			if n.max == unbounded {
				c.many(place)
			}
			if n.min > 0 {
				c.refuse(place.force(times(n.subs[0], n.min-1, n.min-1)))
			}
			if n.max != unbounded {
				c.refuse(place.force(times(n.subs[0], n.max+1, n.max+1)))
			}
		}
	}
}

// shown are the numbers of repetitions that show the bounds of a repetition.
func shown(n *node) []int {
	if n.max == unbounded {
		return []int{n.min, n.min + 1, n.min + fewMore}
	}
	return []int{n.min, min(n.min+1, n.max), n.max}
}

// many accepts a repetition without a bound as often as a string has room for.
func (c *collector) many(at place) {
	n, within := at.node, c.within
	if within.max == unbounded || within.max > longest {
		within.max = longest
	}
	for k := within.max - 1; k > n.min+fewMore; k -= max(k/8, 1) {
		if s, result := member(at.force(times(n.subs[0], k, k)), within); result == found && c.Match(s) {
			c.add(s, enoughRefused)
			return
		}
	}
}

// parts refuses what lacks a part that is longer than a character, or has it
// twice: a branch cut short, a group that might be optional or repeated.
func (c *collector) parts(at []place) {
	for _, place := range at {
		n := place.node
		if n.kind != concat {
			continue
		}
		for i := len(n.subs) - 1; i > 0; i-- {
			c.refusePart(place, i, len(n.subs))
		}
		c.refuseInserted(place)
		for j := 1; j < len(n.subs); j++ {
			c.refusePart(place, 0, j)
		}
		for i := 1; i < len(n.subs); i++ {
			for j := i + 1; j < len(n.subs) && j-i <= longestPart; j++ {
				c.refusePart(place, i, j)
			}
		}
	}
}

// refuseInserted refuses a sequence with something between two of its parts.
func (c *collector) refuseInserted(at place) {
	for i := 1; i < len(at.node.subs); i++ {
		for _, r := range []rune{' ', '0', 'a'} {
			if len(c.refused) >= partsRefused {
				return
			}
			between := slices.Insert(slices.Clone(at.node.subs), i, char(r))
			c.takeUpTo(at.force(sequence(between...)), false, partsRefused)
		}
	}
}

// longestPart bounds a part in the middle of a sequence, in its nodes.
const longestPart = 6

// refusePart refuses a sequence without its parts from i to before j, and with
// them twice.
func (c *collector) refusePart(at place, i, j int) {
	if len(c.refused) >= partsRefused {
		return
	}
	subs := at.node.subs
	c.takeUpTo(at.force(sequence(slices.Concat(subs[:i], subs[j:])...)), false, partsRefused)
	c.takeUpTo(at.force(sequence(slices.Concat(subs[:j], subs[i:])...)), false, partsRefused)
}

// literals refuses each literal missing, doubled, changed and in the other
// letter case, and all letters at once in the other one.
func (c *collector) literals(at []place) {
	for _, place := range at {
		if r, ok := place.node.literal(); ok {
			c.refuse(place.force(sequence()))
			c.refuse(place.force(sequence(place.node, place.node)))
			for _, other := range []rune{otherCase(r), after(r), before(r)} {
				if isRune(other) && other != r {
					c.refuse(place.force(char(other)))
				}
			}
		}
	}
	if s, result := member(c.tree, c.within); result == found {
		c.add(strings.ToUpper(s), enoughRefused)
		c.add(strings.ToLower(s), enoughRefused)
	}
	for _, s := range slices.Clone(c.accepted) {
		c.add(strings.ToUpper(s), enoughRefused)
		c.add(strings.ToLower(s), enoughRefused)
	}
}

// ends puts something before and after: an open end lets it in, an anchor
// does not.
func (c *collector) ends() {
	for _, around := range []string{"a", "0", "A", " ", "\n", "é", "-", "+", "_", "!"} {
		c.prepend(around)
		c.append(around)
	}
}

func (c *collector) prepend(s string) {
	tree := sequence(anchor(syntax.EmptyBeginText), literalOf(s), dropped(c.tree, syntax.EmptyBeginText))
	c.accept(tree)
	c.refuse(tree)
}

func (c *collector) append(s string) {
	tree := sequence(dropped(c.tree, syntax.EmptyEndText), literalOf(s), anchor(syntax.EmptyEndText))
	c.accept(tree)
	c.refuse(tree)
}

// dropped is a tree without one sort of anchor.
func dropped(n *node, flag syntax.EmptyOp) *node {
	if n.kind == assert && n.flag == flag {
		return sequence()
	}
	subs := make([]*node, len(n.subs))
	for i, sub := range n.subs {
		subs[i] = dropped(sub, flag)
	}
	switch n.kind {
	case concat:
		return sequence(subs...)
	case alternate:
		return either(subs...)
	case repeat:
		return times(subs[0], n.min, n.max)
	}
	return n
}

// tellMutants adds a string for each mutant that no string tells apart yet.
func (c *collector) tellMutants() {
	for _, m := range c.parsedMutants() {
		if c.tells(m.parsed) {
			continue
		}
		if s, result := compare(c.program, m.parsed.program, c.within, briefly, differ); result == found {
			c.add(s, mutantsRefused)
		}
	}
}

func (c *collector) tells(mutant *Pattern) bool {
	refuses := func(s string) bool { return !mutant.Match(s) }
	return slices.ContainsFunc(c.accepted, refuses) || slices.ContainsFunc(c.refused, mutant.Match)
}
