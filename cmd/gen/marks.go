package main

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// removeMarks takes out what is for the lock alone: which table something comes
// from is nobody else's business.
func removeMarks(key string, n *yaml.Node) {
	if n == nil {
		return
	}
	if !slices.Contains(named, key) {
		for _, mark := range []string{tableMark, columnMark, unindexedMark} {
			remove(n, mark)
		}
	}
	for _, e := range entries(n) {
		if !isValue(key, e.name) {
			removeMarks(e.name, e.value)
		}
	}
	for _, item := range items(n) {
		removeMarks(key, item)
	}
}
