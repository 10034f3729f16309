package pattern_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract/pattern"
)

// patterns are such as contracts have.
var patterns = []string{
	`^[a-zA-Z0-9_-]+$`,
	`[A-Z]`,
	`[0-9]`,
	`[!@#$%^&*()_+\-=]`,
	`^[A-Z]{3}$`,
	`^[A-Z0-9]+(-[A-Z0-9]+)*$`,
	`^\S(.*\S)?$`,
	`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
	`^(asc|desc)$`,
	`^bytes=\d*-\d*$`,
	`^"[^"]*"$|^[A-Za-z0-9_-]{1,64}$`,
	`^\+?[1-9]\d{1,14}$`,
	`^#(?:[0-9a-fA-F]{3}){1,2}$`,
	`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`,
	`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`,
	`^https?://`,
	`\.(jpe?g|png)$`,
	`^[^@\s]+@[^@\s]+\.[a-z]{2,}$`,
	`^(?i)(true|false)$`,
	`\bfoo\b`,
	`^$|^[a-z]{2}$`,
	`^(\d{1,3}\.){3}\d{1,3}$`,
	`^\p{Lu}\p{Ll}*$`,
	`^.{1,10}$`,
	`^(a|b|)c*$`,
	`^[\x20-\x7e]+$`,
	`^ $`,
	``,
}

// ofContract are the patterns of this repository's own contract.
func ofContract(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../gen/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var look func(any)
	look = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				look(item)
			}
		case map[string]any:
			for key, item := range value {
				if text, ok := item.(string); ok && key == "pattern" {
					seen[text] = true
				}
				look(item)
			}
		}
	}
	look(document)
	least := 20 // bare-drops
	// bare-has: least := 10
	if len(seen) < least {
		t.Fatalf("only %d patterns found", len(seen))
	}
	for _, expr := range patterns {
		delete(seen, expr)
	}
	return slices.Sorted(maps.Keys(seen))
}

func mustParse(t *testing.T, expr string) *pattern.Pattern {
	t.Helper()
	p, err := pattern.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// disagree says whether a string made for changed is answered otherwise by p.
func disagree(p, changed *pattern.Pattern) bool {
	return slices.ContainsFunc(changed.Accepted(), func(s string) bool { return !p.Match(s) }) ||
		slices.ContainsFunc(changed.Refused(), p.Match)
}

// every makes the test look at all mutants; else it looks at some of each
// pattern, since those of a long one take minutes.
var every = flag.Bool("every-mutant", false, "hold every mutant of every pattern against it")

const someMutants = 2

type figures struct{ mutants, equivalent, unproven, told, hidden, missed int }

// TestMutantsAreTold changes each pattern in every way, and holds the strings
// of the changed one against the pattern as it was.
func TestMutantsAreTold(t *testing.T) {
	t.Parallel()
	all := append(slices.Clone(patterns), ofContract(t)...)
	results := make([]figures, len(all))
	t.Run("patterns", func(t *testing.T) {
		t.Parallel()
		for i, expr := range all {
			t.Run(expr, func(t *testing.T) {
				t.Parallel()
				results[i] = measure(t, expr)
			})
		}
	})
	t.Cleanup(func() {
		var sum figures
		for _, f := range results {
			sum.mutants += f.mutants
			sum.equivalent += f.equivalent
			sum.unproven += f.unproven
			sum.told += f.told
			sum.hidden += f.hidden
			sum.missed += f.missed
		}
		t.Logf("%d patterns: %+v", len(all), sum)
	})
}

func measure(t *testing.T, expr string) (f figures) {
	t.Helper()
	p := mustParse(t, expr)
	mutants := p.Mutants()
	stride := 1
	if !*every {
		stride = max(len(mutants)/someMutants, 1)
	}
	for i := 0; i < len(mutants); i += stride {
		m := mutants[i]
		f.mutants++
		changed := mustParse(t, m.Expr)
		if disagree(p, changed) {
			f.told++
			continue
		}
		switch same, known := p.Equivalent(changed); {
		case !known:
			f.unproven++
			t.Errorf("%s (%s): not told, and not known to be the same", m.Expr, m.What)
		case same:
			f.equivalent++
		case hidden(m.What):
			f.hidden++
			t.Logf("%s (%s): cannot be known", m.Expr, m.What)
		default:
			f.missed++
			t.Errorf("%s (%s): not told", m.Expr, m.What)
		}
	}
	return f
}

// hidden says whether strings of the changed pattern cannot know of the change:
// a part or a branch is gone without a trace, or a bound that is beyond the
// length of what is made.
func hidden(what string) bool {
	return strings.HasSuffix(what, " removed") && !strings.Contains(what, " removed in ") ||
		strings.HasSuffix(what, "+") && strings.Contains(what, "{1,255} became ")
}
