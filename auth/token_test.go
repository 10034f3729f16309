package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

var (
	testUser    = uuid.MustParse("0193a0c0-0000-7000-8000-000000000001")
	testSession = uuid.MustParse("0193a0c0-0000-7000-8000-000000000002")
	testStart   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

func atStart() time.Time { return testStart }

func mustTokens(tb testing.TB, c TokenConfig) *Tokens {
	tb.Helper()
	c.Issuer, c.Audience, c.ClientID = "https://api.example.com", "api", "web"
	if c.Now == nil {
		c.Now = atStart
	}
	if c.Keyring == nil && c.KeyFile == "" {
		c.Keyring = mustKeyring(tb, currentSecret, "")
	}
	tokens, err := NewTokens(c)
	if err != nil {
		tb.Fatalf("making tokens: %v", err)
	}
	return tokens
}

func mustIssue(tb testing.TB, tokens *Tokens) string {
	tb.Helper()
	token, _, err := tokens.Issue(Claims{User: testUser, Session: testSession, Scope: []string{"user", "admin"}})
	if err != nil {
		tb.Fatalf("issuing: %v", err)
	}
	return token
}

func decodePart(tb testing.TB, token string, part int) map[string]any {
	tb.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[part])
	if err != nil {
		tb.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		tb.Fatal(err)
	}
	return fields
}

