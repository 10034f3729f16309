package pattern

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

var printableASCII = []rune{' ', '~'}

// maxKnown is up to which length it is looked once which ones there are.
const maxKnown = 256

// Has says whether a string of exactly n characters matches.
func (p *Pattern) Has(n int) bool {
	p.prepare()
	if 0 <= n && n < len(p.lengths[1]) {
		return p.lengths[1][n]
	}
	return n >= 0 && count(p.graph, p.letters, n, p.allowed[1]).some()
}

// Make gives a string of exactly n characters that matches; another one for
// each seed as far as there are others. Where printable ASCII can do it, it is
// made of nothing else. It is false where there is none of that length.
func (p *Pattern) Make(n int, seed uint64) (string, bool) {
	if n < 0 {
		return "", false
	}
	p.prepare()
	for i, allowed := range p.allowed {
		if n < len(p.lengths[i]) && !p.lengths[i][n] {
			continue
		}
		if c := count(p.graph, p.letters, n, allowed); c.some() {
			return c.spell(seed), true
		}
	}
	return "", false
}

// prepare makes what strings of any length are made by.
func (p *Pattern) prepare() {
	p.counting.Do(func() {
		sets := append(append([][]rune(nil), p.program.sets...), printableASCII)
		p.letters = newAlphabet(sets, p.program.context)
		p.graph = finite(newMachine(p.program, p.letters, 0))
		plain := p.letters.holds[len(p.letters.holds)-1]
		p.allowed = [2]func(int) bool{
			func(letter int) bool { return plain[letter] },
			func(int) bool { return true },
		}
		for i, allowed := range p.allowed {
			p.lengths[i] = known(p.graph, p.letters, allowed)
		}
	})
}

// known says of each length below maxKnown whether a string of the letters leads to the end.
func known(g frozen, letters *alphabet, allowed func(int) bool) []bool {
	c := &counts{graph: g, letters: letters, allowed: allowed}
	lengths := make([]bool, maxKnown)
	level, out := c.end(), c.outgoing()
	for n := range lengths {
		lengths[n] = level[0] > 0
		level = c.before(level, out)
	}
	return lengths
}

// frozen is a graph all of whose nodes are known. It may be read by many at
// once.
type frozen struct {
	out   [][]edge
	final []bool
}

// finite is the machine as a graph: deterministic, unless that is too large.
func finite(m *machine) frozen {
	const tooMany = 2000
	if f, ok := freeze(newDFA(m), tooMany); ok {
		return f
	}
	f, _ := freeze(newWalk(m), 1<<30)
	return f
}

func freeze(g graph, most int) (f frozen, ok bool) {
	for node, known := 0, 1; node < known; node++ {
		edges := g.edges(node)
		for _, e := range edges {
			known = max(known, e.to+1)
		}
		if known > most {
			return f, false
		}
		f.out, f.final = append(f.out, edges), append(f.final, g.final(node))
	}
	return f, true
}

// counts says how many strings lead from a node to the end, by their length
// and by node. They are exact up to the point where a float64 is; beyond, only
// their proportions within one length mean anything.
type counts struct {
	graph   frozen
	letters *alphabet
	allowed func(letter int) bool
	levels  [][]float64
	exact   bool
}

const maxExact = 1 << 53

func count(g frozen, letters *alphabet, n int, allowed func(int) bool) *counts {
	c := &counts{graph: g, letters: letters, allowed: allowed, exact: true}
	c.levels = append(c.levels, c.end())
	out := c.outgoing()
	for range n {
		c.levels = append(c.levels, c.before(c.levels[len(c.levels)-1], out))
	}
	return c
}

// end is the level of no characters.
func (c *counts) end() []float64 {
	level := make([]float64, len(c.graph.out))
	for node := range level {
		if c.graph.final[node] {
			level[node] = 1
		}
	}
	return level
}

// weighted is an edge with the number of its characters.
type weighted struct {
	to   int
	size float64
}

func (c *counts) outgoing() [][]weighted {
	out := make([][]weighted, len(c.graph.out))
	for node := range out {
		for _, e := range c.graph.out[node] {
			if c.allowed(e.letter) {
				out[node] = append(out[node], weighted{e.to, float64(c.letters.letters[e.letter].size())})
			}
		}
	}
	return out
}

func (c *counts) before(level []float64, out [][]weighted) []float64 {
	next, most := make([]float64, len(level)), 0.0
	for node, edges := range out {
		for _, e := range edges {
			next[node] += e.size * level[e.to]
		}
		most = max(most, next[node])
	}
	if most > maxExact {
		c.exact = false
		for node, x := range next {
			if x > 0 {
				next[node] = max(x/most, math.SmallestNonzeroFloat64)
			}
		}
	}
	return next
}

func (c *counts) some() bool { return c.levels[len(c.levels)-1][0] > 0 }

// spell gives the string of a seed. While the strings can be counted, seeds
// that differ by less than their number give different ones.
func (c *counts) spell(seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 0))
	total := c.levels[len(c.levels)-1][0]
	index := 0.0
	if c.exact {
		index = float64(spread(seed, uint64(total)))
	}
	var text []rune
	node := 0
	for left := len(c.levels) - 2; left >= 0; left-- {
		if !c.exact {
			index = random.Float64() * c.ahead(node, left)
		}
		var r rune
		r, node, index = c.choose(node, left, index)
		text = append(text, r)
	}
	return string(text)
}

// ahead is the sum over what a node leads to, on the scale of that length.
func (c *counts) ahead(node, left int) float64 {
	total := 0.0
	for _, e := range c.graph.out[node] {
		if c.allowed(e.letter) {
			total += float64(c.letters.letters[e.letter].size()) * c.levels[left][e.to]
		}
	}
	return total
}

// choose takes the edge and the character that an index falls on, and what of
// the index is left for the characters that follow.
func (c *counts) choose(node, left int, index float64) (r rune, to int, rest float64) {
	var last edge
	for _, e := range c.graph.out[node] {
		each := c.levels[left][e.to]
		if !c.allowed(e.letter) || each == 0 {
			continue
		}
		l := &c.letters.letters[e.letter]
		if width := float64(l.size()) * each; index < width {
			k := min(int(index/each), l.size()-1)
			return l.at(k), e.to, index - float64(k)*each
		} else if last = e; index >= width {
			index -= width
		}
	}
	// Rounding has carried the index past the last edge.
	return c.letters.letters[last.letter].at(0), last.to, 0
}

// spread maps seeds below n one to one to numbers below n, neighbours far
// apart and 0 to 0.
func spread(seed, n uint64) uint64 {
	factor := n*618/1000 + 1
	for gcd(factor, n) != 1 {
		factor++
	}
	hi, lo := bits.Mul64(seed%n, factor)
	_, rest := bits.Div64(hi%n, lo, n)
	return rest
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
