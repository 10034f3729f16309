package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Case is one thing that the document says, and how a server is held to it.
type Case struct {
	// Operation is the operationId, or the method and path where there is none.
	Operation string
	// Name says in a few words what is tried, and once for each operation.
	Name string
	// Pointer is the sentence of the document, as a JSON pointer.
	Pointer string

	request request
	script  script
	want    want
	// field is what a refusal that names fields has to name, as it writes them; ""
	// for no matter what.
	field string
	// control is a request that differs in place only, in a value at no edge; nil
	// for none.
	control *request
	place   string
	// together are requests of which one has to be taken as well as this one: a
	// listed value may go with some values of other members only.
	together []request
	// fault is what is wrong with the document itself; nothing is sent then.
	fault string
}

// script is how a case's request is sent.
type script struct {
	Kind string
	N    int    // of a flood
	By   string // what its limit counts by
	// Everybody says that it counts people who are signed in together, and so several
	// of them ask: none meets a limit of their own.
	Everybody bool
}

// The kinds of scripts; "" sends the request once.
const (
	scriptAgain      = "again"      // twice, all else equal
	scriptOwned      = "owned"      // and the control, with another value in the place
	scriptFlood      = "flood"      // N times and once more
	scriptReplay     = "replay"     // twice with one Idempotency-Key, then another body
	scriptRevalidate = "revalidate" // with the ETag of the answer before
	scriptPart       = "part"       // once whole, and once with what asks for less
)

// want is which answers do. The zero value wants any that the document declares.
type want struct {
	// accepted wants the request taken as valid, whatever else stands against it.
	accepted bool
	// done wants it done.
	done bool
	// themselves wants no more scopes than the caller has.
	themselves bool
	// statuses are those that do; none of them declared is a fault of its own.
	statuses []int
	// field is what a refusal has to name.
	field string
	// headers have to be there.
	headers []string
}

// deriver makes the cases of one document.
type deriver struct {
	maker
	operations []*operation
	links      map[string][]link
	headers    map[string]bool // that any answer declares
	given      map[string]bool // members whose values the target gives
	expired    string          // a token
	reached    sync.Map        // bool by two pointers: that one leads to the other
	ranks      func() map[string]int
	login      map[string]any  // members of a sign-in
	has        map[string]bool // schemes that the target has credentials of
	hides      bool            // that anything is writeOnly: looking for it in answers takes a third of a mutation run
}

func newDeriver(d *Document) (*deriver, error) { return newDeriverOf(d, &known{}, "", d.operations()) }

// newDeriverOf is for a document that differs from another one in one part.
func newDeriverOf(d *Document, k *known, change string, operations []*operation) (*deriver, error) {
	requests, answers := d.withoutRequired(readOnly), d.withoutRequired(writeOnly)
	s, err := newSchemas(requests)
	if err != nil {
		return nil, err
	}
	a := s
	if answers != requests {
		if a, err = newSchemas(answers); err != nil {
			return nil, err
		}
	}
	made := &deriver{maker: maker{d, s, a, k, change, false, nil}, operations: operations, links: d.links(operations), headers: map[string]bool{}, hides: says(d.root, writeOnly)}
	made.ranks = sync.OnceValue(made.ranked)
	for _, o := range operations {
		for _, r := range o.responses {
			for _, h := range r.headers {
				made.headers[http.CanonicalHeaderKey(h.name)] = true
			}
		}
	}
	return made, nil
}

func (d *deriver) operation(id string) *operation {
	for _, o := range d.operations {
		if o.id == id {
			return o
		}
	}
	return nil
}

// cases are those of one operation, smallest first.
func (d *deriver) cases(o *operation) []Case {
	c := &casing{deriver: d, operation: o, valid: d.valid(o)}
	c.add("valid", o.pointer, c.valid, want{accepted: true, done: true})
	c.access()
	for _, p := range o.parameters {
		c.parameter(p)
	}
	c.body()
	c.unknownResource()
	c.methods()
	c.policies()
	return c.found
}

// valid is the request that the other cases of an operation differ from in one
// thing.
func (d *deriver) valid(o *operation) request {
	r := request{Operation: o.id, Parameters: map[string]any{}, As: d.caller(o), on: o}
	for _, p := range o.parameters {
		if p.required {
			r.Parameters[p.key()] = d.argument(o, p)
		}
	}
	if len(o.bodies) > 0 {
		r.MediaType = o.bodies[0].mediaType
		r.Body = d.content(o, o.bodies[0], o.bodies[0].example())
	}
	return r
}

