package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// owns is a condition that says whose a row is: what its owner's column is, or
// what is somebody's own. A worker owns the report that it has the lease of.
var owns = regexp.MustCompile(`(?:\b(?:WHERE|AND|OR)\s+|\()` +
	`((?:\w+\.)?(?:(?:user_id|lease_token) = (?:@\w+|sqlc\.n?arg\('\w+'\)(?:::\w+)?|\w+\.id)` +
	`|\w+ = (?:@(?:user|viewer)_id\b|sqlc\.n?arg\('(?:user|viewer)_id'\)(?:::\w+)?)))`)

// parameter is one in queries/, quoted for a regular expression; sqlc numbers it.
var parameter = regexp.MustCompile(`@\w+|sqlc\\\.n?arg\\\('\w+'\\\)`)

var (
	queryName = regexp.MustCompile(`^-- name: (\w+) :\w+`)
	generated = regexp.MustCompile("(?s)const (\\w+) = (`-- name: (\\w+) [^`]*`)")
)

// ownershipMutants gives one for each condition of ownership in the queries of a
// module. The condition is not taken away, but made true for every row, so that
// PostgreSQL still knows the types of all parameters.
func ownershipMutants(root string) (mutants []mutant, err error) {
	texts, err := generatedQueries(root)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "queries", "*.sql"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		ofFile, err := conditions(filepath.Base(file), string(source), texts)
		if err != nil {
			return nil, err
		}
		mutants = append(mutants, ofFile...)
	}
	return mutants, nil
}

// conditions finds those of one file. One that stands in a query several times is
// the nth one of its generated text.
func conditions(file, source string, texts map[string]string) (mutants []mutant, err error) {
	query, seen := "", map[string]int{}
	for i, text := range strings.Split(source, "\n") {
		if name := queryName.FindStringSubmatch(text); name != nil {
			query, seen = name[1], map[string]int{}
		}
		if strings.HasPrefix(text, "--") {
			continue
		}
		for _, found := range owns.FindAllStringSubmatch(text, -1) {
			pattern := numbered(found[1])
			changed, err := withoutNth(texts[query], pattern, seen[pattern])
			if err != nil {
				return nil, fmt.Errorf("queries/%s:%d: %s: %w", file, i+1, query, err)
			}
			seen[pattern]++
			mutants = append(mutants, mutant{
				kind: kindOwnership, file: "queries/" + file, line: i + 1, what: query + " without " + found[1],
				about: strings.TrimSuffix(file, ".sql"), query: changed,
			})
		}
	}
	return mutants, nil
}

// numbered is the pattern of a condition as sqlc writes it, with numbers for names.
func numbered(condition string) string {
	return `(?:^|[^\w.])(` + parameter.ReplaceAllLiteralString(regexp.QuoteMeta(condition), `\$\d+`) + `)(?:\W|$)`
}

// withoutNth makes the nth condition of a pattern true in a generated query.
func withoutNth(text, pattern string, nth int) (string, error) {
	found := regexp.MustCompile(pattern).FindAllStringSubmatchIndex(text, -1)
	if nth >= len(found) {
		return "", fmt.Errorf("its text in gen/db has no %s", pattern)
	}
	from, to := found[nth][2], found[nth][3]
	return text[:from] + "(" + text[from:to] + " OR true)" + text[to:], nil
}

// generatedQueries gives the text of each query by its name.
func generatedQueries(root string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "gen", "db", "*.sql.go"))
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, query := range generated.FindAllStringSubmatch(string(code), -1) {
			if texts[query[3]], err = strconv.Unquote(query[2]); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return texts, nil
}
