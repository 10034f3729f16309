package main

import "gopkg.in/yaml.v3"

// pageParams are what every list takes.
var pageParams = []string{"limit", "cursor"}

// checkLists wants each operation that answers with a page to say how large it may
// be and to go on after it.
func (c *contract) checkLists() {
	for _, op := range c.operations {
		if c.pageOf(op) == nil {
			continue
		}
		for _, name := range pageParams {
			if !op.takes(name) {
				c.faults.add(op.key, "operation %s: it answers with a page, so it needs the parameter %s", op.id, name)
			}
		}
	}
}

func (o *operation) takes(name string) bool {
	for _, p := range o.params {
		if p.in == "query" && p.name == name {
			return true
		}
	}

	return false
}

// pageOf is the schema of the page that an operation answers with; nil for none.
func (c *contract) pageOf(op *operation) *schema {
	for _, answer := range entries(get(op.node, "responses")) {
		response, _ := c.resolve(answer.value)
		for _, e := range entries(get(response, "content")) {
			if s := c.schemaOf(get(e.value, "schema")); s.isPage() {
				return s
			}
		}
	}

	return nil
}

// checkAnswerExamples wants an example of each answer that has a content, derived
// ones included: documentation and the clients' fakes are made from them.
func (c *contract) checkAnswerExamples() {
	for _, op := range c.operations {
		for _, answer := range entries(get(op.node, "responses")) {
			response, component := c.resolve(answer.value)
			where := "operation " + op.id + ": " + answer.name
			if component != "" {
				where = "components.responses." + component
			}
			for _, e := range entries(get(response, "content")) {
				if !hasExample(e.value) {
					c.faults.add(e.key, "%s: %s: the answer has no example", where, e.name)
				}
			}
		}
	}
}

func hasExample(n *yaml.Node) bool {
	return get(n, "example") != nil || len(entries(get(n, "examples"))) > 0
}
