package main

import (
	"slices"

	"gopkg.in/yaml.v3"
)

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

// checkLimits is checkRequestLimits for a document by itself.
func checkLimits(source []byte) error {
	doc, err := parse(source)
	if err != nil {
		return err
	}
	readContract(doc).checkRequestLimits()

	return doc.faults.err()
}

// checkRequestLimits wants an end of all that requests carry: of texts, lists and
// numbers (OWASP API4:2023). Answers need none: what the server itself makes has no
// limit that anything enforces.
func (c *contract) checkRequestLimits() {
	seen := map[*yaml.Node]bool{}
	for _, op := range c.operations {
		for _, p := range op.params {
			c.limited(p.schema, "operation "+op.id+": "+p.name, seen)
		}
		for _, b := range op.bodies {
			c.limited(b.schema, "operation "+op.id+": "+b.mediaType, seen)
		}
	}
}

func (c *contract) limited(n *yaml.Node, where string, seen map[*yaml.Node]bool) {
	s := c.schemaOf(n)
	if s.name != "" {
		where = "components.schemas." + s.name
	}
	if seen[s.node] {
		return
	}
	seen[s.node] = true
	for _, keyword := range unlimited(s) {
		c.faults.add(s.node, "%s: what a request carries needs %s", where, keyword)
	}
	for _, m := range s.members {
		c.limited(m.node, where+"."+m.name, seen)
	}
	if s.items != nil {
		c.limited(s.items, where+"[]", seen)
	}
}

// fixedLength are the formats that fix the length of a text.
var fixedLength = []string{"uuid", "date", "date-time", "ipv4", "ipv6"}

// unlimited names the limits that a schema lacks.
func unlimited(s *schema) (missing []string) {
	lacks := func(keywords ...string) bool {
		return !slices.ContainsFunc(keywords, func(keyword string) bool { return s.keyword(keyword) != nil })
	}
	switch {
	case len(s.enum()) > 0 || slices.Contains(fixedLength, s.format):
	case s.format == "binary": // the body limit holds it
	case s.kind == "string" && lacks("maxLength"):
		missing = append(missing, "maxLength")
	case s.kind == "array" && lacks("maxItems"):
		missing = append(missing, "maxItems")
	case s.kind == "integer" || s.kind == "number":
		if lacks("minimum", "exclusiveMinimum") {
			missing = append(missing, "minimum")
		}
		if lacks("maximum", "exclusiveMaximum") {
			missing = append(missing, "maximum")
		}
	}

	return missing
}
