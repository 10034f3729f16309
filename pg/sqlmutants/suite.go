package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// binary is the tests of one package, built once.
type binary struct{ path, folder string }

// test is one of a binary. file is that which it stands in, without "_test.go".
type test struct {
	name, file string
	of         *binary
}

func (t test) String() string {
	return filepath.ToSlash(t.of.folder) + "." + t.name
}

// suite is all tests there are, and where they find PostgreSQL.
type suite struct {
	tests   []test
	queries map[string]string // the files of queries by their names
	url     string
	sound   sync.Map // whether a test passes without a mutant, where that is known
}

var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// build builds the tests of packages, with queries that can be changed.
func build(ctx context.Context, folder string, packages []string) (*suite, error) {
	replacing, err := overlay(".", folder)
	if err != nil {
		return nil, err
	}
	s := &suite{queries: map[string]string{}}
	for i, name := range packages {
		b := &binary{path: filepath.Join(folder, fmt.Sprintf("%d.test", i)), folder: filepath.Clean(name)}
		command := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", replacing, "-o", b.path, name)
		if out, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building the tests of %s: %w\n%s", name, err, out)
		}
		tests, err := testsOf(b)
		if err != nil {
			return nil, err
		}
		s.tests = append(s.tests, tests...)
	}
	files, err := filepath.Glob("queries/*.sql")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s.queries[strings.TrimSuffix(filepath.Base(file), ".sql")] = string(text)
	}
	return s, nil
}

// testsOf reads which tests stand in which file.
func testsOf(b *binary) (tests []test, err error) {
	files, err := filepath.Glob(filepath.Join(b.folder, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, found := range testFunc.FindAllStringSubmatch(string(code), -1) {
			if found[1] != "TestMain" {
				tests = append(tests, test{found[1], strings.TrimSuffix(filepath.Base(file), "_test.go"), b})
			}
		}
	}
	return tests, nil
}

// general are the files of tests that look at all of the SQL, by the kind of
// mutant that they are likely to notice.
var general = map[string][]string{
	kindOwnership: {"private"},
	kindIndex:     {"plans"},
	kindNotNull:   {"constraints"},
	kindCheck:     {"constraints"},
	kindUnique:    {"constraints"},
	kindForeign:   {"constraints"},
}

// stageLength is how many tests are run before it is looked whether one of them
// has failed: they run side by side, and none of them stops the others.
const stageLength = 40

// stages gives the tests in the order in which they are run: those that look at
// all of the SQL, those whose file is named like a noun that the mutant is about,
// and the rest. Each stage is of one binary.
func (s *suite) stages(m mutant) (stages [][]test) {
	nouns := s.nouns(m.about)
	ordered := slices.Clone(s.tests)
	rank := func(t test) int {
		switch {
		case contains(general[m.kind], t.file):
			return 0
		case contains(nouns, t.file):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(ordered, func(a, b test) int { return rank(a) - rank(b) })
	for _, t := range ordered {
		last := len(stages) - 1
		if last < 0 || len(stages[last]) == stageLength || rank(stages[last][0]) != rank(t) || stages[last][0].of != t.of {
			stages, last = append(stages, nil), last+1
		}
		stages[last] = append(stages[last], t)
	}
	return stages
}

// contains says whether a file of tests is named like one of some nouns, as
// file_uploads is like files.
func contains(nouns []string, file string) bool {
	for _, noun := range nouns {
		if strings.HasPrefix(file, strings.TrimSuffix(noun, "s")) {
			return true
		}
	}
	return false
}

// nouns are what a table or a file of queries is about: itself, and all files of
// queries that name it.
func (s *suite) nouns(about string) []string {
	nouns := []string{about}
	named := regexp.MustCompile(`\b` + regexp.QuoteMeta(about) + `\b`)
	for file, text := range s.queries {
		if named.MatchString(text) {
			nouns = append(nouns, file)
		}
	}
	return nouns
}
