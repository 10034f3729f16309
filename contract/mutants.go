package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/accord-api/accord/contract/pattern"
)

// Mutant is the document with one thing changed.
type Mutant struct {
	// Pointer is what was changed, Line where it stands, What how.
	Pointer string
	Line    int
	What    string

	part string // what it is a change of
	// instead is what is not there any more, where that is not Pointer.
	instead    string
	document   *Document
	operations []string // whose cases may notice it
}

// mutants lists all changes of one thing that operations of the document are
// described by, each once.
func (d *deriver) mutants() []Mutant {
	m := &mutating{deriver: d, users: map[string][]string{}}
	var order []part
	for _, o := range d.operations {
		for _, p := range d.parts(o) {
			if m.users[p.pointer] == nil {
				order = append(order, p)
			}
			m.users[p.pointer] = append(m.users[p.pointer], o.id)
		}
	}
	for _, p := range order {
		m.part(p)
	}
	m.defaults()
	return m.found
}

type mutating struct {
	*deriver
	users map[string][]string
	found []Mutant
	at    string // the part that is being changed
}

// change notes a mutant in which a value of the part is another one.
func (m *mutating) change(pointer string, value any, what string, args ...any) {
	if object, ok := value.(map[string]any); ok && object == nil {
		value = absent{}
	}
	m.found = append(m.found, Mutant{
		Pointer: pointer, Line: m.line(pointer), What: fmt.Sprintf(what, args...),
		part: m.at, document: m.with(pointer, value), operations: m.users[m.at],
	})
}

func (m *mutating) drop(pointer, what string, args ...any) {
	m.change(pointer, absent{}, what, args...)
}

func (m *mutating) part(p part) {
	m.at = p.pointer
	object, _ := m.Document.at(p.pointer).(map[string]any)
	switch p.kind {
	case kindSchema:
		m.schema(p, object)
	case kindOperation:
		m.operation(p, object)
	case kindParameter:
		m.parameter(p, object)
	case kindBody:
		m.toggle(p.pointer+"/required", object["required"] == true, "the body")
		m.content(p.pointer, object)
	case kindResponse:
		m.headers(p.pointer, object)
		m.content(p.pointer, object)
	}
}

func (m *mutating) toggle(pointer string, required bool, name string) {
	if required {
		m.drop(pointer, "%s is not required", name)
	} else {
		m.change(pointer, true, "%s is required", name)
	}
}

func (m *mutating) schema(p part, schema map[string]any) {
	for _, keyword := range []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		if limit, ok := schema[keyword].(json.Number); ok {
			for _, by := range []int64{1, -1} {
				if by < 0 && limit == "0" && !strings.HasSuffix(keyword, "imum") || m.hidden(p.pointer, keyword, add(limit, by)) {
					continue
				}
				m.change(p.pointer+"/"+keyword, add(limit, by), "%s is %s instead of %s", keyword, add(limit, by), limit)
			}
		}
	}
	if expr, ok := schema["pattern"].(string); ok {
		m.pattern(p.pointer+"/pattern", expr)
	}
	m.listed(p, schema)
	m.types(p, schema)
	if name, ok := schema["format"].(string); ok && !m.narrower(schema, name) {
		m.drop(p.pointer+"/format", "the format %s is not said", name)
	}
	m.membersOf(p, schema)
}

// hidden says that no text of a looser length matches the patterns, so that the
// change changes nothing.
func (m *mutating) hidden(pointer, keyword string, limit json.Number) bool {
	n, err := strconv.Atoi(limit.String())
	s := m.shape(pointer)
	loose := keyword == "minLength" && n < s.count("minLength", 0) || keyword == "maxLength" && n > s.count("maxLength", 0)
	if err != nil || !loose {
		return false
	}
	return slices.ContainsFunc(s.all("pattern"), func(r rule) bool {
		expr, _ := r.value.(string)
		p, err := pattern.Parse(expr)
		if err != nil {
			return false
		}
		_, some := p.Make(n, 0)
		return !some
	})
}

