package main

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/accord-api/accord/cmd/gen/catalog"
)

// held is a member or a parameter beside the column that it stands for. What is
// asked for must fit into the column; what is answered must take all that the
// column may hold.
type held struct {
	*lock
	located
	where string
	node  *yaml.Node
	*schema
	requested, answered bool
}

// tell names the place in the contract as the fault's own, and that in the SQL.
func (h *held) tell(at *yaml.Node, sql catalog.Place, format string, args ...any) {
	if at == nil {
		at = h.node
	}
	h.lock.faults.add(at, "%s: "+format+" (%s)", slices.Concat([]any{h.where}, args, []any{sql})...)
}

// kinds are the JSON types, and the formats that have one type of PostgreSQL, by
// PostgreSQL's names. What is not here can be anything.
var kinds = map[string]struct{ kind, format string }{
	"text": {"string", ""}, "varchar": {"string", ""}, "bpchar": {"string", ""}, "bytea": {"string", ""},
	"uuid": {"string", "uuid"}, "timestamptz": {"string", "date-time"}, "date": {"string", "date"},
	"int2": {"integer", ""}, "int4": {"integer", ""}, "int8": {"integer", ""},
	"float4": {"number", ""}, "float8": {"number", ""}, "numeric": {"number", ""}, "bool": {"boolean", ""},
}

// checkType says whether the types agree, so that it makes sense to go on.
func (h *held) checkType() bool {
	want, known := kinds[h.column.Type]
	switch {
	case strings.HasSuffix(h.column.Type, "[]"):
		want.kind = "array"
	case !known && h.catalog.Enum(h.table, h.column) != nil:
		want.kind = "string"
	case !known:
		return true
	}
	if h.kind == "" {
		return true
	}
	format := h.format
	if !slices.Contains([]string{"uuid", "date", "date-time"}, format) {
		format = ""
	}
	if h.kind == want.kind && format == want.format {
		return true
	}
	h.tell(nil, h.column.Place, "it is %s, but %s is %s: say `%s: %s` where one is made from the other",
		aOrAn(strings.TrimSpace(format+" "+h.kind)), h.located, h.column.Type, columnMark, nothing)

	return false
}

func (h *held) checkNull(required bool) {
	switch {
	case h.answered && h.column.Nullable && required && !h.nullable:
		h.tell(nil, h.column.Place, "it is required and never null, but %s may be null", h.located)
	case h.answered && !h.column.Nullable && h.nullable:
		h.tell(nil, h.column.Place, "it may be null, but %s is NOT NULL", h.located)
	case h.requested && !h.column.Nullable && h.nullable:
		h.tell(nil, h.column.Place, "null is let in, but %s is NOT NULL", h.located)
	}
}

func (h *held) checkValues() {
	switch h.kind {
	case "string":
		counted := slices.Contains([]string{"text", "varchar", "bpchar"}, h.column.Type)
		if h.checkEnum() || !counted {
			return
		}
		// A pattern may bound the length by itself; where both sides say one, it counts.
		if at, _ := h.tightest("maxLength", math.MaxInt); !h.checkPattern() || at != nil && h.table.Limit(h.column) != nil {
			h.checkLength()
		}
	case "integer", "number":
		h.checkRange()
	}
}

// checkEnum says whether either side lists what is allowed: all else is said then.
func (h *held) checkEnum() bool {
	var values []string
	for _, n := range h.enum() {
		values = append(values, text(n))
	}
	column := h.catalog.Enum(h.table, h.column)
	switch {
	case column == nil && values == nil:
		return false
	case column == nil && h.answered && kinds[h.column.Type].kind != "":
		h.tell(h.enum()[0], h.column.Place, "it is one of %s, but %s may hold anything: a CHECK (%s IN (...)) is missing",
			strings.Join(values, ", "), h.located, h.column.Name)
	case column == nil:
		return false
	case values == nil:
		h.tell(nil, column.Place, "it lists no values, but %s holds only %s", h.located, strings.Join(column.Values, ", "))
	default:
		at := h.enum()[0]
		if extra := without(values, column.Values); len(extra) > 0 {
			h.tell(at, column.Place, "%s never takes %s", h.located, strings.Join(extra, ", "))
		}
		if missing := without(column.Values, values); len(missing) > 0 && h.answered {
			h.tell(at, column.Place, "%s may hold %s, which is not listed", h.located, strings.Join(missing, ", "))
		}
	}

	return true
}

