package main

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// publish writes into each operation what follows from its access, its policy
// and its parameters. What the author wrote himself stays.
func publish(c *contract) {
	removeMarks("", c.root)
	for _, op := range c.operations {
		for _, p := range derivedParams {
			if p.applies(op) {
				c.addParam(op, p)
			}
		}
	}
	c.served = clone(c.root)
	for _, op := range c.operations {
		responses := get(op.node, "responses")
		for _, derived := range c.derivedAnswers(op) {
			if get(responses, derived.status) == nil {
				c.addAnswer(op, responses, derived)
			}
		}
		for _, e := range entries(responses) {
			c.addHeaders(op, responses, e)
		}
		sortAnswers(responses)
		op.publishEnd()
	}
	for _, section := range []string{"parameters", "responses", "headers"} {
		pruneOf(c.root, section, func(name string) bool { return slices.Contains(derivedComponents, name) })
	}
}

// publishEnd says when an operation ends to those who read the document:
// x-deprecated-reason is for the comments of the Go client, and x-sunset for
// oasdiff, by which the operation may go on that day.
func (o *operation) publishEnd() {
	after, sunset := o.policy.deprecatedAfter, o.policy.sunset
	if after.IsZero() {
		return
	}
	set(o.node, "deprecated", boolean(true))
	reason := "since " + after.Format(time.DateOnly)
	if !sunset.IsZero() {
		reason += ", and it ends on " + sunset.Format(time.DateOnly)
		set(o.node, "x-sunset", scalar(sunset.Format(time.DateOnly)))
	}
	set(o.node, "x-deprecated-reason", scalar(reason+"."))
}

// derivedComponents are there for policies, and for what the next resource has; the
// published form has those that an operation or its policy refers to.
var derivedComponents = []string{
	"IfMatch", "PreconditionFailed",
	"IfNoneMatch", "IdempotencyKey",
	"Conflict", "NotAcceptable", "NotModified", "Forbidden",
	"ETag", "Revalidate", "IdempotencyReplayed", "Deprecation", "Sunset",
}

// derivedParam is a request header that the chain acts on, so that no method has to.
type derivedParam struct {
	name, component string
	applies         func(*operation) bool
}

var derivedParams = []derivedParam{
	{"If-None-Match", "IfNoneMatch", (*operation).cached},
	{"Idempotency-Key", "IdempotencyKey", (*operation).idempotent},
}

func (o *operation) cached() bool     { return o.policy.cache != nil }
func (o *operation) idempotent() bool { return o.policy.idempotent }

func (c *contract) addParam(op *operation, p derivedParam) {
	if slices.ContainsFunc(op.params, func(own param) bool { return own.in == "header" && own.name == p.name }) {
		c.faults.add(op.node, "operation %s: the parameter %s follows from its policy: take it out", op.id, p.name)

		return
	}
	if !c.describes(op, "parameters", p.component, "parameter "+p.name) {
		return
	}
	if get(op.node, "parameters") == nil {
		set(op.node, "parameters", sequence())
	}
	list := get(op.node, "parameters")
	list.Content = append(list.Content, mapping("$ref", scalar("#/components/parameters/"+p.component)))
	if read, ok := c.readParam(op, list.Content[len(list.Content)-1]); ok {
		op.params = append(op.params, read)
	}
}

// describes says whether the document has the component that something derived
// refers to.
func (c *contract) describes(op *operation, section, component, of string) bool {
	if get(c.root, "components", section, component) != nil {
		return true
	}
	c.faults.add(op.node, "operation %s: it needs components.%s.%s for its %s", op.id, section, component, of)

	return false
}

// answer is a status and the component that describes it.
type answer struct{ status, component string }

