package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// logLine waits for the line of a request.
func logLine(s *servertest.Server, requestID string) string {
	s.T.Helper()
	var found string
	s.Eventually("the request is logged", func() bool {
		for line := range strings.Lines(s.Log.String()) {
			if strings.Contains(line, requestID) && strings.Contains(line, `"msg":"request"`) {
				found = line
			}
		}
		return found != ""
	})
	return found
}

// Each request leaves one line that says what it was and how it went.
func TestOneLineForEachRequest(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user, nobody := s.Register(), s.Somebody()
	user.Header.Set("User-Agent", "forged\t{\"msg\":\"request\"}")
	for _, c := range []struct {
		answer *servertest.Answer
		want   map[string]any // nil: not in the line
	}{
		{user.GET("/api/v1/users/me?q=1"), map[string]any{
			"level": "INFO", "operation": "getMe", "status": 200.0, "user_id": user.User.ID.String(), "ip": user.IP,
			"method": "GET", "path": "/api/v1/users/me", "problem": nil, "error": nil,
		}},
		{user.Do(http.MethodHead, "/api/v1/users/me/", "", nil), map[string]any{"operation": "getMe", "method": "HEAD", "status": 200.0}},
		{nobody.GET("/api/v1/users/me"), map[string]any{"level": "INFO", "operation": "getMe", "status": 401.0, "problem": "unauthenticated", "user_id": nil}},
		{nobody.GET("/api/v1/nothing%0Aforged"), map[string]any{"level": "INFO", "status": 404.0, "operation": nil, "path": "/api/v1/nothing\nforged"}},
		{user.GET("/api/v1/admin/users"), map[string]any{"status": 403.0, "problem": "forbidden", "user_id": user.User.ID.String()}},
		{user.PATCH("/api/v1/users/me", "{"), map[string]any{"level": "INFO", "status": 400.0, "problem": "malformed-request", "error": nil}},
		{nobody.GET("/problems"), map[string]any{"status": 200.0, "operation": nil}},
	} {
		id := c.answer.Header.Get("X-Request-Id")
		var line map[string]any
		if err := json.Unmarshal([]byte(logLine(s, id)), &line); err != nil {
			t.Fatal(err)
		}
		for name, want := range c.want {
			if line[name] != want {
				t.Errorf("%s %s: %s is %v, want %v", c.answer.Request.Method, c.answer.Request.URL, name, line[name], want)
			}
		}
		if line["request_id"] != id || line["duration_ms"] == nil || (c.answer.Request.Method != http.MethodHead && line["bytes"] != float64(len(c.answer.Body))) {
			t.Errorf("line %v", line)
		}
		if n := strings.Count(s.Log.String(), id); n != 1 {
			t.Errorf("%s %s: %d lines", c.answer.Request.Method, c.answer.Request.URL, n)
		}
	}
}

// Whoever asks for a long path does not fill the log with it.
func TestLongPathsAreCutInTheLog(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	id := s.Somebody().GET("/api/v1/" + strings.Repeat("é", 10_000)).Header.Get("X-Request-Id")
	if line := logLine(s, id); len(line) > 1000 || !strings.Contains(line, `"path":"/api/v1/éé`) {
		t.Errorf("%d bytes: %.1000s", len(line), line)
	}
}

// Our failures are found in the log by the request's id, with their reason.
func TestFailuresAreLoggedWithTheirReason(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	execute(t, s, "ALTER TABLE users RENAME COLUMN full_name TO gone")
	answer := p.GET("/api/v1/users/me").Expect(http.StatusInternalServerError)
	if strings.Contains(string(answer.Body), "full_name") || strings.Contains(string(answer.Body), "SQLSTATE") {
		t.Errorf("the answer tells: %s", answer.Body)
	}
	line := logLine(s, answer.Problem("internal").RequestID)
	if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, "full_name") {
		t.Errorf("line %s", line)
	}
}

// spy sends what people send, and keeps what must not be seen of it.
type spy struct {
	*servertest.Person
	secrets []string
}

func (s *spy) hide(secret string) string {
	s.secrets = append(s.secrets, secret)
	return secret
}

// Nothing that is secret comes into a log, the trail or a job: passwords right
// and wrong, tokens, cookies, queries, bodies that cannot be read, mails.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	const secretKey = "canary-key-canary-key-canary-key-9"
	s := servertest.New(t, servertest.Options{Start: true, Settings: map[string]string{
		"SECRET_KEY": secretKey, "SECRET_KEY_PREVIOUS": secretKey + "-old", "LOG_LEVEL": "debug",
	}})
	p := &spy{Person: s.Register()}
	p.secrets = append(p.secrets, secretKey, p.Password, "#token=", "canary", "Canary")
	p.hide(p.Tokens.AccessToken)
	p.hide(p.Tokens.RefreshToken)
	p.Header.Set("Cookie", "session=canary-cookie")
	p.Header.Set("Referer", "https://example.com/?token=canary-referer")
	p.Header.Set("Proxy-Authorization", "Basic canary-proxy")
	verify := p.hide(token(s, p.User.Email, 1))

	signIn(p)
	rotate(p)
	changePassword(p)
	mailed(p, verify)
	oddities(p)
	execute(t, s, "ALTER TABLE users RENAME COLUMN full_name TO gone") // our own failures, with their reasons
	p.PATCH("/api/v1/users/me?canary=canary", map[string]any{"full_name": "Canary Name"}).Expect(http.StatusInternalServerError)
	p.Elsewhere().POST("/api/v1/users", registration(map[string]any{"password": "Canary-broken-1"})).Expect(http.StatusInternalServerError)
	p.Elsewhere().Login(p.User.Username, "Canary-broken-2").Expect(http.StatusInternalServerError)
	s.Eventually("all jobs have run", func() bool {
		return column(t, s, "SELECT count(*)::text FROM river_job WHERE state IN ('available', 'running')") == "0"
	})

	everywhere := map[string]string{
		"log":   s.Log.String(),
		"trail": column(t, s, "SELECT coalesce(string_agg(audit_events::text, ' '), '') FROM audit_events"),
		"jobs":  column(t, s, "SELECT coalesce(string_agg(river_job::text, ' '), '') FROM river_job"),
	}
	for name, text := range everywhere {
		for _, secret := range p.secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%q is in the %s: ...%s", secret, name, text[max(0, at-300):min(len(text), at+100)])
			}
		}
		if !strings.Contains(text, p.User.ID.String()) {
			t.Errorf("the user's id is not in the %s: nothing was looked at", name)
		}
	}
}