func (d *deriver) caller(o *operation) caller {
	if o.public() {
		return caller{Nobody: true}
	}
	i := d.alternative(o)
	return caller{Scopes: o.access[i], Schemes: o.schemes[i], Alone: !o.safe() && len(o.access[i]) == 0}
}

// expression reads a runtime expression (OpenAPI 3.1, section 4.8.20.4), alone
// or within a value.
func (d *deriver) expression(from string, value any) any {
	switch value := value.(type) {
	case string:
		trimmed := strings.TrimSuffix(strings.TrimPrefix(value, "{"), "}")
		if strings.HasPrefix(trimmed, "$response.") || strings.HasPrefix(trimmed, "$request.") {
			return linked{From: from, Expression: trimmed}
		}
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = d.expression(from, value[i])
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name := range value {
			object[name] = d.expression(from, value[name])
		}
		return object
	}
	return value
}

// content is a valid body. Where the operation may find that something is there
// already, its texts are such as nothing has yet.
func (d *deriver) content(o *operation, b body, value any) any {
	if value == nil {
		value = d.base(b.schema, true, 0)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	full := map[string]any{}
	s := d.shape(b.schema)
	by, _ := d.discriminator(s)
	for _, member := range d.members(s) {
		given, there := object[member.name]
		if !there {
			continue
		}
		full[member.name] = given
		if text, is := given.(string); is && member.name != by.property && d.free(member.pointer) && !d.bound(s, member.name) && (d.mayConflict(o) || o.counts(member.name)) {
			free := d.shape(member.pointer)
			full[member.name] = fresh{Schema: member.pointer, Length: max(utf8.RuneCountInString(text), min(12, free.count("maxLength", 12)))}
		}
	}
	for name, given := range object {
		if _, there := full[name]; !there {
			full[name] = given
		}
	}
	d.signInBody(o, full)
	for name := range full {
		if key := o.id + "." + name; d.given[key] {
			full[name] = given{key}
		}
	}
	if from, ok := d.nearest(o, d.bodySources(o)); ok {
		given, _ := from.value.(map[string]any)
		for name, value := range given {
			full[name] = d.expression(from.operation, value)
		}
	}
	return d.asked(b.schema, full)
}

// mayConflict says that an operation may find that something is there already: many
// a document does not say so.
func (d *deriver) mayConflict(o *operation) bool {
	return o.response(http.StatusConflict) != nil || o.method == http.MethodPost && !d.strict()
}

// free says whether a text may be anything that is long enough and looks right.
func (d *deriver) free(pointer string) bool {
	s := d.shape(pointer)
	for _, keyword := range []string{"enum", "const", "writeOnly"} {
		if _, ok := s.rule(keyword); ok {
			return false
		}
	}
	return s.kind() == "string" && slices.Contains([]string{"", "email", "idn-email"}, s.format())
}

// casing collects the cases of one operation.
type casing struct {
	*deriver
	operation *operation
	valid     request
	found     []Case
	names     map[string]bool
}

func (c *casing) add(name, pointer string, r request, w want) *Case {
	return c.script(name, pointer, r, script{}, w)
}

func (c *casing) script(name, pointer string, r request, s script, w want) *Case {
	if c.names == nil {
		c.names = map[string]bool{}
	}
	for unique, i := name, 2; ; unique, i = fmt.Sprintf("%s (%d)", name, i), i+1 {
		if !c.names[unique] {
			name = unique
			break
		}
	}
	c.names[name] = true
	c.found = append(c.found, Case{Operation: c.operation.id, Name: name, Pointer: pointer, request: r, script: s, want: w})
	return &c.found[len(c.found)-1]
}

// refused are the statuses of a request that breaks the contract.
func (c *casing) refused(also ...int) []int {
	return append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity}, also...)
}

// either are a status, and others that mean as much where it is not declared.
func (c *casing) either(status int, others ...int) []int {
	if r := c.operation.response(status); r != nil && r.status == strconv.Itoa(status) {
		return []int{status}
	}
	return append([]int{status}, others...)
}

