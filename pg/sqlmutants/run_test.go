package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

// The tests that TestKillers runs, in a process of their own: one that notices
// what is dropped, one that fails only beside others, and one that always fails.

// chosen is the option that says which tests are run.
func chosen() string { return flag.Lookup("test.run").Value.String() }

func TestNotices(t *testing.T) {
	t.Parallel()
	if os.Getenv(pgtest.ChangeEnv) == "DROP noticed" || strings.HasPrefix(os.Getenv(queryEnv), "noticed") {
		t.Error("it is gone")
	}
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
	s := &suite{url: pgtest.Empty(t), tests: []test{{"TestFails", "a", b}, {"TestAlwaysFails", "a", b}, {"TestNotices", "b", b}}}
	mutants := []mutant{
		{kind: kindIndex, about: "notes", what: "gone", schema: "DROP noticed"},
		{kind: kindOwnership, about: "notes", what: "owner", query: "noticed"},
		{kind: kindIndex, about: "notes", what: "alike", schema: "DROP nothing"},
	}
	killers := map[string]string{}
	for v := range s.verdicts(t.Context(), mutants, 2) {
		if v.err != nil {
			t.Fatal(v.err)
		}
		killers[v.mutant.what] = v.killer
	}
	if len(killers) != 3 || killers["gone"] != "..TestNotices" || killers["owner"] != "..TestNotices" || killers["alike"] != "" {
		t.Errorf("killers %v", killers)
	}
	for _, of := range s.tests[1:] {
		if sound, _ := s.sound.Load(of); sound != (of.name == "TestNotices") {
			t.Errorf("%s is sound: %v", of, sound)
		}
	}
}

// One error ends it all, and nothing runs on.
func TestVerdictsEndAtAnError(t *testing.T) {
	t.Parallel()
	s := &suite{url: pgtest.Empty(t), tests: []test{{"TestNotices", "b", &binary{path: "/nowhere", folder: "."}}}}
	errors := 0
	for v := range s.verdicts(t.Context(), make([]mutant, 20), 2) {
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
