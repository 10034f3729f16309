package pattern_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/accord-api/accord/contract/pattern"
)

// expressions are such as are made of everything that the syntax has.
func expressions(depth int) *rapid.Generator[string] {
	leaf := rapid.SampledFrom([]string{"a", "B", "-", " ", "é", ".", `\d`, `\s`, `\W`, "[a-c]", "[^a-c]", `[\-\]^]`, "ab", `\.`, "^", "$", `\b`, `\B`, "(?i)k", "(?:)", `\n`, "[😀-😂]"})
	if depth == 0 {
		return leaf
	}
	return rapid.Custom(func(t *rapid.T) string {
		inner := expressions(depth - 1)
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return inner.Draw(t, "left") + inner.Draw(t, "right")
		case 1:
			return "(" + inner.Draw(t, "one") + "|" + inner.Draw(t, "other") + ")"
		case 2:
			return "(?:" + inner.Draw(t, "repeated") + ")" + rapid.SampledFrom([]string{"*", "+", "?", "{2}", "{1,3}", "{2,}"}).Draw(t, "times")
		case 3:
			return "^" + inner.Draw(t, "anchored") + "$"
		}
		return leaf.Draw(t, "leaf")
	})
}

func texts() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune("abcABkK09-_ .\n\té😀]^")), 0, 8, -1)
}

// TestPrintedIsTheSame holds what is written of an expression against it, by
// Go's own engine, and the automaton against both.
func TestPrintedIsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expr := expressions(3).Draw(t, "expr")
		p, err := pattern.Parse(expr)
		if err != nil {
			t.Skip(err)
		}
		printed := regexp.MustCompile(p.Printed())
		for range 10 {
			if s := texts().Draw(t, "text"); printed.MatchString(s) != p.Match(s) {
				t.Fatalf("%s and %s are not the same for %q", expr, p.Printed(), s)
			}
		}
		for _, m := range p.Mutants() {
			changed, err := pattern.Parse(m.Expr)
			if err != nil {
				t.Fatalf("%s: %v", m.What, err)
			}
			s := texts().Draw(t, "text")
			if same, known := p.Equivalent(changed); known && same && p.Match(s) != changed.Match(s) {
				t.Fatalf("%s and %s differ in %q", expr, m.Expr, s)
			}
		}
	})
}

func TestMake(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expr := expressions(3).Draw(t, "expr")
		p, err := pattern.Parse(expr)
		if err != nil {
			t.Skip(err)
		}
		n, seed := rapid.IntRange(0, 40).Draw(t, "n"), rapid.Uint64().Draw(t, "seed")
		s, ok := p.Make(n, seed)
		if ok && (utf8.RuneCountInString(s) != n || !p.Match(s)) {
			t.Fatalf("%s: %q of %d", expr, s, n)
		}
		if other := texts().Draw(t, "text"); !ok && p.Match(other) && utf8.RuneCountInString(other) == n {
			t.Fatalf("%s: none of %d, but %q", expr, n, other)
		}
		if again, _ := p.Make(n, seed); again != s {
			t.Fatalf("%s: %q and %q for one seed", expr, s, again)
		}
	})
}

func TestSeedsGiveOthers(t *testing.T) {
	t.Parallel()
	for expr, tc := range map[string]struct{ n, others int }{
		`^[A-Z]$`:                  {1, 26},
		`^[a-z]{2}$`:               {2, 676},
		`^(asc|desc)$`:             {4, 1},
		`^[a-zA-Z0-9_-]+$`:         {50, 1000},
		`[A-Z]`:                    {200, 1000},
		`^[^a]$`:                   {1, 94},
		`^\p{Cyrillic}{2}$`:        {2, 1000},
		`a.{100}b`:                 {102, 30},
		`^[a-z]+( [a-z]+)*$`:       {4000, 20},
		`^("[!-~]{1,255}"|[a-z])$`: {257, 100},
	} {
		p, seen := mustParse(t, expr), map[string]bool{}
		for seed := range uint64(tc.others) {
			s, ok := p.Make(tc.n, seed)
			if !ok || utf8.RuneCountInString(s) != tc.n || !p.Match(s) || !p.Has(tc.n) {
				t.Fatalf("%s: %q", expr, s)
			}
			seen[s] = true
		}
		if len(seen) != tc.others {
			t.Errorf("%s: %d different strings, want %d", expr, len(seen), tc.others)
		}
	}
}

