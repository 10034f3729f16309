package rename

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// noImports is what is left where all of them went.
var noImports = regexp.MustCompile(`import \(\s*\)\n`)

// withoutImports is Go code without the imports that only the lines needed that were cut
// out of it.
func withoutImports(f file, before []byte) (file, error) {
	fset := token.NewFileSet()
	was, err := parser.ParseFile(fset, f.path, before, parser.SkipObjectResolution)
	if err != nil {
		return f, fmt.Errorf("reading %s: %w", f.path, err)
	}
	is, err := parser.ParseFile(fset, f.path, f.text, parser.SkipObjectResolution)
	if err != nil {
		return f, fmt.Errorf("reading %s without the demo: %w", f.path, err)
	}
	used, still := selected(was), selected(is)
	lines := bytes.SplitAfter(f.text, []byte("\n"))
	for _, spec := range is.Imports {
		if name := importName(spec); used[name] && !still[name] {
			lines[fset.Position(spec.Pos()).Line-1] = nil
		}
	}
	f.text = noImports.ReplaceAll(bytes.Join(lines, nil), nil)
	if f.text, err = format.Source(f.text); err != nil {
		return f, fmt.Errorf("formatting %s without the demo: %w", f.path, err)
	}
	return f, nil
}

// selected are the names that something is taken from, packages among them.
func selected(f *ast.File) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				names[x.Name] = true
			}
		}
		return true
	})
	return names
}

// importName is what a package is called where it is imported, as far as its path tells.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	at, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	if majorVersion.MatchString(path.Base(at)) {
		at = path.Dir(at)
	}
	return strings.TrimPrefix(path.Base(at), "go-")
}
