// Package pattern makes strings for the regular expressions of JSON Schema:
// such as match, and near misses. They are chosen so that whoever applies
// another expression than the one that is written down, be it only by one
// character, answers at least one of them otherwise.
//
// An expression is searched for, not anchored, and written so that ECMA-262
// and RE2 read it alike. All strings are valid UTF-8, all lengths are in
// characters, and the same expression always gives the same strings.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"sync"
)

// maxSize bounds an expression with its repetitions written out.
const maxSize = 50_000

var errTooLarge = errors.New("too large with its repetitions written out")

// Pattern is a regular expression that strings are made for. It is safe for
// concurrent use.
type Pattern struct {
	matcher *regexp.Regexp
	tree    *node
	program *program
	within  limits
	once    sync.Once
	made    samples

	narrowing sync.Once
	narrower  []parsedMutant

	// For Make and Has: the automaton with all its nodes, over letters of its own, and of
	// printable ASCII and of all of them which lengths there are.
	counting sync.Once
	letters  *alphabet
	graph    frozen
	allowed  [2]func(letter int) bool
	lengths  [2][]bool
}

// Parse reads an expression. What regexp/syntax cannot read is an error, which
// includes what RE2 has not: lookaround and references back.
func Parse(expr string) (*Pattern, error) {
	matcher, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("parsing pattern: %w", err)
	}
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("parsing pattern: %w", err)
	}
	tree := fromSyntax(parsed)
	if tree.size() > maxSize {
		return nil, fmt.Errorf("parsing pattern %q: %w", expr, errTooLarge)
	}
	return &Pattern{matcher: matcher, tree: tree, program: compile(tree), within: limits{0, unbounded}}, nil
}

// Match says whether the expression is found in s.
func (p *Pattern) Match(s string) bool { return p.matcher.MatchString(s) }

// Within is the same pattern for strings of least to most characters, as minLength and
// maxLength have it; most is -1 where there is no bound. Accepted and Refused
// then give only strings of such a length, so that a near miss is refused for
// the pattern alone.
func (p *Pattern) Within(least, most int) *Pattern {
	return &Pattern{matcher: p.matcher, tree: p.tree, program: p.program, within: limits{max(least, 0), max(most, unbounded)}}
}

// Accepted gives strings that match and together show all that the pattern
// lets in: both ends of every range of every class, every branch, every
// repetition at its fewest and at its most (where it has no bound, a few more
// than the fewest), and where an end is open something before and after.
// The shortest come first.
func (p *Pattern) Accepted() []string { return append([]string(nil), p.samples().accepted...) }

// Refused gives near misses, none of which matches, each wrong in one thing: a
// character next to a class or of another kind in its place, one repetition
// too few or too many, a literal missing, doubled, changed or in the other
// letter case, something before or after, a branch cut short, and nothing at
// all. The shortest come first.
func (p *Pattern) Refused() []string { return append([]string(nil), p.samples().refused...) }

// Empty says that no string of its lengths matches; it is false as well where that could
// not be found out with a sensible effort.
func (p *Pattern) Empty() bool {
	_, found := member(p.tree, p.within)
	return found == none
}

// Equivalent says whether two patterns match the same strings; known is false
// where it could not be found out with a sensible effort.
func (p *Pattern) Equivalent(other *Pattern) (same, known bool) {
	_, outcome := compare(p.program, other.program, p.within, patience, differ)
	return outcome == none, outcome != unknown
}
