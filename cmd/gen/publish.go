package main

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// publish writes into each operation the answers that follow from its access,
// its policy and its parameters. What the author wrote himself stays.
func publish(c *contract) {
	for _, op := range c.operations {
		responses := get(op.node, "responses")
		for _, derived := range op.derivedAnswers() {
			if get(responses, derived.status) == nil {
				c.addAnswer(op, responses, derived)
			}
		}
		for _, e := range entries(responses) {
			c.addChainHeaders(op, e)
		}
		sortAnswers(responses)
	}
}

// answer is a status and the component that describes it.
type answer struct{ status, component string }

func (o *operation) derivedAnswers() []answer {
	list := []answer{status(http.StatusServiceUnavailable, "Unavailable"), {"default", "Unexpected"}}
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
	if len(o.policy.limits) > 0 {
		list = append(list, status(http.StatusTooManyRequests, "TooManyRequests"))
	}

	return list
}

func status(code int, component string) answer { return answer{strconv.Itoa(code), component} }

func (c *contract) addAnswer(op *operation, responses *yaml.Node, a answer) {
	if get(c.root, "components", "responses", a.component) == nil {
		c.faults.add(op.node, "operation %s: it needs components.responses.%s for its answer %s", op.id, a.component, a.status)

		return
	}
	set(responses, a.status, mapping("$ref", scalar("#/components/responses/"+a.component)))
}

// chainHeaders are the headers that the operation chain sends, whatever the
// method answers: name, component, and whether only limited operations have it.
var chainHeaders = []struct {
	name, component string
	limited         bool
}{
	{"X-Request-Id", "RequestId", false},
	{"RateLimit", "RateLimit", true},
	{"RateLimit-Policy", "RateLimitPolicy", true},
}

// addChainHeaders writes them into one answer, or into the component that it
// refers to.
func (c *contract) addChainHeaders(op *operation, answer entry) {
	response, _ := c.resolve(answer.value)
	for _, h := range chainHeaders {
		if h.limited && (len(op.policy.limits) == 0 || answer.name >= "5") { // default as well
			continue
		}
		if get(c.root, "components", "headers", h.component) == nil {
			continue // the document does not describe it
		}
		if get(response, "headers") == nil {
			set(response, "headers", mapping())
		}
		if headers := get(response, "headers"); get(headers, h.name) == nil {
			set(headers, h.name, mapping("$ref", scalar("#/components/headers/"+h.component)))
		}
	}
}

// withoutChainHeaders takes them out again, for the types of the server: its
// methods do not set them.
func withoutChainHeaders(response *yaml.Node) {
	headers := get(response, "headers")
	for _, h := range chainHeaders {
		remove(headers, h.name)
	}
	if headers != nil && len(headers.Content) == 0 {
		remove(response, "headers")
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
