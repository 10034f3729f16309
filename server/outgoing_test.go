package server_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outgoing are the names of net/http by which a program asks others.
var outgoing = []string{"Get", "Head", "Post", "PostForm", "Client", "DefaultClient", "NewRequest", "NewRequestWithContext", "Transport", "DefaultTransport"}

// Nobody sends the server anywhere: no operation takes an address, and what answers
// them asks nobody by HTTP but the bucket that a setting names.
func TestNoRequestLeadsElsewhere(t *testing.T) {
	t.Parallel()
	var document any
	if err := json.Unmarshal([]byte(readFile(t, "../gen/api/openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	// The type of a problem, which only answers have.
	if found := addresses(document, ""); !slices.Equal(found, []string{"/components/schemas/ProblemUri"}) {
		t.Errorf("the contract has addresses: %v", found)
	}

	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.Dir}}{{end}}", "../server").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := mustValue(filepath.Abs(".."))
	uses := map[string]bool{}
	for folder := range strings.Lines(string(out)) {
		if folder = strings.TrimSpace(folder); !strings.HasPrefix(folder, root+"/") {
			continue
		}
		for _, name := range mustValue(filepath.Glob(folder + "/*.go")) {
			if !strings.HasSuffix(name, "_test.go") {
				for _, use := range usesOfHTTP(t, name) {
					uses[strings.TrimPrefix(name, root+"/")+" "+use] = true
				}
			}
		}
	}
	delete(uses, "files/bucket.go Transport") // the storage that a setting names; bare-drops
	if found := slices.Sorted(maps.Keys(uses)); len(found) > 0 {
		t.Errorf("others are asked by %v", found)
	}
}

// addresses finds the schemas that are the address of something.
func addresses(node any, at string) (places []string) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			places = append(places, addresses(item, at)...)
		}
	case map[string]any:
		format, _ := node["format"].(string)
		if strings.HasPrefix(format, "uri") || strings.HasPrefix(format, "iri") || slices.Contains([]string{"url", "hostname", "ipv4", "ipv6"}, format) {
			places = append(places, at)
		}
		for name, member := range node {
			places = append(places, addresses(member, at+"/"+name)...)
		}
	}
	return places
}

// usesOfHTTP names what of outgoing a file uses.
func usesOfHTTP(t *testing.T, name string) (uses []string) {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == "http" && slices.Contains(outgoing, selector.Sel.Name) {
				uses = append(uses, selector.Sel.Name)
			}
		}
		return true
	})
	return uses
}
