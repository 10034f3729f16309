package catalog

import (
	"math/big"
	"slices"
	"strconv"
)

// What of a column a check is about.
const (
	ofValue  = "value"
	ofLength = "length"
)

// check is what one condition of a CHECK says of one column.
type check struct {
	Place
	name, column, of string
	values           []string // nil where it lists none
	min, max         Bound
	pattern          string
}

// addChecks keeps those conditions of a CHECK that say something of one column
// alone, and the name of one that does not, which is taken.
func (t *Table) addChecks(f fields, at Place) {
	condition := f.node("raw_expr")
	name := named(f, t.checkName(condition.columns()))
	before := len(t.checks)
	for _, part := range condition.conditions() {
		if k, ok := readCheck(part); ok {
			k.Place, k.name = at, name
			k.min.Place, k.max.Place = at, at
			t.checks = append(t.checks, k)
		}
	}
	if len(t.checks) == before {
		t.checks = append(t.checks, &check{Place: at, name: name})
	}
}

// checkName is what PostgreSQL calls a CHECK: by its column, where it has one only,
// and the first name of this kind that is free.
func (t *Table) checkName(columns []string) string {
	name := t.Name + "_check"
	if len(columns) == 1 {
		name = t.Name + "_" + columns[0] + "_check"
	}
	for i := 0; ; i++ {
		free := name
		if i > 0 {
			free += strconv.Itoa(i)
		}
		if !slices.ContainsFunc(t.checks, func(k *check) bool { return k.name == free }) {
			return free
		}
	}
}

func readCheck(n node) (*check, bool) {
	if n.kind != "A_Expr" {
		return nil, false
	}
	k := &check{of: ofValue}
	left := n.fields.node("lexpr").bare()
	if left.kind == "FuncCall" {
		switch left.fields.last("funcname") {
		case "char_length", "character_length", "length":
			k.of, left = ofLength, first(left.fields.nodes("args")).bare()
		}
	}
	_, k.column = left.column()
	if k.column == "" {
		return nil, false
	}
	right, operator := n.fields.node("rexpr"), n.fields.last("name")
	switch n.fields.text("kind") {
	case "AEXPR_BETWEEN":
		if ends := right.list(); len(ends) == 2 {
			k.min.Value, k.max.Value = number(ends[0]), number(ends[1])
		}
	case "AEXPR_IN", "AEXPR_OP_ANY":
		if operator == "=" {
			k.values = constants(right.list())
		}
	case "AEXPR_OP":
		k.compare(operator, right)
	}

	return k, true
}

func constants(list []node) []string {
	values := []string{}
	for _, n := range list {
		if value, ok := n.constant(); ok {
			values = append(values, value)
		}
	}

	return values
}

func number(n node) *big.Rat {
	text, ok := n.constant()
	if !ok {
		return nil
	}
	if value, ok := new(big.Rat).SetString(text); ok {
		return value
	}

	return nil
}

func (k *check) compare(operator string, right node) {
	text, isConstant := right.constant()
	value := number(right)
	switch {
	case operator == "~" && isConstant:
		k.pattern = text
	case operator == "=" && isConstant && k.of == ofValue:
		k.values = []string{text}
	case value == nil:
	case operator == "=":
		k.min.Value, k.max.Value = value, value
	case operator == ">=", operator == ">":
		k.min.Value, k.min.Open = value, operator == ">"
	case operator == "<=", operator == "<":
		k.max.Value, k.max.Open = value, operator == "<"
	}
}
