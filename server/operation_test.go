package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/policy"
	"github.com/accord-api/accord/servertest"
)

// operation is one of the published document, read without the generator: from
// `security` and `x-policy` as they are written there.
type operation struct {
	ID       string                `json:"operationId"`
	Security []map[string][]string `json:"security"`
	Policy   policies              `json:"x-policy"`
	Body     *struct {
		Content map[string]struct {
			Example map[string]any `json:"example"`
		} `json:"content"`
	} `json:"requestBody"`
	Parameters []struct {
		Ref  string `json:"$ref"`
		Name string `json:"name"`
	} `json:"parameters"`
	Responses    map[string]json.RawMessage `json:"responses"`
	Method, Path string                     `json:"-"`
}

// policies is an x-policy, of an operation or of the root.
type policies struct {
	Timeout     string    `json:"timeout"`
	Stall       string    `json:"stall"`
	BodyLimit   string    `json:"body-limit"`
	RateLimit   rateLimit `json:"rate-limit"`
	Concurrency int       `json:"concurrency"`
	Audit       string    `json:"audit"`
	Idempotent  bool      `json:"idempotent"`
	Cache       any       `json:"cache"`
}

// rateLimit is one limit, a list of them, or none; nil where nothing is said.
type rateLimit []policy.RateLimit

func (r *rateLimit) UnmarshalJSON(data []byte) error {
	*r = rateLimit{}
	if string(data) == `"none"` {
		return nil
	}
	if data[0] == '{' {
		data = fmt.Appendf(nil, "[%s]", data)
	}
	var written []struct {
		Limit      int
		Window, By string
	}
	if err := json.Unmarshal(data, &written); err != nil {
		return err
	}
	for _, w := range written {
		window, err := time.ParseDuration(w.Window)
		if err != nil {
			return err
		}
		by, field, _ := strings.Cut(w.By, ":")
		*r = append(*r, policy.RateLimit{Limit: w.Limit, Window: window, By: policy.By(by), Field: field})
	}
	return nil
}

