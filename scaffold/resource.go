// Package scaffold writes the first version of a resource: the five files that a
// resource has, as one would have written them by hand.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// Resource is what people have some of, each of their own.
type Resource struct {
	Table  string // plural, snake_case
	One    string // singular
	Fields []Field
	Module string // the Go module that it becomes part of
}

// Parse reads a resource from the words of a command line: its name in the plural, and
// its fields as name:kind.
func Parse(name string, fields []string) (Resource, error) {
	r := Resource{Table: strings.ReplaceAll(name, "-", "_")}
	if !identifier.MatchString(r.Table) {
		return r, fmt.Errorf("%q is no name of a resource: say it in the plural, as invoices or invoice-lines", name)
	}
	if r.One = singular(r.Table); r.One == r.Table {
		return r, fmt.Errorf("say the plural: there is no telling one of %q from several", name)
	}
	if sqlWord(r.Table) {
		return r, fmt.Errorf("%s is a word of SQL: call the resource otherwise", r.Table)
	}
	if len(fields) == 0 {
		return r, errors.New("a resource has at least one field")
	}
	var wrong []error
	for _, text := range fields {
		f, err := ParseField(text)
		if err == nil && slices.ContainsFunc(r.Fields, func(other Field) bool { return other.Name == f.Name }) {
			err = fmt.Errorf("%s is there twice", f.Name)
		}
		wrong = append(wrong, err)
		r.Fields = append(r.Fields, f)
	}
	if err := errors.Join(wrong...); err != nil {
		return r, err
	}
	if !slices.ContainsFunc(r.Fields, func(f Field) bool { return !f.Null }) {
		return r, errors.New("at least one field has to have a value always: leave out its ?")
	}
	return r, nil
}

// The names of the resource where each is wanted.

// Path is the last part of its address.
func (r Resource) Path() string { return strings.ReplaceAll(r.Table, "_", "-") }

// Words is how one speaks of several.
func (r Resource) Words() string { return strings.ReplaceAll(r.Table, "_", " ") }

// OneWords is how one speaks of one, AWords with the article.
func (r Resource) OneWords() string { return strings.ReplaceAll(r.One, "_", " ") }

// AWords is one with its article.
func (r Resource) AWords() string {
	if strings.ContainsAny(r.One[:1], "aeiou") && !strings.HasPrefix(r.One, "user") {
		return "an " + r.OneWords()
	}
	return "a " + r.OneWords()
}

// Schema is the name of the component, and Schemas of several in operationIds.
func (r Resource) Schema() string { return joined(r.One) }

// Schemas is the name of several in operationIds.
func (r Resource) Schemas() string { return joined(r.Table) }

// Type is the schema's name in Go, and Types that of several.
func (r Resource) Type() string { return pascal(r.One) }

// Types is the name of several in Go.
func (r Resource) Types() string { return pascal(r.Table) }

// Row is the name of a row in gen/db.
func (r Resource) Row() string { return column(r.One) }

// Var is what the names of Go functions about one begin with.
func (r Resource) Var() string {
	name := joined(r.One)
	return strings.ToLower(name[:1]) + name[1:]
}

func joined(name string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		text.WriteString(title(part))
	}
	return text.String()
}

// Has says that a field of the kind is among the fields.
func (r Resource) Has(kind string) bool {
	return slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Kind == kind })
}

// First is the first field that has a value always.
func (r Resource) First() Field {
	return r.Fields[slices.IndexFunc(r.Fields, func(f Field) bool { return !f.Null })]
}

// Choice is the name of the component of a field's choices.
func (r Resource) Choice(f Field) string { return r.Schema() + joined(f.Name) }

// ChoiceType is that name in Go.
func (r Resource) ChoiceType(f Field) string { return r.Type() + pascal(f.Name) }

// GoName is the field's name in the contract's Go types, and ColumnName in gen/db.
func (Resource) GoName(f Field) string { return pascal(f.Name) }

// ColumnName is the field's name in gen/db.
func (Resource) ColumnName(f Field) string { return column(f.Name) }