// access asks as those who may, and as those who may not.
func (c *casing) access() {
	o := c.operation
	unauthorized := want{statuses: c.either(http.StatusUnauthorized, http.StatusForbidden)}
	if o.public() {
		return
	}
	nobody := c.valid
	nobody.As.Nobody, nobody.As.Alone = true, false
	c.add("without credentials", o.security, nobody, unauthorized)
	for _, token := range []struct{ is, value string }{
		{"malformed", "nonsense"}, {"unsigned", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."},
		{"signed by nobody", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmVk"}, {"expired", c.expired},
	} {
		r := c.valid
		r.As = caller{Token: token.value, Schemes: c.valid.As.Schemes}
		if token.value != "" {
			c.add("with a token that is "+token.is, o.security, r, unauthorized)
		}
	}
	for i, scopes := range o.access {
		r := c.valid
		r.As.Scopes, r.As.Schemes = scopes, o.schemes[i]
		c.add("as "+who(scopes), fmt.Sprintf("%s/%d", o.security, i), r, want{accepted: true, themselves: true})
	}
	for _, scope := range c.scopes() {
		if !slices.ContainsFunc(o.access, func(scopes []string) bool { return len(scopes) == 0 || slices.Equal(scopes, []string{scope}) }) {
			r := c.valid
			r.As = caller{Alone: !o.safe(), Without: missing(o.access), Schemes: c.valid.As.Schemes}
			c.add("without the scope "+strings.Join(missing(o.access), " "), o.security, r, want{statuses: []int{http.StatusForbidden}})
			break
		}
	}
}

func who(scopes []string) string {
	if len(scopes) == 0 {
		return "anybody who is signed in"
	}
	return strings.Join(scopes, " and ")
}

func missing(access [][]string) []string {
	var scopes []string
	for _, alternative := range access {
		scopes = append(scopes, alternative...)
	}
	return scopes
}

// scopes lists all that the document knows.
func (d *deriver) scopes() []string {
	var found []string
	for _, o := range d.operations {
		for _, scope := range missing(o.access) {
			if !slices.Contains(found, scope) {
				found = append(found, scope)
			}
		}
	}
	schemes, _ := d.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		described, _ := schemes[name].(map[string]any)
		flows, _ := described["flows"].(map[string]any)
		for _, kind := range sorted(flows) {
			flow, _ := flows[kind].(map[string]any)
			known, _ := flow["scopes"].(map[string]any)
			for _, scope := range sorted(known) {
				if !slices.Contains(found, scope) {
					found = append(found, scope)
				}
			}
		}
	}
	return found
}

// unknownResource asks for one that is not there.
func (c *casing) unknownResource() {
	for _, p := range c.operation.parameters {
		if p.in != "path" {
			continue
		}
		value := c.base(p.schema, true, 0)
		switch known := value.(type) {
		case string:
			value, _ = c.text(c.shape(p.schema), utf8.RuneCountInString(known), 77)
		case json.Number:
			if far := add(known, 900_719); c.fits(p.schema, known, variant{value: far, valid: true}) {
				value = far
			}
		}
		w := want{statuses: []int{http.StatusNotFound}}
		if c.operation.response(http.StatusNotFound) == nil {
			w = want{} // what comes has to be declared all the same
		}
		c.add("an unknown "+p.name, c.operation.pointer+"/responses/404", c.valid.with(p.key(), value), w)
	}
}

// methods tries those that the path does not have; once for each path.
func (c *casing) methods() {
	o := c.operation
	declared := map[string]bool{"OPTIONS": true, "HEAD": true}
	for _, other := range c.operations {
		if other.path == o.path {
			if len(declared) == 2 && other != o {
				return // another operation is the first one of the path
			}
			declared[other.method] = true
		}
	}
	for _, method := range []string{"GET", "PUT", "POST", "DELETE", "PATCH"} {
		if !declared[method] {
			r := request{Operation: o.id, Method: method, Parameters: c.valid.Parameters, As: caller{Nobody: true}, on: o}
			c.add("the method "+method, "/paths/"+escape(o.path), r, want{statuses: c.unsupported(), headers: []string{"Allow"}})
		}
	}
}

// unsupported are the statuses of a method that a path does not have. OpenAPI says
// nothing of it, and a server that finds no route may well say so, or ask first who
// it is.
func (c *casing) unsupported() []int {
	if c.strict() {
		return []int{http.StatusMethodNotAllowed}
	}
	statuses := []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusNotImplemented}
	if !c.operation.public() {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	return statuses
}

func (c *casing) policies() {
	o := c.operation
	if o.policy.bodyLimit > 0 && len(o.bodies) > 0 {
		at, limit := o.policy.pointer["body-limit"], o.policy.bodyLimit
		mediaType := o.bodies[0].mediaType
		c.add(fmt.Sprintf("a body of %d bytes", limit), at, c.valid.blank(mediaType, limit), want{statuses: c.refused()})
		c.add(fmt.Sprintf("a body of %d bytes", limit+1), at, c.valid.blank(mediaType, limit+1), want{statuses: []int{http.StatusRequestEntityTooLarge}})
	}
	if o.response(http.StatusConflict) != nil {
		c.script("the same twice", o.pointer+"/responses/409", c.valid, script{Kind: scriptAgain}, want{})
	}
	if o.policy.idempotent {
		c.script("the same Idempotency-Key", o.policy.pointer["idempotent"], c.valid, script{Kind: scriptReplay}, want{})
	} else if o.method == http.MethodPost && len(o.bodies) > 0 {
		c.script("an Idempotency-Key that is not declared", o.policy.pointer["idempotent"], c.valid, script{Kind: scriptReplay}, want{})
	}
	if o.response(http.StatusNotModified) != nil || o.policy.cached {
		c.script("the same ETag", o.policy.pointer["cache"], c.valid, script{Kind: scriptRevalidate}, want{})
	}
	c.parts()
	c.forms()
	for _, l := range o.policy.rateLimits {
		if l.by != "user" || !o.public() {
			r := c.valid
			r.As.Alone = true
			c.script(fmt.Sprintf("%d requests in %s by %s", l.limit, l.window, l.by), l.pointer, r, script{scriptFlood, l.limit, l.by, !o.public() && within(l.pointer, o.pointer)}, want{})
		}
	}
}

// forms asks for each content type of what is answered, and for one that is not.
func (c *casing) forms() {
	r := c.operation.response(http.StatusOK)
	if r == nil || len(r.bodies) < 2 {
		return
	}
	for _, b := range r.bodies {
		if !strings.Contains(b.mediaType, "*") {
			c.add("answered as "+b.mediaType, b.pointer, c.valid.withHeader("Accept", b.mediaType), want{accepted: true})
		}
	}
	if c.operation.response(http.StatusNotAcceptable) != nil {
		c.add("answered as what it has not", c.operation.pointer+"/responses/406", c.valid.withHeader("Accept", "application/x-other"), want{statuses: []int{http.StatusNotAcceptable}})
	}
}

// parts asks for less than the whole by the headers that RFC 9110 has for it: where
// they are parameters they have an effect, and where a document declares all that
// counts and not them, they have none.
func (c *casing) parts() {
	o := c.operation
	if o.method != http.MethodGet || o.policy.stream || o.response(http.StatusOK) == nil {
		return
	}
	declared := map[string]string{}
	for _, p := range o.parameters {
		if p.in == "header" {
			declared[http.CanonicalHeaderKey(p.name)] = p.pointer
		}
	}
	for _, name := range []string{"Range", "If-Range", "If-Modified-Since"} {
		pointer, counts := declared[name]
		if !counts && !c.strict() || name == "If-Range" && declared["Range"] == "" {
			continue
		}
		what := name + " that is not declared"
		if counts {
			what = name + " in use"
		}
		if pointer == "" {
			pointer = o.pointer
		}
		c.script(what, pointer, c.valid, script{Kind: scriptPart, By: name}, want{statuses: partial(name, counts)})
	}
}

// partial is the status of a request for a part, where a header counts or not; none
// means that of the whole.
func partial(name string, counts bool) []int {
	switch {
	case name == "Range" && counts, name == "If-Range" && !counts:
		return []int{http.StatusPartialContent}
	case name == "If-Modified-Since" && counts:
		return []int{http.StatusNotModified}
	}
	return nil
}

// matchesRange says whether a media type falls in a declared range.
func matchesRange(declared, mediaType string) bool {
	declared, _, _ = strings.Cut(declared, ";")
	kind, _, _ := strings.Cut(mediaType, "/")
	return strings.EqualFold(declared, mediaType) || declared == kind+"/*" || declared == "*/*"
}
