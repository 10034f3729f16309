package pattern

import (
	"regexp/syntax"
	"slices"
	"unicode"
)

type kind int

const (
	class     kind = iota // one character out of ranges; a literal is a class of one
	concat                // subs one after the other; without any, the empty string
	alternate             // one of subs
	repeat                // subs[0], min to max times
	assert                // flag holds here
)

// node is an expression without what makes no difference to what matches:
// groups, greed and spelling. Nodes are shared and never changed.
type node struct {
	kind     kind
	ranges   []rune // pairs of first and last, sorted, apart from each other
	subs     []*node
	min, max int // of a repeat; max is unbounded for any number
	flag     syntax.EmptyOp
}

const unbounded = -1

// literal is the character where the node stands for only one.
func (n *node) literal() (rune, bool) {
	if n.kind == class && len(n.ranges) == 2 && n.ranges[0] == n.ranges[1] {
		return n.ranges[0], true
	}
	return 0, false
}

// size is the number of characters and assertions after all repetitions have been written
// out, up to a bound that keeps it from overflowing.
func (n *node) size() int {
	const most = 1 << 30
	total := 1
	for _, sub := range n.subs {
		total += sub.size()
	}
	if n.kind == repeat {
		total *= max(n.min, n.max, 1)
	}
	return min(total, most)
}

func char(r rune) *node { return &node{kind: class, ranges: []rune{r, r}} }

func sequence(subs ...*node) *node {
	flat := make([]*node, 0, len(subs))
	for _, sub := range subs {
		if sub.kind == concat {
			flat = append(flat, sub.subs...)
			continue
		}
		flat = append(flat, sub)
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return &node{kind: concat, subs: flat}
}

func either(subs ...*node) *node {
	if len(subs) == 1 {
		return subs[0]
	}
	return &node{kind: alternate, subs: subs}
}

func times(sub *node, least, most int) *node {
	if least == 1 && most == 1 {
		return sub
	}
	return &node{kind: repeat, subs: []*node{sub}, min: least, max: most}
}

// replaced is the node with another one as its i-th part.
func (n *node) replaced(i int, sub *node) *node {
	subs := slices.Clone(n.subs)
	subs[i] = sub
	switch n.kind {
	case concat:
		return sequence(subs...)
	case alternate:
		return either(subs...)
	}
	return times(sub, n.min, n.max)
}

// without is the node without its i-th part.
func (n *node) without(i int) *node {
	subs := slices.Delete(slices.Clone(n.subs), i, i+1)
	if n.kind == concat {
		return sequence(subs...)
	}
	return either(subs...)
}

func fromSyntax(re *syntax.Regexp) *node {
	switch re.Op {
	case syntax.OpLiteral:
		return fromLiteral(re)
	case syntax.OpCharClass:
		return &node{kind: class, ranges: whole(re.Rune)}
	case syntax.OpAnyChar:
		return &node{kind: class, ranges: []rune{0, unicode.MaxRune}}
	case syntax.OpAnyCharNotNL:
		return &node{kind: class, ranges: []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}}
	case syntax.OpNoMatch:
		return &node{kind: class}
	case syntax.OpStar:
		return times(fromSyntax(re.Sub[0]), 0, unbounded)
	case syntax.OpPlus:
		return times(fromSyntax(re.Sub[0]), 1, unbounded)
	case syntax.OpQuest:
		return times(fromSyntax(re.Sub[0]), 0, 1)
	case syntax.OpRepeat:
		return times(fromSyntax(re.Sub[0]), re.Min, re.Max)
	case syntax.OpCapture:
		return fromSyntax(re.Sub[0])
	case syntax.OpAlternate:
		return either(allFromSyntax(re.Sub)...)
	case syntax.OpConcat:
		return sequence(allFromSyntax(re.Sub)...)
	case syntax.OpEmptyMatch:
		return sequence()
	}
	return &node{kind: assert, flag: assertions[re.Op]}
}

var assertions = map[syntax.Op]syntax.EmptyOp{
	syntax.OpBeginText:      syntax.EmptyBeginText,
	syntax.OpEndText:        syntax.EmptyEndText,
	syntax.OpBeginLine:      syntax.EmptyBeginLine,
	syntax.OpEndLine:        syntax.EmptyEndLine,
	syntax.OpWordBoundary:   syntax.EmptyWordBoundary,
	syntax.OpNoWordBoundary: syntax.EmptyNoWordBoundary,
}

func allFromSyntax(res []*syntax.Regexp) []*node {
	nodes := make([]*node, len(res))
	for i, re := range res {
		nodes[i] = fromSyntax(re)
	}
	return nodes
}

func fromLiteral(re *syntax.Regexp) *node {
	nodes := make([]*node, len(re.Rune))
	for i, r := range re.Rune {
		ranges := []rune{r, r}
		if re.Flags&syntax.FoldCase != 0 {
			ranges = bothCases(ranges)
		}
		nodes[i] = &node{kind: class, ranges: ranges}
	}
	return sequence(nodes...)
}

// place is a node in its tree.
type place struct {
	node *node
	// swap is the whole tree with another node in this place.
	swap func(*node) *node
	// force is swap without the ways around this place: the branch is taken,
	// and what is repeated or optional is there, its first time with the
	// node.
	force func(*node) *node
	// repeat is the repetition whose part the node is, if it is one's.
	repeat *place
	// branch says that the node is a branch of an alternation.
	branch bool
}

// places are all nodes of a tree, each before its parts.
func places(root *node) []place {
	itself := func(n *node) *node { return n }
	return visit(nil, place{node: root, swap: itself, force: itself})
}

func visit(found []place, at place) []place {
	found = append(found, at)
	n := at.node
	for i, sub := range n.subs {
		if n.kind == repeat && n.max == 0 {
			break // it is never there
		}
		inner := place{
			node:   sub,
			swap:   func(other *node) *node { return at.swap(n.replaced(i, other)) },
			force:  func(other *node) *node { return at.force(n.forced(i, other)) },
			branch: n.kind == alternate,
		}
		if n.kind == repeat {
			inner.repeat = &at
		}
		found = visit(found, inner)
	}
	return found
}

// forced is a node that cannot do without its i-th part, which is other.
func (n *node) forced(i int, other *node) *node {
	switch n.kind {
	case concat:
		return n.replaced(i, other)
	case alternate:
		return other
	}
	return sequence(other, times(n.subs[i], max(n.min-1, 0), less(n.max, 1)))
}

// less takes k from an upper bound.
func less(most, k int) int {
	if most == unbounded {
		return unbounded
	}
	return max(most-k, 0)
}
