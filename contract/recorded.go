package contract

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Recorded is an answer of the server that came elsewhere: to its own tests, or to
// others through a proxy. It is held against the document as any other, and bears
// witness of what cases alone cannot bring about, such as a database that is away.
type Recorded struct {
	Method  string
	Path    string // as it was asked for, with no query
	Query   url.Values
	Request http.Header // of the request
	Sent    []byte      // the request's body; nil where it is not known as a whole
	Status  int
	Header  http.Header
	Body    []byte
	Cut     bool // Body is not the whole of it
}

// recorded sorts what was recorded by operation. What belongs to none is listed, by
// method and path, as far as the server has anything there.
func (d *deriver) recorded(all []Recorded) (outcomes []Outcome, strays []string) {
	for _, r := range all {
		o := d.operationFor(r.Method, r.Path)
		if o == nil {
			if line := r.Method + " " + r.Path; r.there() && !slices.Contains(strays, line) {
				strays = append(strays, line)
			}
			continue
		}
		e := r.exchange(o)
		j := &judgement{deriver: d, operation: o}
		j.answer(e)
		outcomes = append(outcomes, Outcome{
			Case: Case{Operation: o.id, Name: "recorded: " + r.Method + " " + r.Path, Pointer: o.pointer, request: request{on: o}}, Failures: j.failures, done: []*exchange{e},
		})
	}
	slices.Sort(strays)
	return outcomes, strays
}

func (r Recorded) exchange(o *operation) *exchange {
	e := &exchange{
		operation: o.id, method: r.Method, url: r.Path, header: r.Request, body: pieces(r.Sent), size: len(r.Sent), parameters: map[string]any{},
		status: r.Status, answer: r.Header, received: r.Body, cut: r.Cut, recorded: true,
	}
	for _, p := range o.parameters {
		switch p.in {
		case "path":
			for i, step := range strings.Split(o.path, "/") {
				if step == "{"+p.name+"}" {
					e.parameters[p.key()] = strings.Split(o.below(r.Path), "/")[i]
				}
			}
		case "header":
			if values := r.Request.Values(p.name); len(values) > 0 {
				e.parameters[p.key()] = strings.Join(values, ", ")
			}
		case "query":
			if value := p.read(r.Query); value != nil {
				e.parameters[p.key()] = value
			}
		}
	}
	switch mediaType, _, _ := strings.Cut(r.Request.Get("Content-Type"), ";"); {
	case isJSON(mediaType):
		if value, err := decode(r.Sent); err == nil {
			e.value = value
		}
	case mediaType == "application/x-www-form-urlencoded":
		if values, err := url.ParseQuery(string(r.Sent)); err == nil && len(r.Sent) > 0 {
			object := map[string]any{}
			for name := range values {
				object[name] = values.Get(name)
			}
			e.value = object
		}
	}
	return e
}

// there says that something answers: there is such a path, with such a method.
func (r Recorded) there() bool {
	return r.Status != http.StatusNotFound && r.Status != http.StatusMethodNotAllowed && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// operationFor finds the operation that a request is for: of several paths that fit
// the one with the fewest parameters (OpenAPI 3.1, section 4.8.8.2); nil for none.
func (d *deriver) operationFor(method, path string) *operation {
	var best *operation
	for _, o := range d.operations {
		if o.method == method && fits(o.path, o.below(path)) && (best == nil || strings.Count(o.path, "{") < strings.Count(best.path, "{")) {
			best = o
		}
	}
	return best
}

// fits says whether a path is one of a template.
func fits(template, path string) bool {
	wanted, given := strings.Split(template, "/"), strings.Split(path, "/")
	if len(wanted) != len(given) {
		return false
	}
	for i, step := range wanted {
		if step != given[i] && (!strings.HasPrefix(step, "{") || given[i] == "") {
			return false
		}
	}
	return true
}
