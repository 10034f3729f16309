package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/client"
	"github.com/accord-api/accord/policy"
	"github.com/accord-api/accord/servertest"
)

func TestLoginGivesTokens(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()

	for _, name := range []string{p.User.Email, strings.ToUpper(p.User.Email), p.User.Username, strings.ToUpper(p.User.Username)} {
		var tokens client.Token
		answer := p.Elsewhere().Login(name, p.Password).Expect(http.StatusOK)
		answer.Into(&tokens)
		if got := answer.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		if tokens.TokenType != "bearer" || tokens.ExpiresIn != 900 || tokens.Scope != "user" {
			t.Errorf("tokens of %s: %s, %d s, scope %s", name, tokens.TokenType, tokens.ExpiresIn, tokens.Scope)
		}
	}
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	if admin := s.Admin(); admin.Tokens.Scope != "user admin" {
		t.Errorf("an administrator's scope is %q", admin.Tokens.Scope)
	}
}

// RFC 6749: what a token endpoint does not know it ignores. Swagger UI sends all
// of this.
func TestLoginIgnoresWhatOAuthClientsSend(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	other := p.Elsewhere()
	other.Header.Set("Authorization", "Basic Y2xpZW50OnNlY3JldA==")
	other.Form("/api/v1/auth/login", url.Values{
		"grant_type": {"password"}, "username": {p.User.Username}, "password": {p.Password},
		"scope": {"admin"}, "client_id": {"docs"}, "client_secret": {"x"}, "audience": {"anything"},
	}).Expect(http.StatusOK)
	if got := other.Form("/api/v1/auth/login", url.Values{"grant_type": {"client_credentials"}, "username": {"a"}, "password": {"b"}}).Fields(); !slices.Equal(got, []string{"grant_type enum"}) {
		t.Errorf("fields %v", got)
	}
}

func TestLoginReadsOnlyTheBody(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	other := p.Elsewhere()
	q := url.Values{"username": {p.User.Username}, "password": {p.Password}}.Encode()

	if got := other.Form("/api/v1/auth/login?"+q, url.Values{}).Fields(); !slices.Equal(got, []string{"username required", "password required"}) {
		t.Errorf("fields %v", got)
	}
	other.Form("/api/v1/auth/login", url.Values{"username": {p.User.Username, "other"}, "password": {p.Password}}).
		Expect(http.StatusBadRequest).Problem("malformed-request")
}

// Wrong password, unknown name and inactive account are one answer.
func TestLoginDoesNotTellWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, inactive, admin := s.Register(), s.Register(), s.Admin()
	admin.PATCH("/api/v1/admin/users/"+inactive.User.ID.String(), map[string]any{"is_active": false}).Expect(http.StatusOK)

	var answers []client.Problem
	for _, try := range [][2]string{{p.User.Username, "Wrong-1843"}, {"nobody-here", p.Password}, {inactive.User.Username, inactive.Password}} {
		answer := s.Somebody().Login(try[0], try[1]).Expect(http.StatusUnauthorized)
		problem := answer.Problem("invalid-credentials")
		problem.RequestID = ""
		answers = append(answers, problem)
		if problem.Error == nil || *problem.Error != "invalid_grant" {
			t.Errorf("no OAuth error in %s", answer.Body)
		}
	}
	for _, a := range answers[1:] {
		if a.Detail != answers[0].Detail || a.Type != answers[0].Type {
			t.Errorf("the answers differ: %+v and %+v", a, answers[0])
		}
	}
}

// The numbers of the contract, once literally, so that a slip in the document is
// noticed; that each holds on the live route is shown by TestContractHolds.
func TestAccountLimits(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"login": "5/1m0s ip", "registerUser": "30/1m0s ip", "refreshToken": "30/1m0s ip",
		"forgotPassword": "5/1m0s ip, 3/1h0m0s field email", "resendVerification": "5/1m0s ip, 3/1h0m0s field email",
		"resetPassword": "10/1m0s ip", "verifyEmail": "10/1m0s ip", "getMe": "300/1m0s user", "getJwks": "60/1m0s ip", "getHealth": "",
	} {
		var limits []string
		for _, l := range api.Policies[id].RateLimits {
			limits = append(limits, strings.TrimSpace(fmt.Sprintf("%d/%s %s %s", l.Limit, l.Window, l.By, l.Field)))
		}
		if got := strings.Join(limits, ", "); got != want {
			t.Errorf("%s is limited to %q, want %q", id, got, want)
		}
	}
}