// narrower says that a range is within that of a format of numbers, so that the
// format adds nothing.
func (m *mutating) narrower(schema map[string]any, name string) bool {
	if name == "password" || name == "binary" { // for tools that show it
		return true
	}
	_, low := schema["minimum"]
	_, high := schema["maximum"]
	return low && high && (name == "int32" || name == "int64")
}

// maxPatterns is how many changes of one pattern there are.
const maxPatterns = 8

func (m *mutating) pattern(pointer, expr string) {
	p, err := pattern.Parse(expr)
	if err != nil {
		return
	}
	all := p.Mutants()
	for i, mutant := range all {
		if len(all) <= maxPatterns || i%(len(all)/maxPatterns) == 0 {
			if other, err := pattern.Parse(mutant.Expr); err == nil {
				if same, known := p.Equivalent(other); same && known {
					continue
				}
			}
			m.change(pointer, mutant.Expr, "the pattern is %s (%s)", mutant.Expr, mutant.What)
		}
	}
	m.drop(pointer, "there is no pattern")
}

func (m *mutating) listed(p part, schema map[string]any) {
	values := list(schema["enum"])
	if len(values) == 0 {
		return
	}
	m.change(fmt.Sprintf("%s/enum/%d", p.pointer, len(values)), unknownText, "the value %s is listed", unknownText)
	for i, value := range values {
		if len(values) > 1 {
			m.drop(fmt.Sprintf("%s/enum/%d", p.pointer, i), "the value %v is not listed", value)
		}
	}
}

// others is the type that stands for another one.
var others = map[string]string{
	"string": "integer", "integer": "string", "number": "string", "boolean": "string", "array": "object", "object": "array",
}

func (m *mutating) types(p part, schema map[string]any) {
	s := m.shape(p.pointer)
	at := p.pointer + "/type"
	switch kind := schema["type"].(type) {
	case string:
		m.change(at, others[kind], "the type is %s instead of %s", others[kind], kind)
		if kind == "integer" {
			m.change(at, "number", "the type is number instead of integer")
		}
		if p.answer || !m.textual(p) {
			m.change(at, []any{kind, "null"}, "null is allowed")
		}
	case []any:
		m.change(at, s.kind(), "null is not allowed")
	}
}

// textual says that a schema is of parameters or forms only, which have no null.
func (m *mutating) textual(p part) bool {
	for _, o := range m.operations {
		if !slices.Contains(m.users[p.pointer], o.id) {
			continue
		}
		for _, b := range o.bodies {
			if !strings.HasSuffix(b.mediaType, "json") {
				continue
			}
			r := &reaching{Document: m.Document, seen: map[string]bool{}}
			r.schema(b.schema, false)
			if r.seen[p.pointer] {
				return false
			}
		}
	}
	return true
}

func (m *mutating) membersOf(p part, schema map[string]any) {
	required := list(schema["required"])
	properties, _ := schema["properties"].(map[string]any)
	for i, name := range required {
		m.drop(fmt.Sprintf("%s/required/%d", p.pointer, i), "%v is not required", name)
	}
	for _, name := range m.inOrder(p.pointer+"/properties", properties) {
		at := p.pointer + "/properties/" + escape(name)
		if !slices.Contains(required, any(name)) {
			m.change(p.pointer+"/required", append(slices.Clone(required), any(name)), "%s is required", name)
		}
		m.drop(at, "there is no member %s", name)
	}
	if schema["additionalProperties"] == false {
		m.drop(p.pointer+"/additionalProperties", "members of one's own are allowed")
	}
	if schema["uniqueItems"] == true {
		m.drop(p.pointer+"/uniqueItems", "an item may come twice")
	}
}

func (m *mutating) content(at string, object map[string]any) {
	content, _ := object["content"].(map[string]any)
	for _, mediaType := range m.inOrder(at+"/content", content) {
		renamed := map[string]any{}
		for name, value := range content {
			if name == mediaType {
				name = "application/x-other"
			}
			renamed[name] = value
		}
		m.change(at+"/content", renamed, "the content type is application/x-other instead of %s", mediaType)
		m.found[len(m.found)-1].instead = at + "/content/" + escape(mediaType)
	}
}

