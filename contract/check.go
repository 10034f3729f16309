package contract

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Failure is one way in which the server does not keep to the document.
type Failure struct {
	// Pointer is the sentence that is broken, Line where it stands.
	Pointer string
	Line    int
	// Text says what was wanted and what came.
	Text string
}

// judge holds what came of a case against the document.
func (d *deriver) judge(c Case, done []*exchange) []Failure {
	o := d.operation(c.Operation)
	j := &judgement{deriver: d, operation: o, pointer: c.Pointer}
	for _, e := range done {
		if e != nil {
			j.answer(e)
			j.follow(e)
		}
	}
	switch c.script.Kind {
	case "":
		j.wanted(c, done)
	case scriptOwned:
		j.ignored(c, done)
	case scriptReplay:
		if j.operation.policy.idempotent {
			j.replayed(done)
		} else if done[len(done)-1].answer.Get("Idempotency-Replayed") != "" || len(done) > 1 && done[1].answer.Get("Idempotency-Replayed") != "" {
			j.fail(j.pointer, "an answer is replayed, and the operation is not idempotent")
		}
	case scriptRevalidate:
		j.revalidated(done)
	case scriptFlood:
		j.flooded(c, done)
	case scriptPart:
		j.parted(c, done)
	}
	return j.failures
}

type judgement struct {
	*deriver
	operation *operation
	pointer   string
	failures  []Failure
}

func (j *judgement) fail(pointer, text string, args ...any) {
	f := Failure{pointer, j.line(pointer), fmt.Sprintf(text, args...)}
	if !slices.Contains(j.failures, f) {
		j.failures = append(j.failures, f)
	}
}

func (j *judgement) wanted(c Case, done []*exchange) {
	w, e := c.want, done[0]
	if e.status == http.StatusNotFound && c.request.guessed() {
		w.done, w.accepted = false, false
	}
	switch {
	case w.done && e.status >= http.StatusBadRequest:
		j.fail(j.pointer, "a valid request is answered %d: %s", e.status, first(string(e.received), 300))
	case w.accepted && !accepted(j.operation, e.status) && !j.alike(c, done):
		j.fail(j.pointer, "a valid request is answered %d: %s", e.status, first(string(e.received), 300))
	case len(w.statuses) > 0 && !slices.Contains(w.statuses, e.status):
		j.fail(j.pointer, "want %s, got %d", either(w.statuses), e.status)
	}
	for _, name := range w.headers {
		if e.answer.Get(name) == "" && e.status == w.statuses[0] {
			j.fail(j.pointer, "the header %s is missing", name)
		}
	}
	if refused := named(e.received); c.field != "" && len(refused) > 0 && slices.Contains(w.statuses, e.status) {
		j.names(c, refused)
	}
	if w.field != "" && strings.HasPrefix(e.answer.Get("Content-Type"), "application/problem+json") && slices.Contains([]int{http.StatusBadRequest, http.StatusUnprocessableEntity}, e.status) && !strings.Contains(string(e.received), w.field) {
		j.fail(j.pointer, "the refusal does not name %s: %s", w.field, first(string(e.received), 300))
	}
}

// accepted says that a request was taken as valid: done, or refused for a reason
// that lies in what is there already.
func accepted(o *operation, status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return o.response(status) != nil
	case http.StatusUnauthorized:
		return o.public()
	}
	return status < http.StatusBadRequest
}

// alike says that a refusal is not for the sake of the value that was tried: it
// names other fields only, or comes with any other value as well.
func (j *judgement) alike(c Case, done []*exchange) bool {
	if c.control == nil || len(done) < 2 {
		return false
	}
	if refused := named(done[0].received); len(refused) > 0 && c.place != "" {
		field := fieldName(c.place)
		if !slices.ContainsFunc(refused, func(f refusedField) bool { return f.Field == field }) {
			return true
		}
		if j.strict() && slices.ContainsFunc(refused, func(f refusedField) bool { return f.Field == field && slices.Contains(ruleCodes, f.Code) }) {
			return false // by a rule, and the value keeps all of the document's
		}
	}
	return done[0].status == done[1].status && withoutIDs(done[0].received) == withoutIDs(done[1].received)
}

