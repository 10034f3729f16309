package validate

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// digits reads a number by JSON's grammar.
func (s *scanner) digits() error {
	if s.peek() == '-' {
		s.pos++
	}
	switch c := s.peek(); {
	case c == '0':
		s.pos++
	case c >= '1' && c <= '9':
		s.run()
	default:
		return s.fail("invalid number")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.run() {
			return s.fail("invalid number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.run() {
			return s.fail("invalid number")
		}
	}

	return nil
}

// run consumes digits and says whether there was one.
func (s *scanner) run() bool {
	from := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}

	return s.pos > from
}

// number checks that the Go type can hold a number that has been read.
func (s *scanner) number(from int, shape *Shape) {
	raw := s.data[from:s.pos]
	if shape.Kind == Number {
		if f, err := strconv.ParseFloat(string(raw), 64); err != nil || math.IsInf(f, 0) {
			s.refuse(shape, from, rangeCode(raw), messageFloatSize)
		}

		return
	}

	if bytes.ContainsAny(raw, ".eE") {
		whole, ok := wholeNumber(string(raw))
		if !ok {
			s.refuse(shape, from, CodeType, "must be a whole number")

			return
		}
		// 1.0 and 1e2 are integers in JSON Schema, but not to json.Unmarshal.
		raw = []byte(whole)
		s.edits = append(s.edits, edit{from, s.pos, whole})
	}
	if _, err := strconv.ParseInt(string(raw), 10, shape.Bits); err != nil {
		s.refuse(shape, from, rangeCode(raw), messageIntRange)
	}
}

func rangeCode(raw []byte) string {
	if raw[0] == '-' {
		return CodeMinimum
	}

	return CodeMaximum
}

// wholeNumber writes a number with a fraction or an exponent as an integer, if
// it is one. The bounds keep 1e999999999 from filling the memory.
func wholeNumber(raw string) (string, bool) {
	if i := strings.IndexAny(raw, "eE"); i >= 0 {
		if exp, err := strconv.Atoi(strings.TrimPrefix(raw[i+1:], "+")); err != nil || exp > 40 || exp < -40 {
			return "", false
		}
	}
	if len(raw) > 100 {
		return "", false
	}
	r, ok := new(big.Rat).SetString(raw)
	if !ok || !r.IsInt() {
		return "", false
	}

	return r.Num().String(), true
}
