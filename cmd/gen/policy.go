package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// defaults are the document's own x-policy.
type defaults struct {
	timeout   time.Duration
	bodyLimit int64
	limits    []rateLimit
}

type rateLimit struct {
	limit  int
	window time.Duration
	by     string // ip, user or field
	field  string
}

// policyRow is one operation's x-policy, with the defaults filled in.
type policyRow struct {
	limits                  []rateLimit
	bodyLimit               int64
	timeout, stall          time.Duration
	concurrency             int
	idempotent, static      bool
	cache                   *cache
	audit                   string
	deprecatedAfter, sunset time.Time
}

type cache struct {
	ttl        time.Duration
	tags, vary []string
}

// plain turns a node into the values that a JSON Schema library knows.
func plain(n *yaml.Node) any {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(compactJSON(n))))
	if err != nil {
		return nil
	}

	return value
}

func (c *contract) readDefaults(n *yaml.Node) defaults {
	if n == nil {
		c.faults.add(c.root, "the document has no x-policy with the defaults")

		return defaults{}
	}
	if !c.checkPolicy("the document", "root", n) {
		return defaults{}
	}
	d := defaults{
		timeout:   c.duration(get(n, "timeout")),
		bodyLimit: c.size(get(n, "body-limit")),
		limits:    c.rateLimits(get(n, "rate-limit")),
	}
	for _, by := range []string{"user", "ip"} {
		if countBy(d.limits, by) != 1 {
			c.faults.add(get(n, "rate-limit"), "the document's rate-limit needs exactly one limit by %s", by)
		}
	}
	if countBy(d.limits, "field") > 0 {
		c.faults.add(get(n, "rate-limit"), "the document's rate-limit cannot be by a field")
	}

	return d
}

func countBy(limits []rateLimit, by string) (n int) {
	for _, l := range limits {
		if l.by == by {
			n++
		}
	}

	return n
}

func (d defaults) limitBy(by string) []rateLimit {
	for _, l := range d.limits {
		if l.by == by {
			return []rateLimit{l}
		}
	}

	return nil
}

func (c *contract) readPolicy(op *operation, n *yaml.Node) policyRow {
	row := policyRow{timeout: c.defaults.timeout, bodyLimit: c.defaults.bodyLimit}
	c.checkFields(op, get(n, "rate-limit"))
	if n != nil && !c.checkPolicy("operation "+op.id, "operation", n) {
		return row
	}
	if timeout := get(n, "timeout"); text(timeout) == "none" {
		row.timeout = 0
	} else if timeout != nil {
		row.timeout = c.duration(timeout)
	}
	if stall := get(n, "stall"); stall != nil {
		row.stall = c.duration(stall)
	}
	if limit := get(n, "body-limit"); limit != nil {
		row.bodyLimit = c.size(limit)
	}
	row.limits = c.operationLimits(op, get(n, "rate-limit"))
	row.concurrency, _ = strconv.Atoi(text(get(n, "concurrency")))
	row.idempotent = isTrue(get(n, "idempotent"))
	if row.idempotent {
		c.checkIdempotent(op, get(n, "idempotent"))
		if row.timeout == 0 {
			c.faults.add(n, "operation %s: x-policy.idempotent: it needs a timeout, until which a request with the same key waits", op.id)
		}
	}
	if row.static = isTrue(get(n, "static")); row.static {
		c.checkStatic(op, get(n, "static"), row)
	}
	row.cache = c.readCache(op, get(n, "cache"))
	row.audit = text(get(n, "audit"))
	row.deprecatedAfter = c.date(get(n, "deprecated-after"))
	row.sunset = c.date(get(n, "sunset"))
	if !row.sunset.IsZero() && row.sunset.Before(row.deprecatedAfter) {
		c.faults.add(get(n, "sunset"), "operation %s: the sunset comes before the deprecation", op.id)
	}

	return row
}

// operationLimits joins the operation's own limits with the default that holds
// for it: by user where somebody is signed in, by ip where nobody is. A limit
// of its own of the same kind takes the default's place.
func (c *contract) operationLimits(op *operation, n *yaml.Node) []rateLimit {
	if text(n) == "none" {
		return nil
	}
	own := c.rateLimits(n)
	for _, l := range own {
		if l.by == "user" && op.public() {
			c.faults.add(n, "operation %s: x-policy.rate-limit: nobody is signed in on a public operation, so that it cannot be by user", op.id)
		}
	}
	by := "user"
	if op.public() {
		by = "ip"
	}
	if countBy(own, by) == 0 {
		own = append(own, c.defaults.limitBy(by)...)
	}

	return own
}

// checkFields looks for the members that limits are by, whatever else is wrong
// with the policy.
func (c *contract) checkFields(op *operation, n *yaml.Node) {
	for _, item := range listed(n) {
		by := get(item, "by")
		if field, ok := strings.CutPrefix(text(by), "field:"); ok && !c.hasMember(op, field) {
			c.faults.add(by, "operation %s: x-policy.rate-limit: neither a parameter nor each request body has a member %q", op.id, field)
		}
	}
}

// listed gives the limits of an operation, which may have just one.
func listed(n *yaml.Node) []*yaml.Node {
	if n != nil && n.Kind == yaml.MappingNode {
		return []*yaml.Node{n}
	}

	return items(n)
}

// checkIdempotent refuses where a key could not be kept: it belongs to a user,
// and a request is the same as another one when its members are.
func (c *contract) checkIdempotent(op *operation, n *yaml.Node) {
	switch {
	case op.method == "GET":
		c.faults.add(n, "operation %s: x-policy.idempotent: a GET is idempotent by itself", op.id)
	case op.public():
		c.faults.add(n, "operation %s: x-policy.idempotent: a key belongs to a user, and nobody is signed in on a public operation", op.id)
	case slices.ContainsFunc(op.bodies, func(b body) bool { return !b.structured() }):
		c.faults.add(n, "operation %s: x-policy.idempotent: only JSON and forms can be compared with an earlier request", op.id)
	}
}

