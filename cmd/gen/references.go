package main

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkReferences finds each $ref that leads nowhere, before anything else is
// read: all that would follow from a missing component is then not told as well.
func (d *document) checkReferences() {
	for _, path := range entries(get(d.root, "paths")) {
		for _, e := range entries(path.value) {
			where := "path " + path.name
			if slices.Contains(methods, e.name) {
				where = "operation " + operationName(path, e)
			}
			d.checkReferencesIn(where, e.value)
		}
	}
	for _, section := range entries(get(d.root, "components")) {
		for _, e := range entries(section.value) {
			d.checkReferencesIn("components."+section.name+"."+e.name, e.value)
		}
	}
}

// values are keys under which a $ref is no reference.
var values = []string{"example", "examples", "default", "const", "enum"}

func (d *document) checkReferencesIn(where string, n *yaml.Node) {
	if get(n, "$ref") != nil {
		if _, problem := d.follow(n); problem != "" {
			d.faults.add(n, "%s: %s", where, problem)
		}
	}
	for _, e := range entries(n) {
		if !slices.Contains(values, e.name) {
			d.checkReferencesIn(where, e.value)
		}
	}
	for _, item := range items(n) {
		d.checkReferencesIn(where, item)
	}
}

// resolved is a component and its name.
type resolved struct {
	node *yaml.Node
	name string
}

// follow gives what a $ref leads to, or says why it leads nowhere.
func (d *document) follow(n *yaml.Node) (found resolved, problem string) {
	found.node = n
	for range maxNesting {
		ref := text(get(found.node, "$ref"))
		if ref == "" {
			return found, ""
		}
		parts := strings.Split(ref, "/")
		if len(parts) != 4 || parts[0] != "#" || parts[1] != "components" {
			return resolved{}, fmt.Sprintf("$ref %q does not name a component of this document", ref)
		}
		target := get(d.root, "components", parts[2], parts[3])
		if target == nil {
			return resolved{}, fmt.Sprintf("$ref %q leads nowhere", ref)
		}
		found = resolved{target, parts[3]}
	}

	return resolved{}, "$ref leads to itself"
}
