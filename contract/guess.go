package contract

import (
	"net/http"
	"slices"
	"strings"
)

// guess finds a value for a path parameter that neither a link nor an example
// speaks of: where the path before it makes things, the id of one is one. The
// value that it would have else stands in where nothing can be made.
func (d *deriver) guess(o *operation, p parameter) any {
	otherwise := d.base(p.schema, true, 0)
	parent, _, found := strings.Cut(o.path, "/{"+p.name+"}")
	if p.in != "path" || !found {
		return otherwise
	}
	for _, other := range d.operations {
		if other.method != http.MethodPost || strings.TrimSuffix(other.path, "/") != parent {
			continue
		}
		if name := d.idIn(other, p.name); name != "" {
			return linked{From: other.id, Expression: "$response.body#/" + escape(name), Otherwise: otherwise}
		}
	}
	return otherwise
}

// idIn names the member of an operation's answer that a parameter most likely is.
func (d *deriver) idIn(o *operation, parameter string) string {
	for _, r := range o.responses {
		if !strings.HasPrefix(r.status, "2") || len(r.bodies) == 0 {
			continue
		}
		members := d.members(d.shape(r.bodies[0].schema))
		for _, name := range []string{parameter, "id", "uuid", "key", "name"} {
			if slices.ContainsFunc(members, func(m member) bool { return m.name == name }) {
				return name
			}
		}
	}
	return ""
}

// guessed says that something in a path is made up, so that nothing need be there.
func (r request) guessed() bool {
	return slices.ContainsFunc(r.on.parameters, func(p parameter) bool {
		if p.in != "path" {
			return false
		}
		from, isLinked := r.Parameters[p.key()].(linked)
		return isLinked && from.Otherwise != nil || !isLinked && len(p.examples) == 0
	})
}

// signInBody takes what the target signs in with, where no link leads there.
func (d *deriver) signInBody(o *operation, body map[string]any) {
	if o.path != d.tokenPath() || o.method != http.MethodPost || len(d.links[o.id]) > 0 {
		return
	}
	for name, value := range d.login {
		if _, there := body[name]; there {
			body[name] = value
		}
	}
}
