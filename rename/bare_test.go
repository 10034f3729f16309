package rename

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const demoDocument = `openapi: 3.1.0
info:
  title: Accord # of all
  description: |
    A shop with all that such a server needs: accounts with roles and sessions,
    products and orders, notifications as a list and as a stream, files, exports of
    any size, reports that are made in the background, and a dashboard.

    More.
tags:
  - name: users
    description: People.
  - name: orders
    description: What was bought.

paths:
  /users:
    get:
      tags: [users]
      responses: {'200': {$ref: '#/components/responses/User'}}
  # bare-drops {
  /orders:
    get:
      tags: [orders]
      parameters: [{$ref: '#/components/parameters/IfMatch'}]
      responses: {'200': {$ref: '#/components/responses/Order'}}
  # bare-drops }

components:
  securitySchemes:
    oauth2: {type: oauth2}

  parameters:
    IfMatch: {in: header}
  responses:
    User:
      content: {schema: {$ref: '#/components/schemas/User'}}
    # Whatever was bought.
    Order:
      content: {schema: {$ref: '#/components/schemas/Order'}}
    Derived: {description: Nothing refers to it.}

  schemas:
    # A person.
    User:
      required: [id, orders] # bare-drops
      # bare-has: required: [id]

    # An order.
    Order:
      properties: {sum: {$ref: '#/components/schemas/Sum'}}
    Sum: {type: integer}
`

const bareDocument = `openapi: 3.1.0
info:
  title: Accord # of all
  description: |
    Accounts with roles and sessions, their administration, and the trail of what happened.

    More.
tags:
  - name: users
    description: People.

paths:
  /users:
    get:
      tags: [users]
      responses: {'200': {$ref: '#/components/responses/User'}}

components:
  securitySchemes:
    oauth2: {type: oauth2}

  parameters:
    IfMatch: {in: header}
  responses:
    User:
      content: {schema: {$ref: '#/components/schemas/User'}}
    Derived: {description: Nothing refers to it.}

  schemas:
    # A person.
    User:
      required: [id]

`

// marked are files with each kind of mark, and what they are without the demo and with it.
var marked = map[string]struct{ text, bare, whole string }{
	"openapi.yaml": {demoDocument, bareDocument, strings.NewReplacer(
		"  # bare-drops {\n", "", "  # bare-drops }\n", "", " # bare-drops", "", "      # bare-has: required: [id]\n", "").Replace(demoDocument)},
	"server/a.go": {
		"package server\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/go-lib/v2\"\n)\n\nvar a = []string{\n\t\"accounts\",\n\tfmt.Sprint(lib.Orders), // bare-drops\n\t// bare-has: \"nothing\",\n}\n",
		"package server\n\nvar a = []string{\n\t\"accounts\",\n\t\"nothing\",\n}\n",
		"package server\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/go-lib/v2\"\n)\n\nvar a = []string{\n\t\"accounts\",\n\tfmt.Sprint(lib.Orders),\n}\n",
	},
	"server/a_test.go": {"package server\n\nfunc TestA() {}\n", "package server\n\nfunc TestA() {}\n", "package server\n\nfunc TestA() {}\n"},
	"server/orders.go": {"package server\n\nfunc TestB() {}\n", "", "package server\n\nfunc TestB() {}\n"},
	"schema/00011_bound_columns.sql": {
		"-- +goose Up\n-- bare-drops {\nALTER TABLE orders;\n-- bare-drops }\n", "", "-- +goose Up\nALTER TABLE orders;\n",
	},
	"schema/00004_bound_columns.sql": {"", "-- +goose Up\n", ""},
	"docs/a.md": {
		"<!-- bare-drops {\n -->\nOrders.\n<!-- bare-drops } -->\n<!-- bare-has: ## People -->\n<!-- bare-has: -->\n| A | `TestA`, `TestB` |\n| B | `TestB`, `TestA` |\nSee `TestOther`.\n",
		"## People\n\n| A | `TestA` |\n| B | `TestA` |\nSee `TestOther`.\n",
		" -->\nOrders.\n| A | `TestA`, `TestB` |\n| B | `TestB`, `TestA` |\nSee `TestOther`.\n",
	},
	"queries/stats.sql":                   {"SELECT users, orders;\n", "SELECT users;\n", "SELECT users, orders;\n"},
	"rename/instead/queries/stats.sql":    {"SELECT users;\n", "", "SELECT users;\n"},
	"server/b_test.go":                    {"package server // long\n", "package server\n", "package server // long\n"},
	"rename/instead/server/b_test.go.txt": {"package server\n", "", "package server\n"},
}

func TestWithoutDemo(t *testing.T) {
	t.Parallel()
	var files []file
	for path, m := range marked {
		if m.text != "" {
			files = append(files, file{path, []byte(m.text), 0o644})
		}
	}
	for bare, want := range map[bool]func(string) string{
		true: func(path string) string { return marked[path].bare }, false: func(path string) string { return marked[path].whole },
	} {
		after, err := withoutDemo(files, bare)
		if err != nil {
			t.Fatal(err)
		}
		left := slices.Collect(maps.Keys(marked))
		for _, f := range after {
			left = slices.DeleteFunc(left, func(path string) bool { return path == f.path })
			if got := string(f.text); got != want(f.path) && !gone(f.path) {
				t.Errorf("bare %t: %s is\n%s\nwant\n%s", bare, f.path, got, want(f.path))
			}
		}
		for _, path := range left {
			if want(path) != "" {
				t.Errorf("bare %t: %s is not there", bare, path)
			}
		}
	}
}

func TestWrongMarks(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]file{
		"a.sh:1: a mark without an end":                      {"a.sh", []byte("# bare-drops {\n"), 0o644},
		"a.sh:1: the end of a mark that never began":         {"a.sh", []byte("# bare-drops }\n"), 0o644},
		"a.sh:2: a mark within one of line 1":                {"a.sh", []byte("# bare-drops {\n# bare-drops {\n"), 0o644},
		"rename/instead/a.md stands in the place of no file": {"rename/instead/a.md", nil, 0o644},
		"queries/users.sql does not have any more":           {"queries/users.sql", nil, 0o644},
		"docs/contract.md does not say any more":             {"docs/contract.md", nil, 0o644},
		"reading a.go without the demo":                      {"a.go", []byte("package a\n\n// bare-drops {\nfunc a() {\n// bare-drops }\n}\n"), 0o644},
	} {
		if _, err := withoutDemo([]file{f}, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
