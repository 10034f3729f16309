package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/policy"
	"github.com/accord-api/accord/servertest"
)

// checkContentType sends a body under content types and encodings that are not
// declared, all of which are a 415 that names the declared ones, and under every
// spelling of those that are, which gets past the chain to the body's own fault.
func checkContentType(t *testing.T, s *servertest.Server, o operation) {
	t.Helper()
	if o.Body == nil {
		return
	}
	p := signedIn(s, o)
	for _, contentType := range []string{"text/plain", o.contentType() + "; charset=latin1", o.contentType() + "; charset", "application/*", "*/*", "/", ""} {
		p.IP = s.Somebody().IP
		answer := p.Do(o.Method, o.url(), contentType, []byte("{}")).Expect(http.StatusUnsupportedMediaType)
		answer.Problem("unsupported-media-type")
		accepted := strings.Split(answer.Header.Get("Accept"), ", ")
		if slices.Sort(accepted); !slices.Equal(accepted, o.contentTypes()) {
			t.Errorf("Accept %q", accepted)
		}
	}
	for _, encoding := range []string{"gzip", "identity, br", "unknown", "identity"} {
		p.IP = s.Somebody().IP
		p.Header.Set("Content-Encoding", encoding)
		answer := p.Do(o.Method, o.url(), o.contentType(), []byte("{}"))
		refused := answer.Status == http.StatusUnsupportedMediaType && answer.Header.Get("Accept-Encoding") == "identity"
		if plain := encoding == "identity"; refused == plain {
			t.Errorf("Content-Encoding %s: status %d, Accept-Encoding %q", encoding, answer.Status, answer.Header.Get("Accept-Encoding"))
		}
	}
	p.Header.Del("Content-Encoding")
	for _, contentType := range o.contentTypes() {
		for _, written := range []string{contentType, strings.ToUpper(contentType), contentType + "; charset=UTF-8", contentType + `;charset="utf-8"`} {
			p.IP = s.Somebody().IP
			if got := p.Do(o.Method, o.url(), written, []byte("{")).Status; got != http.StatusBadRequest && got != http.StatusUnprocessableEntity {
				t.Errorf("%q: status %d", written, got)
			}
		}
	}
}

// checkAccept asks for what no operation answers with: a 406 of those that let the
// client choose, and nothing to the others.
func checkAccept(t *testing.T, s *servertest.Server, o operation) {
	t.Helper()
	p := signedIn(s, o)
	p.Header.Set("Accept", "model/stl")
	answer := send(p, o)
	if refused := answer.Status == http.StatusNotAcceptable; refused != o.declares("406") {
		t.Errorf("Accept: status %d", answer.Status)
	} else if refused {
		answer.Problem("not-acceptable")
	}
}

// checkRate lets exactly as many calls through as the document says, in any
// span of its window, for each key apart.
func checkRate(t *testing.T, s *servertest.Server, o operation, l policy.RateLimit) {
	t.Helper()
	name := string(l.By)
	if l.Field != "" {
		name += ":" + l.Field
	}
	call := caller(t, s, o, l)
	first := call(0)
	window := int(l.Window.Seconds())
	if want := fmt.Sprintf(`"%s";q=%d;w=%d`, name, l.Limit, window); !strings.Contains(first.Header.Get("RateLimit-Policy"), want) {
		t.Errorf("RateLimit-Policy %q lacks %q", first.Header.Get("RateLimit-Policy"), want)
	}
	if want := fmt.Sprintf(`"%s";r=%d;t=%d`, name, l.Limit-1, window); first.Header.Get("RateLimit") != want {
		t.Errorf("RateLimit %q, want %q", first.Header.Get("RateLimit"), want)
	}
	if strings.HasPrefix(o.ID, "logout") {
		return // each call would need a session of its own
	}
	for i := 1; i < l.Limit; i++ {
		if got := call(0).Status; got == http.StatusTooManyRequests {
			t.Fatalf("by %s: call %d of %d is refused", name, i+1, l.Limit)
		}
	}

	refused := call(0).Expect(http.StatusTooManyRequests)
	refused.Problem("too-many-requests")
	if got := refused.Header.Get("Retry-After"); got != strconv.Itoa(window) {
		t.Errorf("by %s: Retry-After %q, want %d", name, got, window)
	}
	if want := fmt.Sprintf(`"%s";r=0;t=%d`, name, window); refused.Header.Get("RateLimit") != want {
		t.Errorf("RateLimit %q, want %q", refused.Header.Get("RateLimit"), want)
	}
	if got := call(1).Status; got == http.StatusTooManyRequests {
		t.Errorf("by %s: somebody else is refused as well", name)
	}
	s.Clock.Advance(l.Window - time.Second)
	call(0).Expect(http.StatusTooManyRequests)
	s.Clock.Advance(time.Second)
	if got := call(0).Status; got == http.StatusTooManyRequests {
		t.Errorf("by %s: refused for longer than the window", name)
	}
}