// After the n-th failure the account refuses the network for 1, 2, 4 ... 900 s.
func TestWrongPasswordsWaitLongerAndLonger(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for _, name := range []string{p.User.Username, "unknown-name"} {
		guesser := s.Somebody()
		network := strings.TrimSuffix(guesser.IP, ".7")
		for i, want := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
			guesser.IP = fmt.Sprintf("%s.%d", network, 10+i) // one network, within the limit of each address
			guesser.Login(name, "Wrong-1843").Expect(http.StatusUnauthorized)
			refused := guesser.Login(name, p.Password).Expect(http.StatusTooManyRequests)
			refused.Problem("too-many-requests")
			if got, _ := strconv.Atoi(refused.Header.Get("Retry-After")); got != want {
				t.Errorf("%s: after failure %d Retry-After is %d, want %d", name, i+1, got, want)
			}
			s.Clock.Advance(time.Duration(want) * time.Second)
		}
	}
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK) // the owner's other network
}

func TestSuccessForgetsFailures(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	q := p.Elsewhere()
	for range 2 {
		q.Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
		s.Clock.Advance(time.Second)
		q.Login(p.User.Username, p.Password).Expect(http.StatusOK)
	}
}

func TestLimitByAddressIgnoresLetterCase(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for i, email := range []string{"ada@example.com", "ADA@example.com", "Ada@Example.com"} {
		for _, path := range []string{"forgot-password", "resend-verification"} {
			s.Somebody().POST("/api/v1/auth/"+path, map[string]any{"email": email}).Expect(http.StatusAccepted)
			if i == 2 {
				s.Somebody().POST("/api/v1/auth/"+path, map[string]any{"email": email}).Expect(http.StatusTooManyRequests)
			}
		}
	}
	s.Clock.Advance(time.Hour)
	s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": "ada@example.com"}).Expect(http.StatusAccepted)
}

func refresh(p *servertest.Person, token string) *servertest.Answer {
	p.T.Helper()
	other := p.Elsewhere()
	return other.POST("/api/v1/auth/refresh", map[string]any{"refresh_token": token})
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()

	var second, retried, third client.Token
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&second)
	s.Clock.Advance(9 * time.Second)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&retried)
	if second.RefreshToken == p.Tokens.RefreshToken || second.RefreshToken != retried.RefreshToken {
		t.Error("a retry within 10 s has to give the same successor, and it another token")
	}
	p.Elsewhere().Form("/api/v1/auth/refresh", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.RefreshToken}}).
		Expect(http.StatusOK).Into(&third)
	p.Tokens = third
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
}

func TestReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, admin := s.Register(), s.Admin()
	var second client.Token
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&second)
	s.Clock.Advance(11 * time.Second)

	problem := refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	if problem.Error == nil || *problem.Error != "invalid_grant" {
		t.Errorf("problem %+v", problem)
	}
	refresh(p, second.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	p.GET("/api/v1/users/me").Expect(http.StatusUnauthorized).Problem("unauthenticated")

	var events client.AuditEventPage
	admin.GET("/api/v1/admin/audit-events?action=auth.refresh-reuse").Expect(http.StatusOK).Into(&events)
	if len(events.Items) != 1 || events.Items[0].Outcome != "failed" || *events.Items[0].SubjectID != p.User.ID {
		t.Errorf("events %+v", events.Items)
	}
}

func TestRefreshTokensExpire(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	s.Clock.Advance(7 * 24 * time.Hour)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	refresh(p, "not-a-token").Expect(http.StatusBadRequest).Problem("invalid-grant")
}