// Write adds the resource to the repository in a folder and gives the paths of the
// files that are new or changed. It writes nothing where one of them is there already.
func (r Resource) Write(root string) ([]string, error) {
	contract, err := fs.ReadFile(os.DirFS(root), "openapi.yaml")
	if err != nil {
		return nil, fmt.Errorf("this is no repository of an API: %w", err)
	}
	if r.Module, err = moduleOf(root); err != nil {
		return nil, err
	}
	migration, err := nextMigration(root)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for path, name := range map[string]string{
		fmt.Sprintf("schema/%05d_create_%s.sql", migration, r.Table): "schema.sql.tmpl",
		"queries/" + r.Table + ".sql":                                "queries.sql.tmpl",
		"server/" + r.Table + ".go":                                  "server.go.tmpl",
		"server/" + r.Table + "_test.go":                             "test.go.tmpl",
	} {
		if _, err := os.Stat(filepath.Join(root, path)); err == nil {
			return nil, fmt.Errorf("%s is there already", path)
		}
		if texts[path], err = r.render(name); err != nil {
			return nil, err
		}
	}
	if err := r.clash(root, texts); err != nil {
		return nil, err
	}
	if texts["openapi.yaml"], err = r.describe(string(contract)); err != nil {
		return nil, err
	}
	var paths []string
	for path, text := range texts {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil { //nolint:gosec // a source file, which others may read as those beside it
			return nil, fmt.Errorf("writing the resource: %w", err)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths, nil
}

func (r Resource) render(name string) (string, error) {
	t, err := template.New(name).ParseFS(templates, "templates/"+name)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, r); err != nil {
		return "", err
	}
	if !strings.HasSuffix(name, ".go.tmpl") {
		return text.String(), nil
	}
	formatted, err := format.Source(text.Bytes())
	if err != nil {
		return "", fmt.Errorf("formatting %s: %w", name, err)
	}
	return string(formatted), nil
}

// parts are the sections of the contract that the resource adds to, each with the
// line that it begins with.
var parts = []struct{ template, section string }{
	{"tag", "tags:"},
	{"paths", "paths:"},
	{"parameter", "components:\n  parameters:"},
	{"response", "components:\n  responses:"},
	{"schemas", "components:\n  schemas:"},
}

// describe adds the resource to the contract, each part at the end of its section, so
// that what is there stays as it is written.
func (r Resource) describe(contract string) (string, error) {
	if strings.Contains(contract, "\n  /api/v1/"+r.Path()+":\n") || strings.Contains(contract, "\n    "+r.Schema()+":\n") {
		return "", fmt.Errorf("openapi.yaml has %s already", r.Words())
	}
	for _, part := range parts {
		text, err := r.render("openapi." + part.template + ".tmpl")
		if err != nil {
			return "", err
		}
		at, err := endOf(contract, part.section)
		if err != nil {
			return "", err
		}
		contract = contract[:at] + text + contract[at:]
	}
	return contract, nil
}

// endOf is where a section ends: behind its last line that is not empty.
func endOf(contract, section string) (int, error) {
	at := 0
	indent := ""
	for key := range strings.SplitSeq(section, "\n") {
		found := strings.Index(contract[at:], "\n"+key+"\n")
		if found < 0 {
			return 0, fmt.Errorf("openapi.yaml has no section %s in lines of its own", strings.ReplaceAll(section, "\n", ""))
		}
		at += found + len("\n"+key)
		indent = key[:len(key)-len(strings.TrimLeft(key, " "))] + "  "
	}
	at++ // behind the line
	end := at
	for at < len(contract) {
		line, _, _ := strings.Cut(contract[at:], "\n")
		if line != "" && !strings.HasPrefix(line, indent) {
			break
		}
		if at += len(line) + 1; line != "" {
			end = at
		}
	}
	return min(end, len(contract)), nil
}

var modulePath = regexp.MustCompile(`(?m)^module\s+(\S+)`)

func moduleOf(root string) (string, error) {
	text, err := fs.ReadFile(os.DirFS(root), "go.mod")
	if err != nil {
		return "", fmt.Errorf("this is no repository of an API: %w", err)
	}
	m := modulePath.FindSubmatch(text)
	if m == nil {
		return "", errors.New("go.mod names no module")
	}
	return string(m[1]), nil
}

// nextMigration is the number after the last migration.
func nextMigration(root string) (int, error) {
	paths, err := filepath.Glob(filepath.Join(root, "schema", "[0-9]*.sql"))
	if err != nil {
		return 0, err
	}
	last := 0
	for _, path := range paths {
		digits, _, _ := strings.Cut(filepath.Base(path), "_")
		if n, err := strconv.Atoi(digits); err == nil {
			last = max(last, n)
		}
	}
	return last + 1, nil
}

// Required are the fields that have a value always, and Nullable the others.
func (r Resource) Required() []Field {
	return slices.DeleteFunc(slices.Clone(r.Fields), func(f Field) bool { return f.Null })
}

// Nullable are the fields that may be null.
func (r Resource) Nullable() []Field {
	return slices.DeleteFunc(slices.Clone(r.Fields), func(f Field) bool { return !f.Null })
}

// FromBody is the expression of a column's value in the body that makes one.
func (Resource) FromBody(f Field) string {
	member := "r.Body." + pascal(f.Name)
	switch f.Kind {
	case "choice":
		return "string(" + member + ")"
	case "date":
		return member + ".Time"
	}
	return member
}

// FromPatch is that in a merge patch, where absent means unchanged.
func (Resource) FromPatch(f Field) string {
	if f.Kind == "choice" {
		return "(*string)(r.Body." + pascal(f.Name) + ")"
	}
	return "r.Body." + pascal(f.Name)
}

// FromRow is the expression of a member's value in a row.
func (r Resource) FromRow(f Field) string {
	value := "row." + column(f.Name)
	switch f.Kind {
	case "choice":
		return "api." + r.ChoiceType(f) + "(" + value + ")"
	case "date":
		return "openapi_types.Date{Time: " + value + "}"
	case "time":
		return value + ".UTC()"
	}
	return value
}