// document reads the operations, each with the defaults of the root for what it
// does not say itself.
func document(t *testing.T) []operation {
	t.Helper()
	var doc struct {
		Paths    map[string]map[string]json.RawMessage `json:"paths"`
		Policy   policies                              `json:"x-policy"`
		Security []map[string][]string                 `json:"security"`
	}
	if err := json.Unmarshal(api.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	var operations []operation
	for path, item := range doc.Paths {
		for method, raw := range item {
			if !slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
				continue
			}
			o := operation{Method: strings.ToUpper(method), Path: path}
			o.Policy.Timeout, o.Policy.BodyLimit = doc.Policy.Timeout, doc.Policy.BodyLimit
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			if o.Security == nil {
				o.Security = doc.Security
			}
			if o.Policy.RateLimit == nil {
				o.Policy.RateLimit = o.defaultLimits(doc.Policy.RateLimit)
			}
			operations = append(operations, o)
		}
	}
	slices.SortFunc(operations, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	return operations
}

// defaultLimits picks those of the root that fit: by user where somebody is
// signed in, by address where nobody is.
func (o operation) defaultLimits(all rateLimit) rateLimit {
	by := policy.ByUser
	if o.public() {
		by = policy.ByIP
	}
	return slices.DeleteFunc(slices.Clone(all), func(l policy.RateLimit) bool { return l.By != by })
}

func (o operation) public() bool { return len(o.Security) == 0 }

// wants says whether the role is needed, whichever alternative is taken.
func (o operation) wants(role string) bool {
	return !o.public() && !slices.ContainsFunc(o.Security, func(alternative map[string][]string) bool {
		return !slices.Contains(alternative["oauth2"], role)
	})
}

// url fills the path's parameters with an id that nothing has.
func (o operation) url() string {
	return pathParameter.ReplaceAllString(o.Path, unknownID)
}

// bare-drops {
// takes says whether a request is one of this operation: also of a path that has
// a parameter where another one has a word.
func (o operation) takes(method, path string) bool {
	form := regexp.MustCompile("^" + pathParameter.ReplaceAllString(o.Path, "[^/]+") + "$")
	return form.MatchString(path) && (method == o.Method || method == http.MethodHead && o.Method == http.MethodGet)
}

// bare-drops }
var pathParameter = regexp.MustCompile(`\{[a-z_]+\}`)

const unknownID = "0198c0de-0000-7000-8000-00000000dead"

// parameters are the names of its own parameters, those of components in the
// form that they have in their path.
func (o operation) parameters() []string {
	var names []string
	for _, p := range o.Parameters {
		names = append(names, p.Name+strings.ToLower(strings.TrimPrefix(p.Ref, "#/components/parameters/")))
	}
	return names
}

// streams says whether it answers with events.
func (o operation) streams() bool {
	return bytes.Contains(o.Responses["200"], []byte(`"text/event-stream"`))
}

// contentTypes are the declared ones, sorted.
func (o operation) contentTypes() []string {
	var names []string
	if o.Body != nil {
		for name := range o.Body.Content {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (o operation) contentType() string {
	for _, name := range o.contentTypes() {
		return name
	}
	return ""
}

// sentType is the content type with which a body is sent: that of parts says
// what stands between them.
func (o operation) sentType() string {
	if o.parts() {
		return o.contentType() + "; boundary=" + boundary
	}
	return o.contentType()
}

const boundary = "example"

// parts says whether the body is a form of parts.
func (o operation) parts() bool { return o.contentType() == "multipart/form-data" }

// example is the document's own body, with changes. Parts are files.
func (o operation) example(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	if o.Body == nil {
		return nil
	}
	form, body := url.Values{}, map[string]any{}
	for _, members := range []map[string]any{o.Body.Content[o.contentType()].Example, changes} {
		for name, value := range members {
			body[name] = value
			form.Set(name, fmt.Sprint(value))
		}
	}
	switch {
	case o.parts():
		return formOfFiles(t, body)
	case o.contentType() == "application/x-www-form-urlencoded":
		return []byte(form.Encode())
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func formOfFiles(t *testing.T, files map[string]any) []byte {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.SetBoundary(boundary); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		part, err := form.CreateFormFile(name, name+".txt")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(part, content)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}

// blank is a body of so many bytes in which nothing is found before its end.
func blank(size int64) []byte {
	return bytes.Repeat([]byte(strings.Repeat(" ", 63)+"\n"), int(size)/64+1)[:size]
}

// bytes of a limit such as 64KiB.
func (p policies) bytes(t *testing.T) int64 {
	t.Helper()
	for suffix, unit := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20} {
		if number, ok := strings.CutSuffix(p.BodyLimit, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n * unit
		}
	}
	t.Fatalf("body limit %q", p.BodyLimit)
	return 0
}

// duration of a policy; 0 for none.
func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "" || text == "none" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// signedIn is somebody new who may call the operation.
func signedIn(s *servertest.Server, o operation) *servertest.Person {
	s.T.Helper()
	switch {
	case o.public():
		return s.Somebody()
	case o.wants("admin"):
		return s.Admin()
	}
	return s.Register()
}

// send calls the operation with a body that is none that it takes, or so that no
// stream begins: whoever gets past the chain gets 400 or 422, and nothing is
// changed.
func send(p *servertest.Person, o operation) *servertest.Answer {
	p.T.Helper()
	switch {
	case o.streams():
		q := *p
		q.Header = http.Header{"Last-Event-Id": {"none"}}
		return q.Do(o.Method, o.url(), "", nil)
	case o.Body == nil:
		return p.Do(o.Method, o.url(), "", nil)
	}
	return p.Do(o.Method, o.url(), o.contentType(), []byte("{"))
}

// The table that the server is built from says what the document says.
func TestPolicyTableIsTheDocuments(t *testing.T) {
	t.Parallel()
	operations := document(t)
	if len(operations) == 0 || len(operations) != len(api.Policies) {
		t.Errorf("%d operations in the document, %d in the table", len(operations), len(api.Policies))
	}
	for _, o := range operations {
		row := api.Policies[o.ID]
		if row == nil {
			t.Errorf("%s is not in the table", o.ID)
			continue
		}
		var access []string
		for _, alternative := range o.Security {
			access = append(access, strings.Join(alternative["oauth2"], " "))
		}
		var listed []string
		for _, roles := range row.Access {
			listed = append(listed, strings.Join(roles, " "))
		}
		types := slices.Sorted(slices.Values(row.ContentTypes))
		for what, same := range map[string]bool{
			"access":        slices.Equal(access, listed),
			"rate limits":   slices.Equal(o.Policy.RateLimit, row.RateLimits),
			"body limit":    o.Policy.bytes(t) == row.BodyLimit,
			"timeout":       duration(t, o.Policy.Timeout) == row.Timeout,
			"stall":         duration(t, o.Policy.Stall) == row.Stall,
			"concurrency":   o.Policy.Concurrency == row.Concurrency,
			"audit":         o.Policy.Audit == row.Audit,
			"idempotent":    o.Policy.Idempotent == row.Idempotent,
			"content types": slices.Equal(o.contentTypes(), types),
			"route":         o.Method == row.Method && strings.NewReplacer("{", ":", "}", "").Replace(o.Path) == row.Path,
		} {
			if !same {
				t.Errorf("%s: %s differs: %+v and %+v", o.ID, what, o, *row)
			}
		}
	}
}

// What the document says of an operation is what its live route does.
func TestLiveRoutesKeepTheContract(t *testing.T) {
	t.Parallel()
	for _, o := range document(t) {
		t.Run(o.ID, func(t *testing.T) {
			t.Parallel()
			s := servertest.New(t)
			checkAccess(t, s, o)
			checkBodyLimit(t, s, o)
			checkContentType(t, s, o)
			checkAccept(t, s, o)
			for _, l := range o.Policy.RateLimit {
				checkRate(t, s, o, l)
			}
			if len(o.Policy.RateLimit) == 0 {
				if h := send(s.Somebody(), o).Header; h.Get("RateLimit") != "" || h.Get("RateLimit-Policy") != "" {
					t.Errorf("an unlimited operation tells limits: %v", h)
				}
			}
			// The line names the row of the table that the route was built from.
			id := send(s.Somebody(), o).Header.Get("X-Request-Id")
			if line := logLine(s, id); !strings.Contains(line, fmt.Sprintf(`"operation":"%s"`, o.ID)) {
				t.Errorf("the route belongs to another operation: %s", line)
			}
		})
	}
}

// checkAccess calls without a token, with one that is none, as a user and as an
// administrator: each gets in, or is refused with a challenge that says why, as
// the document's security has it.
func checkAccess(t *testing.T, s *servertest.Server, o operation) {
	t.Helper()
	for token, challenge := range map[string]string{"": `Bearer realm="accord"`, "x.y.z": `error="invalid_token"`} {
		p := s.Somebody()
		p.Tokens.AccessToken = token
		answer := send(p, o)
		if o.public() {
			if answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden {
				t.Errorf("a public operation answers %d to the token %q", answer.Status, token)
			}
			continue
		}
		answer.Expect(http.StatusUnauthorized).Problem("unauthenticated")
		if got := answer.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") || !strings.Contains(got, challenge) {
			t.Errorf("WWW-Authenticate %q", got)
		}
	}
	if o.public() {
		return
	}

	user := send(s.Register(), o)
	if o.wants("admin") {
		user.Expect(http.StatusForbidden).Problem("forbidden")
		if got := user.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_scope"`) || !strings.Contains(got, `scope="admin"`) {
			t.Errorf("WWW-Authenticate %q", got)
		}
	} else if user.Status == http.StatusUnauthorized || user.Status == http.StatusForbidden {
		t.Errorf("a user gets %d", user.Status)
	}
	if admin := send(s.Admin(), o); admin.Status == http.StatusUnauthorized || admin.Status == http.StatusForbidden {
		t.Errorf("an administrator gets %d", admin.Status)
	}
}

// checkBodyLimit sends a body of the limit's length, which is read, and one of a
// byte more, which is not, whether or not its length is told beforehand.
func checkBodyLimit(t *testing.T, s *servertest.Server, o operation) {
	t.Helper()
	if o.Body == nil {
		return
	}
	p := signedIn(s, o)
	for _, extra := range []int64{0, 1} {
		body := blank(o.Policy.bytes(t) + extra)
		for name, reader := range map[string]io.Reader{"with a length": bytes.NewReader(body), "chunked": io.MultiReader(bytes.NewReader(body))} {
			r, err := http.NewRequestWithContext(t.Context(), o.Method, s.URL+o.url(), reader)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", o.sentType())
			r.Header.Set("X-Forwarded-For", s.Somebody().IP)
			r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
			answer := p.Send(r)
			if refused := answer.Status == http.StatusRequestEntityTooLarge; refused != (extra > 0) {
				t.Errorf("%d bytes %s: status %d", len(body), name, answer.Status)
			} else if refused {
				answer.Problem("payload-too-large")
			}
		}
	}
	if stranger := s.Somebody(); !o.public() { // a length that is told is refused before anything else is looked at
		stranger.Do(o.Method, o.url(), o.sentType(), blank(o.Policy.bytes(t)+1)).Expect(http.StatusRequestEntityTooLarge)
	}
}