func TestMakeHasNone(t *testing.T) {
	t.Parallel()
	for expr, n := range map[string]int{`^[A-Z]{3}$`: 2, `^(asc|desc)$`: 5, `^(ab)*$`: 7, `^(cd)*$`: 501, `a$b`: 3, `[A-Z]`: 0, ``: -1} {
		p := mustParse(t, expr)
		if s, ok := p.Make(n, 1); ok || p.Has(n) {
			t.Errorf("%s: %q of %d", expr, s, n)
		}
	}
}

// TestSamples holds all that is made for the patterns against what is said of it.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, expr := range append(slices.Clone(patterns), ofContract(t)...) {
		p := mustParse(t, expr)
		accepted, refused := p.Accepted(), p.Refused()
		if len(accepted) == 0 || len(accepted)+len(refused) > 400 {
			t.Errorf("%s: %d accepted, %d refused", expr, len(accepted), len(refused))
		}
		check(t, p, expr, accepted, true)
		check(t, p, expr, refused, false)
		again := mustParse(t, expr)
		if !slices.Equal(again.Accepted(), accepted) || !slices.Equal(again.Refused(), refused) {
			t.Errorf("%s: other strings the second time", expr)
		}
	}
}

func check(t *testing.T, p *pattern.Pattern, expr string, made []string, matches bool) {
	t.Helper()
	seen, length := map[string]bool{}, 0
	for _, s := range made {
		n := utf8.RuneCountInString(s)
		if p.Match(s) != matches || seen[s] || n < length || !utf8.ValidString(s) {
			t.Errorf("%s: %q", expr, s)
		}
		if n > 200 && !strings.Contains(expr, "255") {
			t.Errorf("%s: %d characters", expr, n)
		}
		seen[s], length = true, n
	}
}

func TestSamplesOfOne(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `^[a-c_]{2,3}$`)
	for _, s := range []string{"aa", "aaa", "_ac"} {
		if !slices.Contains(p.Accepted(), s) {
			t.Errorf("%q is not among the accepted", s)
		}
	}
	for _, s := range []string{"", "a", "aaaa", "da", "`a", "^a", "Aa", "éa", "😀a", " a", "\ta", "\na", "\x01a", "aa\n", "~a"} {
		if !slices.Contains(p.Refused(), s) {
			t.Errorf("%q is not among the refused", s)
		}
	}
}

// TestWithin holds near misses to a length, so that the pattern alone refuses them.
func TestWithin(t *testing.T) {
	t.Parallel()
	p := mustParse(t, `^[a-zA-Z0-9_-]+$`).Within(3, 50)
	made := append(p.Accepted(), p.Refused()...)
	if len(made) < 60 {
		t.Errorf("only %d strings", len(made))
	}
	for _, s := range made {
		if n := utf8.RuneCountInString(s); n < 3 || n > 50 {
			t.Errorf("%q has %d characters", s, n)
		}
	}
	for _, m := range p.Mutants() {
		changed := mustParse(t, m.Expr).Within(3, 50)
		if same, known := p.Equivalent(changed); !disagree(p, changed) && !(known && same) {
			t.Errorf("%s (%s): not told", m.Expr, m.What)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{"(", "[z-a]", "a(?=b)", `(a)\1`, "a{1001}", "((a{1,200}){1,200}){2}"} {
		if _, err := pattern.Parse(expr); err == nil {
			t.Errorf("%s is read", expr)
		}
	}
}
