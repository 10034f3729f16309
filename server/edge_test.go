package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// malformed are bodies that no operation takes. Bytes that cannot be read are a
// 400 that says what is wrong; what can be read and breaks the contract is a 422.
var malformed = []struct{ name, text, code string }{
	{"nothing", "", unreadable},
	{"white space", " \n\t", unreadable},
	{"a cut body", "{", unreadable},
	{"text", "hello", unreadable},
	{"a cut word", "nul", unreadable},
	{"trailing data", "{} {}", unreadable},
	{"a trailing comma", `{"a": 1,}`, unreadable},
	{"a comment", "{} // done", unreadable},
	{"single quotes", "{'a': 1}", unreadable},
	{"NaN", `{"a": NaN}`, unreadable},
	{"a leading zero", `{"a": 01}`, unreadable},
	{"a member twice", `{"email": "a", "email": "b"}`, unreadable},
	{"an unknown member twice", `{"x": {"y": 1, "y": 2}}`, unreadable},
	{"a member twice, once escaped", `{"a": 1, "\u0061": 2}`, unreadable},
	{"invalid UTF-8", "{\"a\": \"\xff\"}", unreadable},
	{"invalid UTF-8 in a name", "{\"\xc0\x80\": 1}", unreadable},
	{"a lone surrogate", `{"a": "\ud800"}`, unreadable},
	{"the wrong half", `{"a": "\udc00\ud800"}`, unreadable},
	{"a raw NUL", "{\"a\": \"\x00\"}", unreadable},
	{"a NUL at the end", "{}\x00", unreadable},
	{"a byte order mark", "\ufeff{}", unreadable},
	{"deep arrays", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), unreadable},
	{"deep objects", `{"x":` + strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_001), unreadable},
	{"an open depth", strings.Repeat("[", 10_000), unreadable},
	{"an empty object", "{}", "validation"},
	{"an array", "[]", "validation"},
	{"null", "null", "validation"},
	{"a huge number", "1e999999", "validation"},
	{"a long number", strings.Repeat("9", 50_000), "validation"},
	{"a string", `"x"`, "validation"},
	{"a NUL as name", `{"\u0000": 1}`, "validation"},
	{"wrong types", `{"email": {}, "username": [], "password": 1e400, "token": null, "refresh_token": false, "role": 1, "is_active": "true"}`, "validation"},
}

const unreadable = "malformed-request"

func TestMalformedForms(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for form, want := range map[string]string{
		"username=%zz&password=x":          unreadable,
		"username=%":                       unreadable,
		"username=%ff&password=x":          unreadable,
		"\xff=a":                           unreadable,
		"":                                 "validation",
		"username=a&username=b&password=x": unreadable,
		"username=%00&password=x":          "validation",
		"username=a&password=%00":          "validation",
		"username=a&password=x&scope=%00":  "validation",
		"=&=&&&":                           unreadable,
	} {
		answer := s.Somebody().Do(http.MethodPost, "/api/v1/auth/login", "application/x-www-form-urlencoded", []byte(form))
		var p map[string]any
		answer.Into(&p)
		if p["type"] != "/problems/"+want || p["error"] != "invalid_request" {
			t.Errorf("%q: %d %s", form, answer.Status, answer.Body)
		}
	}
}

// Text with a NUL cannot be stored, wherever it stands.
func TestNULIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for _, o := range document(t) {
		if o.Body == nil || strings.HasPrefix(o.contentType(), "multipart/") { // a file may hold any byte
			continue
		}
		p := signedIn(s, o)
		for name, value := range o.Body.Content[o.contentType()].Example {
			text, ok := value.(string)
			if !ok {
				continue
			}
			p.IP = s.Somebody().IP
			answer := p.Do(o.Method, o.url(), o.contentType(), o.example(t, map[string]any{name: text + "\x00"}))
			if fields := answer.Fields(); len(fields) != 1 || !strings.HasPrefix(fields[0], name+" ") {
				t.Errorf("%s %s: %v", o.ID, name, fields)
			}
		}
	}
}

