// Package validate is what the generated validators run on: it reads the bytes
// of a request (JSON, forms, parameters) against tables made from the
// contract, and collects every way in which they break it. It knows nothing of
// the contract itself and interprets no schema.
package validate

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxViolations bounds an answer: who sends ten thousand wrong items learns
// about the first hundred.
const maxViolations = 100

// maxField bounds the name of a field, since unknown members are named by the client.
const maxField = 200

// Violation is one way in which a request breaks the contract.
type Violation struct {
	// Field is the parameter's name or the path of the member, as in
	// `lines[0].quantity`; `body` where the body as a whole is meant.
	Field string `json:"field"`
	// Message says what the field should be, in words for the API's user. It
	// never repeats the value.
	Message string `json:"message"`
	// Code names the broken rule, for programs.
	Code string `json:"code"`

	// at sorts violations in document order: a fixed number of bytes for each
	// step of the path, so that a prefix is an ancestor.
	at string
	// blank says that the value did not reach the decoded struct, so that rules
	// about it and what is in it would speak about a zero value.
	blank bool
}

// The codes of violations.
const (
	CodeRequired     = "required"
	CodeType         = "type"
	CodeNull         = "null"
	CodeUnknown      = "unknown"
	CodeRepeated     = "repeated"
	CodeCharacters   = "characters"
	CodeMinLength    = "min_length"
	CodeMaxLength    = "max_length"
	CodePattern      = "pattern"
	CodeFormat       = "format"
	CodeMinimum      = "minimum"
	CodeMaximum      = "maximum"
	CodeMultipleOf   = "multiple_of"
	CodeEnum         = "enum"
	CodeMinItems     = "min_items"
	CodeMaxItems     = "max_items"
	CodeUniqueItems  = "unique_items"
	CodeMinMembers   = "min_properties"
	CodeMaxMembers   = "max_properties"
	messageRequired  = "is required"
	messageNull      = "must not be null"
	messageUnknown   = "is not a member that is known here"
	messageRepeated  = "must be given only once"
	messageNUL       = "must not contain the NUL character"
	messageIntRange  = "must be a whole number within the range of its type"
	messageFloatSize = "must be a number within the range of its type"
)

// Violations are all the ways in which a request breaks the contract, in the
// document's order: path, query and header parameters, then the body's members.
type Violations []Violation

// Error names the fields and rules, never a value.
func (v Violations) Error() string {
	parts := make([]string, len(v))
	for i, one := range v {
		parts[i] = one.Field + " " + one.Message
	}

	return "request breaks the contract: " + strings.Join(parts, "; ")
}

// Fail is a single violation as an error, for rules that only a handler can
// check (a wrong current password).
func Fail(field, code, message string) error {
	return Violations{{Field: field, Code: code, Message: message}}
}

// SyntaxError says that the bytes of a request cannot be read, so that nothing
// in them could be checked.
type SyntaxError struct {
	// Offset is the byte at which reading stopped; -1 where there is none to name.
	Offset int
	// Reason says what is wrong there.
	Reason string

	cause error
}

func (e *SyntaxError) Error() string {
	if e.Offset < 0 {
		return e.Reason
	}

	return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
}

func (e *SyntaxError) Unwrap() error { return e.cause }

// Merge joins what reading the request found (scan) with what the rules found.
// A rule is silent about a field on which reading has already spoken, and about
// everything inside a value that could not be decoded.
func Merge(scan, rules Violations) Violations {
	if len(scan) == 0 {
		return rules
	}

	all := slices.Clone(scan)
	for _, rule := range rules {
		if !silenced(rule, scan) {
			all = append(all, rule)
		}
	}
	slices.SortStableFunc(all, func(a, b Violation) int { return strings.Compare(a.at, b.at) })

	return all[:min(len(all), maxViolations)]
}

func silenced(rule Violation, scan Violations) bool {
	for _, s := range scan {
		switch {
		case s.at == rule.at, s.blank && strings.HasPrefix(rule.at, s.at):
			return true
		case rule.Code == CodeUniqueItems && s.blank && strings.HasPrefix(s.at, rule.at):
			// Items that could not be decoded are all alike.
			return true
		}
	}

	return false
}

// step is one name or index on the way to a value.
type step struct {
	name  string // "" for an item
	order int    // position in the document, or the item's index
}

// maxSteps is the deepest path: maxDepth objects, each a member or an item.
const maxSteps = maxDepth + 2

// path is where validation stands. It is turned into text only for a violation.
type path struct {
	steps [maxSteps]step
	n     int
	param bool
}

func (p *path) push(s step) { p.steps[p.n] = s; p.n++ }
func (p *path) pop()        { p.n-- }

func (p *path) violation(code, message string) Violation {
	return Violation{Field: p.field(), Message: message, Code: code, at: p.at()}
}

func (p *path) field() string {
	if p.n == 0 {
		return "body"
	}

	var b strings.Builder
	for i, s := range p.steps[:p.n] {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.order) + "]")
		case i > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}

	return clip(b.String(), maxField)
}

// at is the sort key: parameters before the body, then four bytes a step.
func (p *path) at() string {
	key := make([]byte, 0, 1+4*p.n)
	if p.param {
		key = append(key, 'a')
	} else {
		key = append(key, 'b')
	}
	for _, s := range p.steps[:p.n] {
		key = binary.BigEndian.AppendUint32(key, uint32(s.order)) //nolint:gosec // a place in a list
	}

	return string(key)
}

// clip cuts s to at most n characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := []rune(s)

	return string(runes[:min(len(runes), n)])
}
