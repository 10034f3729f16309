package server_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/policy"
	"github.com/accord-api/accord/servertest"
)

const me = "/api/v1/users/me"

// on is the same person, with the same token, at another instance.
func on(p *servertest.Person, s *servertest.Server) *servertest.Person {
	q := *p
	q.Server = s
	return &q
}

func TestAccessTokensExpire(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	s.Clock.Advance(15*time.Minute - time.Second)
	p.GET(me).Expect(http.StatusOK)
	s.Clock.Advance(2 * time.Second)
	answer := p.GET(me).Expect(http.StatusUnauthorized)
	if got := answer.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="accord", error="invalid_token"`) {
		t.Errorf("WWW-Authenticate %q", got)
	}
}

// RFC 9068, beside `type` and `sid`: what another service may rely on.
func TestAccessTokensSayWhatTheyShould(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	header, claims := tokenPart(t, p.Tokens.AccessToken, 0), tokenPart(t, p.Tokens.AccessToken, 1)
	if header["typ"] != "at+jwt" || header["alg"] != "HS256" || header["kid"] == "" || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	want := []string{"aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "sub", "type"}
	if got := slices.Sorted(maps.Keys(claims)); !slices.Equal(got, want) {
		t.Errorf("claims %v, want %v", got, want)
	}
	if claims["sub"] != p.User.ID.String() || claims["iss"] != s.URL || claims["type"] != "access" || claims["client_id"] != "accord" {
		t.Errorf("claims %v", claims)
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 900 {
		t.Errorf("it lives for %v seconds", life)
	}
	if secret, err := base64.RawURLEncoding.DecodeString(p.Tokens.RefreshToken); err != nil || len(secret) != 32 {
		t.Errorf("the refresh token has %d bytes: %v", len(secret), err)
	}
}

func tokenPart(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	var part map[string]any
	if err := json.Unmarshal(data, &part); err != nil {
		t.Fatal(err)
	}
	return part
}

// What ends sessions or changes a role holds at once where it happened, and
// within a second on an instance that hears nothing of it.
func TestChangesHoldEverywhereWithinASecond(t *testing.T) {
	t.Parallel()
	deactivate := func(p, admin *servertest.Person) {
		admin.PATCH("/api/v1/admin/users/"+p.User.ID.String(), map[string]any{"is_active": false}).Expect(http.StatusOK)
	}
	for name, change := range map[string]struct {
		change func(p, admin *servertest.Person)
		then   int
	}{
		"logout":     {func(p, _ *servertest.Person) { p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent) }, http.StatusUnauthorized},
		"logout-all": {func(p, _ *servertest.Person) { p.POST("/api/v1/auth/logout-all", nil).Expect(http.StatusNoContent) }, http.StatusUnauthorized},
		"revocation": {func(p, _ *servertest.Person) {
			p.DELETE("/api/v1/auth/sessions/"+sessions(p)[0].ID.String(), nil).Expect(http.StatusNoContent)
		}, http.StatusUnauthorized},
		"another session's new password": {func(p, _ *servertest.Person) {
			phone := p.Elsewhere()
			phone.SignIn()
			phone.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Difference-1822"}).Expect(http.StatusNoContent)
		}, http.StatusUnauthorized},
		"deletion": {func(p, _ *servertest.Person) {
			p.DELETE(me, map[string]any{"password": p.Password}).Expect(http.StatusNoContent)
		}, http.StatusUnauthorized},
		"deactivation": {deactivate, http.StatusUnauthorized},
		"demotion": {func(p, admin *servertest.Person) {
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
			list := "/api/v1/admin/users"
			for _, s := range []*servertest.Server{one, deaf, hearing} {
				on(p, s).GET(list).Expect(http.StatusOK)
			}

			change.change(p, admin)
			p.GET(list).Expect(change.then)
			hearing.Eventually("the other instance knows", func() bool { return on(p, hearing).GET(list).Status == change.then })
			one.Clock.Advance(time.Second)
			on(p, deaf).GET(list).Expect(change.then)
		})
	}
}

// Within the second in which an instance does not know yet, what needs the
// session in the database finds it ended: a 401, not a 404 of one's own account.
func TestEndedSessionsAreUnauthenticatedOnceTheyAreMissed(t *testing.T) {
	t.Parallel()
	one := servertest.New(t)
	one.Admin()
	deaf := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Settings: map[string]string{"PUBLIC_URL": one.URL}})
	p, q := one.Register(), one.Register()
	on(p, deaf).GET(me).Expect(http.StatusOK)
	on(q, deaf).GET(me).Expect(http.StatusOK)

	p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent)
	on(p, deaf).POST("/api/v1/auth/logout", nil).Expect(http.StatusUnauthorized).Problem("unauthenticated")

	q.DELETE(me, map[string]any{"password": q.Password}).Expect(http.StatusNoContent)
	late := on(q, deaf)
	late.GET(me).Expect(http.StatusUnauthorized).Problem("unauthenticated")
	late.PATCH(me, map[string]any{"full_name": "Back Again"}).Expect(http.StatusUnauthorized).Problem("unauthenticated")
	late.DELETE(me, map[string]any{"password": q.Password}).Expect(http.StatusUnauthorized).Problem("unauthenticated")
	late.PUT("/api/v1/users/me/password", map[string]any{"current_password": q.Password, "new_password": "Difference-1822"}).
		Expect(http.StatusUnauthorized).Problem("unauthenticated")
}

// A token whose session has ended costs a query a second, and none once the
// address has used up what failed sign-ins are allowed.
func TestDeadTokensCostNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent)
	asked := func(calls, status int) (n int) {
		s.Queries.Take()
		for range calls {
			p.GET(me).Expect(status)
		}
		for _, name := range s.Queries.Take() {
			if name == "SessionGet" {
				n++
			}
		}
		return n
	}
	for second := range 3 {
		if n := asked(api.Anonymous.Limit/3, http.StatusUnauthorized); n != 1 {
			t.Errorf("second %d: %d queries", second, n)
		}
		s.Clock.Advance(time.Second)
	}
	if n := asked(10, http.StatusTooManyRequests); n != 0 {
		t.Errorf("%d queries beyond the limit", n)
	}
	// Somebody else at the address, whose session is not known yet, is let in.
	q := s.Register()
	q.IP = p.IP
	q.GET(me).Expect(http.StatusOK)
}

// A change of one user's sessions makes those of others no slower.
func TestOthersStayRemembered(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, q := s.Register(), s.Register()
	phone := p.Elsewhere()
	phone.SignIn()
	for _, one := range []*servertest.Person{p, phone, q} {
		one.GET(me).Expect(http.StatusOK)
	}
	p.DELETE("/api/v1/auth/sessions/"+sessions(p)[0].ID.String(), nil).Expect(http.StatusNoContent)
	s.Queries.Take()
	q.GET(me).Expect(http.StatusOK)
	if names := s.Queries.Take(); slices.Contains(names, "SessionGet") {
		t.Errorf("another's session is asked for: %v", names)
	}
	phone.GET(me).Expect(http.StatusUnauthorized)
	p.GET(me).Expect(http.StatusOK)
}

func sessions(p *servertest.Person) []api.Session {
	p.T.Helper()
	var page api.SessionPage
	p.GET("/api/v1/auth/sessions").Expect(http.StatusOK).Into(&page)
	return page.Items
}

func TestSessions(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, stranger := s.Register(), s.Register()
	phone := p.Elsewhere()
	phone.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1")
	phone.SignIn()

	list := sessions(p)
	if len(list) != 2 {
		t.Fatalf("%d sessions", len(list))
	}
	newest, own := list[0], list[1]
	if newest.Device != "Safari on iPhone" || newest.IP != phone.IP || newest.IsCurrent || !own.IsCurrent || own.Device != "Go-http-client/1.1" {
		t.Errorf("sessions %+v", list)
	}
	path := "/api/v1/auth/sessions/" + newest.ID.String()
	stranger.DELETE(path, nil).Expect(http.StatusNotFound).Problem("not-found")
	s.Admin().DELETE(path, nil).Expect(http.StatusNotFound).Problem("not-found")
	phone.GET(me).Expect(http.StatusOK)
	p.DELETE(path, nil).Expect(http.StatusNoContent)
	p.DELETE(path, nil).Expect(http.StatusNotFound)
	phone.GET(me).Expect(http.StatusUnauthorized)
	refresh(phone, phone.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	p.GET(me).Expect(http.StatusOK)
	if list := sessions(p); len(list) != 1 || !list[0].IsCurrent {
		t.Errorf("sessions %+v", list)
	}
}

func TestDevicesAreToldApart(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0": "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36":              "Chrome on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15": "Safari on macOS",
		"curl/8.5.0": "curl/8.5.0",
		"a" + strings.Repeat("ü", 140) + " more": "a" + strings.Repeat("ü", 49),
		"": "Unknown device",
	} {
		device := p.Elsewhere()
		device.Header.Set("User-Agent", agent)
		device.SignIn()
		if got := sessions(p)[0].Device; got != want {
			t.Errorf("%q is shown as %q, want %q", agent, got, want)
		}
	}
}

func TestRefreshShowsInTheSession(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	before := sessions(p)[0]
	s.Clock.Advance(10 * time.Minute)
	phone := p.Elsewhere()
	phone.POST("/api/v1/auth/refresh", map[string]any{"refresh_token": p.Tokens.RefreshToken}).Expect(http.StatusOK)

	after := sessions(p)[0]
	if after.ID != before.ID || !after.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("a refresh made another session: %+v and %+v", before, after)
	}
	if after.IP != phone.IP || after.LastUsedAt.Sub(before.LastUsedAt) != 10*time.Minute || after.ExpiresAt.Sub(after.LastUsedAt) != 7*24*time.Hour {
		t.Errorf("session %+v after %+v", after, before)
	}
}

func TestSessionsAreListedInPages(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	s.Clock.Advance(7 * 24 * time.Hour) // the first session is over, and not listed
	for range 7 {
		p = p.Elsewhere()
		p.SignIn()
	}
	want := sessions(p)
	if len(want) != 7 {
		t.Fatalf("%d sessions", len(want))
	}

	var got []api.Session
	for path := "/api/v1/auth/sessions?limit=3"; path != ""; {
		var page api.SessionPage
		answer := p.GET(path).Expect(http.StatusOK)
		answer.Into(&page)
		got = append(got, page.Items...)
		p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK)
		path = answer.Link()
	}
	if !slices.Equal(ids(got), ids(want)) {
		t.Errorf("walked %v, want %v", ids(got), ids(want))
	}
}

func ids(list []api.Session) (ids []uuid.UUID) {
	for _, session := range list {
		ids = append(ids, session.ID)
	}
	return ids
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	parts := strings.Split(p.Tokens.AccessToken, ".")
	session := sessions(p)[0].ID
	forge := func(c auth.TokenConfig, secret string, claims auth.Claims) string {
		return issue(t, s, c, secret, claims)
	}
	secret := s.Config.SecretKey.Reveal()
	right := auth.Claims{User: p.User.ID, Session: session}

	genuine := s.Somebody()
	genuine.Tokens.AccessToken = forge(auth.TokenConfig{}, secret, right)
	genuine.GET(me).Expect(http.StatusOK) // so that each of these fails for its own reason

	for name, token := range map[string]string{
		"no algorithm":           "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + ".",
		"no signature":           parts[0] + "." + parts[1] + ".",
		"tampered":               parts[0] + "." + parts[1] + "x." + parts[2],
		"another's claims":       parts[0] + "." + strings.Split(other.Tokens.AccessToken, ".")[1] + "." + parts[2],
		"JSON serialisation":     fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]),
		"another secret":         forge(auth.TokenConfig{}, "another-secret-another-secret-12", right),
		"another issuer":         forge(auth.TokenConfig{Issuer: "https://evil.example"}, secret, right),
		"another audience":       forge(auth.TokenConfig{Audience: "https://other.example"}, secret, right),
		"another client":         forge(auth.TokenConfig{ClientID: "other"}, secret, right),
		"of the future":          forge(auth.TokenConfig{Now: func() time.Time { return s.Clock.Now().Add(time.Hour) }}, secret, right),
		"expired":                forge(auth.TokenConfig{Now: func() time.Time { return s.Clock.Now().Add(-time.Hour) }}, secret, right),
		"a session that is none": forge(auth.TokenConfig{}, secret, auth.Claims{User: p.User.ID, Session: uuid.New()}),
		"another's session":      forge(auth.TokenConfig{}, secret, auth.Claims{User: other.User.ID, Session: session}),
		"refresh":                p.Tokens.RefreshToken,
		"garbage":                "x",
	} {
		q := p.Somebody()
		q.Tokens.AccessToken = token
		answer := q.GET(me)
		if got := answer.Header.Get("WWW-Authenticate"); answer.Status != http.StatusUnauthorized || !strings.Contains(got, `error="invalid_token"`) {
			t.Errorf("%s: status %d, WWW-Authenticate %q", name, answer.Status, got)
		}
	}
	anonymous := s.Somebody().GET(me).Expect(http.StatusUnauthorized)
	if got := anonymous.Header.Get("WWW-Authenticate"); got != `Bearer realm="accord"` {
		t.Errorf("WWW-Authenticate %q", got)
	}
	s.Somebody().GET(me + "?access_token=" + p.Tokens.AccessToken).Expect(http.StatusUnauthorized)
}

// issue makes a token as the server does, but for what c says otherwise.
func issue(t *testing.T, s *servertest.Server, c auth.TokenConfig, secret string, claims auth.Claims) string {
	t.Helper()
	keyring, err := auth.NewKeyring(secret, "")
	if err != nil {
		t.Fatal(err)
	}
	c.Keyring = keyring
	for _, d := range []struct {
		field *string
		value string
	}{{&c.Issuer, s.URL}, {&c.Audience, s.URL}, {&c.ClientID, "accord"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Now == nil {
		c.Now = s.Clock.Now
	}
	tokens, err := auth.NewTokens(c)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := tokens.Issue(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Failed sign-ins by token count for the address like calls of public operations.
func TestBadTokensAreLimited(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	q := s.Somebody()
	q.Tokens.AccessToken = "x"
	for range api.Anonymous.Limit {
		q.GET(me).Expect(http.StatusUnauthorized)
	}
	q.GET(me).Expect(http.StatusTooManyRequests)
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
	p := one.Admin()
	one.Register()
	rotated := func(settings map[string]string) *servertest.Person {
		settings["SECRET_KEY"], settings["PUBLIC_URL"] = newKey, one.URL
		return on(p, servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Settings: settings}))
	}
	next := p.GET("/api/v1/admin/users?limit=1").Link()

	alone := rotated(map[string]string{})
	alone.GET(me).Expect(http.StatusUnauthorized)
	alone.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)

	both := rotated(map[string]string{"SECRET_KEY_PREVIOUS": oldKey})
	both.GET(me).Expect(http.StatusOK)
	both.GET(next).Expect(http.StatusOK)
	refresh(both, p.Tokens.RefreshToken).Expect(http.StatusOK)
	both.SignIn()
	alone.SignIn() // hashed anew by the sign-in before
	if got := alone.GET(next).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
		t.Errorf("a cursor of an unknown key: fields %v", got)
	}
}

// A client that lost the answer to a refresh while the key was rotated is given
// the same successor: its first answer may have arrived after all.
func TestRefreshIsRepeatedAcrossAKeyRotation(t *testing.T) {
	t.Parallel()
	const oldKey, newKey = "old-key-old-key-old-key-old-key-1", "new-key-new-key-new-key-new-key-2"
	one := servertest.New(t, servertest.Options{Settings: map[string]string{"SECRET_KEY": oldKey}})
	p := one.Register()
	both := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Settings: map[string]string{
		"SECRET_KEY": newKey, "SECRET_KEY_PREVIOUS": oldKey,
	}})
	var first, again api.Token
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&first)
	refresh(on(p, both), p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&again)
	if first.RefreshToken != again.RefreshToken {
		t.Error("two successors of one token")
	}
	if n := column(t, one, "SELECT count(*)::text FROM refresh_tokens"); n != "2" {
		t.Errorf("%s refresh tokens", n)
	}
}

// Raising BCRYPT_COST reaches a stored password at its next sign-in.
func TestPasswordsAreRehashedWhenTheCostRises(t *testing.T) {
	t.Parallel()
	one := servertest.New(t)
	p := one.Register()
	dearer := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Settings: map[string]string{"BCRYPT_COST": "5"}})
	on(p, dearer).Elsewhere().Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
	if hash := column(t, one, "SELECT password_hash FROM users"); !strings.Contains(hash, "$2a$04$") {
		t.Errorf("hashed anew after a wrong password: %s", hash)
	}
	on(p, dearer).Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK)
	if hash := column(t, one, "SELECT password_hash FROM users"); !strings.Contains(hash, "$2a$05$") {
		t.Errorf("still hashed as %s", hash)
	}
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK)
}

// Devices may sign in together just when the password is hashed anew.
func TestSignInsAtOnceSurviveARehash(t *testing.T) {
	t.Parallel()
	one := servertest.New(t)
	p := one.Register()
	dearer := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Settings: map[string]string{"BCRYPT_COST": "6"}})
	var devices sync.WaitGroup
	for range 4 {
		device := on(p, dearer).Elsewhere()
		devices.Go(func() {
			if answer := device.Login(p.User.Username, p.Password); answer.Status != http.StatusOK {
				t.Errorf("status %d: %s", answer.Status, answer.Body)
			}
		})
	}
	devices.Wait()
}

// keyFile writes a file of PEM blocks with these keys.
func keyFile(t *testing.T, keys ...crypto.Signer) string {
	t.Helper()
	var data []byte
	for _, key := range keys {
		block, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: block})...)
	}
	path := filepath.Join(t.TempDir(), "jwt.pem")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// With JWT_KEY_FILE another service verifies tokens with what is published, and
// SECRET_KEY signs none.
func TestTokensOfAKeyFileVerifyWithThePublishedKeys(t *testing.T) {
	t.Parallel()
	old, next := newKey(t), newKey(t)
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"JWT_KEY_FILE": keyFile(t, old)}})
	p := s.Register()
	p.GET(me).Expect(http.StatusOK)

	set, err := jwk.Parse(s.Somebody().GET("/.well-known/jwks.json").Expect(http.StatusOK).Body)
	if err != nil || set.Len() != 1 {
		t.Fatalf("%d keys: %v", set.Len(), err)
	}
	token, err := jwt.Parse([]byte(p.Tokens.AccessToken), jwt.WithKeySet(set), jwt.WithIssuer(s.URL), jwt.WithAudience(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	if subject, _ := token.Subject(); subject != p.User.ID.String() {
		t.Errorf("subject %q", subject)
	}
	forger := s.Somebody()
	forger.Tokens.AccessToken = issue(t, s, auth.TokenConfig{}, s.Config.SecretKey.Reveal(), auth.Claims{User: p.User.ID, Session: sessions(p)[0].ID})
	forger.GET(me).Expect(http.StatusUnauthorized)

	rotated := servertest.New(t, servertest.Options{DatabaseURL: s.DatabaseURL, Now: s.Clock.Now, Settings: map[string]string{
		"PUBLIC_URL": s.URL, "JWT_KEY_FILE": keyFile(t, next, old),
	}})
	on(p, rotated).GET(me).Expect(http.StatusOK)
	q := on(p, rotated).Elsewhere()
	q.SignIn()
	q.GET(me).Expect(http.StatusOK)
	on(q, s).GET(me).Expect(http.StatusUnauthorized) // signed with the new key, which it does not have
}

// Each kind of key is published with what its kind has.
func TestEveryKindOfKeyIsPublished(t *testing.T) {
	t.Parallel()
	for alg, key := range map[string]crypto.Signer{
		"RS256": mustValue(rsa.GenerateKey(rand.Reader, 2048)), "ES256": mustValue(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ES384": mustValue(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), "EdDSA": newKey(t),
	} {
		s := servertest.New(t, servertest.Options{Settings: map[string]string{"JWT_KEY_FILE": keyFile(t, key)}})
		var set api.JSONWebKeySet
		s.Somebody().GET("/.well-known/jwks.json").Expect(http.StatusOK).Into(&set)
		if len(set.Keys) != 1 || string(set.Keys[0].Alg) != alg {
			t.Errorf("%s: %+v", alg, set.Keys)
		}
	}
}

// No key is published that could sign.
func TestSharedSecretsPublishNoKey(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	if body := s.Somebody().GET("/.well-known/jwks.json").Expect(http.StatusOK).Body; strings.TrimSpace(string(body)) != `{"keys":[]}` {
		t.Errorf("published: %s", body)
	}
}