func TestMalformedAddresses(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for path, want := range map[string]int{
		"/api/v1/admin/users?q=%zz":                        400,
		"/api/v1/admin/users?q=%ff":                        400,
		"/api/v1/admin/users?%ff=a":                        400,
		"/api/v1/admin/users?q=a&q=b":                      422,
		"/api/v1/admin/users?q=%00":                        422,
		"/api/v1/admin/users?limit=0":                      422,
		"/api/v1/admin/users?limit=9999999999999999999999": 422,
		"/api/v1/admin/users?limit=%00":                    422,
		"/api/v1/admin/users?cursor=x":                     422,
		"/api/v1/admin/users?cursor=%00":                   422,
		"/api/v1/admin/users?is_active=maybe":              422,
		"/api/v1/admin/users?role=king":                    422,
		"/api/v1/admin/users?other=%00":                    200,
		"/api/v1/users/%ff":                                400,
		"/api/v1/users/%00":                                422,
		"/api/v1/users/1":                                  422,
		"/api/v1/users/" + unknownID + "0":                 422,
		"/api/v1/users/{" + unknownID + "}":                422,
		"/api/v1/users/urn:uuid:" + unknownID:              422,
		"/api/v1/users/a%2Fb":                              422,
		"/api/v1/users/..%2f..%2fhealth":                   422,
		"/api/v1/users/" + unknownID:                       404,
		"/api/v1/users/" + strings.Repeat("a", 60_000):     422,
		"/api/v1/nothing/%ff":                              404,
		"/api/v1/nothing/%00":                              404,
		"/problems/%00":                                    404,
		"/problems/%ff":                                    404,
		"/assets/%00":                                      404,
		"/assets/%ff":                                      404,
		"/assets/..%2fstart.html":                          404,
		"/assets/../start.html":                            404,
		"/api/docs/%00":                                    404,
		"/api/docs/..%2f":                                  404,
		"/api/v1/users/" + unknownID + "/x":                404,
		"/api/v1/users/me/x/y":                             404,
		"/api/v1/users/me/":                                200,
		"/api/v1/users/me//":                               200,
		"//api/v1/users/me":                                404,
		"/API/v1/users/me":                                 404,
		"/api/v1/users/me?":                                200,
		"/api/v1":                                          404,
	} {
		answer := admin.GET(path)
		if answer.Status != want {
			t.Errorf("%.80s: status %d, want %d: %s", path, answer.Status, want, answer.Body)
			continue
		}
		if want >= http.StatusBadRequest && answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.80s: %s", path, answer.Header.Get("Content-Type"))
		}
	}
}

// A client may say of itself what it likes.
func TestOddHeadersAreNoFailure(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for i, agent := range []string{"\xff\xfe", strings.Repeat("ü", 5000), "", "a\tb", strings.Repeat("a", 299) + "ü"} {
		p := s.Somebody()
		p.Header.Set("User-Agent", agent)
		p.Header.Set("Accept", "\xff")
		p.Header.Set("Authorization", "Basic \xff")
		p.POST("/api/v1/users", registration(map[string]any{"username": fmt.Sprint("odd-", i), "email": fmt.Sprintf("odd%d@example.com", i)})).Expect(http.StatusCreated)
		p.Login(fmt.Sprint("odd-", i), servertest.Password).Expect(http.StatusOK)
	}
	for _, authorization := range []string{"Bearer", "Bearer ", "bearer  x", "Bearer a b c", "Bearer " + strings.Repeat("a", 50_000), "\xff", "Basic YTpi", "Bearer \xff.\xff.\xff"} {
		p := s.Somebody()
		p.Header.Set("Authorization", authorization)
		p.GET("/api/v1/users/me").Expect(http.StatusUnauthorized).Problem("unauthenticated")
	}
}

