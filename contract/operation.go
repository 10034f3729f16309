package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operation is one of the document's, with all references followed.
type operation struct {
	id, method, path string
	pointer          string
	base             string // what stands before the path
	elsewhere        bool   // which is not what the document says of others

	parameters   []parameter
	bodies       []body
	bodyRequired bool
	bodyPointer  string // of requestBody, with what it refers to
	responses    []response
	// access lists the alternatives of security, each with the scopes that it
	// asks for; none: public.
	access   [][]string
	schemes  [][]string // those of each alternative
	security string     // pointer to where that is said
	policy   policy
	tags     []string
}

type parameter struct {
	name, in string
	required bool
	pointer  string // of the parameter object
	schema   string // pointer
	kind     string // of the schema
	examples []any
	style    string
	explode  bool
}

func (p parameter) key() string { return p.in + ":" + p.name }

type body struct {
	mediaType string
	pointer   string // of the media type object
	schema    string
	examples  []any
	files     []string // members that a form sends as files
}

// example is the first one; nil for none.
func (b body) example() any {
	if len(b.examples) == 0 {
		return nil
	}
	return b.examples[0]
}

// response is what one status, range of statuses or `default` promises.
type response struct {
	status  string
	pointer string
	headers []header
	bodies  []body
}

type header struct {
	name, pointer, schema string
	required, explode     bool
}

// link says which values of an answer another operation takes.
type link struct {
	from       string // operationId
	status     string
	pointer    string
	parameters map[string]any
	body       any
}

// policy is what x-policy says, as far as it shows from outside.
type policy struct {
	rateLimits []rateLimit
	bodyLimit  int64
	idempotent bool
	cache      any
	cached     bool
	stream     bool
	budget     time.Duration     // that an answer may take; 0 for any time
	pointer    map[string]string // by key, where it is said
}

type rateLimit struct {
	limit   int
	window  time.Duration
	by      string
	pointer string
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// operations lists those of the document, in its order.
func (d *Document) operations() []*operation {
	var list []*operation
	paths, _ := d.root["paths"].(map[string]any)
	for _, path := range d.inOrder("/paths", paths) {
		item, at := d.resolve("/paths/" + escape(path))
		for _, method := range d.inOrder(at, item) {
			if slices.Contains(methods, method) {
				o := d.operation(path, method, at, item)
				if slices.ContainsFunc(list, func(other *operation) bool { return other.id == o.id }) {
					o.id = o.method + " " + path // one that is there twice names neither
				}
				list = append(list, o)
			}
		}
	}
	return list
}

// reread lists the operations of a changed document: those that it is changed for are read
// anew, and the others are as they were.
func (d *Document) reread(before []*operation, changed []string) []*operation {
	var list []*operation
	for _, o := range before {
		if !slices.Contains(changed, o.id) {
			list = append(list, o)
			continue
		}
		item, at := d.resolve("/paths/" + escape(o.path))
		if item == nil { // the path is another one now
			return d.operations()
		}
		if method := strings.ToLower(o.method); item[method] != nil {
			again := d.operation(o.path, method, at, item)
			again.id = o.id
			list = append(list, again)
		}
	}
	return list
}

func (d *Document) operation(path, method, item string, shared map[string]any) *operation {
	o := &operation{method: strings.ToUpper(method), path: path, pointer: item + "/" + method}
	object, _ := d.at(o.pointer).(map[string]any)
	o.id, _ = object["operationId"].(string)
	if o.id == "" {
		o.id = o.method + " " + path
	}
	for _, tag := range list(object["tags"]) {
		o.tags = append(o.tags, fmt.Sprint(tag))
	}
	d.readServers(o, object, shared)
	d.readParameters(o, o.pointer, object)
	d.readParameters(o, item, shared)
	d.readBody(o, object)
	d.readResponses(o, object)
	d.readSecurity(o, object)
	d.readPolicy(o, object)
	if !d.strict() {
		o.policy.stream = slices.ContainsFunc(o.responses, func(r response) bool {
			return slices.ContainsFunc(r.bodies, func(b body) bool { return matchesRange(b.mediaType, "text/event-stream") && b.mediaType != "*/*" })
		})
	}
	return o
}

func list(value any) []any {
	items, _ := value.([]any)
	return items
}

func (d *Document) readParameters(o *operation, at string, object map[string]any) {
	for i := range list(object["parameters"]) {
		object, pointer := d.resolve(fmt.Sprintf("%s/parameters/%d", at, i))
		p := parameter{pointer: pointer, schema: pointer + "/schema", examples: examples(object)}
		p.name, _ = object["name"].(string)
		p.in, _ = object["in"].(string)
		if p.in == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(p.name)) {
			continue // they are said elsewhere (OpenAPI, section 4.8.12.2)
		}
		if content := d.contents(pointer, object); len(content) > 0 {
			p.schema = content[0].schema
		}
		p.required, _ = object["required"].(bool)
		p.kind = d.shape(p.schema).kind()
		p.style, p.explode = style(object, p.in)
		if !slices.ContainsFunc(o.parameters, func(q parameter) bool { return q.key() == p.key() }) {
			o.parameters = append(o.parameters, p)
		}
	}
}

