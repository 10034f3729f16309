package server_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/client"
	"github.com/accord-api/accord/servertest"
)

// Bytes that cannot be read are a 400 that says what is wrong; what can be read
// and breaks the contract is a 422. Nothing is ever a 500.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"empty":          {"", 400},
		"no JSON":        {"{", 400},
		"trailing data":  {`{} {}`, 400},
		"duplicate key":  {`{"email": "a", "email": "b"}`, 400},
		"invalid UTF-8":  {"{\"email\": \"\xff\"}", 400},
		"lone surrogate": {`{"email": "\ud800"}`, 400},
		"raw NUL":        {"{\"email\": \"\x00\"}", 400},
		"BOM":            {"\ufeff{}", 400},
		"deep nesting":   {strings.Repeat("[", 10000), 400},
		"NUL":            {`{"email": "\u0000"}`, 422},
		"array":          {`[]`, 422},
		"number":         {`1e999999`, 422},
		"null":           {`null`, 422},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := s.Somebody().POST("/api/v1/users", c.body)
			var p client.Problem
			answer.Into(&p)
			if answer.Status != c.want || len(p.Detail) < 10 {
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
		})
	}
	s.Somebody().Do(http.MethodPost, "/api/v1/auth/login", "application/x-www-form-urlencoded", []byte("username=%zz")).
		Expect(http.StatusBadRequest).Problem("malformed-request")
}

func TestMalformedAddresses(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for path, want := range map[string]int{
		"/api/v1/admin/users?q=%zz":      400,
		"/api/v1/admin/users?q=%ff":      400,
		"/api/v1/admin/users?q=a&q=b":    422,
		"/api/v1/admin/users?other=%00":  200,
		"/api/v1/users/%ff":              400,
		"/api/v1/users/%00":              422,
		"/api/v1/users/a%2Fb":            422,
		"/api/v1/users/..%2f..%2fhealth": 422,
		"/api/v1/nothing/%ff":            404,
		"/api/v1/users/me/":              200,
		"//api/v1/users/me":              404,
	} {
		if answer := admin.GET(path); answer.Status != want {
			t.Errorf("%s: status %d, want %d: %s", path, answer.Status, want, answer.Body)
		}
	}
}

// Whatever is sent to any operation, it is no 5xx.
func TestNothingIsAnInternalError(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	operations, _ := document(t)
	for _, o := range operations {
		p := signedIn(s, o)
		for _, body := range []string{"", "{}", "[]", "null", "0", `"x"`, "{\"\\u0000\":1}", "a=b&a=b", "\xff", `{"email":{},"username":[],"password":1e400,"token":null}`} {
			if answer := p.Do(o.Method, o.url(), o.contentType(), []byte(body)); answer.Status >= 500 {
				t.Errorf("%s with %q: %d %s", o.ID, body, answer.Status, answer.Body)
			}
			if strings.HasPrefix(o.ID, "logout") {
				p = signedIn(s, o)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	answer := p.Do(http.MethodPut, "/api/v1/users/me", "", nil).Expect(http.StatusMethodNotAllowed)
	answer.Problem("method-not-allowed")
	for _, method := range []string{"GET", "HEAD", "PATCH", "DELETE"} {
		if !strings.Contains(answer.Header.Get("Allow"), method) {
			t.Errorf("Allow %q lacks %s", answer.Header.Get("Allow"), method)
		}
	}
	if got := p.Do(http.MethodOptions, "/api/v1/users/me", "", nil).Expect(http.StatusNoContent).Header.Get("Allow"); !strings.Contains(got, "PATCH") {
		t.Errorf("Allow %q", got)
	}
	get, head := p.GET("/api/v1/users/me"), p.Do(http.MethodHead, "/api/v1/users/me", "", nil).Expect(http.StatusOK)
	if len(head.Body) != 0 || head.Header.Get("Content-Length") != fmt.Sprint(len(get.Body)) || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
		t.Errorf("HEAD answers %v", head.Header)
	}
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for _, path := range []string{"/health", "/api/v1/users/me", "/api/v1/nothing", "/problems", "/api/docs", "/api/openapi.json"} {
		h := p.GET(path).Header
		for name, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'",
		} {
			if !strings.HasPrefix(h.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if h.Get("Strict-Transport-Security") != "" || h.Get("X-Request-Id") == "" || strings.Contains(h.Get("Content-Security-Policy"), "script-src 'unsafe") {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	if got := p.GET("/api/v1/users/me").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q of a private answer", got)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const ours = "https://shop.example"
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"CORS_ORIGINS": ours}})
	ask := func(origin string, preflight bool) http.Header {
		p := s.Somebody()
		p.Header.Set("Origin", origin)
		if !preflight {
			return p.GET("/health").Header
		}
		p.Header.Set("Access-Control-Request-Method", "PATCH")
		p.Header.Set("Access-Control-Request-Headers", "authorization")
		return p.Do(http.MethodOptions, "/api/v1/users/me", "", nil).Expect(http.StatusNoContent).Header
	}
	for _, preflight := range []bool{false, true} {
		h := ask(ours, preflight)
		if h.Get("Access-Control-Allow-Origin") != ours || h.Get("Access-Control-Allow-Credentials") != "true" || !slices.Contains(h.Values("Vary"), "Origin") {
			t.Errorf("allowed origin: %v", h)
		}
		if h := ask("https://evil.example", preflight); h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("other origin: %v", h)
		}
	}
	if h := ask(ours, true); !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PATCH") || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %v", h)
	}
	if h := ask(ours, false); !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("exposed: %v", h)
	}
}

