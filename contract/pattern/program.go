package pattern

import (
	"regexp/syntax"
	"slices"
)

type opcode int

const (
	opRead   opcode = iota // reads a character of a set, goes to outs[0]
	opSplit                // goes to each of outs
	opAssert               // goes to outs[0] where flag holds
	opMatch
)

type instruction struct {
	op   opcode
	set  int // index into program.sets
	flag syntax.EmptyOp
	outs []int
}

// program is an expression as instructions of a nondeterministic automaton.
type program struct {
	code  []instruction
	start int
	sets  [][]rune
	// context says that an assertion looks at the kind of characters, and not only at
	// the ends of the text.
	context bool
	index   map[string]int // of sets
}

func compile(n *node) *program {
	p := &program{index: map[string]int{}}
	p.start = p.add(n, p.emit(instruction{op: opMatch}))
	return p
}

func (p *program) emit(i instruction) int {
	p.code = append(p.code, i)
	return len(p.code) - 1
}

// add compiles n to go on at next, and returns where it begins.
func (p *program) add(n *node, next int) int {
	switch n.kind {
	case class:
		return p.emit(instruction{op: opRead, set: p.setOf(n.ranges), outs: []int{next}})
	case concat:
		for _, sub := range slices.Backward(n.subs) {
			next = p.add(sub, next)
		}
		return next
	case alternate:
		outs := make([]int, len(n.subs))
		for i, sub := range n.subs {
			outs[i] = p.add(sub, next)
		}
		return p.emit(instruction{op: opSplit, outs: outs})
	case repeat:
		return p.addRepeat(n, next)
	}
	p.context = p.context || n.flag&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0
	return p.emit(instruction{op: opAssert, flag: n.flag, outs: []int{next}})
}

func (p *program) addRepeat(n *node, next int) int {
	sub := n.subs[0]
	if n.max == unbounded {
		loop := p.emit(instruction{op: opSplit})
		p.code[loop].outs = []int{p.add(sub, loop), next}
		next = loop
	}
	beyond := next
	for range n.max - n.min {
		next = p.emit(instruction{op: opSplit, outs: []int{p.add(sub, next), beyond}})
	}
	for range n.min {
		next = p.add(sub, next)
	}
	return next
}

func (p *program) setOf(ranges []rune) int {
	key := string(ranges)
	i, ok := p.index[key]
	if !ok {
		i = len(p.sets)
		p.sets = append(p.sets, ranges)
		p.index[key] = i
	}
	return i
}