// checkStatic refuses where something could be away all the same: what an operation
// answers that is static stands when the server starts.
func (c *contract) checkStatic(op *operation, n *yaml.Node, row policyRow) {
	switch {
	case !op.public():
		c.faults.add(n, "operation %s: x-policy.static: a sign-in asks the database, so that it cannot be static", op.id)
	case row.concurrency > 0:
		c.faults.add(n, "operation %s: x-policy.static: with a concurrency there may be no free place, so that it cannot be static", op.id)
	case len(op.bodies)+len(op.params) > 0:
		c.faults.add(n, "operation %s: x-policy.static: its answer depends on what is sent, so that it cannot be static", op.id)
	}
}

func (c *contract) readCache(op *operation, n *yaml.Node) *cache {
	if n == nil {
		return nil
	}
	if op.method != "GET" {
		c.faults.add(n, "operation %s: x-policy.cache: only a GET can be cached", op.id)
	}
	vary := texts(get(n, "vary"))
	if !op.public() && len(vary) == 0 {
		c.faults.add(n, "operation %s: x-policy.cache: it is not public, so that it needs `vary: [user]`", op.id)
	}
	if op.public() && len(vary) > 0 {
		c.faults.add(n, "operation %s: x-policy.cache: a public operation cannot vary by user", op.id)
	}

	tags := texts(get(n, "tags"))
	for _, tag := range tags {
		if name := tagParam(tag); name != "" && !op.hasPathParam(name) {
			c.faults.add(n, "operation %s: x-policy.cache: the path has no {%s}", op.id, name)
		}
	}

	return &cache{ttl: c.duration(get(n, "ttl")), tags: tags, vary: vary}
}

// tagParam is the path parameter whose value completes a tag such as
// product:{product_id}; "" for a plain one.
func tagParam(tag string) string {
	_, name, _ := strings.Cut(tag, ":")

	return strings.Trim(name, "{}")
}

func (o *operation) hasPathParam(name string) bool {
	return slices.ContainsFunc(o.params, func(p param) bool { return p.in == "path" && p.name == name })
}

func (c *contract) rateLimits(n *yaml.Node) []rateLimit {
	var limits []rateLimit
	for _, item := range listed(n) {
		limit, err := strconv.Atoi(text(get(item, "limit")))
		if err != nil {
			c.faults.add(item, "x-policy.rate-limit: %v", err)
		}
		by, field, _ := strings.Cut(text(get(item, "by")), ":")
		limits = append(limits, rateLimit{limit, c.duration(get(item, "window")), by, field})
	}

	return limits
}

func (c *contract) duration(n *yaml.Node) time.Duration {
	d, err := time.ParseDuration(text(n))
	if err != nil || d <= 0 {
		c.faults.add(n, "x-policy: %q is not a duration above zero; 30s or 1m would be right", text(n))
	}

	return d
}

func (c *contract) size(n *yaml.Node) int64 {
	units := []struct {
		name  string
		bytes int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}
	for _, unit := range units {
		if digits, ok := strings.CutSuffix(text(n), unit.name); ok {
			size, err := strconv.ParseInt(digits, 10, 32)
			if err != nil {
				c.faults.add(n, "x-policy: %q is not a size", text(n))
			}

			return size * unit.bytes
		}
	}

	return 0
}

func (c *contract) date(n *yaml.Node) time.Time {
	if n == nil {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text(n)); err == nil {
			return t
		}
	}
	c.faults.add(n, "x-policy: %q is not a date", text(n))

	return time.Time{}
}

// checkSunsets refuses operations that are still there on the day on which they
// were to end.
func checkSunsets(source []byte, now time.Time) error {
	doc, err := parse(source)
	if err != nil {
		return err
	}
	for _, op := range readContract(doc).operations {
		if sunset := op.policy.sunset; !sunset.IsZero() && !now.Before(sunset) {
			doc.faults.add(get(op.node, "x-policy", "sunset"),
				"operation %s: its sunset was %s: take it out, or give who still calls it more time", op.id, sunset.Format(time.DateOnly))
		}
	}

	return doc.faults.err()
}

// problem is an entry of the catalogue of problem types.
type problem struct {
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Title   string `json:"title"`
	Meaning string `json:"meaning"`
	Mend    string `json:"mend"`
	// Constraint is the unique constraint whose violation is this problem, OAuth
	// the error code of RFC 6749; both may be absent.
	Constraint string `json:"constraint"`
	OAuth      string `json:"oauth"`
}

func (c *contract) readProblems(n *yaml.Node) []problem {
	seen := map[string]bool{}
	var list []problem
	for _, item := range items(n) {
		var p problem
		decoder := json.NewDecoder(strings.NewReader(string(compactJSON(item))))
		decoder.DisallowUnknownFields()
		switch err := decoder.Decode(&p); {
		case err != nil:
			c.faults.add(item, "x-problems: %v", err)
		case p.Code == "" || p.Title == "" || p.Meaning == "" || p.Mend == "" || p.Status < 400 || p.Status > 599:
			c.faults.add(item, "x-problems: %q needs code, status (400 to 599), title, meaning and mend", p.Code)
		case seen[p.Code]:
			c.faults.add(item, "x-problems: the code %q is there twice", p.Code)
		}
		seen[p.Code] = true
		list = append(list, p)
	}

	return list
}