func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(value string) bool { return slices.Contains(others, value) })
}

// checkPattern says whether the column has a pattern, which bounds the length too.
func (h *held) checkPattern() bool {
	pattern, at := h.table.Pattern(h.column)
	if pattern == "" {
		return false
	}
	own := h.keyword("pattern")
	for _, rule := range h.rules {
		if n := get(rule, "pattern"); text(n) == pattern {
			return true
		}
	}
	if h.requested || own != nil {
		h.tell(own, at, "its pattern is not that of %s, %s", h.located, pattern)
	}

	return true
}

func (h *held) checkLength() {
	at, length := h.tightest("maxLength", math.MaxInt)
	limit := h.table.Limit(h.column)
	switch {
	case limit == nil && at != nil && h.answered:
		h.tell(at, h.column.Place, "it has at most %d characters, but %s may have any number: a CHECK (char_length(%s) <= %d) is missing",
			length, h.located, h.column.Name, length)
	case limit == nil:
	case h.answered && limit.Max > length:
		h.tell(at, limit.Place, "it has at most %d characters, but %s may have %d", length, h.located, limit.Max)
	case h.requested && at == nil:
		h.tell(nil, limit.Place, "it may have any number of characters, but %s takes at most %d", h.located, limit.Max)
	case h.requested && length > limit.Max:
		h.tell(at, limit.Place, "it may have %d characters, but %s takes at most %d", length, h.located, limit.Max)
	}
}

// tightest is the lowest of a keyword's values, which all hold; nil for none.
func (h *held) tightest(key string, otherwise int) (at *yaml.Node, lowest int) {
	lowest = otherwise
	for _, rule := range h.rules {
		n := get(rule, key)
		if value, err := strconv.Atoi(text(n)); err == nil && value < lowest {
			at, lowest = n, value
		}
	}

	return at, lowest
}

func (h *held) checkRange() {
	column := h.table.Range(h.column)
	if column == nil {
		return
	}
	low, lowest := h.bound("minimum", "exclusiveMinimum", 1)
	high, highest := h.bound("maximum", "exclusiveMaximum", -1)
	if h.answered && lowest.Tighter(column.Min, 1) {
		h.tell(low, column.Min.Place, "it is at least %s, but %s may be %s", lowest, h.located, column.Min)
	}
	if h.answered && highest.Tighter(column.Max, -1) {
		h.tell(high, column.Max.Place, "it is at most %s, but %s may be %s", highest, h.located, column.Max)
	}
	if h.requested && column.Min.Tighter(lowest, 1) {
		h.tell(low, column.Min.Place, "it may be %s, but %s takes at least %s", lowest, h.located, column.Min)
	}
	if h.requested && column.Max.Tighter(highest, -1) {
		h.tell(high, column.Max.Place, "it may be %s, but %s takes at most %s", highest, h.located, column.Max)
	}
}

// bound is the tightest of the limits on one side, that of the format included; sign is 1
// for the lower one, and -1 for the higher.
func (h *held) bound(inclusive, exclusive string, sign int) (at *yaml.Node, bound catalog.Bound) {
	if h.kind == "integer" {
		ends := map[int]map[int]int64{64: {1: math.MinInt64, -1: math.MaxInt64}, 32: {1: math.MinInt32, -1: math.MaxInt32}}
		bound.Value = new(big.Rat).SetInt64(ends[max(h.bits(), 32)][sign])
	}
	for _, rule := range h.rules {
		for _, key := range []string{inclusive, exclusive} {
			n := get(rule, key)
			value, ok := new(big.Rat).SetString(text(n))
			if !ok {
				continue
			}
			limit := catalog.Bound{Value: value, Open: key == exclusive}
			if h.kind == "integer" {
				limit = limit.Whole(sign)
			}
			if limit.Tighter(bound, sign) {
				at, bound = n, limit
			}
		}
	}

	return at, bound
}
