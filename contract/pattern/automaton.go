package pattern

import (
	"encoding/binary"
	"slices"
)

// graph is an automaton over an alphabet. Its nodes are numbered as they are
// met; it begins in node 0.
type graph interface {
	edges(node int) []edge
	final(node int) bool
}

type edge struct{ letter, to int }

// machine runs a program over an alphabet, which may be another program's too.
type machine struct {
	*program
	alphabet *alphabet
	firstSet int // index of the program's sets in those of the alphabet
	seen     []int
	round    int
}

func newMachine(p *program, a *alphabet, firstSet int) *machine {
	return &machine{program: p, alphabet: a, firstSet: firstSet, seen: make([]int, len(p.code))}
}

// near is the context that a letter gives to this program.
func (m *machine) near(l int) context {
	if !m.context {
		return otherwise
	}
	return m.alphabet.letters[l].near
}

// closure is what is reached without reading, between two neighbours: the
// reading instructions, and whether all has matched.
func (m *machine) closure(from []int, left, right context) (reads []int, matched bool) {
	m.round++
	holding, stack := flags(left, right), slices.Clone(from)
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if m.seen[pc] == m.round {
			continue
		}
		m.seen[pc] = m.round
		switch i := &m.code[pc]; i.op {
		case opMatch:
			matched = true
		case opRead:
			reads = append(reads, pc)
		case opSplit:
			stack = append(stack, i.outs...)
		case opAssert:
			if holding&i.flag == i.flag {
				stack = append(stack, i.outs...)
			}
		}
	}
	slices.Sort(reads)
	return reads, matched
}

func (m *machine) reads(pc, letter int) bool {
	return m.alphabet.holds[m.firstSet+m.code[pc].set][letter]
}

// dfa is a machine made deterministic, state by state as they are met.
type dfa struct {
	*machine
	states []dfaState
	index  map[string]int
}

type dfaState struct {
	pcs      []int
	left     context
	always   bool // a match was found, and what follows does not matter
	closures [contexts]*closed
	next     []edge
}

type closed struct {
	reads   []int
	matched bool
}

func newDFA(m *machine) *dfa {
	d := &dfa{machine: m, index: map[string]int{}}
	d.number(dfaState{left: textEnd})
	return d
}

func (d *dfa) number(s dfaState) int {
	key := make([]byte, 1, 8+4*len(s.pcs))
	key[0] = byte(s.left) //nolint:gosec // one of four
	if s.always {
		key[0] = byte(contexts)
	}
	for _, pc := range s.pcs {
		key = binary.AppendUvarint(key, uint64(pc)) //nolint:gosec // an index
	}
	i, ok := d.index[string(key)]
	if !ok {
		i = len(d.states)
		d.states = append(d.states, s)
		d.index[string(key)] = i
	}
	return i
}

func (d *dfa) closedAt(state int, right context) *closed {
	s := &d.states[state]
	if s.closures[right] == nil {
		// A match may begin anywhere.
		reads, matched := d.closure(append(slices.Clone(s.pcs), d.start), s.left, right)
		s.closures[right] = &closed{reads, matched}
	}
	return s.closures[right]
}

func (d *dfa) final(state int) bool {
	return d.states[state].always || d.closedAt(state, textEnd).matched
}

func (d *dfa) edges(state int) []edge {
	if d.states[state].next == nil {
		next := make([]edge, len(d.alphabet.letters))
		for l := range next {
			next[l] = edge{l, d.step(state, l)}
		}
		d.states[state].next = next
	}
	return d.states[state].next
}

func (d *dfa) step(state, letter int) int {
	near := d.near(letter)
	at := d.closedAt(state, near)
	if at.matched || d.states[state].always {
		return d.number(dfaState{always: true})
	}
	var pcs []int
	for _, pc := range at.reads {
		if d.reads(pc, letter) {
			pcs = append(pcs, d.code[pc].outs[0])
		}
	}
	slices.Sort(pcs)
	return d.number(dfaState{pcs: slices.Compact(pcs), left: near})
}

// product runs two automata side by side; wanted says where it is final.
type product struct {
	a, b   graph
	wanted func(inA, inB bool) bool
	pairs  [][2]int
	index  map[[2]int]int
}

func newProduct(a, b graph, wanted func(inA, inB bool) bool) *product {
	p := &product{a: a, b: b, wanted: wanted, index: map[[2]int]int{}}
	p.number(0, 0)
	return p
}

func (p *product) number(a, b int) int {
	pair := [2]int{a, b}
	i, ok := p.index[pair]
	if !ok {
		i = len(p.pairs)
		p.pairs = append(p.pairs, pair)
		p.index[pair] = i
	}
	return i
}

func (p *product) final(node int) bool {
	pair := p.pairs[node]
	return p.wanted(p.a.final(pair[0]), p.b.final(pair[1]))
}

func (p *product) edges(node int) []edge {
	pair := p.pairs[node]
	a, b := p.a.edges(pair[0]), p.b.edges(pair[1])
	edges := make([]edge, len(a))
	for l := range a {
		edges[l] = edge{l, p.number(a[l].to, b[l].to)}
	}
	return edges
}

// walk is a machine that guesses its way: it never has more nodes than the
// program has instructions, by context, where a dfa may have exponentially
// many; but one string may have several ways through it.
type walk struct {
	*machine
	nodes []walkNode
	index map[walkNode]int
}

// walkNode is what is known after a character: where the program is, or one
// of the values below.
type walkNode struct {
	pc   int
	left context
}

const (
	notBegun = -1
	matched  = -2
)

func newWalk(m *machine) *walk {
	w := &walk{machine: m, index: map[walkNode]int{}}
	w.number(walkNode{notBegun, textEnd})
	return w
}

func (w *walk) number(n walkNode) int {
	i, ok := w.index[n]
	if !ok {
		i = len(w.nodes)
		w.nodes = append(w.nodes, n)
		w.index[n] = i
	}
	return i
}

func (w *walk) closedAt(n walkNode, right context) (reads []int, done bool) {
	switch n.pc {
	case matched:
		return nil, true
	case notBegun:
		return w.closure([]int{w.start}, n.left, right)
	}
	return w.closure([]int{n.pc}, n.left, right)
}

func (w *walk) final(node int) bool {
	_, done := w.closedAt(w.nodes[node], textEnd)
	return done
}

func (w *walk) edges(node int) []edge {
	n := w.nodes[node]
	var edges []edge
	var closures [contexts]*closed
	for l := range w.alphabet.letters {
		near := w.near(l)
		if closures[near] == nil {
			reads, done := w.closedAt(n, near)
			closures[near] = &closed{reads, done}
		}
		if closures[near].matched {
			edges = append(edges, edge{l, w.number(walkNode{matched, otherwise})})
			continue
		}
		for _, pc := range closures[near].reads {
			if w.reads(pc, l) {
				edges = append(edges, edge{l, w.number(walkNode{w.code[pc].outs[0], near})})
			}
		}
		if n.pc == notBegun {
			edges = append(edges, edge{l, w.number(walkNode{notBegun, near})})
		}
	}
	return edges
}