// examples are what an object of the document shows of its values.
func examples(object map[string]any) (shown []any) {
	if value, ok := object["example"]; ok {
		shown = append(shown, value)
	}
	named, _ := object["examples"].(map[string]any)
	for _, name := range sorted(named) {
		if one, ok := named[name].(map[string]any); ok && one["value"] != nil {
			shown = append(shown, one["value"])
		}
	}
	return shown
}

func (d *Document) readBody(o *operation, object map[string]any) {
	if object["requestBody"] == nil {
		return
	}
	body, at := d.resolve(o.pointer + "/requestBody")
	o.bodyRequired, _ = body["required"].(bool)
	o.bodyPointer, o.bodies = at, d.contents(at, body)
	for _, b := range o.bodies {
		for i, shown := range b.examples {
			b.examples[i] = d.asked(b.schema, shown)
		}
	}
}

func (d *Document) contents(at string, object map[string]any) (bodies []body) {
	content, _ := object["content"].(map[string]any)
	for _, mediaType := range d.inOrder(at+"/content", content) {
		b := body{mediaType: mediaType, pointer: at + "/content/" + escape(mediaType)}
		described, _ := content[mediaType].(map[string]any)
		if described["schema"] != nil {
			b.schema = b.pointer + "/schema"
			if essence(mediaType) == "multipart/form-data" {
				b.files = d.files(d.shape(b.schema))
			}
		}
		b.examples = examples(described)
		bodies = append(bodies, b)
	}
	return bodies
}

// files are the members of a form that are files: binary ones, in the words of 3.0,
// and those with a media type or an encoding of their own, in those of 3.1.
func (d *Document) files(s shape) (names []string) {
	for _, member := range d.members(s) {
		each := d.shape(member.pointer)
		if items, ok := each.rule("items"); ok && each.kind() == "array" {
			each = d.shape(items.pointer)
		}
		_, media := each.rule("contentMediaType")
		_, encoding := each.rule("contentEncoding")
		if media || encoding || each.format() == "binary" {
			names = append(names, member.name)
		}
	}
	return names
}

func (o *operation) files(mediaType string) []string {
	for _, b := range o.bodies {
		if b.mediaType == mediaType {
			return b.files
		}
	}
	return nil
}

func (d *Document) readResponses(o *operation, object map[string]any) {
	responses, _ := object["responses"].(map[string]any)
	for _, status := range d.inOrder(o.pointer+"/responses", responses) {
		described, at := d.resolve(o.pointer + "/responses/" + escape(status))
		r := response{status: status, pointer: at, bodies: d.contents(at, described)}
		headers, _ := described["headers"].(map[string]any)
		for _, name := range d.inOrder(at+"/headers", headers) {
			h, pointer := d.resolve(at + "/headers/" + escape(name))
			required, _ := h["required"].(bool)
			_, explode := style(h, "header")
			r.headers = append(r.headers, header{name, pointer, pointer + "/schema", required, explode})
		}
		o.responses = append(o.responses, r)
	}
}

func (d *Document) readSecurity(o *operation, object map[string]any) {
	o.security = o.pointer + "/security"
	said, ok := object["security"]
	if !ok {
		o.security, said = "/security", d.root["security"]
	}
	for _, alternative := range list(said) {
		scopes := []string{}
		schemes, _ := alternative.(map[string]any)
		for _, name := range sorted(schemes) {
			for _, scope := range list(schemes[name]) {
				scopes = append(scopes, fmt.Sprint(scope))
			}
		}
		if len(schemes) == 0 { // {} makes it optional
			o.access, o.schemes = nil, nil
			return
		}
		o.access, o.schemes = append(o.access, scopes), append(o.schemes, sorted(schemes))
	}
}

func (d *Document) readPolicy(o *operation, object map[string]any) {
	o.policy.pointer = map[string]string{}
	defaults, _ := d.root["x-policy"].(map[string]any)
	own, _ := object["x-policy"].(map[string]any)
	read := func(key string) any {
		if value, ok := own[key]; ok {
			o.policy.pointer[key] = o.pointer + "/x-policy/" + key
			return value
		}
		o.policy.pointer[key] = "/x-policy/" + key
		return defaults[key]
	}
	limits := read("rate-limit")
	if one, ok := limits.(map[string]any); ok {
		limits = []any{one}
	}
	for i, value := range list(limits) {
		if l, ok := limitOf(value); ok {
			l.pointer = fmt.Sprintf("%s/%d", o.policy.pointer["rate-limit"], i)
			o.policy.rateLimits = append(o.policy.rateLimits, l)
		}
	}
	o.policy.bodyLimit = size(read("body-limit"))
	o.policy.idempotent = read("idempotent") == true
	o.policy.cache = read("cache")
	o.policy.cached = o.policy.cache != nil
	timeout := read("timeout")
	o.policy.stream = timeout == "none"
	o.policy.budget, o.policy.pointer[responseTime] = d.budget(o, object, timeout)
}