func TestIssueAndVerify(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{TTL: 20 * time.Minute, Now: func() time.Time { return testStart.Add(700 * time.Millisecond) }})
	token, expires, err := tokens.Issue(Claims{User: testUser, Session: testSession, Scope: []string{"user", "admin"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := testStart.Add(20 * time.Minute); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	for _, round := range []string{"first", "remembered"} {
		claims, err := tokens.Verify(token)
		if err != nil {
			t.Fatalf("%s: %v", round, err)
		}
		if claims.User != testUser || claims.Session != testSession || !slices.Equal(claims.Scope, []string{"user", "admin"}) {
			t.Errorf("%s: %+v", round, claims)
		}
		if !claims.Expires.Equal(expires) || claims.ID == "" {
			t.Errorf("%s: expires %v, id %q", round, claims.Expires, claims.ID)
		}
	}
}

func TestTokensHaveTheFormOfRFC9068(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	token := mustIssue(t, tokens)

	header := decodePart(t, token, 0)
	if want := map[string]any{"alg": "HS256", "typ": "at+jwt", "kid": tokens.signer.id}; !maps.Equal(header, want) {
		t.Errorf("header %v, want %v", header, want)
	}
	claims := decodePart(t, token, 1)
	if id, _ := claims["jti"].(string); uuid.Validate(id) != nil {
		t.Errorf("jti %v is not a UUID", claims["jti"])
	}
	delete(claims, "jti")
	want := `{"aud":["api"],"client_id":"web","exp":1767269700,"iat":1767268800,"iss":"https://api.example.com",` +
		`"scope":"user admin","sid":"` + testSession.String() + `","sub":"` + testUser.String() + `","type":"access"}`
	if got := encodeJSON(claims); got != want {
		t.Errorf("claims\n%s, want\n%s", got, want)
	}
	if again := mustIssue(t, tokens); again == token {
		t.Error("two tokens are the same")
	}
}

func TestTokenWithoutScope(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	token, _, err := tokens.Issue(Claims{User: testUser, Session: testSession})
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := tokens.Verify(token); err != nil || len(claims.Scope) != 0 {
		t.Errorf("%+v, %v", claims, err)
	}
	if _, ok := decodePart(t, token, 1)["scope"]; ok {
		t.Error("an empty scope was written")
	}
}

// A token dies at the very second of its expiry, whether it is verified for the
// first time or was remembered.
func TestTokenExpiry(t *testing.T) {
	t.Parallel()

	now := testStart
	tokens := mustTokens(t, TokenConfig{Now: func() time.Time { return now }})
	fresh := mustTokens(t, TokenConfig{Now: func() time.Time { return now }})
	token := mustIssue(t, tokens)

	now = testStart.Add(15*time.Minute - 1)
	if _, err := tokens.Verify(token); err != nil {
		t.Errorf("before the expiry: %v", err)
	}
	now = testStart.Add(15 * time.Minute)
	for name, verifier := range map[string]*Tokens{"remembered": tokens, "new": fresh} {
		for range 2 {
			if _, err := verifier.Verify(token); !errors.Is(err, ErrTokenExpired) || errors.Is(err, ErrTokenInvalid) {
				t.Errorf("%s, after the expiry: %v, want ErrTokenExpired", name, err)
			}
		}
	}
	if n := tokens.known.EstimatedSize(); n != 0 {
		t.Errorf("%d expired tokens are remembered", n)
	}
}

func TestTokensOfAnInstanceWhoseClockIsAhead(t *testing.T) {
	t.Parallel()

	token := mustIssue(t, mustTokens(t, TokenConfig{}))
	for _, tc := range []struct {
		behind time.Duration
		ok     bool
	}{{leeway, true}, {leeway + time.Second, false}} {
		behind := mustTokens(t, TokenConfig{Now: func() time.Time { return testStart.Add(-tc.behind) }})
		if _, err := behind.Verify(token); (err == nil) != tc.ok || (err != nil && !errors.Is(err, ErrTokenInvalid)) {
			t.Errorf("%v behind: %v", tc.behind, err)
		}
	}
}

func TestTokensAfterARotation(t *testing.T) {
	t.Parallel()

	before := mustTokens(t, TokenConfig{Keyring: mustKeyring(t, previousSecret, "")})
	during := mustTokens(t, TokenConfig{Keyring: mustKeyring(t, currentSecret, previousSecret)})
	after := mustTokens(t, TokenConfig{Keyring: mustKeyring(t, currentSecret, "")})

	if _, err := during.Verify(mustIssue(t, before)); err != nil {
		t.Errorf("of the previous secret: %v", err)
	}
	if _, err := after.Verify(mustIssue(t, during)); err != nil {
		t.Errorf("of the new secret: %v", err)
	}
	if _, err := after.Verify(mustIssue(t, before)); !errors.Is(err, ErrTokenInvalid) {
		t.Errorf("of the previous secret after the rotation: %v, want ErrTokenInvalid", err)
	}
}

// forgery is a token put together by hand. Its defaults make a valid one.
type forgery struct {
	header, claims map[string]any
	secret         []byte
}

func forge(tb testing.TB, tokens *Tokens) *forgery {
	tb.Helper()
	token := mustIssue(tb, tokens)
	return &forgery{
		header: decodePart(tb, token, 0),
		claims: decodePart(tb, token, 1),
		secret: tokens.config.Keyring.Derive(UseJWT)[0].secret(),
	}
}

func (f *forgery) String() string {
	return signRaw(encodeJSON(f.header), encodeJSON(f.claims), f.secret)
}

func encodeJSON(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func signRaw(header, claims string, secret []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64([]byte(header)) + "." + b64([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

// All of these but the first carry a true signature, so that only the check in
// question stands between them and being believed.
func TestSignedTokensThatMustBeRefused(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	other := mustKeyring(t, previousSecret, "").Derive(UseJWT)[0]
	in := func(d time.Duration) int64 { return testStart.Add(d).Unix() }
	for name, change := range map[string]func(*forgery){
		"wrong key":             func(f *forgery) { f.secret = other.secret() },
		"unknown kid":           func(f *forgery) { f.header["kid"] = other.ID },
		"no kid":                func(f *forgery) { delete(f.header, "kid") },
		"kid not a string":      func(f *forgery) { f.header["kid"] = 1 },
		"alg none":              func(f *forgery) { f.header["alg"] = "none" },
		"alg in lower case":     func(f *forgery) { f.header["alg"] = "hs256" },
		"alg HS512":             func(f *forgery) { f.header["alg"] = "HS512" },
		"alg RS256":             func(f *forgery) { f.header["alg"] = "RS256" },
		"no alg":                func(f *forgery) { delete(f.header, "alg") },
		"ALG for alg":           func(f *forgery) { delete(f.header, "alg"); f.header["ALG"] = "HS256" },
		"no typ":                func(f *forgery) { delete(f.header, "typ") },
		"typ JWT":               func(f *forgery) { f.header["typ"] = "JWT" },
		"typ with its prefix":   func(f *forgery) { f.header["typ"] = "application/at+jwt" },
		"crit":                  func(f *forgery) { f.header["crit"] = []string{"exp"} },
		"crit as a string":      func(f *forgery) { f.header["crit"] = "exp" },
		"jku":                   func(f *forgery) { f.header["jku"] = "https://evil.example/jwks.json" },
		"jwk":                   func(f *forgery) { f.header["jwk"] = map[string]string{"kty": "oct", "k": "AAAA"} },
		"x5u":                   func(f *forgery) { f.header["x5u"] = "https://evil.example/cert" },
		"x5c":                   func(f *forgery) { f.header["x5c"] = []string{"AAAA"} },
		"x5t":                   func(f *forgery) { f.header["x5t"] = "AAAA" },
		"b64":                   func(f *forgery) { f.header["b64"] = false },
		"cty":                   func(f *forgery) { f.header["cty"] = "JWT" },
		"zip":                   func(f *forgery) { f.header["zip"] = "DEF" },
		"no exp":                func(f *forgery) { delete(f.claims, "exp") },
		"exp null":              func(f *forgery) { f.claims["exp"] = nil },
		"exp as a word":         func(f *forgery) { f.claims["exp"] = "never" },
		"no iat":                func(f *forgery) { delete(f.claims, "iat") },
		"iat ahead":             func(f *forgery) { f.claims["iat"] = in(leeway + time.Second) },
		"not yet":               func(f *forgery) { f.claims["nbf"] = in(leeway + time.Second) },
		"no iss":                func(f *forgery) { delete(f.claims, "iss") },
		"another iss":           func(f *forgery) { f.claims["iss"] = "https://api.example.com/" },
		"iss null":              func(f *forgery) { f.claims["iss"] = nil },
		"no aud":                func(f *forgery) { delete(f.claims, "aud") },
		"another aud":           func(f *forgery) { f.claims["aud"] = []string{"other"} },
		"aud as part of a word": func(f *forgery) { f.claims["aud"] = "api.other" },
		"no client_id":          func(f *forgery) { delete(f.claims, "client_id") },
		"another client_id":     func(f *forgery) { f.claims["client_id"] = "other" },
		"no type":               func(f *forgery) { delete(f.claims, "type") },
		"another type":          func(f *forgery) { f.claims["type"] = "refresh" },
		"type not a string":     func(f *forgery) { f.claims["type"] = []string{"access"} },
		"no jti":                func(f *forgery) { delete(f.claims, "jti") },
		"jti null":              func(f *forgery) { f.claims["jti"] = nil },
		"no sub":                func(f *forgery) { delete(f.claims, "sub") },
		"sub not an id":         func(f *forgery) { f.claims["sub"] = "admin" },
		"no sid":                func(f *forgery) { delete(f.claims, "sid") },
		"sid not an id":         func(f *forgery) { f.claims["sid"] = "1" },
		"sid not a string":      func(f *forgery) { f.claims["sid"] = 1 },
		"scope as a list":       func(f *forgery) { f.claims["scope"] = []string{"admin"} },
	} {
		forged := forge(t, tokens)
		if _, err := tokens.Verify(forged.String()); err != nil {
			t.Fatalf("%s: unchanged, it is refused already: %v", name, err)
		}
		change(forged)
		for range 2 {
			if claims, err := tokens.Verify(forged.String()); !errors.Is(err, ErrTokenInvalid) || errors.Is(err, ErrTokenExpired) || claims.User != uuid.Nil {
				t.Errorf("%s: %+v, %v; want ErrTokenInvalid", name, claims, err)
			}
		}
	}
}

// An expired token says so only when it was good once.
func TestExpiredAndForgedIsInvalid(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	forged := forge(t, tokens)
	forged.claims["exp"] = testStart.Unix()
	if _, err := tokens.Verify(forged.String()); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("expired: %v", err)
	}
	forged.claims["aud"] = "other"
	if _, err := tokens.Verify(forged.String()); errors.Is(err, ErrTokenExpired) {
		t.Errorf("expired and of another audience: %v", err)
	}
	forged.secret = make([]byte, 32)
	if _, err := tokens.Verify(forged.String()); errors.Is(err, ErrTokenExpired) {
		t.Errorf("expired and forged: %v", err)
	}
}

func TestMalformedTokens(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	forged := forge(t, tokens)
	token := forged.String()
	parts := strings.Split(token, ".")
	header, claims := encodeJSON(forged.header), encodeJSON(forged.claims)
	long := forge(t, tokens)
	long.claims["padding"] = strings.Repeat("x", MaxTokenLength)

	for name, text := range map[string]string{
		"empty":             "",
		"dots":              "..",
		"a word":            "token",
		"no signature":      parts[0] + "." + parts[1] + ".",
		"two parts":         parts[0] + "." + parts[1],
		"four parts":        token + ".",
		"a detached body":   parts[0] + ".." + parts[2],
		"flattened JSON":    fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]),
		"general JSON":      fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, parts[1], parts[0], parts[2]),
		"bare claims":       claims,
		"space around":      " " + token,
		"line break within": parts[0] + "." + parts[1] + ".\n" + parts[2],
		"padded":            token + "=",
		"Bearer":            "Bearer " + token,
		"too long":          long.String(),
		"header null":       signRaw("null", claims, forged.secret),
		"header a list":     signRaw("[]", claims, forged.secret),
		"header trailing":   signRaw(header+"{}", claims, forged.secret),
		"claims null":       signRaw(header, "null", forged.secret),
		"claims a list":     signRaw(header, "[]", forged.secret),
		"claims no JSON":    signRaw(header, "{", forged.secret),
		"claims a token":    signRaw(header, "{}", forged.secret),
		"claims none":       signRaw(header, "", forged.secret),
		"alg none":          base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`)) + "." + parts[1] + ".",
	} {
		if _, err := tokens.Verify(text); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("%s: %v, want ErrTokenInvalid", name, err)
		}
	}
}

// No character of a token can be another: not in what is signed, and not in the
// unused bits of the signature either.
func TestTamperedTokens(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	token := mustIssue(t, tokens)
	if _, err := tokens.Verify(token); err != nil {
		t.Fatal(err)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token {
		next := alphabet[(strings.IndexByte(alphabet, token[i])+1)%len(alphabet)]
		changed := token[:i] + string(next) + token[i+1:]
		if _, err := tokens.Verify(changed); !errors.Is(err, ErrTokenInvalid) {
			t.Fatalf("changed at %d: %v, want ErrTokenInvalid", i, err)
		}
	}
}

func TestVerifyIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()

	tokens := mustTokens(t, TokenConfig{})
	token := mustIssue(t, tokens)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 50 {
				if _, err := tokens.Verify(token); err != nil {
					t.Error(err)
				}
				mustIssue(t, tokens)
			}
		})
	}
	callers.Wait()
}

func TestNewTokensChecksItsConfig(t *testing.T) {
	t.Parallel()

	full := TokenConfig{Issuer: "i", Audience: "a", ClientID: "c", Keyring: mustKeyring(t, currentSecret, "")}
	if _, err := NewTokens(full); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*TokenConfig){
		"no issuer":    func(c *TokenConfig) { c.Issuer = "" },
		"no audience":  func(c *TokenConfig) { c.Audience = "" },
		"no client":    func(c *TokenConfig) { c.ClientID = "" },
		"no key":       func(c *TokenConfig) { c.Keyring = nil },
		"a short life": func(c *TokenConfig) { c.TTL = time.Second - 1 },
		"no such file": func(c *TokenConfig) { c.KeyFile = "does-not-exist.pem" },
	} {
		c := full
		change(&c)
		if _, err := NewTokens(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkToken(b *testing.B) {
	tokens := mustTokens(b, TokenConfig{Now: time.Now})
	token := mustIssue(b, tokens)
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tokens.Verify(token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tokens.verify(token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("issue", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mustIssue(b, tokens)
		}
	})
}
