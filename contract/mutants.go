package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/accord-api/accord/contract/format"
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
	instead string
	// lets says that a pattern lets in other texts.
	lets bool
	// scope is one that is asked for and was not.
	scope      string
	document   *Document
	operations []string // whose cases may notice it
	answers    bool     // it is of what answers are only, so that no request differs
	// Why says that the change changes nothing, for a reader to check; "" where it
	// does.
	Why string
}

// mutants lists all changes of one thing that operations of the document are
// described by, each once; those that change nothing apart.
func (d *deriver) mutants() (mutants, equivalent []Mutant) {
	m := &mutating{deriver: d, users: map[string][]string{}, requests: map[string]bool{defaultPolicy: true}}
	var order []part
	for _, o := range d.operations {
		for _, p := range d.parts(o) {
			if m.users[p.pointer] == nil {
				order = append(order, p)
			}
			m.users[p.pointer] = append(m.users[p.pointer], o.id)
			m.requests[p.pointer] = m.requests[p.pointer] || !p.answer
		}
	}
	for _, p := range order {
		m.part(p)
	}
	m.renamed()
	m.defaults()
	for _, mutant := range m.found {
		if mutant.Why == "" {
			mutants = append(mutants, mutant)
		} else {
			equivalent = append(equivalent, mutant)
		}
	}
	return mutants, equivalent
}

type mutating struct {
	*deriver
	users map[string][]string
	found []Mutant
	at    string // the part that is being changed

	requests map[string]bool // parts that a request is described by
}

// change notes a mutant in which a value of the part is another one.
func (m *mutating) change(pointer string, value any, what string, args ...any) {
	if object, ok := value.(map[string]any); ok && object == nil {
		value = absent{}
	}
	m.found = append(m.found, Mutant{
		Pointer: pointer, Line: m.line(pointer), What: fmt.Sprintf(what, args...),
		part: m.at, document: m.with(pointer, value), operations: m.users[m.at], answers: !m.requests[m.at],
	})
}

// same notes a change that changes nothing.
func (m *mutating) same(pointer, why, what string, args ...any) {
	m.found = append(m.found, Mutant{Pointer: pointer, Line: m.line(pointer), What: fmt.Sprintf(what, args...), Why: why})
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
	case kindHeader:
		m.toggle(p.pointer+"/required", object["required"] == true, "the header")
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
	for _, keyword := range []string{"minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains", "minProperties", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
		if limit, ok := schema[keyword].(json.Number); ok {
			for _, by := range []int64{1, -1} {
				if by < 0 && limit == "0" && !strings.HasSuffix(keyword, "imum") {
					continue
				}
				if why := m.hidden(p.pointer, keyword, add(limit, by)); why != "" {
					m.same(p.pointer+"/"+keyword, why, "%s is %s instead of %s", keyword, add(limit, by), limit)
					continue
				}
				m.change(p.pointer+"/"+keyword, add(limit, by), "%s is %s instead of %s", keyword, add(limit, by), limit)
			}
		}
	}
	if expr, ok := schema["pattern"].(string); ok {
		m.pattern(p, expr)
	}
	m.listed(p, schema)
	if value, ok := schema["const"]; ok {
		m.change(p.pointer+"/const", unknownText, "the value is %s instead of %v", unknownText, value)
		either := maps.Clone(schema)
		delete(either, "const")
		either["enum"] = []any{value, unknownText}
		m.change(p.pointer, either, "the value is %v or %s", value, unknownText)
	}
	if of, ok := schema["multipleOf"]; ok {
		m.drop(p.pointer+"/multipleOf", "it need be no multiple of %v", of)
	}
	m.types(p, schema)
	if name, ok := schema["format"].(string); ok {
		if why := noRule(schema, name); why != "" {
			m.same(p.pointer+"/format", why, "the format %s is not said", name)
		} else {
			m.drop(p.pointer+"/format", "the format %s is not said", name)
		}
	}
	m.membersOf(p, schema)
	m.conditioned(p, schema)
}