// production is a configuration for real users.
func production(changes map[string]string) map[string]string {
	settings := map[string]string{
		"ENVIRONMENT": "production", "SECRET_KEY": "p7Q-x9Lm2v_R4tW8yB1nK6cZ0sD3fG5h", "PUBLIC_URL": "https://api.example.com",
		"BCRYPT_COST": "12", "TRUSTED_PROXIES": "127.0.0.1",
	}
	for name, value := range changes {
		settings[name] = value
	}
	return settings
}

// Plain HTTP is refused and never redirected: a secret in it has been seen.
func TestProductionWantsHTTPS(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: production(nil)})
	p := s.Somebody()
	for _, path := range []string{"/health", "/livez", "/readyz"} {
		p.GET(path).Expect(http.StatusOK)
	}
	p.GET("/.well-known/jwks.json").Expect(http.StatusForbidden).Problem("insecure-transport")
	p.Header.Set("X-Forwarded-Proto", "https")
	answer := p.GET("/.well-known/jwks.json").Expect(http.StatusOK)
	if !strings.HasPrefix(answer.Header.Get("Strict-Transport-Security"), "max-age=") {
		t.Error("no HSTS")
	}
	p.GET("/api/docs").Expect(http.StatusNotFound)
	p.GET("/dev/mail").Expect(http.StatusNotFound)
	p.GET("/api/openapi.json").Expect(http.StatusOK)

	far := servertest.New(t, servertest.Options{Settings: production(map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8"})})
	q := far.Somebody()
	q.Header.Set("X-Forwarded-Proto", "https") // says who is no proxy
	q.GET("/.well-known/jwks.json").Expect(http.StatusForbidden)
}

func TestOwnTLS(t *testing.T) {
	t.Parallel()
	certificate, certFile, keyFile := selfSigned(t)
	s := servertest.New(t, servertest.Options{Settings: production(map[string]string{"TLS_CERT_FILE": certFile, "TLS_KEY_FILE": keyFile, "TRUSTED_PROXIES": ""})})
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	s.HTTP.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	s.URL = strings.Replace(s.URL, "http://", "https://", 1)
	s.Somebody().GET("/.well-known/jwks.json").Expect(http.StatusOK)
}

// The client's address comes from our proxies only, and from the right: what
// stands further left was written by the client.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8"}})
	for forwarded, want := range map[string]string{
		"203.0.113.7":                    "203.0.113.7",
		"1.1.1.1, 203.0.113.7":           "203.0.113.7",
		"1.1.1.1, 203.0.113.7, 10.1.1.1": "203.0.113.7",
		"203.0.113.7, unknown, 10.1.1.1": "10.1.1.1",
		"2001:db8::1":                    "2001:db8::1",
		"::ffff:203.0.113.9":             "203.0.113.9",
		"garbage":                        "127.0.0.1",
		"":                               "127.0.0.1",
	} {
		p := s.Somebody()
		p.IP = forwarded
		id := p.GET("/health").Header.Get("X-Request-Id")
		if line := logLine(s, id); !strings.Contains(line, fmt.Sprintf(`"ip":"%s"`, want)) {
			t.Errorf("%q: want %s in %s", forwarded, want, line)
		}
	}
	stranger := servertest.New(t, servertest.Options{Settings: map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8"}})
	p := stranger.Somebody()
	p.Header.Set("X-Request-Id", "forged")
	id := p.GET("/health").Header.Get("X-Request-Id")
	if line := logLine(stranger, id); id == "forged" || !strings.Contains(line, `"ip":"127.0.0.1"`) {
		t.Errorf("who is no proxy is believed: %s", line)
	}
}

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

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Somebody()
	p.Header.Set("X-Request-Id", "trace-1.2_3")
	if got := p.GET("/health").Header.Get("X-Request-Id"); got != "trace-1.2_3" {
		t.Errorf("a proxy's id became %q", got)
	}
	p.Header.Set("X-Request-Id", "bad id\"")
	answer := p.GET("/api/v1/nothing")
	if got := answer.Header.Get("X-Request-Id"); len(got) != 36 || answer.Problem("not-found").RequestID != got {
		t.Errorf("id %q in %s", got, answer.Body)
	}
}

// Nothing that is secret comes into a log, the trail or a job.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	const secretKey = "canary-key-canary-key-canary-key-9"
	s := servertest.New(t, servertest.Options{Start: true, Settings: map[string]string{"SECRET_KEY": secretKey, "LOG_LEVEL": "debug"}})
	p := s.Register()
	p.Header.Set("Cookie", "canary-cookie")
	mailed := token(s, p.User.Email, 1)
	q := p.Elsewhere()
	q.Login(p.User.Username, "Canary-wrong-1")
	q.Form("/api/v1/auth/login?password=canary-query", nil)
	q.POST("/api/v1/users", registration(map[string]any{"password": "canary-weak"}))
	q.POST("/api/v1/users", `{"password": "canary-broken`)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK)
	refresh(p, "canary-refresh-token")
	p.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Canary-new-1"}).Expect(http.StatusNoContent)
	q.POST("/api/v1/auth/verify-email", map[string]any{"token": mailed}).Expect(http.StatusNoContent)
	q.POST("/api/v1/auth/reset-password", map[string]any{"token": "canary-token", "new_password": "Canary-reset-1"})
	p.GET("/api/v1/users/me?token=canary-query").Expect(http.StatusOK)

	everywhere := s.Log.String() +
		column(t, s, "SELECT coalesce(string_agg(audit_events::text, ' '), '') FROM audit_events") +
		column(t, s, "SELECT coalesce(string_agg(river_job::text, ' '), '') FROM river_job")
	for _, canary := range []string{secretKey, p.Password, p.Tokens.AccessToken, p.Tokens.RefreshToken, mailed, "canary", "Canary", "#token="} {
		if strings.Contains(everywhere, canary) {
			t.Errorf("%q is in the log, the trail or a job", canary)
		}
	}
	if !bytes.Contains([]byte(everywhere), []byte(p.User.ID.String())) {
		t.Error("the user's id is nowhere: nothing was looked at")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	const name = `Tom & "Jerry" <b>`
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"PROJECT_NAME": name}})
	p := s.Somebody()
	for _, kind := range api.ProblemTypes {
		if body := string(p.GET("/problems/" + kind.Code).Expect(http.StatusOK).Body); !strings.Contains(body, kind.Code) {
			t.Errorf("%s is not explained: %s", kind.Code, body)
		}
	}
	p.GET("/problems/unknown").Expect(http.StatusNotFound)
	for _, path := range []string{"/", "/problems", "/api/docs", "/account/verify-email", "/account/reset-password", "/account/forgot-password"} {
		page := string(p.GET(path).Expect(http.StatusOK).Body)
		if strings.Contains(page, "<b>") || strings.Contains(page, "<script>") || strings.Contains(page, "style=") {
			t.Errorf("%s: %s", path, page)
		}
	}
	for _, asset := range []string{"/assets/page.css", "/assets/account.js", "/assets/docs.js", "/assets/icon.svg", "/api/docs/swagger-ui.css", "/api/docs/swagger-ui-bundle.js", "/api/docs/oauth2-redirect.html"} {
		p.GET(asset).Expect(http.StatusOK)
	}
	var doc struct {
		Info struct {
			Title string `json:"title"`
		} `json:"info"`
	}
	if p.GET("/api/openapi.json").Expect(http.StatusOK).Into(&doc); doc.Info.Title != name {
		t.Errorf("title %q", doc.Info.Title)
	}
	var published map[string]json.RawMessage
	if err := json.Unmarshal(api.OpenAPI, &published); err != nil {
		t.Fatal(err)
	}
}
