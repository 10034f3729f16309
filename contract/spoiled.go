package contract

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/accord-api/accord/contract/pattern"
)

// spoiled takes what one of several patterns wants out of a valid text, and adds
// what is just enough and what is just not.
func (w *walk) spoiled(s shape, r rule, at []string) {
	if len(s.all("pattern")) < 2 {
		return
	}
	expr, _ := r.value.(string)
	p := parsed(expr, -1, -1)
	if p == nil {
		return
	}
	valid, _ := w.base(s.pointer, true, 0).(string)
	told := false
	for _, by := range []string{"a", "A", "1", "!"} {
		spoilt := strings.Map(func(c rune) rune {
			if p.Match(strings.Repeat(string(c), 4)) { // several may be wanted
				return rune(by[0])
			}
			return c
		}, valid)
		if p.Match(spoilt) {
			continue
		}
		w.add(r, at, false, spoilt, "%q", spoilt)
		if told {
			continue
		}
		told = true
		either := func(text string) { // which of the two it is, fits says
			w.add(r, at, true, text, "%q", text)
			w.add(r, at, false, text, "%q", text)
		}
		for _, text := range telling(p) {
			either(spoilt + text)
		}
		// One that matches, and as little of it as its first character, at both ends.
		if matching := p.Accepted(); len(matching) > 0 && matching[0] != "" {
			_, size := utf8.DecodeRuneInString(matching[0])
			for _, text := range []string{matching[0], matching[0][:size]} {
				either(spoilt + text)
				either(text + spoilt)
			}
		}
	}
}

// telling are characters that tell a pattern of single ones from others: all that
// are no letters or digits, and of those the ones at which it begins or ends to match.
func telling(p *pattern.Pattern) (some []string) {
	matches := func(r rune) bool { return p.Match(string(r)) }
	for r := ' '; r <= '~'; r++ {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) || matches(r) != matches(r-1) || matches(r) != matches(r+1) {
			some = append(some, string(r))
		}
	}
	return append(some, "\t", "\n", "\r", "\x01", "\x7f", "é", "—", "😀")
}
