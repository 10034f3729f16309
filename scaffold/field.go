package scaffold

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Field is one member of a resource, and the column that it stands for.
type Field struct {
	Name    string // snake_case
	Kind    string // text, int, bool, time, date, or choice
	Max     int    // characters of a text
	Choices []string
	Null    bool // may be null, and left out when one is made
}

// Kinds tells how a field is written on the command line.
const Kinds = "text, text(80), int, bool, time, date, or a choice such as draft|sent|paid; with ? at the end it may be null"

// KindNames are those of them that are a word.
func KindNames() []string { return []string{"text", "int", "bool", "time", "date"} }

const defaultMax = 200

var (
	identifier = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	textKind   = regexp.MustCompile(`^text(?:\(([0-9]{1,5})\))?$`)
	choiceKind = regexp.MustCompile(`^[a-z0-9_-]{1,40}(\|[a-z0-9_-]{1,40})+$`)
)

// reserved are the members and columns that every resource has by itself.
var reserved = []string{"id", "user_id", "version", "created_at", "updated_at", "next_cursor", "now", "versions"}

// ParseField reads name:kind.
func ParseField(text string) (Field, error) {
	name, kind, found := strings.Cut(text, ":")
	kind, null := strings.CutSuffix(kind, "?")
	f := Field{Name: name, Kind: kind, Null: null}
	switch {
	case !found || !identifier.MatchString(name):
		return f, fmt.Errorf("%q is no field: write it as name:kind, the name as due_date", text)
	case slices.Contains(reserved, name):
		return f, fmt.Errorf("every resource has %s by itself", name)
	case sqlWord(name):
		return f, fmt.Errorf("%s is a word of SQL: call the field otherwise, as %s_name", name, name)
	case slices.Contains(KindNames(), kind) && kind != "text":
		return f, nil
	}
	if m := textKind.FindStringSubmatch(kind); m != nil {
		f.Kind, f.Max = "text", defaultMax
		if m[1] != "" {
			f.Max, _ = strconv.Atoi(m[1])
		}
		if f.Max < 1 {
			return f, fmt.Errorf("%s: a text has at least one character", name)
		}
		return f, nil
	}
	if !choiceKind.MatchString(kind) {
		return f, fmt.Errorf("%s: %q is no kind: say %s", name, kind, Kinds)
	}
	f.Kind, f.Choices = "choice", strings.Split(kind, "|")
	if null {
		return f, fmt.Errorf("%s: a choice cannot be null: add a value that says so, as none", name)
	}
	return f, nil
}

// Words is the name as one says it.
func (f Field) Words() string { return strings.ReplaceAll(f.Name, "_", " ") }

// maxInt is the greatest number that a field takes.
const maxInt = 1_000_000_000

// Schema is the JSON Schema of the member in a line, without its description; a
// choice has a component of its own.
func (f Field) Schema(null bool) string {
	kind, rest := "string", ""
	switch f.Kind {
	case "text":
		rest = fmt.Sprintf(", minLength: 1, maxLength: %d", f.Max)
	case "int":
		kind, rest = "integer", fmt.Sprintf(", format: int32, minimum: 0, maximum: %d", maxInt)
	case "bool":
		kind = "boolean"
	case "time":
		rest = ", format: date-time"
	case "date":
		rest = ", format: date"
	}
	if null {
		kind = "[" + kind + ", 'null']"
	}
	return "type: " + kind + rest
}

// SQLType is the type of the column.
func (f Field) SQLType() string {
	return map[string]string{"text": "text", "int": "integer", "bool": "boolean", "time": "timestamptz", "date": "date", "choice": "text"}[f.Kind]
}

// Column is the definition of the column, which says what the schema says.
func (f Field) Column() string {
	column := f.Name + " " + f.SQLType()
	if !f.Null {
		column += " NOT NULL"
	}
	switch f.Kind {
	case "text":
		column += fmt.Sprintf(" CHECK (char_length(%s) BETWEEN 1 AND %d)", f.Name, f.Max)
	case "int":
		column += fmt.Sprintf(" CHECK (%s BETWEEN 0 AND %d)", f.Name, maxInt)
	case "choice":
		column += fmt.Sprintf(" CHECK (%s IN ('%s'))", f.Name, strings.Join(f.Choices, "', '"))
	}
	return column
}

// Example is a value in JSON, which is YAML as well; another one for a second.
func (f Field) Example(second bool) string {
	n := map[bool]int{false: 0, true: 1}[second]
	switch f.Kind {
	case "int":
		return []string{"12", "13"}[n]
	case "bool":
		return []string{"true", "false"}[n]
	case "time":
		return []string{`"2026-02-01T12:00:00Z"`, `"2026-03-01T12:00:00Z"`}[n]
	case "date":
		return []string{`"2026-02-01"`, `"2026-03-01"`}[n]
	case "choice":
		return strconv.Quote(f.Choices[n])
	}
	text := []string{"A ", "B "}[n] + f.Words()
	return strconv.Quote(strings.TrimSpace(text[:min(len(text), f.Max)]))
}
