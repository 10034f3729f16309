package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/servertest"
)

// published is what the test reads of the contract.
type published struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Parameters map[string]parameter }
}

type parameter struct {
	Ref     string `json:"$ref"`
	Name    string
	In      string
	Example any
}

// The documentation page fills the examples of parameters in. Whoever sends them
// as they stand to a server with its demo data is shown something.
func TestExamplesFindSomethingInTheDemoData(t *testing.T) {
	t.Parallel()
	s := withDemoData(t)
	people := map[string]*servertest.Person{}
	for _, account := range demoAccounts {
		p := s.Somebody()
		p.Login(account.Username, account.Password).Expect(http.StatusOK).Into(&p.Tokens)
		people[account.Username] = p
	}

	var doc published
	people["user"].GET("/api/openapi.json").Expect(http.StatusOK).Into(&doc)
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		filled, list := doc.examples(t, path)
		if filled == path && len(list) == 0 {
			continue
		}
		who := people["user"]
		if strings.Contains(path, "/admin/") || strings.Contains(path, "/export/") {
			who = people["admin"]
		}
		address := filled + "?" + list.Encode()
		if body := string(who.GET(address).Expect(http.StatusOK).Body); isEmpty(address, body) {
			t.Errorf("GET %s finds nothing: %s", address, body)
		}
	}
}

// isEmpty says that a list, or a table below its head, has nothing in it.
func isEmpty(address, body string) bool {
	return strings.Contains(body, `"items":[]`) || strings.Contains(address, "/export/") && strings.Count(body, "\n") < 2
}

// examples are the path and the query that the examples of a path's GET make.
func (d published) examples(t *testing.T, path string) (filled string, query url.Values) {
	t.Helper()
	filled, query = path, url.Values{}
	get, ok := d.Paths[path]["get"]
	if !ok {
		return path, query
	}
	var operation struct{ Parameters []parameter }
	if err := json.Unmarshal(get, &operation); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	var shared []parameter
	if of, ok := d.Paths[path]["parameters"]; ok {
		if err := json.Unmarshal(of, &shared); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	for _, p := range append(shared, operation.Parameters...) {
		if name, found := strings.CutPrefix(p.Ref, "#/components/parameters/"); found {
			p = d.Components.Parameters[name]
		}
		if p.In == "header" && p.Example != nil {
			t.Errorf("GET %s: the page would send the example of %s, which holds for nobody", path, p.Name)
		}
		if p.In == "path" {
			filled = strings.ReplaceAll(filled, "{"+p.Name+"}", fmt.Sprint(p.Example))
		}
		if p.In != "query" || p.Example == nil {
			continue
		}
		values, isList := p.Example.([]any)
		if !isList {
			values = []any{p.Example}
		}
		for _, value := range values {
			query.Add(p.Name, fmt.Sprint(value))
		}
	}
	return filled, query
}
