package catalog

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Bound is one end of a range.
type Bound struct {
	// Value is nil where there is no end.
	Value *big.Rat
	// Open leaves out the value itself.
	Open bool
	Place
}

// Range is what a number may be, and where each end is said.
type Range struct{ Min, Max Bound }

// String is the value as one writes it.
func (b Bound) String() string {
	if b.Value == nil {
		return "any number"
	}
	digits, exact := b.Value.FloatPrec()
	if !exact {
		digits = 20
	}
	if b.Open {
		return b.Value.FloatString(digits) + " (exclusive)"
	}

	return b.Value.FloatString(digits)
}

// Tighter says whether a lower end (sign 1) or a higher one (-1) leaves less than another.
func (b Bound) Tighter(than Bound, sign int) bool {
	switch {
	case b.Value == nil:
		return false
	case than.Value == nil:
		return true
	}
	if c := b.Value.Cmp(than.Value) * sign; c != 0 {
		return c > 0
	}

	return b.Open && !than.Open
}

// Whole is the same end for whole numbers; sign is 1 for a lower one, and -1 for a higher.
func (b Bound) Whole(sign int) Bound {
	if b.Value == nil {
		return b
	}
	value := new(big.Int).Div(b.Value.Num(), b.Value.Denom()) // the next below, or itself
	switch {
	case b.Value.IsInt() && b.Open:
		value.Add(value, big.NewInt(int64(sign)))
	case !b.Value.IsInt() && sign > 0:
		value.Add(value, big.NewInt(1))
	}
	b.Value, b.Open = new(big.Rat).SetInt(value), false

	return b
}

// integers are the ranges of the types of whole numbers.
var integers = map[string][2]int64{
	"int2": {math.MinInt16, math.MaxInt16},
	"int4": {math.MinInt32, math.MaxInt32},
	"int8": {math.MinInt64, math.MaxInt64},
}

// Range is what the type and all CHECKs leave of the numbers; nil for a column of another
// type. A type with a point that floats is taken to have no ends.
func (t *Table) Range(column *Column) *Range {
	r := &Range{Bound{Place: column.Place}, Bound{Place: column.Place}}
	size, whole := integers[column.Type]
	switch {
	case whole:
		r.Min.Value, r.Max.Value = new(big.Rat).SetInt64(size[0]), new(big.Rat).SetInt64(size[1])
	case column.Type == "numeric" && column.digits != "":
		r.Max.Value = largest(column.digits)
		r.Min.Value = new(big.Rat).Neg(r.Max.Value)
	case column.Type != "numeric" && column.Type != "float4" && column.Type != "float8":
		return nil
	}
	for _, check := range t.checks {
		if check.column != column.Name || check.of != ofValue {
			continue
		}
		lower, higher := check.min, check.max
		if whole {
			lower, higher = lower.Whole(1), higher.Whole(-1)
		}
		if lower.Tighter(r.Min, 1) {
			r.Min = lower
		}
		if higher.Tighter(r.Max, -1) {
			r.Max = higher
		}
	}

	return r
}

// largest is the largest number of numeric(precision,scale).
func largest(digits string) *big.Rat {
	precision, scale, _ := strings.Cut(digits, ",")
	before, _ := strconv.Atoi(precision)
	behind, _ := strconv.Atoi(scale)
	nines := new(big.Rat).SetInt(new(big.Int).Sub(power(before), big.NewInt(1)))
	if behind < 0 {
		return nines.Mul(nines, new(big.Rat).SetInt(power(-behind)))
	}

	return nines.Quo(nines, new(big.Rat).SetInt(power(behind)))
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