// Every path of the document tells its methods, serves HEAD with GET, and takes
// a trailing slash without a redirect, which would lose the body.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	methods := map[string][]string{}
	for _, o := range document(t) {
		methods[o.url()] = append(methods[o.url()], o.Method)
		if o.Method == http.MethodGet {
			methods[o.url()] = append(methods[o.url()], http.MethodHead)
		}
		checkTrailingSlash(t, s, o)
	}
	for path, declared := range methods {
		declared = append(declared, http.MethodOptions)
		slices.Sort(declared)
		p := s.Somebody()
		options := p.Do(http.MethodOptions, path, "", nil).Expect(http.StatusNoContent)
		if got := methodsOf(options); !slices.Equal(got, declared) {
			t.Errorf("OPTIONS %s: Allow %v, want %v", path, got, declared)
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			if slices.Contains(declared, method) {
				continue
			}
			answer := p.Do(method, path, "", nil).Expect(http.StatusMethodNotAllowed)
			if got := methodsOf(answer); !slices.Equal(got, declared) {
				t.Errorf("%s %s: Allow %v, want %v", method, path, got, declared)
			}
			if method != http.MethodHead {
				answer.Problem("method-not-allowed")
			}
		}
	}
	for _, path := range []string{"/api/v1/nothing", "/api/v1/users/" + unknownID + "/x", "/api/v1/auth/sessions/a/b"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			s.Somebody().Do(method, path, "", nil).Expect(http.StatusNotFound)
		}
	}
}

func methodsOf(answer *servertest.Answer) []string {
	methods := strings.Split(strings.Join(answer.Header.Values("Allow"), ", "), ", ")
	slices.Sort(methods)
	return methods
}

// checkTrailingSlash sends the document's example with and without the slash:
// the answer has the same status, and is no redirect.
func checkTrailingSlash(t *testing.T, s *servertest.Server, o operation) {
	t.Helper()
	status := func(path string) int {
		p := signedIn(s, o)
		return p.Do(o.Method, path, o.contentType(), o.example(t, map[string]any{"username": fmt.Sprint("u", len(path)), "email": "a@b.example"})).Status
	}
	if with, without := status(o.url()+"/"), status(o.url()); with != without && o.ID != "registerUser" {
		t.Errorf("%s: %d with a trailing slash, %d without", o.ID, with, without)
	} else if with >= 300 && with < 400 || with == http.StatusNotFound && o.url() == o.Path {
		t.Errorf("%s: %d with a trailing slash", o.ID, with)
	}
}

// A body that is promised and never sent holds neither the answer nor the
// connection where no operation asks for it.
func TestStrayBodiesHoldNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for _, c := range []struct {
		request string
		want    int
	}{
		{"POST /api/v1/nothing", 404}, {"PUT /api/v1/users/me", 405}, {"OPTIONS /api/v1/users/me", 204}, {"GET /problems", 200},
		{"GET /api/openapi.json", 200}, {"GET /assets/page.css", 200},
	} {
		for _, length := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
			t.Run(c.request+" "+length, func(t *testing.T) {
				t.Parallel()
				conn := dial(t, s.URL)
				fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", c.request, length)
				if err := conn.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
					t.Fatal(err)
				}
				reader := bufio.NewReader(conn)
				answer, err := http.ReadResponse(reader, &http.Request{Method: http.MethodGet})
				if err != nil {
					t.Fatalf("no answer: %v", err)
				}
				if answer.StatusCode != c.want || !answer.Close {
					t.Errorf("status %d, want %d, closed: %t", answer.StatusCode, c.want, answer.Close)
				}
				if err := conn.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, reader); err != nil {
					t.Errorf("the connection stays open: %v", err)
				}
			})
		}
	}
}

