package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// queryEnv holds the text of a query for the tests, which takes the place of the
// one with the same name.
const queryEnv = "ACCORD_MUTATED_QUERY"

// switched is added to gen/db.
const switched = `package db

import (
	"os"
	"strings"
)

func mutated(query string) string {
	name, _, _ := strings.Cut(query, "\n")
	if other := os.Getenv("` + queryEnv + `"); strings.HasPrefix(other, name+"\n") {
		return other
	}
	return query
}
`

// overlay writes what `go build -overlay` wants: gen/db with queries that can be
// changed from outside, so that one build serves all mutants.
func overlay(root, folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, "gen", "db", "*.sql.go"))
	if err != nil {
		return "", err
	}
	texts := map[string]string{filepath.Join(root, "gen", "db", "mutated.go"): switched}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		texts[file] = generated.ReplaceAllString(string(code), "var $1 = mutated($2)")
	}
	return writeOverlay(folder, texts)
}

// writeOverlay puts the files beside each other and their list with them.
func writeOverlay(folder string, texts map[string]string) (string, error) {
	replace := map[string]string{}
	for file, text := range texts {
		path, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(folder, filepath.Base(file))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}