func (m *mutating) headers(at string, object map[string]any) {
	headers, _ := object["headers"].(map[string]any)
	for _, name := range m.inOrder(at+"/headers", headers) {
		m.drop(at+"/headers/"+escape(name), "the header %s is not declared", name)
	}
}

func (m *mutating) parameter(p part, object map[string]any) {
	name, _ := object["name"].(string)
	in, _ := object["in"].(string)
	if in == "path" { // its name is the document's own affair
		return
	}
	m.change(p.pointer+"/name", name+"x", "the parameter is called %sx instead of %s", name, name)
	m.toggle(p.pointer+"/required", object["required"] == true, name)
}

func (m *mutating) operation(p part, object map[string]any) {
	m.drop(p.pointer, "there is no operation %v", object["operationId"])
	responses, _ := object["responses"].(map[string]any)
	for _, status := range m.inOrder(p.pointer+"/responses", responses) {
		m.status(p.pointer+"/responses", responses, status)
	}
	m.security(p, object)
	m.policies(p.pointer+"/x-policy", object["x-policy"])
}

// neighbours are statuses that mean something else.
var neighbours = map[byte]string{'1': "103", '2': "203", '3': "307", '4': "418", '5': "507"}

func (m *mutating) status(at string, responses map[string]any, status string) {
	if status == "default" {
		return
	}
	renamed := map[string]any{}
	other := neighbours[status[0]]
	for name, value := range responses {
		if name == status {
			name = other
		}
		renamed[name] = value
	}
	m.change(at, renamed, "the status is %s instead of %s", other, status)
	m.found[len(m.found)-1].instead = at + "/" + escape(status)
}

func (m *mutating) security(p part, object map[string]any) {
	o := m.deriver.operation(fmt.Sprint(object["operationId"]))
	if o == nil {
		return
	}
	at := p.pointer + "/security"
	scheme := m.scheme()
	if o.public() {
		if scheme != "" {
			m.change(at, []any{map[string]any{scheme: []any{}}}, "one has to be signed in")
		}
		return
	}
	m.change(at, []any{}, "nobody has to be signed in")
	for _, scope := range m.scopes() {
		if !slices.ContainsFunc(o.access, func(scopes []string) bool { return slices.Contains(scopes, scope) }) {
			m.change(at, []any{map[string]any{scheme: []any{scope}}}, "the scope %s is asked for", scope)
		} else {
			m.change(at, []any{map[string]any{scheme: []any{}}}, "the scope %s is not asked for", scope)
		}
	}
}

// scheme is the name of the security scheme that operations use.
func (d *Document) scheme() string {
	schemes, _ := d.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		return name
	}
	return ""
}

func (m *mutating) policies(at string, value any) {
	policy, _ := value.(map[string]any)
	limits := policy["rate-limit"]
	if one, ok := limits.(map[string]any); ok {
		m.rate(at+"/rate-limit", one)
	}
	for i, each := range list(limits) {
		if one, ok := each.(map[string]any); ok {
			m.rate(fmt.Sprintf("%s/rate-limit/%d", at, i), one)
		}
	}
	if limit := size(policy["body-limit"]); limit > 0 {
		m.change(at+"/body-limit", json.Number(fmt.Sprint(limit+1)), "the body limit is a byte more")
		m.change(at+"/body-limit", json.Number(fmt.Sprint(limit-1)), "the body limit is a byte less")
	}
	if policy["idempotent"] == true {
		m.drop(at+"/idempotent", "it is not idempotent")
	}
	if policy["cache"] != nil {
		m.drop(at+"/cache", "it is not cached")
	}
}

func (m *mutating) rate(at string, limit map[string]any) {
	number, ok := limit["limit"].(json.Number)
	if !ok {
		return
	}
	for _, by := range []int64{1, -1} {
		m.change(at+"/limit", add(number, by), "%s requests in %v by %v instead of %s", add(number, by), limit["window"], limit["by"], number)
	}
}

// defaults changes what the document says of all operations at once.
func (m *mutating) defaults() {
	m.at = ""
	for _, o := range m.operations {
		m.users[""] = append(m.users[""], o.id)
	}
	m.policies("/x-policy", m.root["x-policy"])
}
