package main

import (
	"context"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

// The tests that TestKillers runs, in a process of their own: two that notice what
// is dropped, one that fails only beside others, and one that always fails.

// chosen is the option that says which tests are run.
func chosen() string { return flag.Lookup("test.run").Value.String() }

func TestNotices(t *testing.T) {
	t.Parallel()
	if os.Getenv(pgtest.ChangeEnv) == "SELECT 1 AS noticed" || strings.HasPrefix(os.Getenv(queryEnv), "noticed") {
		t.Error("it is gone")
	}
}

func TestMailTokensAreThere(t *testing.T) {
	t.Parallel()
	if ask(t, pgtest.New(t), "SELECT count(*) FROM pg_class WHERE relname = 'mail_tokens'") != 1 {
		t.Error("there is no such table")
	}
}

// ask gives the one number that a query has for an answer.
func ask(t *testing.T, url, sql string, arguments ...any) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), sql, arguments...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFails(t *testing.T) {
	t.Parallel()
	if strings.HasPrefix(chosen(), "^(") && strings.Contains(chosen(), "TestFails|") {
		t.Error("now and then")
	}
}

func TestAlwaysFails(t *testing.T) {
	t.Parallel()
	if strings.HasPrefix(chosen(), "^(") {
		t.Error("always")
	}
}

func TestKillers(t *testing.T) {
	t.Parallel()
	b := &binary{path: os.Args[0], folder: "."}
	s := &suite{url: pgtest.Empty(t), tests: []test{{"TestFails", "a", b}, {"TestAlwaysFails", "a", b}, {"TestNotices", "b", b}, {"TestMailTokensAreThere", "b", b}}}
	const table = "DROP TABLE mail_tokens"
	mutants := []mutant{
		{kind: kindIndex, about: "notes", what: "gone", schema: "SELECT 1 AS noticed"},
		{kind: kindOwnership, about: "notes", what: "owner", query: "noticed"},
		{kind: kindIndex, about: "notes", what: "table", schema: table},
		{kind: kindIndex, about: "notes", what: "alike", schema: "SELECT 1"},
	}
	killers := map[string]string{}
	for v := range s.verdicts(t.Context(), mutants, 2) {
		if v.err != nil {
			t.Fatal(v.err)
		}
		killers[v.mutant.what] = v.killer
	}
	want := map[string]string{"gone": "..TestNotices", "owner": "..TestNotices", "table": "..TestMailTokensAreThere", "alike": ""}
	if !maps.Equal(killers, want) {
		t.Errorf("killers %v", killers)
	}
	if sound, _ := s.sound.Load(s.tests[1]); sound != false {
		t.Errorf("%s is sound: %v", s.tests[1], sound)
	}
	name, err := pgtest.Template(table)
	if err != nil || ask(t, s.url, "SELECT count(*) FROM pg_database WHERE datname = $1", name) != 0 {
		t.Errorf("the template %s is left: %v", name, err)
	}
}

// One error ends it all, and nothing runs on.
func TestVerdictsEndAtAnError(t *testing.T) {
	t.Parallel()
	s := &suite{url: pgtest.Empty(t), tests: []test{{"TestNotices", "b", &binary{path: "/nowhere", folder: "."}}}}
	errors := 0
	for v := range s.verdicts(t.Context(), slices.Repeat([]mutant{{schema: "SELECT 2"}}, 20), 2) {
		if v.err == nil {
			t.Errorf("%v", v)
		}
		errors++
		break
	}
	if errors != 1 {
		t.Errorf("%d errors", errors)
	}
}