// maxEmail is how long an address can be: RFC 5321, section 4.5.3.1.3, less the
// angle brackets.
const maxEmail = 254

// hidden says why a looser length changes nothing: no text of that length matches
// the patterns or the format. It is "" where one does.
func (m *mutating) hidden(pointer, keyword string, limit json.Number) string {
	n, err := strconv.Atoi(limit.String())
	s := m.shape(pointer)
	loose := keyword == "minLength" && n < s.count("minLength", 0) || keyword == "maxLength" && n > s.count("maxLength", 0)
	if err != nil || !loose {
		return ""
	}
	if s.format() == "email" && n > maxEmail {
		return "the format email lets no address have more than 254 characters"
	}
	for _, r := range s.all("pattern") {
		expr, _ := r.value.(string)
		if p := parsed(expr, -1, -1); p != nil && !p.Has(n) {
			return fmt.Sprintf("the pattern %s matches no text of %d characters", expr, n)
		}
	}
	return ""
}

// noRule says why a format is no rule of its own, "" where it is one.
func noRule(schema map[string]any, name string) string {
	if name == "password" || name == "binary" {
		return "the format tells tools how to show it, and nothing of its values"
	}
	low, least := schema["minimum"].(json.Number)
	high, most := schema["maximum"].(json.Number)
	integers := name == "int32" || name == "int64"
	if integers && least && most && format.Integer(name, low) == nil && format.Integer(name, high) == nil {
		return "the range is within that of the format"
	}
	return ""
}

func (m *mutating) pattern(p part, expr string) {
	pointer, s := p.pointer+"/pattern", m.shape(p.pointer)
	least, most := s.count("minLength", -1), s.count("maxLength", -1)
	whole := parsed(expr, least, most)
	if whole == nil {
		return
	}
	inHeaders := m.headersOnly()
	for _, mutant := range whole.Mutants() {
		if why := unlike(whole, parsed(mutant.Expr, least, most), least, most); why != "" {
			m.same(pointer, why, "the pattern is %s (%s)", mutant.Expr, mutant.What)
			continue
		}
		if inHeaders && ofControls(mutant.What) {
			m.same(pointer, "no header holds such a character (RFC 9110, section 5.5)", "the pattern is %s (%s)", mutant.Expr, mutant.What)
			continue
		}
		m.change(pointer, mutant.Expr, "the pattern is %s (%s)", mutant.Expr, mutant.What)
		m.found[len(m.found)-1].lets = true
	}
	m.drop(pointer, "there is no pattern")
	m.found[len(m.found)-1].lets = true
}

// unlike says why two patterns do not differ in what may be sent; "" where they do.
func unlike(one, other *pattern.Pattern, least, most int) string {
	if other == nil {
		return ""
	}
	if same, known := one.Equivalent(other); !same || !known {
		return ""
	}
	if least < 0 && most < 0 {
		return "both patterns match the same texts"
	}
	return "both patterns match the same texts of the length that there may be"
}

// ofControls says that a change of a pattern lets in control characters only.
func ofControls(what string) bool {
	if strings.Contains(what, "^ lets a line begin") || strings.Contains(what, "$ lets a line end") || strings.Contains(what, "$ lets a newline end") {
		return true
	}
	added, _, found := strings.Cut(what, " added")
	r, _, _, err := strconv.UnquoteChar(strings.TrimPrefix(added, "'"), '\'')
	return found && err == nil && controls(r)
}

// headersOnly says that the part is the schema of a parameter in headers.
func (m *mutating) headersOnly() bool {
	found := false
	for _, o := range m.operations {
		for _, p := range o.parameters {
			if p.schema == m.at || m.reaches(p.schema, m.at) {
				if p.in != "header" {
					return false
				}
				found = true
			}
		}
		if slices.ContainsFunc(o.bodies, func(b body) bool { return b.schema != "" && m.reaches(b.schema, m.at) }) {
			return false
		}
	}
	return found
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
	at := p.pointer + "/type"
	switch kind := schema["type"].(type) {
	case string:
		if kind == "null" {
			m.change(at, "string", "the type is string instead of null")
			return
		}
		m.change(at, others[kind], "the type is %s instead of %s", others[kind], kind)
		if kind == "integer" {
			m.change(at, "number", "the type is number instead of integer")
		}
		if why := m.noNull(p, schema); why != "" {
			m.same(at, why, "null is allowed")
		} else {
			m.change(at, []any{kind, "null"}, "null is allowed")
		}
	case []any:
		for i, one := range kind {
			others := slices.Delete(slices.Clone(kind), i, i+1)
			m.change(at, others, "%v is not allowed", one)
		}
	}
}