func signIn(p *spy) {
	q := p.Elsewhere()
	q.Login(p.User.Username, "Canary-wrong-1").Expect(http.StatusUnauthorized)
	q.Login("Canary-Password-as-name-1", "x").Expect(http.StatusUnauthorized) // people mistake the fields
	q.Login(p.User.Username, strings.Repeat("canary", 20)).Expect(http.StatusUnprocessableEntity)
	q.Form("/api/v1/auth/login?username=canary&password=canary-query", url.Values{"client_secret": {"canary-client"}}).Expect(http.StatusUnprocessableEntity)
	q.Do(http.MethodPost, "/api/v1/auth/login", "application/x-www-form-urlencoded", []byte("password=canary%zz")).Expect(http.StatusBadRequest)
	q.Login("x", "canary").Expect(http.StatusTooManyRequests)
	q.POST("/api/v1/users", registration(map[string]any{"password": "canary-weak"})).Expect(http.StatusUnprocessableEntity)
	q.POST("/api/v1/users", `{"password": "canary-broken`).Expect(http.StatusBadRequest)
	q.POST("/api/v1/users", `{"password": "canary-first", "password": "canary-second"}`).Expect(http.StatusBadRequest)
	q.POST("/api/v1/users", registration(map[string]any{"email": p.User.Email, "password": "Canary-taken-1"})).Expect(http.StatusConflict)
	q.POST("/api/v1/users", registration(map[string]any{"password": "Canary-unknown-1", "canary-member": "canary"})).Expect(http.StatusUnprocessableEntity)
}

func rotate(p *spy) {
	var successor api.Token
	refresh(p.Person, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&successor)
	p.hide(successor.AccessToken)
	p.hide(successor.RefreshToken)
	refresh(p.Person, "canary-refresh-token").Expect(http.StatusBadRequest)
	p.Elsewhere().Form("/api/v1/auth/refresh", url.Values{"refresh_token": {p.hide(strings.Repeat("A", 43))}}).Expect(http.StatusBadRequest)
	forger := p.Elsewhere()
	forger.Tokens.AccessToken = "canary.canary.canary"
	forger.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	forger.Header.Set("Authorization", "Basic canary")
	forger.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
}

func changePassword(p *spy) {
	change := func(from, to string) *servertest.Answer {
		return p.PUT("/api/v1/users/me/password", map[string]any{"current_password": from, "new_password": to})
	}
	change("Canary-wrong-2", "Canary-new-0").Expect(http.StatusUnprocessableEntity)
	p.Clock.Advance(2 * time.Second) // the wait after the failure
	change(p.Password, "canary").Expect(http.StatusUnprocessableEntity)
	change(p.Password, p.hide("Canary-new-1")).Expect(http.StatusNoContent)
}

func mailed(p *spy, verify string) {
	q := p.Elsewhere()
	q.POST("/api/v1/auth/verify-email", map[string]any{"token": verify}).Expect(http.StatusNoContent)
	q.POST("/api/v1/auth/verify-email", map[string]any{"token": "canary-token"}).Expect(http.StatusBadRequest)
	p.Eventually("the welcome and the notice of the new password are sent", func() bool { return len(p.Mailbox.To(p.User.Email)) == 2 })
	q.POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	reset := p.hide(token(p.Server, p.User.Email, 3))
	q.POST("/api/v1/auth/reset-password", map[string]any{"token": "canary-token", "new_password": "Canary-reset-0"}).Expect(http.StatusBadRequest)
	q.POST("/api/v1/auth/reset-password", map[string]any{"token": reset, "new_password": "Canary-reset-1"}).Expect(http.StatusNoContent)
	q.Login(p.User.Username, "Canary-reset-1").Expect(http.StatusOK).Into(&p.Tokens)
	p.hide(p.Tokens.AccessToken)
	p.hide(p.Tokens.RefreshToken)
}

func oddities(p *spy) {
	p.GET("/api/v1/users/me?token=canary-query").Expect(http.StatusOK)
	p.GET("/api/v1/admin/users?q=canary").Expect(http.StatusForbidden)
	p.GET("/account/reset-password?token=canary").Expect(http.StatusOK)
	p.Do(http.MethodPut, "/api/v1/users/me?canary", "canary/canary", []byte("canary")).Expect(http.StatusMethodNotAllowed)
	p.Do(http.MethodPatch, "/api/v1/users/me", "canary/canary", []byte("canary")).Expect(http.StatusUnsupportedMediaType)
}