func (c *contract) derivedAnswers(o *operation) []answer {
	list := []answer{{"default", "Unexpected"}}
	if !o.policy.static {
		list = append(list, status(http.StatusServiceUnavailable, "Unavailable"))
	}
	if !o.public() {
		list = append(list, status(http.StatusUnauthorized, "Unauthorized"))
	}
	if slices.ContainsFunc(o.access, func(roles []string) bool { return len(roles) > 0 }) {
		list = append(list, status(http.StatusForbidden, "Forbidden"))
	}
	if len(o.bodies) > 0 {
		list = append(list, status(http.StatusRequestEntityTooLarge, "PayloadTooLarge"),
			status(http.StatusUnsupportedMediaType, "UnsupportedMediaType"))
	}
	if len(o.bodies) > 0 || len(o.params) > 0 {
		list = append(list, status(http.StatusBadRequest, "BadRequest"),
			status(http.StatusUnprocessableEntity, "ValidationFailed"))
	}
	if o.idempotent() {
		list = append(list, status(http.StatusConflict, "Conflict"))
	}
	if len(c.produces(o)) > 0 {
		list = append(list, status(http.StatusNotAcceptable, "NotAcceptable"))
	}
	if o.cached() {
		list = append(list, status(http.StatusNotModified, "NotModified"))
	}
	if len(o.policy.limits) > 0 {
		list = append(list, status(http.StatusTooManyRequests, "TooManyRequests"))
	}

	return list
}

func status(code int, component string) answer { return answer{strconv.Itoa(code), component} }

func (c *contract) addAnswer(op *operation, responses *yaml.Node, a answer) {
	if c.describes(op, "responses", a.component, "answer "+a.status) {
		set(responses, a.status, mapping("$ref", scalar("#/components/responses/"+a.component)))
	}
}

// chainHeader is a header of answers that the operation chain sends, whatever
// the method answers.
type chainHeader struct {
	name, component string
	// of says in which answers of which operations it stands.
	of func(op *operation, status string) bool
	// own headers follow from a policy that few operations have: a component that
	// others share is copied before they are written into it.
	own bool
}

var chainHeaders = []chainHeader{
	{"X-Request-Id", "RequestId", func(*operation, string) bool { return true }, false},
	{"RateLimit", "RateLimit", limitedAnswer, false},
	{"RateLimit-Policy", "RateLimitPolicy", limitedAnswer, false},
	{"ETag", "ETag", cachedAnswer, true},
	{"Cache-Control", "Revalidate", cachedAnswer, true},
	{"Cache-Control", "CacheControl", func(o *operation, status string) bool { return !cachedAnswer(o, status) }, false},
	{"Idempotency-Replayed", "IdempotencyReplayed", func(o *operation, status string) bool { return o.idempotent() && status < "3" }, true},
	{"Deprecation", "Deprecation", func(o *operation, _ string) bool { return !o.policy.deprecatedAfter.IsZero() }, true},
	{"Sunset", "Sunset", func(o *operation, _ string) bool { return !o.policy.sunset.IsZero() }, true},
}

func limitedAnswer(o *operation, status string) bool {
	return len(o.policy.limits) > 0 && (status < "5" || status == strconv.Itoa(http.StatusServiceUnavailable)) // not default
}

func cachedAnswer(o *operation, status string) bool {
	return o.cached() && (status == strconv.Itoa(http.StatusOK) || status == strconv.Itoa(http.StatusNotModified))
}

// addHeaders writes them into one answer, or into the component that it refers to.
func (c *contract) addHeaders(op *operation, responses *yaml.Node, answer entry) {
	for _, h := range chainHeaders {
		if !h.of(op, answer.name) {
			continue
		}
		if get(c.root, "components", "headers", h.component) == nil {
			if h.own {
				c.describes(op, "headers", h.component, "header "+h.name)
			}
			continue // the document does not describe it
		}
		response, _ := c.resolve(get(responses, answer.name))
		if h.own && response != get(responses, answer.name) {
			response = clone(response)
			set(responses, answer.name, response)
		}
		if get(response, "headers") == nil {
			set(response, "headers", mapping())
		}
		if headers := get(response, "headers"); get(headers, h.name) == nil || h.own {
			set(headers, h.name, mapping("$ref", scalar("#/components/headers/"+h.component)))
		}
	}
}

// sortAnswers puts statuses in ascending order and default last.
func sortAnswers(responses *yaml.Node) {
	list := entries(responses)
	slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	responses.Content = responses.Content[:0]
	for _, e := range list {
		// A status is a string in OpenAPI, even where YAML would read a number.
		e.key.Tag = "!!str"
		responses.Content = append(responses.Content, e.key, e.value)
	}
}