// refusedField is a field that a problem names in its errors, with the rule that it
// breaks.
type refusedField struct {
	Field string `json:"field"`
	Code  string `json:"code"`
}

// named lists the fields that a problem names.
func named(data []byte) []refusedField {
	var problem struct {
		Errors []refusedField `json:"errors"`
	}
	if json.Unmarshal(data, &problem) != nil {
		return nil
	}
	return problem.Errors
}

// names wants a refusal to name the field of a case and, in a document that means
// all that it says, the rule: its keyword as a code, max_length for maxLength.
func (j *judgement) names(c Case, refused []refusedField) {
	var codes, fields []string
	for _, f := range refused {
		fields = append(fields, f.Field)
		if f.Field == c.field {
			codes = append(codes, f.Code)
		}
	}
	if len(codes) == 0 {
		j.fail(j.pointer, "the refusal names %s, and not %s", strings.Join(fields, ", "), c.field)
		return
	}
	keyword := c.Pointer[strings.LastIndexByte(c.Pointer, '/')+1:]
	code := snakeCase(keyword)
	if slices.Contains(codes, "characters") { // NUL, which no text may have
		return
	}
	if j.strict() && slices.Contains(ruleCodes, code) && !slices.Contains(codes, code) {
		j.fail(j.pointer, "the refusal says %s of %s, and it breaks %s", strings.Join(codes, ", "), c.field, keyword)
	}
}

// ruleCodes are the codes of the rules that JSON Schema has about values.
var ruleCodes = []string{
	"min_length", "max_length", "min_items", "max_items", "min_properties", "max_properties", "minimum", "maximum",
	"multiple_of", "unique_items", "pattern", "format", "enum",
}

