package main

import (
	"cmp"
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rowsMethod is what a stream takes over from a method of sqlc's for many rows.
type rowsMethod struct {
	name      string
	params    string // as declared, after ctx
	sql       string // the constant
	arguments string // of the query
	row       string // type of a row
	variable  string // that a row is scanned into
	columns   string // the targets of Scan, variable being a pointer
	imports   []importSpec
	problem   string // why there can be no stream
}

type importSpec struct{ name, path string }

// readRowsMethods reads what sqlc wrote, by the methods' names.
func readRowsMethods(root fs.FS) (map[string]*rowsMethod, error) {
	paths, err := fs.Glob(root, "gen/db/*.sql.go")
	if err != nil {
		return nil, fmt.Errorf("looking for sqlc's files: %w", err)
	}
	methods := map[string]*rowsMethod{}
	for _, name := range paths {
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("reading what sqlc wrote: %w", err)
		}
		parsed, err := goparser.ParseFile(token.NewFileSet(), name, source, goparser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("reading what sqlc wrote: %w", err)
		}
		g := &goFile{source: string(source), imports: importsOf(parsed)}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				if m := g.readMethod(f); m != nil {
					methods[m.name] = m
				}
			}
		}
	}

	return methods, nil
}

// goFile is one file of sqlc's.
type goFile struct {
	source  string
	imports map[string]string // path by name
}

// text is a node as it stands in the file. The file set has this file alone,
// and so positions begin at 1.
func (g *goFile) text(n ast.Node) string { return g.source[n.Pos()-1 : n.End()-1] }

func (g *goFile) texts(list []ast.Expr) string {
	var b strings.Builder
	for _, one := range list {
		b.WriteString(g.text(one) + ", ")
	}

	return b.String()
}

var majorVersion = regexp.MustCompile(`[/.]v[0-9]+$`)

func importsOf(f *ast.File) map[string]string {
	paths := map[string]string{}
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has seen to it
		}
		name := majorVersion.ReplaceAllString(path, "")
		name = name[strings.LastIndex(name, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths[name] = path
	}

	return paths
}

// readMethod is nil unless f gives a list of rows.
func (g *goFile) readMethod(f *ast.FuncDecl) *rowsMethod {
	if f.Recv == nil || f.Type.Results == nil || f.Body == nil {
		return nil
	}
	list, ok := f.Type.Results.List[0].Type.(*ast.ArrayType)
	if !ok || len(f.Type.Params.List) == 0 {
		return nil
	}

	m := &rowsMethod{name: f.Name.Name, row: g.text(list.Elt)}
	named := []ast.Node{list.Elt}
	for _, p := range f.Type.Params.List[1:] {
		m.params += ", " + g.text(p)
		named = append(named, p.Type)
	}
	g.readQuery(m, f.Body)
	g.readScan(m, f.Body)
	g.readImports(m, named)

	return m
}

// readQuery takes the constant and the arguments from q.db.Query(ctx, ...).
func (g *goFile) readQuery(m *rowsMethod, body *ast.BlockStmt) {
	call := callOf(body, "Query")
	if call == nil || len(call.Args) < 2 {
		m.problem = "it runs no query"

		return
	}
	m.sql, m.arguments = g.text(call.Args[1]), g.texts(call.Args[2:])
}

// readScan takes the targets from rows.Scan(&i.ID, ...), or from
// rows.Scan(&name) where a row is a single value.
func (g *goFile) readScan(m *rowsMethod, body *ast.BlockStmt) {
	call := callOf(body, "Scan")
	if call == nil || len(call.Args) == 0 {
		m.problem = "it scans no row"

		return
	}
	for _, target := range call.Args {
		address, ok := target.(*ast.UnaryExpr)
		if !ok || address.Op != token.AND {
			m.problem = "it scans into " + g.text(target)

			return
		}
		if single, ok := address.X.(*ast.Ident); ok {
			m.variable, m.columns = single.Name, single.Name

			return
		}
		m.variable = root(address.X)
	}
	m.columns = g.texts(call.Args)
}

// root is the variable that a selector begins with.
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func callOf(body *ast.BlockStmt, method string) *ast.CallExpr {
	var found *ast.CallExpr
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && found == nil {
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == method {
				found = call
			}
		}

		return found == nil
	})

	return found
}

// readImports lists the packages that the types need.
func (g *goFile) readImports(m *rowsMethod, types []ast.Node) {
	for _, t := range types {
		ast.Inspect(t, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name := g.text(s.X)
			if g.imports[name] == "" {
				m.problem = "no import is called " + name
			}
			m.imports = append(m.imports, importSpec{name, g.imports[name]})

			return false
		})
	}
}

// streamSource is the whole file.
func streamSource(streams []*rowsMethod) string {
	e := &emitter{}
	e.line("%spackage db\n\nimport (\n%s)\n", header, streamImports(streams))
	for _, m := range streams {
		e.line(streamMethod, m.name, m.params, m.row, m.variable, m.columns, m.sql, m.arguments)
	}

	return e.String() + streamHelper
}

// streamImports puts the standard library first, as sqlc does.
func streamImports(streams []*rowsMethod) string {
	list := map[importSpec]bool{{"context", "context"}: true, {"iter", "iter"}: true}
	for _, m := range streams {
		for _, spec := range m.imports {
			list[spec] = true
		}
	}
	var standard, others string
	for _, spec := range slices.SortedFunc(maps.Keys(list), func(a, b importSpec) int { return cmp.Compare(a.path, b.path) }) {
		line := goString(spec.path) + "\n"
		if !strings.HasSuffix(spec.path, spec.name) {
			line = spec.name + " " + line
		}
		if strings.Contains(strings.Split(spec.path, "/")[0], ".") {
			others += line
		} else {
			standard += line
		}
	}

	return standard + "\n" + others
}

const streamMethod = `
// %[1]sStream gives the rows of %[1]s one by one.
// The query runs when the stream is ranged over, and holds its connection until
// the loop ends. An error is the last that the loop gets, with an empty row.
func (q *Queries) %[1]sStream(ctx context.Context%[2]s) iter.Seq2[%[3]s, error] {
	return streamRows(ctx, q.db, func(%[4]s *%[3]s) []any { return []any{%[5]s} }, %[6]s, %[7]s)
}
`

// The targets are made once and the rows are copied out of them: a slice of
// them for each row would be most of what a stream allocates. The row is emptied
// before each scan, so that nothing in it is shared with one that was given out.
const streamHelper = `
// streamRows scans each row into the targets that columns makes. A loop that
// breaks off closes the rows, which reads and drops what the query still gives;
// the end of ctx cuts that short, and the connection with it.
func streamRows[T any](ctx context.Context, db DBTX, columns func(*T) []any, sql string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var row, empty T
		rows, err := db.Query(ctx, sql, args...)
		if err != nil {
			yield(empty, err)
			return
		}
		defer rows.Close()
		targets := columns(&row)
		for rows.Next() {
			row = empty
			if err := rows.Scan(targets...); err != nil {
				yield(empty, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(empty, err)
		}
	}
}
`
