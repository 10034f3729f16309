package main

import (
	"bytes"
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/printer"
	"go/token"
	"io"
	"io/fs"
	"strings"
)

const (
	methodsPath = "gen/api/api.gen.go"
	methodsName = "StrictServerInterface"
)

// tellMissing lists the operations that the server has no method for yet, so that
// nobody has to look for their signatures. It only tells: the compiler insists.
func tellMissing(root fs.FS, out io.Writer) error {
	written, err := serverMethods(root)
	if err != nil || len(written) == 0 {
		return err // a root without a server
	}
	fset := token.NewFileSet()
	source, err := fs.ReadFile(root, methodsPath)
	if err != nil {
		return fmt.Errorf("reading what was generated: %w", err)
	}
	file, err := goparser.ParseFile(fset, methodsPath, source, 0)
	if err != nil {
		return fmt.Errorf("reading what was generated: %w", err)
	}
	var missing []string
	for _, field := range interfaceMethods(file) {
		if !written[field.Names[0].Name] {
			missing = append(missing, "\n    func (s *Server) "+field.Names[0].Name+signature(fset, field.Type))
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(out, "server/ has no method yet for:\n%s\n\n", strings.Join(missing, ""))
	}

	return nil
}

// serverMethods are the names of the methods of *Server in server/. A file that
// is being written, and does not parse, has those above its fault.
func serverMethods(root fs.FS) (map[string]bool, error) {
	names, err := fs.Glob(root, "server/*.go")
	if err != nil {
		return nil, fmt.Errorf("looking for methods: %w", err)
	}
	written := map[string]bool{}
	for _, name := range names {
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("looking for methods: %w", err)
		}
		file, _ := goparser.ParseFile(token.NewFileSet(), name, source, goparser.SkipObjectResolution)
		if file == nil {
			continue
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				written[f.Name.Name] = true
			}
		}
	}

	return written, nil
}

func interfaceMethods(file *ast.File) (methods []*ast.Field) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != methodsName {
			return true
		}
		if list, ok := spec.Type.(*ast.InterfaceType); ok {
			methods = list.Methods.List
		}

		return false
	})

	return methods
}

// signature writes a method's type as package server has to: with api. before
// the types of package api.
func signature(fset *token.FileSet, method ast.Expr) string {
	ast.Inspect(method, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok {
			if name, ok := field.Type.(*ast.Ident); ok && name.IsExported() {
				field.Type = &ast.SelectorExpr{X: ast.NewIdent("api"), Sel: name}
			}
		}

		return true
	})
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, method); err != nil {
		return err.Error()
	}

	return strings.TrimPrefix(b.String(), "func")
}
