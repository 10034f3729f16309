package pattern

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// classes shows what each class lets in and what not.
func (c *collector) classes(at []place) {
	all := slices.DeleteFunc(slices.Clone(at), func(p place) bool { return p.node.kind != class })
	for _, place := range all {
		c.inside(place, ends(place.node.ranges))
	}
	for _, place := range all {
		others := kinds
		if _, ok := place.node.literal(); ok {
			others = fewKinds
		}
		c.substitute(place, others, enoughRefused)
	}
	for _, place := range all {
		c.substitute(place, nextTo(place.node.ranges), enoughRefused)
	}
	c.common(all)
}

// common shows what is in each class and what is not by characters that are
// in use: those that are not only once for each sort of class, and the classes
// in turn, lest the first take all the room.
func (c *collector) common(all []place) {
	seen := map[string]bool{}
	var once []place
	var others [][]rune
	longest := 0
	for _, place := range all {
		if _, ok := place.node.literal(); ok {
			continue
		}
		in, out := common(place.node.ranges)
		c.inside(place, in)
		if key := string(place.node.ranges); !seen[key] {
			seen[key], once, others = true, append(once, place), append(others, out)
			longest = max(longest, len(out))
		}
	}
	const atOnce = 6
	for from := 0; from < longest && len(c.refused) < commonRefused; from += atOnce {
		for i, place := range once {
			end := min(from+atOnce, len(others[i]))
			c.substitute(place, others[i][min(from, end):end], commonRefused)
		}
	}
}

// fewRanges is what a class written by hand stays below; that of a category
// of Unicode has hundreds, of which the first and the last are shown.
const fewRanges = 40

func edges(ranges []rune) []rune {
	if len(ranges) <= 2*fewRanges {
		return ranges
	}
	return slices.Concat(ranges[:8], ranges[len(ranges)-8:])
}

func ends(ranges []rune) []rune {
	var out []rune
	ranges = edges(ranges)
	for i := 0; i < len(ranges); i += 2 {
		out = append(out, ranges[i])
		if ranges[i+1] != ranges[i] {
			out = append(out, ranges[i+1])
		}
	}
	return out
}

// common are the characters of ASCII that are in ranges and those that are
// not; the control characters and the invisible ones beyond ASCII only where
// the class is meant for any text.
func common(ranges []rune) (in, out []rune) {
	candidates := append(ends(invisible), nextTo(invisible)...)
	for r := range ' ' {
		candidates = append(candidates, r)
	}
	if !has(ranges, 'é') {
		candidates = nil
	}
	for _, group := range [][2]rune{{'0', '9'}, {':', '@'}, {'!', '/'}, {'[', '`'}, {'{', '~'}, {'a', 'z'}, {'A', 'Z'}} {
		for r := group[0]; r <= group[1]; r++ {
			candidates = append(candidates, r)
		}
	}
	for _, r := range candidates {
		if has(ranges, r) {
			in = append(in, r)
			continue
		}
		out = append(out, r)
	}
	return in, out
}

// invisible are the runs of characters beyond ASCII that show nothing: spaces,
// marks of direction, joiners, fillers.
var invisible = runs(unicode.Zs, unicode.Zl, unicode.Zp, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)

func runs(tables ...*unicode.RangeTable) []rune {
	all := []rune{0x2800, 0x2800} // the empty pattern of braille
	for _, table := range tables {
		for _, r := range table.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				all = append(all, c, c)
			}
		}
	}
	return slices.DeleteFunc(joined(all), func(r rune) bool { return r < unicode.MaxASCII })
}

// inside accepts characters of a class: in one string where the class is
// repeated and has room for them, else in one string each.
func (c *collector) inside(at place, characters []rune) {
	if at.repeat != nil && c.row(at.repeat, characters) {
		return
	}
	if len(c.accepted) < mostAccepted {
		c.substitute(at, characters, enoughRefused)
	}
}

// row accepts characters one after the other in the place of a repetition.
func (c *collector) row(at *place, ends []rune) bool {
	room := longest / 2
	if at.node.max != unbounded {
		room = min(room, at.node.max)
	}
	if c.within.max != unbounded {
		room = min(room, max(c.within.max/2, 1))
	}
	for len(ends) > 0 {
		k := min(room, len(ends))
		rest := times(at.node.subs[0], max(at.node.min-k, 0), less(at.node.max, k))
		if !c.accept(at.force(sequence(literalOf(string(ends[:k])), rest))) {
			return false
		}
		ends = ends[k:]
	}
	return true
}

// marker stands in for the characters that a template is filled with.
const marker = '\uF8E7'

// substitute adds a string for each character in the place of a class.
func (c *collector) substitute(at place, characters []rune, room int) {
	before, after, ok := c.template(at)
	for _, r := range characters {
		s := before + string(r) + after
		if ok && c.Match(s) == has(at.node.ranges, r) {
			c.add(s, room)
			continue
		}
		if len(c.refused) < room {
			c.take(at.force(char(r)), has(at.node.ranges, r))
		}
	}
}

// template is a string that matches but for the one character between the
// halves.
func (c *collector) template(at place) (before, after string, ok bool) {
	s, result := member(at.force(char(marker)), c.within)
	if result != found || strings.Count(s, string(marker)) != 1 {
		return "", "", false
	}
	before, after, _ = strings.Cut(s, string(marker))
	return before, after, true
}

// nextTo are the characters just outside of the ranges of a class, and its
// ends in the other letter case.
func nextTo(ranges []rune) []rune {
	all, out := ranges, []rune(nil)
	ranges = edges(ranges)
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		for _, r := range []rune{before(lo), after(hi), otherCase(lo), otherCase(hi)} {
			if isRune(r) && !has(all, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// surround adds what a wider pattern might let in: one character alone, a
// string in quotes or brackets, and two of them joined.
func (c *collector) surround() {
	s, result := member(c.tree, c.within)
	if result != found {
		return
	}
	for _, pair := range []string{`""`, "''", "()", "[]", "{}", "<>"} {
		c.add(pair[:1]+s+pair[1:], mostRefused)
	}
	for r := ' '; r < utf8.RuneSelf-1; r++ {
		if !isAlphanumeric(r) {
			c.add(s+string(r)+s, mostRefused)
		}
	}
	for _, r := range kinds {
		c.add(string(r), mostRefused)
	}
	for r := ' '; r < utf8.RuneSelf-1; r++ {
		c.add(string(r), mostRefused)
	}
}

func isAlphanumeric(r rune) bool { return r != '_' && has(wordRunes, r) }
