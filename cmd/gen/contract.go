package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// contract is what the generator knows about the document's operations.
type contract struct {
	*document
	// served is the document before publish wrote answers into it: what methods see.
	served     *yaml.Node
	defaults   defaults
	operations []*operation
	problems   []problem
	schemas    map[string]*schema
}

// operation is one operation with what follows from the document for it.
type operation struct {
	id       string
	method   string     // upper case
	path     string     // as the document has it
	key      *yaml.Node // the method's
	node     *yaml.Node
	pathItem *yaml.Node
	params   []param
	bodies   []body
	required bool // the body
	access   [][]string
	policy   policyRow
}

// param is a parameter with its references resolved.
type param struct {
	name, in string
	required bool
	node     *yaml.Node
	schema   *yaml.Node
}

// body is one content type of a request body.
type body struct {
	mediaType string
	schema    *yaml.Node // unresolved
}

func (o *operation) public() bool { return len(o.access) == 0 }

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

var documentKeys = []string{
	"openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags", "externalDocs",
	"x-policy", "x-problems",
}

var operationKeys = []string{
	"tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody",
	"responses", "callbacks", "deprecated", "security", "servers", "x-policy",
}

func readContract(doc *document) *contract {
	c := &contract{document: doc, schemas: map[string]*schema{}}
	c.defaults = c.readDefaults(get(doc.root, "x-policy"))
	c.problems = c.readProblems(get(doc.root, "x-problems"))
	if version := text(get(doc.root, "openapi")); !strings.HasPrefix(version, "3.1.") {
		doc.faults.add(get(doc.root, "openapi"), "the document has to be OpenAPI 3.1, not %q", version)
	}
	if hooks := get(doc.root, "webhooks"); hooks != nil {
		doc.faults.add(hooks, "webhooks are not supported")
	}
	for _, e := range entries(doc.root) {
		if !slices.Contains(documentKeys, e.name) {
			doc.faults.add(e.key, "%q is not known", e.name)
		}
	}
	for _, path := range entries(get(doc.root, "paths")) {
		c.readPath(path)
	}
	c.checkIDs()

	return c
}

func (c *contract) checkIDs() {
	seen := map[string]bool{}
	for _, op := range c.operations {
		folded := strings.ToLower(op.id)
		if seen[folded] {
			c.faults.add(op.node, "operation %s: another operation has this operationId", op.id)
		}
		seen[folded] = true
	}
}

func (c *contract) readPath(path entry) {
	for _, e := range entries(path.value) {
		switch {
		case slices.Contains(methods, e.name):
			c.readOperation(path, e)
		case slices.Contains([]string{"summary", "description", "parameters"}, e.name):
		default:
			c.faults.add(e.key, "path %s: %q is not supported here", path.name, e.name)
		}
	}
}

func (c *contract) readOperation(path, method entry) {
	op := &operation{
		id:       operationName(path, method),
		method:   strings.ToUpper(method.name),
		path:     path.name,
		key:      method.key,
		node:     method.value,
		pathItem: path.value,
	}
	if get(method.value, "operationId") == nil {
		c.faults.add(method.key, "operation %s: it has no operationId", op.id)
	}
	c.checkKeys(op, method)
	c.readAccess(op)
	c.readParams(op)
	c.readBodies(op)
	op.policy = c.readPolicy(op, get(method.value, "x-policy"))
	c.operations = append(c.operations, op)
}

// operationName is the operationId, or method and path where there is none.
func operationName(path, method entry) string {
	if id := text(get(method.value, "operationId")); id != "" {
		return id
	}

	return strings.ToUpper(method.name) + " " + path.name
}

func (c *contract) checkKeys(op *operation, method entry) {
	for _, key := range []string{"summary", "tags"} {
		if n := get(method.value, key); n == nil || text(n) == "" && len(items(n)) == 0 {
			c.faults.add(method.key, "operation %s: it has no %s", op.id, key)
		}
	}
	if responses := get(method.value, "responses"); len(entries(responses)) == 0 {
		c.faults.add(method.key, "operation %s: it has no responses", op.id)
	} else if pathParam.MatchString(op.path) && get(responses, "404") == nil {
		c.faults.add(responses, "operation %s: what its path names may not be there: it needs the answer '404', as {$ref: '#/components/responses/NotFound'}", op.id)
	}
	for _, e := range entries(method.value) {
		if !slices.Contains(operationKeys, e.name) {
			c.faults.add(e.key, "operation %s: %q is not known", op.id, e.name)
		}
	}
	for _, tag := range items(get(method.value, "tags")) {
		if !slices.ContainsFunc(items(get(c.root, "tags")), func(n *yaml.Node) bool { return text(get(n, "name")) == text(tag) }) {
			c.faults.add(tag, "operation %s: the tag %q is not among the document's tags", op.id, text(tag))
		}
	}
}

// readAccess reads `security`, the operation's own or the document's.
func (c *contract) readAccess(op *operation) {
	security := get(op.node, "security")
	if security == nil {
		security = get(c.root, "security")
	}
	if security == nil {
		c.faults.add(op.node, "operation %s: neither it nor the document has `security`", op.id)
	}
	for _, alternative := range items(security) {
		op.access = append(op.access, c.roles(op, alternative))
	}
}

const scheme = "oauth2"

func (c *contract) roles(op *operation, alternative *yaml.Node) []string {
	schemes := entries(alternative)
	if len(schemes) != 1 || schemes[0].name != scheme {
		c.faults.add(alternative, "operation %s: each alternative of `security` has to name the scheme %s and no other; public is `security: []`", op.id, scheme)

		return nil
	}
	known := get(c.root, "components", "securitySchemes", scheme, "flows", "password", "scopes")
	roles := texts(schemes[0].value)
	for _, role := range roles {
		if get(known, role) == nil {
			c.faults.add(alternative, "operation %s: the scheme %s has no scope %q", op.id, scheme, role)
		}
	}

	return roles
}

