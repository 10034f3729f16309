package scaffold

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// clash tells what of the Go files that are to be written their package has already, and
// what of the types the Go client has: the compiler would say it after all is written, and
// of another file.
func (r Resource) clash(root string, texts map[string]string) error {
	taken, err := declaredIn(root, "sdk/go")
	if err != nil {
		return err
	}
	for name, in := range taken {
		_, name, _ = strings.Cut(name, ".")
		if slices.Contains([]string{r.Type(), r.Type() + "Create", r.Type() + "Update", r.Type() + "Page", r.Type() + "ID"}, name) {
			return fmt.Errorf("%s declares %s already: call the resource otherwise", in, name)
		}
	}
	if taken, err = declaredIn(root, "server"); err != nil {
		return err
	}
	for path, text := range texts {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		names, err := declared(path, text)
		if err != nil {
			return err
		}
		for _, name := range names {
			if in, found := taken[name]; found {
				return fmt.Errorf("%s declares %s already: call the resource otherwise", in, name[strings.Index(name, ".")+1:])
			}
		}
	}
	return nil
}

// declaredIn are the names that the files of a folder declare, each with its file.
func declaredIn(root, folder string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		return nil, err
	}
	taken := map[string]string{}
	for _, path := range paths {
		names, err := declared(path, nil)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			taken[name] = folder + "/" + filepath.Base(path)
		}
	}
	return taken, nil
}

// declared are the names that a file declares in its package, as package.name or
// package.Type.method.
func declared(path string, text any) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("reading the package: %w", err)
	}
	var names []string
	add := func(name string) { names = append(names, file.Name.Name+"."+name) }
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			add(receiver(d) + d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					add(s.Name.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						add(name.Name)
					}
				}
			}
		}
	}
	return names, nil
}

// receiver is the type that a method is of, with a dot; "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}
