package main

import (
	"fmt"
	"strings"
	"time"
)

// policies writes policy.gen.go.
func (c *contract) policies() string {
	e := &emitter{}
	e.line("%spackage api\n\nimport (\n\"time\"\n\n%q\n)\n", header, modulePath+"/policy")
	e.line("// Policies says for each operationId who may call it and within which limits.")
	e.line("var Policies = map[string]*policy.Policy{")
	for _, op := range c.operations {
		e.line("%q: {\n%s},", op.id, op.policyFields(c.produces(op), c.isTokenEndpoint(op)))
	}
	e.line("}\n")
	e.line("// Anonymous is the document's limit for each address where nobody is signed in.")
	e.line("var Anonymous = policy.RateLimit%s", c.defaults.limitBy("ip")[0].literal())

	return e.String()
}

func (o *operation) policyFields(produces []string, tokenEndpoint bool) string {
	e := &emitter{}
	row := o.policy
	e.line("OperationID: %q,\nMethod: %q,\nPath: %q,", o.id, o.method, o.echoPath())
	e.list("Access", "[]policy.Roles", len(o.access), func(i int) string { return "{" + quoted(o.access[i]) + "}" })
	e.list("RateLimits", "[]policy.RateLimit", len(row.limits), func(i int) string { return row.limits[i].literal() })
	e.line("BodyLimit: %d,", row.bodyLimit)
	e.durations("Timeout", row.timeout)
	e.durations("Stall", row.stall)
	if row.concurrency > 0 {
		e.line("Concurrency: %d,", row.concurrency)
	}
	if row.idempotent {
		e.line("Idempotent: true,")
	}
	if row.cache != nil {
		e.line("Cache: &policy.Cache{TTL: %s, Tags: []string{%s}, Vary: []policy.By{%s}},",
			goDuration(row.cache.ttl), quoted(row.cache.tags), quoted(row.cache.vary))
	}
	e.optional("Audit", row.audit)
	e.times("DeprecatedAfter", row.deprecatedAfter)
	e.times("Sunset", row.sunset)
	if query := o.queryParams(); len(query) > 0 {
		e.line("Query: []string{%s},", quoted(query))
	}
	if len(produces) > 0 {
		e.line("Produces: []string{%s},", quoted(produces))
	}
	o.bodyPolicy(e)
	if tokenEndpoint {
		e.line("TokenEndpoint: true,")
	}
	e.line("Statuses: []int{%s},", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(o.statuses())), ", "), "[]"))

	return e.String()
}

func (o *operation) queryParams() []string {
	var names []string
	for _, p := range o.params {
		if p.in == "query" {
			names = append(names, p.name)
		}
	}

	return names
}

// isTokenEndpoint says whether a flow of the security schemes gets tokens here.
func (c *contract) isTokenEndpoint(op *operation) bool {
	for _, scheme := range entries(get(c.root, "components", "securitySchemes")) {
		for _, flow := range entries(get(scheme.value, "flows")) {
			if op.path == text(get(flow.value, "tokenUrl")) || op.path == text(get(flow.value, "refreshUrl")) {
				return true
			}
		}
	}

	return false
}

func (e *emitter) optional(name, value string) {
	if value != "" {
		e.line("%s: %q,", name, value)
	}
}

func (o *operation) bodyPolicy(e *emitter) {
	if len(o.bodies) == 0 {
		return
	}
	var types []string
	for _, b := range o.bodies {
		types = append(types, b.mediaType)
	}
	e.line("ContentTypes: []string{%s},", quoted(types))
	if o.required {
		e.line("BodyRequired: true,")
	}
}

func (e *emitter) list(name, goType string, n int, item func(int) string) {
	if n == 0 {
		return
	}
	e.line("%s: %s{", name, goType)
	for i := range n {
		e.line("%s,", item(i))
	}
	e.line("},")
}

func (e *emitter) durations(name string, d time.Duration) {
	if d > 0 {
		e.line("%s: %s,", name, goDuration(d))
	}
}

func (e *emitter) times(name string, t time.Time) {
	if !t.IsZero() {
		t = t.UTC()
		e.line("%s: time.Date(%d, %d, %d, %d, %d, %d, 0, time.UTC),", name, t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second())
	}
}

func (l rateLimit) literal() string {
	by := map[string]string{"ip": "policy.ByIP", "user": "policy.ByUser", "field": "policy.ByField"}[l.by]
	field := ""
	if l.field != "" {
		field = fmt.Sprintf(", Field: %q", l.field)
	}

	return fmt.Sprintf("{Limit: %d, Window: %s, By: %s%s}", l.limit, goDuration(l.window), by, field)
}

// goDuration writes a duration in its largest whole unit.
func goDuration(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if d%unit.size == 0 {
			return fmt.Sprintf("%d * time.%s", d/unit.size, unit.name)
		}
	}

	return fmt.Sprintf("%d", d)
}

func quoted(list []string) string {
	var b []string
	for _, s := range list {
		b = append(b, fmt.Sprintf("%q", s))
	}

	return strings.Join(b, ", ")
}

// problemTypes writes problem.gen.go.
func (c *contract) problemTypes() string {
	e := &emitter{}
	e.line("%spackage api\n", header)
	e.line("// ProblemType is an entry of the catalogue of problems (x-problems).")
	e.line("type ProblemType struct {\nCode string\nStatus int\nTitle, Meaning, Mend string")
	e.line("// Constraint is the unique constraint whose violation is this problem; \"\" for none.\nConstraint string")
	e.line("// OAuth is the error code at token endpoints (RFC 6749, section 5.2); \"\" for none.\nOAuth string\n}\n")
	e.line("// The catalogue of problems.\nvar (")
	names := make([]string, len(c.problems))
	for i, p := range c.problems {
		names[i] = "Problem" + typeName(p.Code)
		e.line("%s = &ProblemType{\nCode: %q,\nStatus: %d,\nTitle: %q,\nMeaning: %q,\nMend: %q,", names[i], p.Code, p.Status, p.Title, p.Meaning, p.Mend)
		e.optional("Constraint", p.Constraint)
		e.optional("OAuth", p.OAuth)
		e.line("}")
	}
	e.line(")\n\n// ProblemTypes is the catalogue in the document's order.\nvar ProblemTypes = []*ProblemType{")
	for _, name := range names {
		e.line("%s,", name)
	}
	e.line("}")

	return e.String()
}
