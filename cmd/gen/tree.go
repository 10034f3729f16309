package main

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// document is the contract as a YAML tree, which keeps the order of everything.
type document struct {
	root   *yaml.Node
	faults *faults
}

// contractName is what its faults are told at.
const contractName = "openapi.yaml"

// parse reads the contract and replaces every alias by what it stands for.
func parse(source []byte) (*document, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", contractName, err)
	}
	if len(file.Content) != 1 || file.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("parsing %s: not a mapping", contractName)
	}
	doc := &document{faults: &faults{file: contractName}}
	doc.root = doc.expand(file.Content[0], 0)
	if err := doc.faults.err(); err != nil {
		return nil, err
	}
	doc.checkReferences()

	return doc, doc.faults.err()
}

// maxNodes of nesting; an alias within itself would have no end.
const maxNesting = 100

func (d *document) expand(n *yaml.Node, depth int) *yaml.Node {
	if depth > maxNesting {
		d.faults.add(n, "nested deeper than %d levels", maxNesting)

		return n
	}
	if n.Kind == yaml.AliasNode {
		return d.expand(n.Alias, depth+1)
	}
	c := *n
	c.Anchor = ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			d.checkKey(n, i)
		}
		c.Content[i] = d.expand(child, depth+1)
	}

	return &c
}

func (d *document) checkKey(n *yaml.Node, i int) {
	key := n.Content[i]
	if key.Value == "<<" {
		d.faults.add(key, "merge keys (<<) are not supported")
	}
	for j := 0; j < i; j += 2 {
		if n.Content[j].Value == key.Value {
			d.faults.add(key, "%q stands here twice", key.Value)
		}
	}
}

// get returns the value of a key, or nil. The chain of keys goes downwards.
func get(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		n = child(n, key)
	}

	return n
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}

	return nil
}

// entry is a key of a mapping and its value.
type entry struct {
	key   *yaml.Node
	name  string
	value *yaml.Node
}

// entries lists a mapping in the document's order; nothing for any other node.
func entries(n *yaml.Node) []entry {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	list := make([]entry, 0, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		list = append(list, entry{n.Content[i], n.Content[i].Value, n.Content[i+1]})
	}

	return list
}

// items lists a sequence; nothing for any other node.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}

	return n.Content
}

// text is a scalar's value, "" for any other node.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}

	return n.Value
}

func texts(n *yaml.Node) []string {
	var list []string
	for _, item := range items(n) {
		list = append(list, text(item))
	}

	return list
}

func isTrue(n *yaml.Node) bool  { return text(n) == "true" && n.Tag == "!!bool" }
func isFalse(n *yaml.Node) bool { return text(n) == "false" && n.Tag == "!!bool" }

func set(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value

			return
		}
	}
	n.Content = append(n.Content, scalar(key), value)
}

func remove(n *yaml.Node, key string) {
	for i := 0; n != nil && i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = slices.Delete(n.Content, i, i+2)

			return
		}
	}
}

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func number(value int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(value)}
}

func boolean(value bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(value)}
}

func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		value, _ := pairs[i+1].(*yaml.Node)
		set(n, key, value)
	}

	return n
}

func sequence() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"} }

func clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = clone(child)
	}

	return &c
}

// resolve follows $ref to the component itself and returns its name as well,
// "" for what is no reference.
func (d *document) resolve(n *yaml.Node) (*yaml.Node, string) {
	found, problem := d.follow(n)
	if problem != "" { // checkReferences has told of all but odd places
		d.faults.add(n, "%s", problem)
	}

	return found.node, found.name
}
