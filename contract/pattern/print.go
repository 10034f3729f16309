package pattern

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// How tightly what stands around an expression binds.
const (
	loose  = iota // nothing does
	inside        // a part of a sequence
	bound         // what is repeated
)

// String is the expression, as ECMA-262 and RE2 both read it.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b, loose)
	return b.String()
}

func (n *node) write(b *strings.Builder, around int) {
	if n.binds() < around {
		b.WriteString("(?:")
		defer b.WriteByte(')')
	}
	switch n.kind {
	case class:
		b.WriteString(printClass(n.ranges))
	case concat:
		for _, sub := range n.subs {
			sub.write(b, inside)
		}
	case alternate:
		for i, sub := range n.subs {
			if i > 0 {
				b.WriteByte('|')
			}
			sub.write(b, loose)
		}
	case repeat:
		n.subs[0].write(b, bound)
		b.WriteString(printTimes(n.min, n.max))
	case assert:
		b.WriteString(assertionTexts[n.flag])
	}
}

// binds is the tightest surrounding that a node bears without a group.
func (n *node) binds() int {
	switch n.kind {
	case alternate:
		return loose
	case class:
		return bound
	}
	return inside
}

var assertionTexts = map[syntax.EmptyOp]string{
	syntax.EmptyBeginText:      "^",
	syntax.EmptyEndText:        "$",
	syntax.EmptyBeginLine:      "(?m:^)",
	syntax.EmptyEndLine:        "(?m:$)",
	syntax.EmptyWordBoundary:   `\b`,
	syntax.EmptyNoWordBoundary: `\B`,
}

func printTimes(least, most int) string {
	switch {
	case least == 0 && most == 1:
		return "?"
	case least == 0 && most == unbounded:
		return "*"
	case least == 1 && most == unbounded:
		return "+"
	case most == unbounded:
		return fmt.Sprintf("{%d,}", least)
	case least == most:
		return fmt.Sprintf("{%d}", least)
	}
	return fmt.Sprintf("{%d,%d}", least, most)
}

func printClass(ranges []rune) string {
	switch {
	case len(ranges) == 0:
		return `[^\s\S]`
	case len(ranges) == 2 && ranges[0] == ranges[1]:
		return escape(ranges[0], `\.+*?()|[]{}^$`)
	case slices.Equal(ranges, []rune{0, unicode.MaxRune}):
		return `[\s\S]`
	case slices.Equal(ranges, []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}):
		return "."
	case ranges[0] == 0 && ranges[len(ranges)-1] == unicode.MaxRune:
		return "[^" + printRanges(negated(ranges)) + "]"
	}
	return "[" + printRanges(ranges) + "]"
}

func printRanges(ranges []rune) string {
	var b strings.Builder
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		b.WriteString(escape(lo, `\[]^-`))
		if hi > after(lo) {
			b.WriteByte('-')
		}
		if hi > lo {
			b.WriteString(escape(hi, `\[]^-`))
		}
	}
	return b.String()
}

// escape writes a character so that it stands for itself. Above U+00FF it is
// written as it is: there the two dialects have no escape in common.
func escape(r rune, special string) string {
	switch {
	case strings.ContainsRune(special, r):
		return `\` + string(r)
	case r == '\t':
		return `\t`
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r < ' ', r >= 0x7F && r <= 0xA0, r == 0xAD:
		return fmt.Sprintf(`\x%02X`, r)
	}
	return string(r)
}
