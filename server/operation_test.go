package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// operation is one of the published document, read without the generator.
type operation struct {
	ID       string                `json:"operationId"`
	Security []map[string][]string `json:"security"`
	Policy   policies              `json:"x-policy"`
	Body     *struct {
		Content map[string]json.RawMessage `json:"content"`
	} `json:"requestBody"`
	Method, Path string `json:"-"`
	public       bool
	roles        []string
}

type policies struct {
	Timeout   string          `json:"timeout"`
	BodyLimit string          `json:"body-limit"`
	RateLimit json.RawMessage `json:"rate-limit"`
}

type limits []struct {
	Limit  int    `json:"limit"`
	Window string `json:"window"`
	By     string `json:"by"`
}

// document reads the operations, and the defaults of the root.
func document(t *testing.T) (operations []operation, defaults policies) {
	t.Helper()
	var doc struct {
		Paths    map[string]map[string]json.RawMessage `json:"paths"`
		Policy   policies                              `json:"x-policy"`
		Security []map[string][]string                 `json:"security"`
	}
	if err := json.Unmarshal(api.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		for method, raw := range item {
			if !slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
				continue
			}
			o := operation{Method: strings.ToUpper(method), Path: path}
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			if o.Security == nil {
				o.Security = doc.Security
			}
			if o.public = len(o.Security) == 0; !o.public {
				o.roles = o.Security[0]["oauth2"]
			}
			operations = append(operations, o)
		}
	}
	return operations, doc.Policy
}

// url fills the path's parameters with an id that nothing has.
func (o operation) url() string {
	return strings.NewReplacer("{user_id}", unknownID, "{session_id}", unknownID).Replace(o.Path)
}

const unknownID = "0198c0de-0000-7000-8000-00000000dead"

func (o operation) contentType() string {
	if o.Body == nil {
		return ""
	}
	for name := range o.Body.Content {
		return name
	}
	return ""
}

func (p policies) limits(t *testing.T, by string) (n int, window time.Duration) {
	t.Helper()
	if len(p.RateLimit) == 0 || string(p.RateLimit) == `"none"` {
		return 0, 0
	}
	list := limits{{}}
	if p.RateLimit[0] == '[' {
		list = nil
	}
	var target any = &list
	if len(list) == 1 {
		target = &list[0]
	}
	if err := json.Unmarshal(p.RateLimit, target); err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if l.By == by {
			window, err := time.ParseDuration(l.Window)
			if err != nil {
				t.Fatal(err)
			}
			return l.Limit, window
		}
	}
	return 0, 0
}

// What the document says of an operation is what its live route does.
func TestContractHolds(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	operations, defaults := document(t)
	if len(operations) != len(api.Policies) {
		t.Errorf("%d operations in the document, %d in the table", len(operations), len(api.Policies))
	}
	user := s.Register()
	for _, o := range operations {
		t.Run(o.ID, func(t *testing.T) {
			t.Parallel()
			checkAccess(t, s, user, o)
			checkTimeout(t, o, defaults)
			checkBody(t, s, o, defaults)
			checkRate(t, s, o, defaults)
		})
	}
}

// send calls the operation with a body that is no JSON and no form that it
// takes: whoever gets past the chain gets 400 or 422.
func send(p *servertest.Person, o operation) *servertest.Answer {
	p.T.Helper()
	if o.Body == nil {
		return p.Do(o.Method, o.url(), "", nil)
	}
	return p.Do(o.Method, o.url(), o.contentType(), []byte("{"))
}

func checkAccess(t *testing.T, s *servertest.Server, user *servertest.Person, o operation) {
	t.Helper()
	if got := send(s.Somebody(), o).Status; (got == http.StatusUnauthorized) == o.public {
		t.Errorf("without a token: status %d", got)
	}
	if slices.Contains(o.roles, "admin") {
		send(user, o).Expect(http.StatusForbidden).Problem("forbidden")
	}
}

func checkTimeout(t *testing.T, o operation, defaults policies) {
	t.Helper()
	want := defaults.Timeout
	if o.Policy.Timeout != "" {
		want = o.Policy.Timeout
	}
	if d, err := time.ParseDuration(want); err != nil || api.Policies[o.ID].Timeout != d {
		t.Errorf("timeout %s, want %s", api.Policies[o.ID].Timeout, want)
	}
}

// signedIn is somebody new who may call the operation.
func signedIn(s *servertest.Server, o operation) *servertest.Person {
	switch {
	case o.public:
		return s.Somebody()
	case slices.Contains(o.roles, "admin"):
		return s.Admin()
	}
	return s.Register()
}

