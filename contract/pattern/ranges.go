package pattern

import (
	"slices"
	"unicode"
)

// The surrogates are no characters, and no string has one.
const (
	firstSurrogate = 0xD800
	lastSurrogate  = 0xDFFF
)

// whole leaves out of ranges what is no character, and joins what touches.
func whole(ranges []rune) []rune {
	var out []rune
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if lo >= firstSurrogate && lo <= lastSurrogate {
			lo = lastSurrogate + 1
		}
		if hi >= firstSurrogate && hi <= lastSurrogate {
			hi = firstSurrogate - 1
		}
		if lo <= hi {
			out = append(out, lo, hi)
		}
	}
	return joined(out)
}

// joined sorts pairs and joins those that overlap or touch.
func joined(ranges []rune) []rune {
	pairs := make([][2]rune, 0, len(ranges)/2)
	for i := 0; i < len(ranges); i += 2 {
		pairs = append(pairs, [2]rune{ranges[i], ranges[i+1]})
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	out := make([]rune, 0, len(ranges))
	for _, pair := range pairs {
		if last := len(out) - 1; last > 0 && pair[0] <= after(out[last]) {
			out[last] = max(out[last], pair[1])
			continue
		}
		out = append(out, pair[0], pair[1])
	}
	return out
}

// after and before are the neighbours of a character; those of the last and
// the first are out of range.
func after(r rune) rune {
	if r == firstSurrogate-1 {
		return lastSurrogate + 1
	}
	return r + 1
}

func before(r rune) rune {
	if r == lastSurrogate+1 {
		return firstSurrogate - 1
	}
	return r - 1
}

func isRune(r rune) bool { return r >= 0 && r <= unicode.MaxRune }

func has(ranges []rune, r rune) bool {
	lo, hi := 0, len(ranges)/2
	for lo < hi {
		middle := (lo + hi) / 2
		if ranges[2*middle+1] < r {
			lo = middle + 1
			continue
		}
		hi = middle
	}
	return 2*lo < len(ranges) && ranges[2*lo] <= r
}

func with(ranges []rune, r rune) []rune {
	return joined(append(slices.Clone(ranges), r, r))
}

// minus is ranges without one character.
func minus(ranges []rune, r rune) []rune {
	var out []rune
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if r < lo || r > hi {
			out = append(out, lo, hi)
			continue
		}
		if lo < r {
			out = append(out, lo, before(r))
		}
		if r < hi {
			out = append(out, after(r), hi)
		}
	}
	return out
}

// negated is every other character.
func negated(ranges []rune) []rune {
	var out []rune
	next := rune(0)
	for i := 0; i < len(ranges); i += 2 {
		if next < ranges[i] {
			out = append(out, next, before(ranges[i]))
		}
		next = after(ranges[i+1])
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return whole(out)
}

// bothCases adds to ranges the other letter case of all that has one.
func bothCases(ranges []rune) []rune {
	return joined(append(slices.Clone(ranges), folds(ranges)...))
}

// folds are the other letter cases of what is in ranges.
func folds(ranges []rune) []rune {
	var out []rune
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= min(ranges[i+1], lastCased); r++ {
			for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
				out = append(out, other, other)
			}
		}
	}
	return joined(out)
}

// lastCased is the end of the scripts with letter cases.
const lastCased = 0x1E943

// otherCase is a letter in the other case, and the same where it has none.
func otherCase(r rune) rune {
	if upper := unicode.ToUpper(r); upper != r {
		return upper
	}
	return unicode.ToLower(r)
}