// An operation that reads its body keeps the connection for the next request.
func TestOperationsKeepTheConnection(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	answer := s.Somebody().POST("/api/v1/users", registration(nil)).Expect(http.StatusCreated)
	if got := answer.Header.Get("Connection"); got != "" {
		t.Errorf("Connection %q", got)
	}
}

// OPTIONS * has the headers of every answer, as net/http's own answer has not;
// nothing else has an asterisk for a target.
func TestOptionsOfTheServer(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for method, want := range map[string]int{http.MethodOptions: http.StatusNoContent, http.MethodGet: http.StatusNotFound} {
		conn := dial(t, s.URL)
		fmt.Fprintf(conn, "%s * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method)
		answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s *: status %d", method, answer.StatusCode)
		}
		if id := answer.Header.Get("X-Request-Id"); id == "" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s *: headers %v", method, answer.Header)
		}
	}
}

func TestHEADAnswersAsGETDoes(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for _, o := range document(t) {
		if o.Method != http.MethodGet {
			continue
		}
		path := strings.Replace(o.url(), unknownID, admin.User.ID.String(), 1)
		get, head := admin.GET(path), admin.Do(http.MethodHead, path, "", nil)
		if head.Status != get.Status || get.Status != http.StatusOK && !strings.Contains(o.Path, "{") {
			t.Errorf("%s: %d, GET has %d", o.ID, head.Status, get.Status)
		}
		if len(head.Body) != 0 {
			t.Errorf("%s: a body", o.ID)
		}
		for _, name := range []string{"Content-Length", "Content-Type", "Cache-Control", "Link"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want && o.ID != "adminListAuditEvents" {
				t.Errorf("%s: %s is %q, want %q", o.ID, name, got, want)
			}
		}
	}
	s.Somebody().Do(http.MethodHead, "/api/v1/users/me", "", nil).Expect(http.StatusUnauthorized)
}

