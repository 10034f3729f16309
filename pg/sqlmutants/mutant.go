package main

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of mutants.
const (
	kindOwnership = "ownership"
	kindIndex     = "index"
	kindNotNull   = "not null"
	kindCheck     = "check"
	kindUnique    = "unique"
	kindForeign   = "foreign key"
)

var kinds = []string{kindOwnership, kindIndex, kindNotNull, kindCheck, kindUnique, kindForeign}

// mutant is one thing of the SQL that is dropped.
type mutant struct {
	kind string
	file string // of the work tree
	line int
	what string // what is dropped, in a few words

	// about is the table, or the file of queries without its ending.
	about string
	// schema is SQL that changes a migrated database; query is the whole text of
	// a changed query. One of them is "".
	schema, query string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", m.file, m.line, m.kind, m.what)
}

// verdict is what came of a mutant. killer is the test that noticed it; "" means
// that it survived.
type verdict struct {
	mutant mutant
	killer string
	err    error
}

func (v verdict) String() string {
	if v.killer == "" {
		return "SURVIVED " + v.mutant.String()
	}
	return "killed   " + v.mutant.String() + " by " + v.killer
}

// score counts verdicts.
type score struct {
	killed, all map[string]int
	survivors   []string
}

func (s *score) add(v verdict) {
	if s.all == nil {
		s.killed, s.all = map[string]int{}, map[string]int{}
	}
	s.all[v.mutant.kind]++
	if v.killer != "" {
		s.killed[v.mutant.kind]++
		return
	}
	s.survivors = append(s.survivors, v.mutant.String())
}

// The percentages that have to be noticed: of conditions of ownership, and of all else.
const (
	goalOwnership = 100
	goalElse      = 95
)

// missed says of what too few were noticed; nil for nothing.
func (s score) missed() error {
	killed, all := 0, 0
	for _, kind := range kinds {
		if kind != kindOwnership {
			killed, all = killed+s.killed[kind], all+s.all[kind]
		}
	}
	return errors.Join(short("of ownership", s.killed[kindOwnership], s.all[kindOwnership], goalOwnership), short("of all else", killed, all, goalElse))
}

func short(what string, killed, all, goal int) error {
	if 100*killed >= goal*all {
		return nil
	}
	return fmt.Errorf("%s %d of %d are noticed, want %d %%", what, killed, all, goal)
}

// String is a line for each survivor and each kind.
func (s score) String() string {
	var text strings.Builder
	for _, survivor := range s.survivors {
		fmt.Fprintln(&text, "survived:", survivor)
	}
	for _, kind := range kinds {
		if all := s.all[kind]; all > 0 {
			fmt.Fprintf(&text, "%-12s %3d of %3d killed, %5.1f %%\n", kind, s.killed[kind], all, 100*float64(s.killed[kind])/float64(all))
		}
	}
	return text.String()
}