func (c *contract) readParams(op *operation) {
	declared := map[string]bool{}
	// An operation's parameter replaces the one of its path with the same name and place.
	for _, list := range []*yaml.Node{get(op.pathItem, "parameters"), get(op.node, "parameters")} {
		for _, n := range items(list) {
			p, ok := c.readParam(op, n)
			declared["{"+p.name+"}"] = declared["{"+p.name+"}"] || p.in == "path"
			if !ok {
				continue
			}
			same := func(q param) bool { return q.name == p.name && q.in == p.in }
			if i := slices.IndexFunc(op.params, same); i >= 0 {
				op.params[i] = p
			} else {
				op.params = append(op.params, p)
			}
		}
	}
	for _, name := range pathParam.FindAllString(op.path, -1) {
		if !declared[name] {
			c.faults.add(op.key, "operation %s: the parameter %s of the path is not declared", op.id, name)
		}
	}
	// Faults are told in the order in which the wrapper reads.
	place := []string{"path", "query", "header"}
	slices.SortStableFunc(op.params, func(a, b param) int {
		return slices.Index(place, a.in) - slices.Index(place, b.in)
	})
}

var pathParam = regexp.MustCompile(`\{[^{}/]*\}`)

func (c *contract) readParam(op *operation, n *yaml.Node) (param, bool) {
	n, _ = c.resolve(n)
	p := param{
		name: text(get(n, "name")), in: text(get(n, "in")),
		required: isTrue(get(n, "required")), node: n, schema: get(n, "schema"),
	}
	switch {
	case n == nil:
		return p, false
	case !slices.Contains([]string{"path", "query", "header"}, p.in):
		c.faults.add(n, "operation %s: parameter %s: parameters in %q are not supported", op.id, p.name, p.in)
	case p.schema == nil:
		c.faults.add(n, "operation %s: parameter %s has no schema", op.id, p.name)
	case get(n, "style") != nil && text(get(n, "style")) != map[string]string{"query": "form"}[p.in]:
		c.faults.add(n, "operation %s: parameter %s: this style is not supported", op.id, p.name)
	case isFalse(get(n, "explode")), isTrue(get(n, "allowReserved")), isTrue(get(n, "allowEmptyValue")):
		c.faults.add(n, "operation %s: parameter %s: explode: false, allowReserved and allowEmptyValue are not supported", op.id, p.name)
	case p.in == "path" && !strings.Contains(op.path, "{"+p.name+"}"):
		c.faults.add(n, "operation %s: the path has no {%s}", op.id, p.name)
	default:
		return p, true
	}

	return p, false
}

func (c *contract) readBodies(op *operation) {
	n, _ := c.resolve(get(op.node, "requestBody"))
	if n == nil {
		return
	}
	op.required = isTrue(get(n, "required"))
	for _, e := range entries(get(n, "content")) {
		if e.name != strings.ToLower(e.name) || strings.ContainsAny(e.name, "*; ") {
			c.faults.add(e.key, "operation %s: the content type %q has to be one plain media type in lower case", op.id, e.name)
		}
		b := body{e.name, get(e.value, "schema")}
		if (b.structured() || b.multipart()) && get(e.value, "example") == nil && len(entries(get(e.value, "examples"))) == 0 {
			c.faults.add(e.key, "operation %s: %s: the body has no example", op.id, e.name)
		}
		if op.method == "PATCH" && b.json() && !b.patch() {
			c.faults.add(e.key, "operation %s: a PATCH takes %s (RFC 7396), not %s: only there do absent and null differ", op.id, mergePatch, e.name)
		}
		op.bodies = append(op.bodies, b)
	}
	if len(op.bodies) == 0 {
		c.faults.add(n, "operation %s: the request body has no content", op.id)
	}
}

// structured says that the body is decoded into a struct, so that it can be validated.
func (b body) structured() bool { return b.json() || b.form() }

func (b body) json() bool {
	return b.mediaType == "application/json" || strings.HasSuffix(b.mediaType, "+json")
}

func (b body) form() bool { return b.mediaType == "application/x-www-form-urlencoded" }

func (b body) multipart() bool { return b.mediaType == "multipart/form-data" }

const mergePatch = "application/merge-patch+json"

func (b body) patch() bool { return b.mediaType == mergePatch }

// hasMember says whether a rate limit may be by this name.
func (c *contract) hasMember(op *operation, name string) bool {
	for _, p := range op.params {
		if p.name == name {
			return true
		}
	}
	for _, b := range op.bodies {
		if !b.structured() || !c.schemaOf(b.schema).has(name) {
			return false
		}
	}

	return len(op.bodies) > 0
}

// echoPath is the route in Echo's form.
func (o *operation) echoPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(o.path)
}

// produces lists the content types among which a client chooses; none where a
// success has only one.
func (c *contract) produces(o *operation) []string {
	for _, e := range entries(get(o.node, "responses")) {
		response, _ := c.resolve(e.value)
		if content := entries(get(response, "content")); e.name < "3" && len(content) > 1 {
			names := make([]string, len(content))
			for i, c := range content {
				names[i] = c.name
			}

			return names
		}
	}

	return nil
}

// statuses lists the numeric statuses of the answers in ascending order.
func (o *operation) statuses() []int {
	var list []int
	for _, e := range entries(get(o.node, "responses")) {
		if status, err := strconv.Atoi(e.name); err == nil {
			list = append(list, status)
		}
	}
	slices.Sort(list)

	return list
}
