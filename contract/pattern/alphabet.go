package pattern

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"unicode"
)

// letter is a set of characters that the programs at hand do not tell apart.
type letter struct {
	ranges []rune
	shown  rune // the character that stands for all
	near   context
}

// size is the number of its characters.
func (l *letter) size() int {
	n := 0
	for i := 0; i < len(l.ranges); i += 2 {
		n += int(l.ranges[i+1]-l.ranges[i]) + 1
	}
	return n
}

// at is its k-th character.
func (l *letter) at(k int) rune {
	for i := 0; ; i += 2 {
		width := int(l.ranges[i+1]-l.ranges[i]) + 1
		if k < width {
			return l.ranges[i] + rune(k) //nolint:gosec // a width is below 1114112
		}
		k -= width
	}
}

// alphabet divides all characters into letters, the more readable first.
type alphabet struct {
	letters []letter
	holds   [][]bool // by set and letter
}

// context is what an assertion sees of a neighbouring character.
type context int

const (
	textEnd context = iota
	lineEnd
	inWord
	otherwise
	contexts
)

var contextRunes = [contexts]rune{-1, '\n', 'a', ' '}

// flags are the assertions that hold between two neighbours.
func flags(left, right context) syntax.EmptyOp {
	return syntax.EmptyOpContext(contextRunes[left], contextRunes[right])
}

var wordRunes = []rune{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}

// newAlphabet tells apart what the sets do; with context also what assertions do.
func newAlphabet(sets [][]rune, withContext bool) *alphabet {
	dividing := sets
	if withContext {
		dividing = append(slices.Clone(sets), wordRunes, []rune{'\n', '\n'})
	}
	a := &alphabet{letters: divide(dividing)}
	for i := range a.letters {
		l := &a.letters[i]
		l.shown, l.near = mostReadable(l.ranges), contextOf(l.ranges[0], withContext)
	}
	slices.SortFunc(a.letters, func(x, y letter) int { return cmp.Compare(rank(x.shown), rank(y.shown)) })
	a.holds = make([][]bool, len(sets))
	for i, set := range sets {
		a.holds[i] = make([]bool, len(a.letters))
		for j, l := range a.letters {
			a.holds[i][j] = has(set, l.ranges[0])
		}
	}
	return a
}

func contextOf(r rune, withContext bool) context {
	switch {
	case withContext && r == '\n':
		return lineEnd
	case withContext && has(wordRunes, r):
		return inWord
	}
	return otherwise
}

// divide gives the coarsest division of all characters in which each part is
// inside or outside of each set.
func divide(sets [][]rune) []letter {
	cuts := []rune{0, firstSurrogate, lastSurrogate + 1, unicode.MaxRune + 1}
	for _, set := range sets {
		for i := 0; i < len(set); i += 2 {
			cuts = append(cuts, set[i], set[i+1]+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)

	var letters []letter
	index, signature := map[string]int{}, make([]byte, len(sets))
	for i, lo := range cuts[:len(cuts)-1] {
		if lo >= firstSurrogate && lo <= lastSurrogate {
			continue
		}
		for j, set := range sets {
			signature[j] = 0
			if has(set, lo) {
				signature[j] = 1
			}
		}
		at, ok := index[string(signature)]
		if !ok {
			at = len(letters)
			letters = append(letters, letter{})
			index[string(signature)] = at
		}
		letters[at].ranges = append(letters[at].ranges, lo, cuts[i+1]-1)
	}
	return letters
}

// readable are the characters to stand for others, best first.
var readable = [][2]rune{{'a', 'z'}, {'0', '9'}, {'A', 'Z'}, {'!', '~'}, {' ', ' '}, {0xA1, 0xAC}, {0xAE, 0xD7FF}, {0xE000, unicode.MaxRune}}

// rank is the lower the more readable a character is.
func rank(r rune) int {
	for i, group := range readable {
		if r >= group[0] && r <= group[1] {
			return i<<24 + int(r)
		}
	}
	return len(readable)<<24 + int(r)
}

func mostReadable(ranges []rune) rune {
	for _, group := range readable {
		for i := 0; i < len(ranges); i += 2 {
			if lo := max(ranges[i], group[0]); lo <= min(ranges[i+1], group[1]) {
				return lo
			}
		}
	}
	return ranges[0]
}