func checkBody(t *testing.T, s *servertest.Server, o operation, defaults policies) {
	t.Helper()
	if o.Body == nil {
		return
	}
	size := strings.TrimSuffix(defaults.BodyLimit, "KiB")
	if o.Policy.BodyLimit != "" {
		size = strings.TrimSuffix(o.Policy.BodyLimit, "KiB")
	}
	kib, err := strconv.Atoi(size)
	if err != nil {
		t.Fatal(err)
	}
	p := signedIn(s, o)
	for extra, want := range map[int]bool{0: false, 1: true} {
		body := bytes.Repeat([]byte(" "), kib<<10+extra)
		for name, reader := range map[string]io.Reader{"with a length": bytes.NewReader(body), "chunked": io.MultiReader(bytes.NewReader(body))} {
			r, err := http.NewRequestWithContext(t.Context(), o.Method, s.URL+o.url(), reader)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", o.contentType())
			r.Header.Set("X-Forwarded-For", s.Somebody().IP)
			r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
			if got := p.Send(r).Status == http.StatusRequestEntityTooLarge; got != want {
				t.Errorf("%d bytes %s: refused %t", len(body), name, got)
			}
		}
	}
	for _, contentType := range []string{"text/plain", o.contentType() + "; charset=latin1", ""} {
		answer := p.Do(o.Method, o.url(), contentType, []byte("{}")).Expect(http.StatusUnsupportedMediaType)
		if !strings.Contains(answer.Header.Get("Accept"), o.contentType()) {
			t.Errorf("Accept %q", answer.Header.Get("Accept"))
		}
	}
}

func checkRate(t *testing.T, s *servertest.Server, o operation, defaults policies) {
	t.Helper()
	by := "user"
	if o.public {
		by = "ip"
	}
	n, window := o.Policy.limits(t, by)
	if n == 0 && string(o.Policy.RateLimit) != `"none"` {
		n, window = defaults.limits(t, by)
	}
	p := signedIn(s, o)
	if o.ID == "logout" || o.ID == "logoutAll" {
		n = 0 // the second call has no session any more
	}
	if n == 0 {
		return
	}
	for i := range n {
		answer := send(p, o)
		if answer.Status == http.StatusTooManyRequests {
			t.Fatalf("call %d of %d is refused", i+1, n)
		}
		if want := fmt.Sprintf(`"%s";r=%d;t=%d`, by, n-1-i, int(window.Seconds())); i == 0 && answer.Header.Get("RateLimit") != want {
			t.Errorf("RateLimit %q, want %q", answer.Header.Get("RateLimit"), want)
		}
	}
	refused := send(p, o).Expect(http.StatusTooManyRequests)
	refused.Problem("too-many-requests")
	if got, _ := strconv.Atoi(refused.Header.Get("Retry-After")); got < 1 || got > int(window.Seconds()) {
		t.Errorf("Retry-After %q", refused.Header.Get("Retry-After"))
	}
	if want := fmt.Sprintf(`"%s";q=%d;w=%d`, by, n, int(window.Seconds())); !strings.Contains(refused.Header.Get("RateLimit-Policy"), want) {
		t.Errorf("RateLimit-Policy %q lacks %q", refused.Header.Get("RateLimit-Policy"), want)
	}
}

// The order of the chain: what is cheap and says little comes first.
func TestChainOrder(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Somebody()
	p.GET("/api/v1/nothing").Expect(http.StatusNotFound).Problem("not-found") // before any sign-in
	p.Do(http.MethodPatch, "/api/v1/users/me", "text/plain", []byte("x")).Expect(http.StatusUnauthorized)
	p.Do(http.MethodPatch, "/api/v1/users/me", "application/json", bytes.Repeat([]byte("x"), 65<<10)).Expect(http.StatusRequestEntityTooLarge)
	for range 5 {
		p.Login("nobody", "x")
	}
	p.Do(http.MethodPost, "/api/v1/auth/login", "text/plain", []byte("x")).Expect(http.StatusTooManyRequests)
}

// A lock in the database holds the operation up until its time is over.
func TestTimeoutIsToldAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	before := api.Policies["updateMe"].Timeout
	if before != 10*time.Second {
		t.Fatalf("timeout %s", before)
	}
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE users"); err != nil {
		t.Fatal(err)
	}
	answer := p.PATCH("/api/v1/users/me", map[string]any{"full_name": "Too Late"}).Expect(http.StatusServiceUnavailable)
	answer.Problem("timeout")
	if answer.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if name := column(t, s, "SELECT full_name FROM users"); name != p.User.FullName {
		t.Errorf("the name is %q", name)
	}
}
