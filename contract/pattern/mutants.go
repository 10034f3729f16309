package pattern

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
)

// Mutant is a pattern that was changed by one thing. It may match the same
// strings as before all the same: see Equivalent.
type Mutant struct {
	Expr string // as ECMA-262 and RE2 both read it
	What string // what was changed, in one phrase
}

// fewMore is how many times more than its fewest a repetition without a bound
// is shown.
const fewMore = 4

// mutation is a Mutant before it is written.
type mutation struct {
	tree *node
	what string
}

// Mutants are all patterns that one change makes: of a range's end, a
// character of a class, a literal, a bound of a repetition, an anchor, a branch,
// or a letter case.
func (p *Pattern) Mutants() []Mutant {
	var mutants []Mutant
	for _, m := range p.parsedMutants() {
		mutants = append(mutants, m.Mutant)
	}
	return mutants
}

// Unshown are the changes that none of some matching texts notices: what the
// pattern lets in by the part that is changed, none of them shows.
func (p *Pattern) Unshown(texts []string) []Mutant {
	p.narrowing.Do(func() {
		for _, m := range p.parsedMutants() {
			if _, result := compare(p.program, m.parsed.program, p.within, briefly, onlyFirst); result == found {
				p.narrower = append(p.narrower, m)
			}
		}
	})
	var unshown []Mutant
	for _, m := range p.narrower {
		if !slices.ContainsFunc(texts, func(text string) bool { return !m.parsed.Match(text) }) {
			unshown = append(unshown, m.Mutant)
		}
	}
	return unshown
}

type parsedMutant struct {
	Mutant
	parsed *Pattern
}

func (p *Pattern) parsedMutants() []parsedMutant {
	seen := map[string]bool{p.tree.String(): true}
	var mutants []parsedMutant
	for _, m := range p.mutations() {
		expr := m.tree.String()
		if seen[expr] {
			continue
		}
		seen[expr] = true
		if parsed, err := Parse(expr); err == nil {
			mutants = append(mutants, parsedMutant{Mutant{expr, m.what}, parsed})
		}
	}
	return mutants
}

func (p *Pattern) mutations() []mutation {
	all := wholeMutations(p.tree)
	for _, at := range places(p.tree) {
		var changes []mutation
		switch at.node.kind {
		case class:
			changes = classMutations(at.node)
		case concat:
			changes = concatMutations(at.node)
		case alternate:
			changes = branchMutations(at.node)
		case repeat:
			changes = repeatMutations(at.node)
		case assert:
			changes = assertMutations(at.node)
		}
		for _, change := range changes {
			if at.repeat != nil && change.tree.size() == 1 && change.tree.kind == concat {
				continue // the repetition itself is removed by its own change
			}
			all = append(all, mutation{at.swap(change.tree), change.what})
		}
	}
	return all
}

func anchor(flag syntax.EmptyOp) *node { return &node{kind: assert, flag: flag} }

func wholeMutations(tree *node) []mutation {
	return []mutation{
		{sequence(anchor(syntax.EmptyBeginText), tree), "anchor ^ added"},
		{sequence(tree, anchor(syntax.EmptyEndText)), "anchor $ added"},
		{sequence(), "anything let in"},
		{mapClasses(tree, bothCases), "letter case ignored everywhere"},
		{mapClasses(tree, func(r []rune) []rune { return mapCase(r, unicode.ToUpper) }), "all letters upper case"},
		{mapClasses(tree, func(r []rune) []rune { return mapCase(r, unicode.ToLower) }), "all letters lower case"},
	}
}

func mapClasses(n *node, change func([]rune) []rune) *node {
	if n.kind == class {
		return &node{kind: class, ranges: change(n.ranges)}
	}
	changed := *n
	changed.subs = make([]*node, len(n.subs))
	for i, sub := range n.subs {
		changed.subs[i] = mapClasses(sub, change)
	}
	return &changed
}

// mapCase maps the letters of ASCII; for others a language would have a say.
func mapCase(ranges []rune, to func(rune) rune) []rune {
	var out []rune
	for r := range rune(unicode.MaxASCII) {
		if has(ranges, r) {
			out = append(out, to(r), to(r))
		}
	}
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i+1] >= unicode.MaxASCII {
			out = append(out, max(ranges[i], unicode.MaxASCII), ranges[i+1])
		}
	}
	return joined(out)
}