func TestAccessTokensExpire(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	s.Clock.Advance(15*time.Minute - time.Second)
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	s.Clock.Advance(2 * time.Second)
	answer := p.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	if got := answer.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="accord", error="invalid_token"`) {
		t.Errorf("WWW-Authenticate %q", got)
	}
}

// What ends sessions or changes a role holds at once where it happened, and
// within a second on an instance that hears nothing of it.
func TestChangesHoldEverywhereWithinASecond(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct {
		change func(p, admin *servertest.Person)
		then   int
	}{
		"logout":     {func(p, _ *servertest.Person) { p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent) }, http.StatusUnauthorized},
		"logout-all": {func(p, _ *servertest.Person) { p.POST("/api/v1/auth/logout-all", nil).Expect(http.StatusNoContent) }, http.StatusUnauthorized},
		"deactivation": {func(p, admin *servertest.Person) {
			admin.PATCH("/api/v1/admin/users/"+p.User.ID.String(), map[string]any{"is_active": false}).Expect(http.StatusOK)
		}, http.StatusUnauthorized},
		"role": {func(p, admin *servertest.Person) {
			admin.PATCH("/api/v1/admin/users/"+p.User.ID.String(), map[string]any{"role": "user"}).Expect(http.StatusOK)
		}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := servertest.New(t)
			settings := map[string]string{"PUBLIC_URL": one.URL}
			deaf := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Settings: settings})
			hearing := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Settings: settings, Start: true})
			p, admin := one.Admin(), one.Admin()
			at := func(s *servertest.Server) *servertest.Person {
				q := *p
				q.Server = s
				return &q
			}
			list := "/api/v1/admin/users"
			for _, s := range []*servertest.Server{one, deaf, hearing} {
				at(s).GET(list).Expect(http.StatusOK)
			}

			change.change(p, admin)
			p.GET(list).Expect(change.then)
			hearing.Eventually("the other instance knows", func() bool { return at(hearing).GET(list).Status == change.then })
			one.Clock.Advance(time.Second)
			at(deaf).GET(list).Expect(change.then)
		})
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, stranger := s.Register(), s.Register()
	phone := p.Elsewhere()
	phone.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1")
	phone.SignIn()

	var list client.SessionPage
	p.GET("/api/v1/auth/sessions").Expect(http.StatusOK).Into(&list)
	if len(list.Items) != 2 {
		t.Fatalf("%d sessions", len(list.Items))
	}
	newest, own := list.Items[0], list.Items[1]
	if newest.Device != "Safari on iPhone" || newest.IP != phone.IP || newest.IsCurrent || !own.IsCurrent || own.Device != "Go-http-client/1.1" {
		t.Errorf("sessions %+v", list.Items)
	}
	stranger.DELETE("/api/v1/auth/sessions/"+newest.ID.String(), nil).Expect(http.StatusNotFound).Problem("not-found")
	p.DELETE("/api/v1/auth/sessions/"+newest.ID.String(), nil).Expect(http.StatusNoContent)
	p.DELETE("/api/v1/auth/sessions/"+newest.ID.String(), nil).Expect(http.StatusNotFound)
	phone.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	parts := strings.Split(p.Tokens.AccessToken, ".")
	for name, token := range map[string]string{
		"no algorithm": "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + ".",
		"tampered":     parts[0] + "." + parts[1] + "x." + parts[2],
		"refresh":      p.Tokens.RefreshToken,
		"garbage":      "x",
	} {
		q := p.Somebody()
		q.Tokens.AccessToken = token
		if answer := q.GET("/api/v1/users/me"); answer.Status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, answer.Status)
		}
	}
	anonymous := s.Somebody().GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	if got := anonymous.Header.Get("WWW-Authenticate"); got != `Bearer realm="accord"` {
		t.Errorf("WWW-Authenticate %q", got)
	}
}

// Failed sign-ins by token count for the address like calls of public operations.
func TestBadTokensAreLimited(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	q := s.Somebody()
	q.Tokens.AccessToken = "x"
	for range api.Anonymous.Limit {
		q.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	}
	q.GET("/api/v1/users/me").Expect(http.StatusTooManyRequests)
	if api.Anonymous.By != policy.ByIP {
		t.Errorf("anonymous calls are limited by %s", api.Anonymous.By)
	}
}

// A new SECRET_KEY with the old one as SECRET_KEY_PREVIOUS keeps everything
// valid; without it nothing that was signed is.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	const oldKey, newKey = "old-key-old-key-old-key-old-key-1", "new-key-new-key-new-key-new-key-2"
	one := servertest.New(t, servertest.Options{Settings: map[string]string{"SECRET_KEY": oldKey}})
	p := one.Register()
	rotated := func(settings map[string]string) *servertest.Person {
		settings["SECRET_KEY"], settings["PUBLIC_URL"] = newKey, one.URL
		q := *p
		q.Server = servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Settings: settings})
		return &q
	}
	alone := rotated(map[string]string{})
	alone.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	alone.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)

	both := rotated(map[string]string{"SECRET_KEY_PREVIOUS": oldKey})
	both.GET("/api/v1/users/me").Expect(http.StatusOK)
	refresh(both, p.Tokens.RefreshToken).Expect(http.StatusOK)
	both.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK)
	alone.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK) // hashed anew by the sign-in before
}