// responseTime is the key of the time that an answer may take, of one operation or of all.
const responseTime = "x-response-time"

// budget reads it, and where it is said. Where it is not, no answer takes longer than
// the timeout.
func (d *Document) budget(o *operation, object map[string]any, timeout any) (time.Duration, string) {
	for _, said := range []struct {
		value   any
		pointer string
	}{{object[responseTime], o.pointer + "/" + responseTime}, {d.root[responseTime], "/" + responseTime}, {timeout, o.policy.pointer["timeout"]}} {
		if budget, err := time.ParseDuration(fmt.Sprint(said.value)); err == nil {
			return budget, said.pointer
		}
	}
	return 0, ""
}

func limitOf(value any) (l rateLimit, ok bool) {
	object, _ := value.(map[string]any)
	number, _ := object["limit"].(json.Number)
	limit, err := number.Int64()
	if err != nil {
		return l, false
	}
	window, err := time.ParseDuration(fmt.Sprint(object["window"]))
	if err != nil {
		return l, false
	}
	return rateLimit{limit: int(limit), window: window, by: fmt.Sprint(object["by"])}, true
}

// size reads a number of bytes such as 64KiB; 0 where none is said.
func size(value any) int64 {
	text := fmt.Sprint(value)
	for unit, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "B": 1} {
		if digits, found := strings.CutSuffix(text, unit); found {
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
				return n * factor
			}
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// links lists what leads to each operation, by operationId.
func (d *Document) links(operations []*operation) map[string][]link {
	found := map[string][]link{}
	for _, o := range operations {
		for _, r := range o.responses {
			described, _ := d.at(r.pointer).(map[string]any)
			links, _ := described["links"].(map[string]any)
			for _, name := range d.inOrder(r.pointer+"/links", links) {
				object, at := d.resolve(r.pointer + "/links/" + escape(name))
				to, _ := object["operationId"].(string)
				if to == "" {
					if to = referred(operations, object["operationRef"]); to == "" {
						continue // another document's
					}
				}
				parameters, _ := object["parameters"].(map[string]any)
				found[to] = append(found[to], link{o.id, r.status, at, parameters, object["requestBody"]})
			}
		}
	}
	return found
}

// unlinked is the document without the links to one operation.
func (d *Document) unlinked(of *deriver, id, pointer string) *Document {
	for _, l := range of.links[id] {
		link, _ := of.at(l.pointer).(map[string]any)
		if link["operationId"] == id || link["operationRef"] == "#"+pointer {
			d = d.with(l.pointer, absent{})
		}
	}
	return d
}

// referred is the id of the operation that an operationRef leads to within the
// document; "" for none.
func referred(operations []*operation, reference any) string {
	text, _ := reference.(string)
	pointer, local := strings.CutPrefix(text, "#")
	for _, o := range operations {
		if local && o.pointer == pointer {
			return o.id
		}
	}
	return ""
}

// response finds what the document says of a status; nil where it says nothing.
func (o *operation) response(status int) *response {
	code := strconv.Itoa(status)
	for _, declared := range []string{code, code[:1] + "XX", code[:1] + "xx"} {
		for i := range o.responses {
			if o.responses[i].status == declared {
				return &o.responses[i]
			}
		}
	}
	return nil
}

// unexpected is what `default` promises, nil where there is none.
func (o *operation) unexpected() *response {
	for i := range o.responses {
		if o.responses[i].status == "default" {
			return &o.responses[i]
		}
	}
	return nil
}

// declares gives those of some statuses that the operation declares.
func (o *operation) declares(statuses ...int) []int {
	return slices.DeleteFunc(slices.Clone(statuses), func(status int) bool { return o.response(status) == nil })
}

// counts says whether a limit is by a member of the body.
func (o *operation) counts(name string) bool {
	return slices.ContainsFunc(o.policy.rateLimits, func(l rateLimit) bool { return l.by == "field:"+name })
}

// dated says that an operation itself takes what is asked of a copy by its age (RFC 9110,
// section 13.1.3): it need have no cache for its answers to be kept.
func (o *operation) dated() bool {
	return slices.ContainsFunc(o.parameters, func(p parameter) bool {
		return p.in == "header" && strings.EqualFold(p.name, "If-Modified-Since")
	})
}

func (o *operation) public() bool { return len(o.access) == 0 }

// safe says that a call changes nothing (RFC 9110, section 9.2.1).
func (o *operation) safe() bool { return safe(o.method) }

func safe(method string) bool { return slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, method) }
