package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

func TestLoginGivesTokens(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()

	for _, name := range []string{p.User.Email, strings.ToUpper(p.User.Email), p.User.Username, strings.ToUpper(p.User.Username)} {
		var tokens api.Token
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

// Whatever goes wrong at a token endpoint, OAuth clients are told in their words.
func TestTokenEndpointsSpeakOAuth(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	type calls map[string]struct {
		send   func(p *servertest.Person) *servertest.Answer
		status int
	}
	form := func(path string, values url.Values) func(*servertest.Person) *servertest.Answer {
		return func(p *servertest.Person) *servertest.Answer { return p.Form(path, values) }
	}
	text := func(path string, size int) func(*servertest.Person) *servertest.Answer {
		return func(p *servertest.Person) *servertest.Answer {
			return p.Do(http.MethodPost, path, "text/plain", make([]byte, size))
		}
	}
	const login, refresh = "/api/v1/auth/login", "/api/v1/auth/refresh"
	for want, c := range map[string]calls{
		"invalid_request": {
			"type": {text(login, 1), 415}, "size": {text(login, 65<<10), 413}, "form": {form(login, url.Values{}), 422},
			"other type": {text(refresh, 1), 415}, "other size": {text(refresh, 65<<10), 413},
		},
		"unsupported_grant_type": {
			"login":   {form(login, url.Values{"grant_type": {"client_credentials"}}), 422},
			"refresh": {form(refresh, url.Values{"grant_type": {"password"}, "refresh_token": {"x"}}), 422},
		},
		"temporarily_unavailable": {"limit": {func(p *servertest.Person) *servertest.Answer {
			for range api.Policies["login"].RateLimits[0].Limit {
				p.Login("", "")
			}
			return p.Login("", "")
		}, 429}},
	} {
		for name, call := range c {
			var problem api.Problem
			answer := call.send(s.Somebody()).Expect(call.status)
			answer.Into(&problem)
			if problem.Error == nil || *problem.Error != want || problem.ErrorDescription == nil || *problem.ErrorDescription != problem.Detail {
				t.Errorf("%s: %s, want the error %s", name, answer.Body, want)
			}
		}
	}
	for _, kind := range []*api.ProblemType{api.ProblemRequestTimeout, api.ProblemTimeout, api.ProblemUnavailable, api.ProblemInternal} {
		if kind.OAuth == "" { // what cannot be made to happen here
			t.Errorf("%s has no OAuth code", kind.Code)
		}
	}
	var other api.Problem
	if s.Somebody().POST("/api/v1/users", "{").Expect(http.StatusBadRequest).Into(&other); other.Error != nil {
		t.Errorf("no token endpoint, and it answers %+v", other)
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
	for name, form := range map[string]string{
		"twice the same": q + "&username=" + p.User.Username, "two passwords": q + "&password=x", "unknown": q + "&extra=1&extra=2",
	} {
		answer := s.Somebody().Do(http.MethodPost, "/api/v1/auth/login", "application/x-www-form-urlencoded", []byte(form))
		problem := answer.Expect(http.StatusBadRequest).Problem("malformed-request")
		if problem.Error == nil || *problem.Error != "invalid_request" {
			t.Errorf("%s: no OAuth error in %s", name, answer.Body)
		}
	}
	other.POST("/api/v1/auth/login", map[string]any{"username": p.User.Username, "password": p.Password}).
		Expect(http.StatusUnsupportedMediaType)
}

// Wrong password, unknown name and inactive account are one answer.
func TestLoginDoesNotTellWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, inactive, admin := s.Register(), s.Register(), s.Admin()
	admin.PATCH("/api/v1/admin/users/"+inactive.User.ID.String(), map[string]any{"is_active": false}).Expect(http.StatusOK)

	var answers []string
	for _, try := range [][2]string{
		{p.User.Username, "Wrong-1843"}, {p.User.Email, "Wrong-1843"}, {"nobody-here", p.Password}, {"nobody@example.com", p.Password},
		{inactive.User.Username, inactive.Password}, {inactive.User.Email, "Wrong-1843"},
	} {
		answer := s.Somebody().Login(try[0], try[1]).Expect(http.StatusUnauthorized)
		problem := answer.Problem("invalid-credentials")
		if problem.Error == nil || *problem.Error != "invalid_grant" {
			t.Errorf("no OAuth error in %s", answer.Body)
		}
		header := answer.Header.Clone()
		for _, name := range []string{"Date", "X-Request-Id", "Content-Length"} {
			header.Del(name)
		}
		answers = append(answers, fmt.Sprint(header, strings.Replace(string(answer.Body), problem.RequestID, "", 1)))
	}
	for _, a := range answers[1:] {
		if a != answers[0] {
			t.Errorf("the answers differ:\n%s\n%s", a, answers[0])
		}
	}
}

// The numbers of the contract, once literally, so that a slip in the document is
// noticed; that each holds on the live route is shown by
// TestLiveRoutesKeepTheContract.
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

// from is an attempt to sign in from an address.
func from(s *servertest.Server, ip, name, password string) *servertest.Answer {
	s.T.Helper()
	q := s.Somebody()
	q.IP = ip
	return q.Login(name, password)
}

// A network is the /24 or the /48; a name is one in any letter case, known or not.
func TestRefusalsAreOfANameAndANetwork(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for _, network := range [][3]string{
		{"198.51.100.1", "198.51.100.254", "198.51.101.1"},
		{"2001:db8:7:1::1", "2001:db8:7:ffff::2", "2001:db8:8:1::1"},
	} {
		for _, name := range []string{p.User.Username, "nobody"} {
			from(s, network[0], name, "Wrong-1843").Expect(http.StatusUnauthorized)
			from(s, network[1], name, "Wrong-1843").Expect(http.StatusTooManyRequests)
			from(s, network[1], strings.ToUpper(name), "Wrong-1843").Expect(http.StatusTooManyRequests)
			from(s, network[2], name, "Wrong-1843").Expect(http.StatusUnauthorized)
		}
		from(s, network[0], "nobody-else", "Wrong-1843").Expect(http.StatusUnauthorized)
	}
}

// Which user name and which address are one account's is not told by refusals;
// and yet the two do not give twice the guesses.
func TestRefusalsDoNotTellWhoseAnAddressIs(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	for i, second := range []string{p.User.Email, other.User.Email, "nobody@example.com"} {
		network := fmt.Sprintf("198.51.%d.", i)
		from(s, network+"1", p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
		from(s, network+"2", second, "Wrong-1843").Expect(http.StatusUnauthorized).Problem("invalid-credentials")
		refused := from(s, network+"3", second, "Wrong-1843").Expect(http.StatusTooManyRequests)
		if got := refused.Header.Get("Retry-After"); got != "1" {
			t.Errorf("%s: Retry-After %s", second, got)
		}
	}
	// While the account is refused, not even the right password is looked at.
	from(s, "198.51.100.1", p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
	from(s, "198.51.100.2", p.User.Email, p.Password).Expect(http.StatusUnauthorized).Problem("invalid-credentials")
	s.Clock.Advance(time.Second)
	from(s, "198.51.100.3", p.User.Email, p.Password).Expect(http.StatusOK)
	from(s, "198.51.100.4", p.User.Username, p.Password).Expect(http.StatusOK)
}

// Guesses that are made at once are no more than guesses made in turn.
func TestParallelGuessesCount(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	guesser := s.Somebody()
	network := strings.TrimSuffix(guesser.IP, ".7")
	guesser.Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
	s.Clock.Advance(time.Second)
	var statuses [10]int
	var all sync.WaitGroup
	for i := range statuses {
		q := s.Somebody()
		q.IP = fmt.Sprintf("%s.%d", network, 10+i)
		all.Go(func() { statuses[i] = q.Login(p.User.Username, "Wrong-1843").Status })
	}
	all.Wait()
	slices.Sort(statuses[:])
	if statuses[0] != http.StatusUnauthorized || statuses[1] != http.StatusTooManyRequests {
		t.Errorf("statuses %v", statuses)
	}
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

// An address that is refused is not looked at: nothing is enqueued.
func TestLimitedMailsAreNotSent(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	statuses := map[int]int{}
	for range 8 {
		statuses[s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": "ada@example.com"}).Status]++
	}
	if n := column(t, s, "SELECT count(*)::text FROM river_job"); n != "3" || statuses[http.StatusAccepted] != 3 || statuses[http.StatusTooManyRequests] != 5 {
		t.Errorf("%s jobs, statuses %v", n, statuses)
	}
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

	var second, retried, third api.Token
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
	var second api.Token
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&second)
	s.Clock.Advance(11 * time.Second)

	problem := refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	if problem.Error == nil || *problem.Error != "invalid_grant" {
		t.Errorf("problem %+v", problem)
	}
	refresh(p, second.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	p.GET("/api/v1/users/me").Expect(http.StatusUnauthorized).Problem("unauthenticated")

	var events api.AuditEventPage
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
	refresh(p, p.Tokens.AccessToken[:200]).Expect(http.StatusBadRequest).Problem("invalid-grant")

	p.SignIn()
	s.Clock.Advance(7*24*time.Hour - time.Second)
	answer := refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK)
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestRefreshReadsItsMembersStrictly(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	path := "/api/v1/auth/refresh"
	token := url.Values{"refresh_token": {p.Tokens.RefreshToken}}.Encode()
	p.Elsewhere().Do(http.MethodPost, path, "application/x-www-form-urlencoded", []byte(token+"&"+token)).
		Expect(http.StatusBadRequest).Problem("malformed-request")
	p.Elsewhere().POST(path, `{"refresh_token": "a", "refresh_token": "b"}`).Expect(http.StatusBadRequest).Problem("malformed-request")
	for _, answer := range []*servertest.Answer{
		p.Elsewhere().Form(path+"?"+token, url.Values{}), p.Elsewhere().POST(path, map[string]any{"token": p.Tokens.RefreshToken}),
	} {
		if got := answer.Fields(); !slices.Equal(got, []string{"refresh_token required"}) {
			t.Errorf("fields %v", got)
		}
	}
	p.Elsewhere().POST(path, map[string]any{
		"refresh_token": p.Tokens.RefreshToken, "grant_type": "refresh_token", "scope": "user", "client_id": "docs", "client_secret": "x", "extra": []int{1},
	}).Expect(http.StatusOK)
}

// A token that is used within the grace for the last time ends nothing; at the
// end of the grace it does.
func TestGraceIsTenSeconds(t *testing.T) {
	t.Parallel()
	for after, status := range map[time.Duration]int{10*time.Second - time.Millisecond: http.StatusOK, 10 * time.Second: http.StatusBadRequest} {
		s := servertest.New(t)
		p := s.Register()
		var second api.Token
		refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&second)
		s.Clock.Advance(after)
		refresh(p, p.Tokens.RefreshToken).Expect(status)
		refresh(p, second.RefreshToken).Expect(status) // is live, and not once the session is ended
	}
}

// The thief may come first: the owner's use of the copied token ends it all.
func TestReuseEndsOnlyThatSession(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	phone := p.Elsewhere()
	phone.SignIn()
	var stolen api.Token
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&stolen)
	s.Clock.Advance(time.Minute)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest)

	thief := s.Somebody()
	thief.Tokens = stolen
	thief.GET(me).Expect(http.StatusUnauthorized)
	phone.GET(me).Expect(http.StatusOK)
	refresh(phone, phone.Tokens.RefreshToken).Expect(http.StatusOK)
}

// Unknown tokens, and those of sessions that ended otherwise, are no reuse.
func TestOnlyReuseIsCalledReuse(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	refresh(p, strings.Repeat("A", 43)).Expect(http.StatusBadRequest)
	p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	if n := column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'auth.refresh-reuse'"); n != "0" {
		t.Errorf("%s events", n)
	}
}