// caller calls the operation so that only one limit counts: for one of two keys.
func caller(t *testing.T, s *servertest.Server, o operation, l policy.RateLimit) func(key int) *servertest.Answer {
	t.Helper()
	people := []*servertest.Person{signedIn(s, o), signedIn(s, o)}
	return func(key int) *servertest.Answer {
		t.Helper()
		p := people[key]
		switch l.By {
		case policy.ByUser: // wherever the user calls from
			p.IP = s.Somebody().IP
		case policy.ByField: // in any letter case
			p.IP = s.Somebody().IP
			value := fmt.Sprintf("Key%d@Example.com", key)
			if p.IP[len(p.IP)-3]%2 == 0 {
				value = strings.ToLower(value)
			}
			return p.Do(o.Method, o.url(), o.sentType(), o.example(t, map[string]any{l.Field: value}))
		}
		return send(p, o)
	}
}

// An operation with an audit policy leaves one event of that name when it is
// called as the document's example shows, and every other one leaves none.
func TestAuditIsAsTheContractSays(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	events := func() string {
		return column(t, s, "SELECT coalesce(string_agg(action || ' ' || outcome, ', ' ORDER BY id), '') FROM audit_events")
	}
	for _, o := range document(t) {
		p := signedIn(s, o)
		before := events()
		answer := p.Do(o.Method, o.url(), o.sentType(), o.example(t, nil))
		want := ""
		if o.Policy.Audit != "" {
			want = o.Policy.Audit + " failed"
			if answer.Status < http.StatusBadRequest {
				want = o.Policy.Audit + " succeeded"
			}
		}
		if got := strings.TrimPrefix(strings.TrimPrefix(events(), before), ", "); got != want {
			t.Errorf("%s answers %d and leaves %q, want %q", o.ID, answer.Status, got, want)
		}
	}
}

// The order of the chain: what is cheap and says little comes first.
func TestChainOrder(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	large := bytes.Repeat([]byte("x"), 65<<10)
	const login, me, admin = "/api/v1/auth/login", "/api/v1/users/me", "/api/v1/admin/users/" + unknownID

	p := s.Somebody()
	p.GET("/api/v1/nothing").Expect(http.StatusNotFound).Problem("not-found") // the route before the sign-in
	p.Do(http.MethodPut, me, "text/plain", nil).Expect(http.StatusMethodNotAllowed)
	p.Do(http.MethodPatch, me, "application/json", large).Expect(http.StatusRequestEntityTooLarge) // the size before the sign-in
	p.Do(http.MethodPatch, me, "text/plain", []byte("\xff")).Expect(http.StatusUnauthorized)       // the sign-in before the body
	p.Do(http.MethodPatch, admin+"%ff", "text/plain", []byte("\xff")).Expect(http.StatusUnauthorized)
	user := s.Register()
	user.Do(http.MethodPatch, admin+"%ff", "text/plain", []byte("\xff")).Expect(http.StatusForbidden) // the role before the content type
	user.Do(http.MethodPatch, me, "text/plain", []byte("\xff")).Expect(http.StatusUnsupportedMediaType)
	s.Admin().Do(http.MethodPatch, "/api/v1/admin/users/x", "application/merge-patch+json", []byte("{")).Expect(http.StatusBadRequest)
	for range 300 {
		user.GET(me)
	}
	user.GET("/api/v1/users/x").Expect(http.StatusUnprocessableEntity) // limits are each operation's own
	user.Do(http.MethodGet, me, "", nil).Expect(http.StatusTooManyRequests)

	for range 5 {
		p.Do(http.MethodPost, login, "text/plain", nil).Expect(http.StatusUnsupportedMediaType)
	}
	p.Do(http.MethodPost, login, "text/plain", []byte("x")).Expect(http.StatusTooManyRequests)    // the limit before the content type
	p.Do(http.MethodPost, login, "text/plain", large).Expect(http.StatusRequestEntityTooLarge)    // the size before the limit
	p.POST("/api/v1/auth/forgot-password", `{"email": 1}`).Expect(http.StatusUnprocessableEntity) // the rules before the limit by field
	p.POST("/api/v1/auth/forgot-password", `{"email": "x"}`).Expect(http.StatusUnprocessableEntity)
}

// Who guesses tokens is held up as one who is not signed in at all; who has a
// token is not held up by others at the same address.
func TestFailedAuthenticationIsLimited(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user := s.Register()
	guesser := s.Somebody()
	guesser.Tokens.AccessToken = "x.y.z"
	for range api.Anonymous.Limit {
		guesser.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	}
	refused := guesser.GET("/api/v1/auth/sessions").Expect(http.StatusTooManyRequests) // whichever operation
	refused.Problem("too-many-requests")
	if got := refused.Header.Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After %q", got)
	}
	for name, want := range map[string]string{"RateLimit": `"ip";r=0;t=60`, "RateLimit-Policy": `"ip";q=60;w=60`} {
		if got := refused.Header.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	user.IP = guesser.IP
	user.GET("/api/v1/users/me").Expect(http.StatusOK)
	s.Clock.Advance(time.Minute)
	guesser.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
}
