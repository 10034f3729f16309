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
		list = append(list, status(http.StatusBadRequest, "BadRequest"),
			status(http.StatusRequestEntityTooLarge, "PayloadTooLarge"),
			status(http.StatusUnsupportedMediaType, "UnsupportedMediaType"))
	}
	if len(o.bodies) > 0 || len(o.params) > 0 {
		list = append(list, status(http.StatusUnprocessableEntity, "ValidationFailed"))
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