// noNull says why null would change nothing, "" where it would.
func (m *mutating) noNull(p part, schema map[string]any) string {
	if values := list(schema["enum"]); len(values) > 0 && !slices.Contains(values, nil) {
		return "null is none of the listed values"
	}
	if m.textual(p) {
		return "there is no null in a text: it is of parameters, headers, forms and plain bodies only"
	}
	return ""
}

// textual says that no JSON holds a value of a schema.
func (m *mutating) textual(p part) bool {
	for _, o := range m.operations {
		if !slices.Contains(m.users[p.pointer], o.id) {
			continue
		}
		bodies := slices.Clone(o.bodies)
		for _, r := range o.responses {
			bodies = append(bodies, r.bodies...)
		}
		for _, b := range bodies {
			if isJSON(b.mediaType) && b.schema != "" && m.reaches(b.schema, p.pointer) {
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
		m.directions(p, name, slices.Contains(required, any(name)))
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
	if in == "path" { // its name is that of all operations of the path
		return
	}
	m.change(p.pointer+"/name", name+"x", "the parameter is called %sx instead of %s", name, name)
	m.toggle(p.pointer+"/required", object["required"] == true, name)
}

func (m *mutating) operation(p part, object map[string]any) {
	m.drop(p.pointer, "there is no operation %v", object["operationId"])
	removed := &m.found[len(m.found)-1]
	removed.document = removed.document.unlinked(m.deriver, fmt.Sprint(object["operationId"]), p.pointer)
	responses, _ := object["responses"].(map[string]any)
	for _, status := range m.inOrder(p.pointer+"/responses", responses) {
		m.status(p.pointer+"/responses", responses, status)
	}
	m.security(p, object)
	m.policies(p.pointer+"/x-policy", object["x-policy"])
}

// neighbours are statuses that mean something else.
var neighbours = map[byte]string{'1': "103", '2': "203", '3': "307", '4': "418", '5': "507", 'd': "418"} // d: default

func (m *mutating) status(at string, responses map[string]any, status string) {
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
			m.found[len(m.found)-1].scope = scope
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
	if window, err := time.ParseDuration(fmt.Sprint(limit["window"])); err == nil {
		for _, other := range []time.Duration{window + time.Second, window - time.Second} {
			m.change(at+"/window", other.String(), "the window is %s instead of %s", other, window)
		}
	}
	for _, by := range m.counters() {
		if by != limit["by"] {
			m.change(at+"/by", by, "it counts by %s instead of %v", by, limit["by"])
		}
	}
}

// counters are what requests of the part can be counted by.
func (m *mutating) counters() []string {
	counters := []string{"ip", "user"}
	for _, o := range m.operations {
		if o.pointer != m.at {
			continue
		}
		if o.public() {
			counters = []string{"ip"}
		}
		if len(o.bodies) == 0 {
			return counters
		}
		for _, member := range m.members(m.shape(o.bodies[0].schema)) {
			if member.required != nil && m.shape(member.pointer).kind() == "string" {
				return append(counters, "field:"+member.name)
			}
		}
	}
	return counters
}

// defaultPolicy is where the document says what holds for all operations.
const defaultPolicy = "/x-policy"

// defaults changes what the document says of all operations at once.
func (m *mutating) defaults() {
	m.at = defaultPolicy
	for _, o := range m.operations {
		m.users[defaultPolicy] = append(m.users[defaultPolicy], o.id)
	}
	m.policies(defaultPolicy, m.root["x-policy"])
}
