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
	"time"

	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
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
// as they stand to a server with its demo data is shown something, but of a resource
// that the demo data has nothing of.
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
		if strings.Contains(path, "/admin/") || strings.Contains(path, "/export/") { // bare-drops
			// bare-has: if strings.Contains(path, "/admin/") {
			who = people["admin"]
		}
		if collection, _, _ := strings.Cut(path, "/{"); isEmpty(who, collection) {
			t.Logf("%s: there is nothing in the demo data (demo/examples.go)", path) // bare-drops
			// bare-has: t.Logf("%s: there is nothing in the demo data (demo/fill.go)", path)
			continue
		}
		address := filled + "?" + list.Encode()
		body := string(who.GET(address).Expect(http.StatusOK).Body)
		empty := strings.Contains(body, `"items":[]`)
		empty = empty || strings.Contains(address, "/export/") && strings.Count(body, "\n") < 2 // a table below its head; bare-drops
		if empty {
			t.Errorf("GET %s finds nothing: %s", address, body)
		}
	}
}

// isEmpty says that a list is one, and has nothing in it.
func isEmpty(who *servertest.Person, path string) bool {
	return strings.Contains(string(who.GET(path).Body), `"items":[]`)
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

// withDemoData is a server that has what a newcomer finds.
func withDemoData(t *testing.T) *servertest.Server {
	t.Helper()
	address := pgtest.New(t)
	pool, err := pg.Open(t.Context(), pg.Config{URL: address, Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	s := servertest.New(t, servertest.Options{DatabaseURL: address})
	began := time.Now()
	err = demo.Fill(t.Context(), pool, demo.FillOptions{
		Accounts: demoAccounts, Hash: s.API.HashPassword, Now: s.Clock.Now(),
		Files: s.API.Files(), // bare-drops
	})
	t.Logf("filled in %s", time.Since(began))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
