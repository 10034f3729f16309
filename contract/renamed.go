package contract

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// renamed changes how a part of each path is called: a problem that refuses a value of it
// names it. Where no refusal is a problem, only the document knows the name.
func (m *mutating) renamed() {
	var at []string
	for _, o := range m.operations {
		item := "/paths/" + escape(o.path)
		if m.users[item] == nil {
			at = append(at, item)
		}
		m.users[item], m.requests[item] = append(m.users[item], o.id), true
	}
	for _, item := range at {
		m.at = item
		o := m.deriver.operation(m.users[item][0])
		for _, p := range o.parameters {
			switch other := p.name + "x"; {
			case p.in != "path":
			case slices.ContainsFunc(m.users[item], func(id string) bool { return m.deriver.operation(id).names() }):
				m.rename(item, p.name, other)
			default:
				m.same(p.pointer+"/name", "a request has no names in its path, and no refusal is a problem (RFC 9457), which would name it", "%s in the path is called %s", p.name, other)
			}
		}
	}
}

// names says that a refusal of a value has to name what it is a value of.
func (o *operation) names() bool {
	for _, status := range o.declares(http.StatusBadRequest, http.StatusUnprocessableEntity) {
		if slices.ContainsFunc(o.response(status).bodies, func(b body) bool { return essence(b.mediaType) == "application/problem+json" }) {
			return true
		}
	}
	return false
}

// rename notes the mutant in which a part of a path has another name, for all operations
// of the path and the links to them.
func (m *mutating) rename(item, name, other string) {
	to := "/paths/" + escape(strings.ReplaceAll(unescape(strings.TrimPrefix(item, "/paths/")), "{"+name+"}", "{"+other+"}"))
	changed := m.Document
	for _, id := range m.users[item] {
		for _, l := range m.links[id] {
			link, _ := m.Document.at(l.pointer).(map[string]any)
			link = maps.Clone(link)
			if ref, ok := link["operationRef"].(string); ok {
				link["operationRef"] = strings.Replace(ref, "#"+item, "#"+to, 1)
			}
			link["parameters"] = renamedKey(renamedKey(l.parameters, name, other), "path."+name, "path."+other)
			changed = changed.with(l.pointer, link)
		}
	}
	object, _ := changed.resolve(item)
	object = m.withName(object, name, other)
	for _, method := range methods {
		if operation, ok := object[method].(map[string]any); ok {
			object[method] = m.withName(operation, name, other)
		}
	}
	m.change(item, absent{}, "%s in the path is called %s", name, other)
	m.found[len(m.found)-1].document = changed.with(item, absent{}).with(to, object)
}

func renamedKey(object map[string]any, name, other string) map[string]any {
	value, ok := object[name]
	if !ok {
		return object
	}
	object = maps.Clone(object)
	delete(object, name)
	object[other] = value
	return object
}

// withName is a copy of an object whose parameter of a path has another name.
func (m *mutating) withName(object map[string]any, name, other string) map[string]any {
	object = maps.Clone(object)
	var parameters []any
	for _, p := range list(object["parameters"]) {
		parameter, _ := p.(map[string]any)
		if ref, ok := parameter["$ref"].(string); ok {
			at, _ := target(ref)
			parameter, _ = m.resolve(at)
		}
		if parameter["in"] == "path" && parameter["name"] == name {
			p = withMember(parameter, "name", other)
		}
		parameters = append(parameters, p)
	}
	if parameters != nil {
		object["parameters"] = parameters
	}
	return object
}
