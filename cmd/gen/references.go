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
	d.eachPart(func(where, _ string, n *yaml.Node) { d.checkReferencesIn(where, "", n) })
}

// eachPart visits the operations and the components, with what to call each and
// its JSON pointer.
func (d *document) eachPart(visit func(where, pointer string, n *yaml.Node)) {
	for _, path := range entries(get(d.root, "paths")) {
		for _, e := range entries(path.value) {
			where := "path " + path.name
			if slices.Contains(methods, e.name) {
				where = "operation " + operationName(path, e)
			}
			visit(where, "/paths/"+escapePointer(path.name)+"/"+e.name, e.value)
		}
	}
	for _, section := range entries(get(d.root, "components")) {
		if section.name == "securitySchemes" {
			continue
		}
		for _, e := range entries(section.value) {
			visit("components."+section.name+"."+e.name, "/components/"+section.name+"/"+escapePointer(e.name), e.value)
		}
	}
}

func escapePointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
}

// named are keys whose own keys are names that somebody has chosen.
var named = []string{"properties", "responses", "content", "headers", "links"}

// isValue says whether what stands under a key, in what stands under another one,
// is a value that says nothing by its own keys.
func isValue(parent, key string) bool {
	return !slices.Contains(named, parent) && slices.Contains([]string{"example", "examples", "default", "const", "enum", "x-policy"}, key)
}

func (d *document) checkReferencesIn(where, key string, n *yaml.Node) {
	if get(n, "$ref") != nil {
		if _, problem := d.follow(n); problem != "" {
			d.faults.add(n, "%s: %s", where, problem)
		}
	}
	for _, e := range entries(n) {
		if !isValue(key, e.name) {
			d.checkReferencesIn(where, e.name, e.value)
		}
	}
	for _, item := range items(n) {
		d.checkReferencesIn(where, key, item)
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