func classMutations(n *node) []mutation {
	if r, ok := n.literal(); ok {
		return literalMutations(n, r)
	}
	name, out := n.String(), []mutation(nil)
	change := func(ranges []rune, what string, args ...any) {
		if len(ranges) > 0 {
			out = append(out, mutation{&node{kind: class, ranges: ranges}, fmt.Sprintf(what, args...) + " in " + name})
		}
	}
	for i := 0; i < len(n.ranges) && len(n.ranges) <= 2*fewRanges; i += 2 {
		lo, hi := n.ranges[i], n.ranges[i+1]
		if r := before(lo); isRune(r) {
			change(with(n.ranges, r), "%q added before %q", r, lo)
		}
		change(minus(n.ranges, lo), "%q removed", lo)
		if hi != lo {
			change(minus(n.ranges, hi), "%q removed", hi)
			change(slices.Delete(slices.Clone(n.ranges), i, i+2), "range %q to %q removed", lo, hi)
		}
		if r := after(hi); isRune(r) {
			change(with(n.ranges, r), "%q added after %q", r, hi)
		}
	}
	for _, r := range outsiders(n.ranges) {
		change(with(n.ranges, r), "%q added", r)
	}
	change(bothCases(n.ranges), "letter case ignored")
	change(mapCase(n.ranges, swapCase), "letter case swapped")
	change(mapCase(n.ranges, unicode.ToLower), "only lower case")
	change(mapCase(n.ranges, unicode.ToUpper), "only upper case")
	change(negated(n.ranges), "all but these characters")
	change([]rune{0, unicode.MaxRune}, "any character")
	return append(out, mutation{sequence(), name + " removed"}, mutation{sequence(n, n), name + " doubled"})
}

func swapCase(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}

// kinds are characters of all kinds that a class may have or lack by mistake.
var kinds = []rune{'\t', '\n', '\r', 0x01, ' ', '-', '.', '0', 'A', '_', 'a', 0x7F, 'é', '—', '😀'}

// fewKinds are those for the place of a literal.
var fewKinds = []rune{'a', '0', ' ', 'é'}

// outsiders are some characters of all kinds that are not in ranges.
func outsiders(ranges []rune) []rune {
	return slices.DeleteFunc(slices.Clone(kinds), func(r rune) bool { return has(ranges, r) })
}

func literalMutations(n *node, r rune) []mutation {
	out := []mutation{
		{sequence(), fmt.Sprintf("%q removed", r)},
		{sequence(n, n), fmt.Sprintf("%q doubled", r)},
		{times(n, 0, 1), fmt.Sprintf("%q made optional", r)},
		{&node{kind: class, ranges: []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}}, fmt.Sprintf("%q became any character", r)},
	}
	for _, other := range []rune{before(r), after(r), 'x', '0'} {
		if isRune(other) && other != r {
			out = append(out, mutation{char(other), fmt.Sprintf("%q changed to %q", r, other)})
		}
	}
	if other := otherCase(r); other != r {
		out = append(out, mutation{char(other), fmt.Sprintf("%q in the other letter case", r)},
			mutation{&node{kind: class, ranges: bothCases(n.ranges)}, fmt.Sprintf("%q in either letter case", r)})
	}
	return out
}

// concatMutations are of what is more than one character: the single ones have
// changes of their own.
func concatMutations(n *node) []mutation {
	var out []mutation
	for i, sub := range n.subs {
		if sub.kind != class && sub.kind != assert {
			out = append(out, mutation{n.without(i), sub.String() + " removed"})
		}
		if i > 0 {
			swapped := slices.Clone(n.subs)
			swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
			out = append(out, mutation{sequence(swapped...), fmt.Sprintf("%s and %s in the other order", n.subs[i-1], sub)})
		}
	}
	return out
}

func branchMutations(n *node) []mutation {
	out := []mutation{
		{either(append(slices.Clone(n.subs), literalOf("other"))...), "branch other added"},
		{either(append(slices.Clone(n.subs), sequence())...), "empty branch added"},
	}
	for i, sub := range n.subs {
		out = append(out, mutation{n.without(i), "branch " + sub.String() + " removed"})
	}
	return out
}

func literalOf(s string) *node {
	var subs []*node
	for _, r := range s {
		subs = append(subs, char(r))
	}
	return sequence(subs...)
}

func repeatMutations(n *node) []mutation {
	sub, name := n.subs[0], n.String()
	var out []mutation
	change := func(least, most int) {
		if least >= 0 && (most == unbounded || most >= max(least, 1)) {
			out = append(out, mutation{times(sub, least, most), name + " became " + times(sub, least, most).String()})
		}
	}
	change(n.min-1, n.max)
	change(n.min+1, n.max)
	if n.max == unbounded {
		change(n.min, max(n.min, 1))
		change(n.min, n.min+fewMore-1)
	} else {
		change(n.min, n.max-1)
		change(n.min, n.max+1)
		change(n.min-1, n.max-1)
		change(n.min+1, n.max+1)
		change(n.min, unbounded)
	}
	change(1, 1)
	change(0, 1)
	change(0, unbounded)
	change(1, unbounded)
	return append(out, mutation{sequence(), name + " removed"})
}

func assertMutations(n *node) []mutation {
	name, newline := n.String(), char('\n')
	out := []mutation{{sequence(), "anchor " + name + " dropped"}}
	switch n.flag {
	case syntax.EmptyBeginText:
		out = append(out, mutation{either(n, newline), "^ lets a line begin"})
	case syntax.EmptyEndText:
		out = append(out, mutation{either(n, newline), "$ lets a line end"},
			mutation{sequence(times(newline, 0, 1), n), "$ lets a newline end"})
	case syntax.EmptyWordBoundary:
		out = append(out, mutation{anchor(syntax.EmptyNoWordBoundary), `\b became \B`})
	case syntax.EmptyNoWordBoundary:
		out = append(out, mutation{anchor(syntax.EmptyWordBoundary), `\B became \b`})
	}
	return out
}