// They are on every answer: of operations, pages, files, problems, and what is
// refused before an operation is found.
func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	execute(t, s, "ALTER TABLE sessions RENAME COLUMN ip TO gone") // for a 500
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/health", 200}, {"GET", "/api/v1/users/me", 200}, {"HEAD", "/api/v1/users/me", 200}, {"GET", "/api/v1/nothing", 404},
		{"PUT", "/api/v1/users/me", 405}, {"OPTIONS", "/api/v1/users/me", 204}, {"PATCH", "/api/v1/users/me", 415}, {"GET", "/api/v1/users/x", 422},
		{"GET", "/api/v1/auth/sessions", 500}, {"GET", "/", 200}, {"GET", "/problems", 200}, {"GET", "/problems/none", 404}, {"GET", "/api/docs", 200},
		{"GET", "/api/docs/swagger-ui.css", 200}, {"GET", "/assets/page.css", 200}, {"GET", "/assets/none", 404}, {"GET", "/api/openapi.json", 200},
	} {
		h := p.Do(c.method, c.path, "", nil).Expect(c.want).Header
		for name, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'", "Cross-Origin-Resource-Policy": "same-",
		} {
			if !strings.HasPrefix(h.Get(name), want) {
				t.Errorf("%s %s: %s is %q", c.method, c.path, name, h.Get(name))
			}
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "script-src 'unsafe") || strings.Contains(policy, "unsafe-eval") {
			t.Errorf("%s: Content-Security-Policy %q", c.path, policy)
		}
		if h.Get("Strict-Transport-Security") != "" || h.Get("X-Request-Id") == "" || h.Get("Server") != "" || h.Get("Cache-Control") == "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, h)
		}
	}
	for _, path := range []string{"/api/v1/users/me", "/api/v1/admin/users", "/api/v1/nothing", "/health"} {
		if got := p.GET(path).Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

const (
	ours  = "https://shop.example"
	other = "https://evil.example"
)

// ask sends a request as a browser does for a page of the origin.
func ask(s *servertest.Server, origin, path string, preflight bool) *servertest.Answer {
	s.T.Helper()
	p := s.Somebody()
	p.Header.Set("Origin", origin)
	if !preflight {
		return p.GET(path)
	}
	p.Header.Set("Access-Control-Request-Method", "PATCH")
	p.Header.Set("Access-Control-Request-Headers", "authorization")
	return p.Do(http.MethodOptions, path, "", nil).Expect(http.StatusNoContent)
}

func TestCORS(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"CORS_ORIGINS": ours + ",http://localhost:3000"}})
	// Whatever the answer is: a page has to be able to read problems too.
	for path, preflight := range map[string]bool{"/health": false, "/api/v1/users/me": false, "/api/v1/nothing": false, "/api/v1/users": true} {
		for _, origin := range []string{ours, "http://localhost:3000"} {
			h := ask(s, origin, path, preflight).Header
			if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != "true" || !slices.Contains(h.Values("Vary"), "Origin") {
				t.Errorf("%s for %s: %v", path, origin, h)
			}
		}
		for _, origin := range []string{other, "null", ours + ".evil.example", "http://shop.example", ours + ":8443", "*"} {
			h := ask(s, origin, path, preflight).Header
			if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Access-Control-Allow-Credentials") != "" || !slices.Contains(h.Values("Vary"), "Origin") {
				t.Errorf("%s for %s: %v", path, origin, h)
			}
		}
	}

	preflight, actual := ask(s, ours, "/api/v1/users/me", true).Header, ask(s, ours, "/api/v1/users/me", false).Header
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		if !strings.Contains(preflight.Get("Access-Control-Allow-Methods"), method) {
			t.Errorf("the preflight lacks %s: %v", method, preflight)
		}
	}
	for _, name := range []string{"Authorization", "Content-Type", "If-Range", "Range"} {
		if !strings.Contains(preflight.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("the preflight lacks %s: %v", name, preflight)
		}
	}
	for _, name := range []string{"Content-Disposition", "Content-Range", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"} {
		if !strings.Contains(actual.Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("%s is not exposed: %v", name, actual)
		}
	}
	if preflight.Get("Access-Control-Max-Age") == "" {
		t.Error("no Access-Control-Max-Age")
	}
	// A client that is no browser has asked which methods there are.
	s.Somebody().Do(http.MethodOptions, "/api/v1/nothing", "", nil).Expect(http.StatusNotFound)
	if got := methodsOf(s.Somebody().Do(http.MethodOptions, "/api/v1/users/me", "", nil)); !slices.Contains(got, "PATCH") {
		t.Errorf("Allow %v", got)
	}
}

// Production names its origins, or has none.
func TestCORSIsOffWithoutOrigins(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: production(nil)})
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		p := s.Somebody()
		p.Header.Set("X-Forwarded-Proto", "https")
		p.Header.Set("Origin", ours)
		p.Header.Set("Access-Control-Request-Method", "GET")
		for name := range p.Do(method, jwksPath, "", nil).Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s is there", method, name)
			}
		}
	}
}

// Whoever is let in from everywhere is let in without credentials.
func TestCORSForEveryOriginHasNoCredentials(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"CORS_ORIGINS": "*"}})
	h := ask(s, other, "/health", false).Header
	if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("headers %v", h)
	}
}

