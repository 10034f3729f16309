package validate

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Check collects the violations of one request while generated code walks
// through it. It allocates only once there is a violation. The zero value is
// ready, standing at the body.
type Check struct {
	path  path
	found Violations
}

// Found returns all violations so far, nil when there is none.
func (c *Check) Found() Violations { return c.found }

// Param steps to the parameter at this position of the operation's list; End leaves it.
func (c *Check) Param(order int, name string) {
	c.path.param = true
	c.path.push(step{name: name, order: order})
}

// Member steps into the member at this position of its schema; End leaves it.
func (c *Check) Member(order int, name string) { c.path.push(step{name: name, order: order}) }

// Item steps into an item of an array; End leaves it.
func (c *Check) Item(index int) { c.path.push(step{order: index}) }

// End steps back from the last Param, Member or Item.
func (c *Check) End() {
	c.path.pop()
	if c.path.n == 0 {
		c.path.param = false
	}
}

// Add records a violation of the value at which validation stands.
func (c *Check) Add(code, message string) {
	if len(c.found) < maxViolations {
		c.found = append(c.found, c.path.violation(code, message))
	}
}

// Text checks that a parameter is text without NUL; bodies are checked as they
// are read.
func (c *Check) Text(s string) {
	switch {
	case strings.IndexByte(s, 0) >= 0:
		c.Add(CodeCharacters, messageNUL)
	case !utf8.ValidString(s): // only a header can still be
		c.Add(CodeCharacters, "must be UTF-8")
	}
}

// MinLength counts characters (code points), as JSON Schema does.
func (c *Check) MinLength(s string, least int) {
	if len(s) < least || len(s) < least*utf8.UTFMax && utf8.RuneCountInString(s) < least {
		c.Add(CodeMinLength, "must be at least "+count(least, "character")+" long")
	}
}

// MaxLength counts characters (code points), as JSON Schema does.
func (c *Check) MaxLength(s string, most int) {
	if len(s) > most && utf8.RuneCountInString(s) > most {
		c.Add(CodeMaxLength, "must be at most "+count(most, "character")+" long")
	}
}

// Pattern adds message where s does not match.
func (c *Check) Pattern(s string, pattern *regexp.Regexp, message string) {
	if !pattern.MatchString(s) {
		c.Add(CodePattern, message)
	}
}

// Format adds message where the format does not hold.
func (c *Check) Format(s string, holds func(string) bool, message string) {
	if !holds(s) {
		c.Add(CodeFormat, message)
	}
}

// Enum adds the list of what is allowed; generated code has compared already.
func (c *Check) Enum(allowed string) { c.Add(CodeEnum, "must be "+allowed) }

// Items checks the length of an array; most < 0 means no bound.
func (c *Check) Items(n, least, most int) {
	if n < least {
		c.Add(CodeMinItems, "must have at least "+count(least, "item"))
	}
	if most >= 0 && n > most {
		c.Add(CodeMaxItems, "must have at most "+count(most, "item"))
	}
}

// Bound adds a violation of a minimum or maximum that generated code has found.
func (c *Check) Bound(code, relation, limit string) {
	c.Add(code, "must be "+relation+" "+limit)
}

// MultipleOf adds a violation; generated code has computed the remainder.
func (c *Check) MultipleOf(of string) { c.Add(CodeMultipleOf, "must be a multiple of "+of) }

// Unique checks that no item is there twice.
func Unique[T comparable](c *Check, items []T) {
	if len(items) <= 8 {
		for i := range items {
			if slices.Contains(items[:i], items[i]) {
				c.Add(CodeUniqueItems, "must not have the same item twice")

				return
			}
		}

		return
	}

	seen := make(map[T]struct{}, len(items))
	for _, item := range items {
		seen[item] = struct{}{}
	}
	if len(seen) < len(items) {
		c.Add(CodeUniqueItems, "must not have the same item twice")
	}
}

// IsMultiple says whether f is a multiple of the decimal number of, in decimal
// arithmetic: 0.3 is a multiple of 0.1, whatever the binary fractions say.
func IsMultiple(f float64, of string) bool {
	value, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	divisor, fine := new(big.Rat).SetString(of)
	if !ok || !fine || divisor.Sign() == 0 {
		return false
	}

	return value.Quo(value, divisor).IsInt()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}

	return strconv.Itoa(n) + " " + noun + "s"
}