func snakeCase(keyword string) string {
	var b strings.Builder
	for _, r := range keyword {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// fieldName writes a place as a[0].b.
func fieldName(place string) string {
	var b strings.Builder
	for _, step := range steps(place) {
		switch _, err := strconv.Atoi(step); {
		case err == nil:
			b.WriteString("[" + step + "]")
		case b.Len() > 0:
			b.WriteString("." + step)
		default:
			b.WriteString(step)
		}
	}
	return b.String()
}

var ids = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}`)

func withoutIDs(data []byte) string { return ids.ReplaceAllString(string(data), "-") }

func either(statuses []int) string {
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = strconv.Itoa(status)
	}
	return strings.Join(texts, " or ")
}

func (j *judgement) replayed(done []*exchange) {
	if len(done) < 3 || done[0].status >= http.StatusBadRequest {
		j.fail(j.pointer, "the first request is answered %d", done[0].status)
		return
	}
	if done[1].status != done[0].status || string(done[1].received) != string(done[0].received) {
		j.fail(j.pointer, "the same key gives another answer: %d after %d", done[1].status, done[0].status)
	}
	if done[1].answer.Get("Idempotency-Replayed") != "true" {
		j.fail(j.pointer, "the replay does not say Idempotency-Replayed: true")
	}
	if done[2].status != http.StatusUnprocessableEntity {
		j.fail(j.pointer, "another body under the same key is answered %d, want 422", done[2].status)
	}
}

func (j *judgement) revalidated(done []*exchange) {
	if len(done) < 3 {
		j.fail(j.pointer, "there is no ETag")
		return
	}
	if done[1].status != http.StatusNotModified {
		j.fail(j.pointer, "If-None-Match with the ETag is answered %d, want 304", done[1].status)
	}
	if done[1].answer.Get("ETag") != done[0].answer.Get("ETag") {
		j.fail(j.pointer, "the 304 has another ETag")
	}
	if done[2].status != done[0].status {
		j.fail(j.pointer, "If-None-Match with another ETag is answered %d, want %d", done[2].status, done[0].status)
	}
	if done[0].answer.Get("Cache-Control") == "" {
		j.fail(j.pointer, "there is no Cache-Control")
	}
}

func (j *judgement) parted(c Case, done []*exchange) {
	if len(done) < 2 {
		return
	}
	wanted := done[0].status
	if len(c.want.statuses) > 0 {
		wanted = c.want.statuses[0]
	}
	if done[1].status != wanted {
		j.fail(j.pointer, "with %s it is answered %d, want %d", c.script.By, done[1].status, wanted)
	}
}

func (j *judgement) flooded(c Case, done []*exchange) {
	if len(done) == 1 {
		j.fail(j.pointer, "refused before %d requests", c.script.N)
		return
	}
	last := done[1]
	if last.status != http.StatusTooManyRequests {
		j.fail(j.pointer, "request %d is answered %d, want 429", c.script.N+1, last.status)
	} else if last.answer.Get("Retry-After") == "" {
		j.fail(j.pointer, "the 429 does not say Retry-After")
	}
}

// answer holds one answer against what the document says of it. What was said of
// it by a document that says the same of it is known.
func (j *judgement) answer(e *exchange) {
	o := j.operation
	if e.operation != o.id {
		return
	}
	response := o.response(e.status)
	if e.method != o.method {
		response = o.unexpected()
	}
	if j.changes(o, response) || e.recorded && j.asks(o, j.change) {
		j.held(e)
		return
	}
	found, known := j.known.answers.Load(e)
	if !known {
		fresh := &judgement{deriver: j.deriver, operation: o}
		fresh.held(e)
		found, _ = j.known.answers.LoadOrStore(e, fresh.failures)
	}
	for _, f := range found.([]Failure) {
		j.fail(f.Pointer, "%s", f.Text)
	}
}

func (j *judgement) held(e *exchange) {
	o := j.operation
	if e.status >= http.StatusInternalServerError && (e.status != http.StatusServiceUnavailable || o.response(e.status) == nil) {
		j.fail(o.pointer, "%d: %s", e.status, first(string(e.received), 300))
		return
	}
	if e.method != o.method { // no operation of the document
		if r := o.unexpected(); r != nil {
			if j.strict() {
				j.headers(r, e)
			}
			j.body(r, e)
		}
		return
	}
	if e.recorded {
		j.taken(e)
	}
	if budget := o.policy.budget; budget > 0 && e.elapsed > budget && !e.cut {
		j.fail(o.policy.pointer[responseTime], "the answer took %s, and may take %s", e.elapsed.Round(time.Millisecond), budget)
	}
	r := o.response(e.status)
	if r == nil && !j.strict() {
		r = o.unexpected()
	}
	if r == nil {
		j.fail(o.pointer+"/responses", "the status %d is not declared: %s", e.status, first(string(e.received), 300))
		return
	}
	j.headers(r, e)
	j.body(r, e)
	j.limits(e)
	if control := e.answer.Get("Cache-Control"); control != "" && !strings.Contains(control, "no-store") && !o.policy.cached && !o.dated() && j.policies() {
		j.fail(o.pointer, "a %d may be kept (%s), and the operation has no cache", e.status, control)
	}
}

// taken wants a recorded request that was done to be one that the document allows.
func (j *judgement) taken(e *exchange) {
	if e.status >= http.StatusMultipleChoices {
		return
	}
	w := &witnesses{deriver: j.deriver}
	for _, p := range j.operation.parameters {
		value, given := e.parameters[p.key()]
		if !given {
			continue
		}
		for _, b := range j.schemas.broken(p.schema, w.asText(j.shape(p.schema), value)) {
			j.fail(b.pointer, "a request was done with %s %q: %s", p.name, plainText(value), b.text)
		}
	}
	mediaType, _, _ := strings.Cut(e.header.Get("Content-Type"), ";")
	for _, b := range j.operation.bodies {
		if e.value == nil || !matchesRange(b.mediaType, mediaType) {
			continue
		}
		for _, broken := range j.schemas.broken(b.schema, w.sent(b, e.value)) {
			j.fail(broken.pointer, "a request was done that has at %q: %s", broken.at, broken.text)
		}
	}
}

// strict says that a document means to declare each status: one with x-policy does.
func (d *Document) strict() bool { return d.root["x-policy"] != nil }

// policies says whether the document has any x-policy that could say what may be kept.
func (j *judgement) policies() bool {
	return j.strict() || slices.ContainsFunc(j.operations, func(o *operation) bool { return o.policy.cached })
}

func (j *judgement) headers(r *response, e *exchange) {
	for _, name := range sorted(e.answer) {
		if (j.deriver.headers[name] || own(name) && j.strict()) && !slices.ContainsFunc(r.headers, func(h header) bool { return strings.EqualFold(h.name, name) }) {
			j.fail(r.pointer+"/headers", "a %d has the header %s, which is not declared for it", e.status, name)
		}
	}
	for _, h := range r.headers {
		value := strings.Join(e.answer.Values(h.name), ", ") // one list (RFC 9110, section 5.3)
		switch {
		case value == "" && h.required:
			j.fail(h.pointer+"/required", "the header %s is missing from a %d", h.name, e.status)
		case value != "" && j.at(h.schema) != nil:
			for _, b := range j.answers.broken(h.schema, j.simple(h.schema, h.explode, value)) {
				j.fail(b.pointer, "the header %s of a %d: %s: %s", h.name, e.status, value, b.text)
			}
		}
	}
}

// ofAnAnswer are headers that say something of one answer (RFC 9110, 8288 and 6266 and
// those on deprecation and limits): who sends them, means them.
var ofAnAnswer = []string{
	"Location", "Content-Location", "Content-Disposition", "Link", "Etag", "Last-Modified", "Accept-Ranges", "Retry-After",
	"Deprecation", "Sunset", "Ratelimit", "Ratelimit-Policy",
}

// own says that a header is one of the API's own, and none that proxies, frameworks
// and browsers have an understanding of.
func own(name string) bool {
	return slices.Contains(ofAnAnswer, name) || strings.HasPrefix(name, "X-") && !slices.Contains([]string{
		"X-Content-Type-Options", "X-Frame-Options", "X-Xss-Protection", "X-Powered-By", "X-Dns-Prefetch-Control", "X-Download-Options", "X-Permitted-Cross-Domain-Policies", "X-Cache", "X-Served-By", "X-Accel-Buffering",
	}, name)
}

// headerValue reads a header as what its schema says that it is.
func headerValue(s shape, text string) any {
	switch s.kind() {
	case "integer", "number":
		if json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case "boolean":
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

func (j *judgement) body(r *response, e *exchange) {
	if len(r.bodies) == 0 {
		if len(e.received) > 0 && (e.status < http.StatusBadRequest || j.strict()) {
			j.fail(r.pointer, "a %d has a body, and none is declared: %s", e.status, first(string(e.received), 100))
		}
		return
	}
	if e.method == http.MethodHead || e.status == http.StatusNotModified {
		return // they have none (RFC 9110, section 6.4.1)
	}
	declared, value, ok := j.read(r, e)
	if !ok || declared.schema == "" {
		return
	}
	for _, b := range j.answers.broken(declared.schema, value) {
		if e.cut && !strings.HasSuffix(b.pointer, "/type") { // which no rest of it would change
			continue
		}
		j.fail(b.pointer, "a %d has at %q: %s", e.status, b.at, b.text)
	}
	if !e.cut {
		for _, b := range j.misnamed(j.answers, declared.schema, value, 0) {
			j.fail(b.pointer, "a %d has at %q: %s", e.status, b.at, b.text)
		}
	}
	if j.hides {
		j.hidden(declared.schema, value, 0)
	}
}

// read decodes a body as the declared content type that it has.
func (j *judgement) read(r *response, e *exchange) (declared body, value any, ok bool) {
	mediaType, _, err := mime.ParseMediaType(e.answer.Get("Content-Type"))
	i := slices.IndexFunc(r.bodies, func(b body) bool { return err == nil && essence(b.mediaType) == mediaType })
	if i < 0 {
		i = slices.IndexFunc(r.bodies, func(b body) bool { return err == nil && matchesRange(b.mediaType, mediaType) })
	}
	if i < 0 {
		j.fail(r.pointer+"/content", "the content type of a %d is not declared: %q", e.status, e.answer.Get("Content-Type"))
		return body{}, nil, false
	}
	if !isJSON(mediaType) {
		s := j.shape(r.bodies[i].schema)
		return r.bodies[i], headerValue(s, string(e.received)), s.takes("string") || s.kind() == "integer" || s.kind() == "number" || s.kind() == "boolean"
	}
	if value, err = e.decoded(); e.cut {
		return body{}, nil, false
	}
	if err != nil {
		j.fail(r.bodies[i].pointer, "the body of a %d is no JSON: %s", e.status, err)
		return body{}, nil, false
	}
	return r.bodies[i], value, true
}