// The client's address comes from our proxies only, and from the right: what
// stands further left was written by the client.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8,2001:db8:1::/48"}})
	for _, c := range []struct {
		want      string
		forwarded []string // X-Forwarded-For, a line each
	}{
		{"203.0.113.7", []string{"203.0.113.7"}},
		{"203.0.113.7", []string{" 203.0.113.7 "}},
		{"203.0.113.7", []string{"1.1.1.1, 203.0.113.7"}},
		{"203.0.113.7", []string{"1.1.1.1,203.0.113.7,10.1.1.1,10.2.2.2"}},
		{"203.0.113.7", []string{"1.1.1.1", "203.0.113.7", "10.1.1.1"}},
		{"203.0.113.7", []string{"10.9.9.9, 203.0.113.7"}}, // a claim to be a proxy
		{"203.0.113.7", []string{"127.0.0.1", "203.0.113.7"}},
		{"10.1.1.1", []string{"10.1.1.1"}},
		{"10.9.9.9", []string{"10.9.9.9, 10.1.1.1"}},
		{"10.1.1.1", []string{"203.0.113.7, unknown, 10.1.1.1"}}, // nobody knows who is behind
		{"10.1.1.1", []string{"203.0.113.7:, 10.1.1.1"}},
		{"10.1.1.1", []string{"203.0.113.7:port, 10.1.1.1"}},
		{"203.0.113.7", []string{"1.1.1.1,203.0.113.7, , 10.1.1.1,,"}}, // what is empty is nobody
		{"203.0.113.7", []string{"203.0.113.7,"}},
		{"203.0.113.7", []string{"203.0.113.7", ""}},
		{"203.0.113.7", []string{"1.1.1.1:80, 203.0.113.7:4711, 10.1.1.1:443"}},
		{"2001:db8::1", []string{"[2001:db8::1]:4711, [2001:db8:1::5]:443"}},
		{"203.0.113.9", []string{"[::ffff:203.0.113.9]:80"}},
		{"2001:db8::1", []string{"2001:db8::1"}},
		{"2001:db8::1", []string{"1.1.1.1, 2001:db8::1, 2001:db8:1::5"}},
		{"203.0.113.9", []string{"::ffff:203.0.113.9"}},
		{"203.0.113.9", []string{"203.0.113.9, ::ffff:10.1.1.1"}},
		{"fe80::1", []string{"fe80::1%eth0"}},
		{"127.0.0.1", []string{"garbage"}},
		{"127.0.0.1", []string{","}},
		{"127.0.0.1", []string{""}},
		{"127.0.0.1", nil},
		{"127.0.0.1", []string{strings.Repeat("1", 10_000)}},
	} {
		p := s.Somebody()
		p.Header["X-Forwarded-For"] = c.forwarded
		p.Header.Set("X-Real-Ip", "9.9.9.9")
		p.Header.Set("Forwarded", "for=9.9.9.9")
		id := p.GET("/health").Header.Get("X-Request-Id")
		if line := logLine(s, id); !strings.Contains(line, fmt.Sprintf(`"ip":"%s"`, c.want)) {
			t.Errorf("%q: want %s in %s", c.forwarded, c.want, line)
		}
	}
}

func TestStrangersNameNeitherAddressNorRequest(t *testing.T) {
	t.Parallel()
	for _, trusted := range []string{"10.0.0.0/8", ""} {
		s := servertest.New(t, servertest.Options{Settings: map[string]string{"TRUSTED_PROXIES": trusted}})
		p := s.Somebody()
		p.Header.Set("X-Request-Id", "forged")
		id := p.GET("/health").Header.Get("X-Request-Id")
		if line := logLine(s, id); id == "forged" || !strings.Contains(line, `"ip":"127.0.0.1"`) {
			t.Errorf("who is no proxy is believed: %s", line)
		}
	}
}

// A proxy's id is kept where it cannot break a log or a page.
func TestRequestID(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Somebody()
	for id, kept := range map[string]bool{
		"trace-1.2_3": true, strings.Repeat("a", 64): true,
		strings.Repeat("a", 65): false, "bad id": false, "bad\"id": false, "<b>": false, "ü": false, "": false, "a\tb": false,
	} {
		p.Header["X-Request-Id"] = []string{id}
		answer := p.GET("/api/v1/nothing")
		got := answer.Header.Get("X-Request-Id")
		if (got == id) != kept || answer.Problem("not-found").RequestID != got {
			t.Errorf("%q became %q in %s", id, got, answer.Body)
		}
		if !kept && len(got) != 36 {
			t.Errorf("%q became %q", id, got)
		}
	}
}
