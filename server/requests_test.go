package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/inspect"
	"github.com/accord-api/accord/redistest"
	"github.com/accord-api/accord/servertest"
)

// developing is a server in development, on a database where somebody who is given
// has signed in without waiting for an expensive hash.
func developing(t *testing.T, o servertest.Options) (s *servertest.Server, user, admin *servertest.Person) {
	t.Helper()
	first := servertest.New(t)
	user, admin = first.Register(), first.Admin()
	user.SignIn()
	settings := map[string]string{"ENVIRONMENT": "development", "SECRET_KEY": first.Config.SecretKey.Reveal(), "BCRYPT_COST": "12", "PUBLIC_URL": first.URL}
	maps.Copy(settings, o.Settings)
	if o.DatabaseURL == "" {
		o.DatabaseURL = first.DatabaseURL
	}
	o.Settings = settings
	s = servertest.New(t, o)
	return s, sameAt(s, user), sameAt(s, admin)
}

var (
	shownDecision = regexp.MustCompile(`<li><b>([^<]*)</b> <span class="\w+">(passed|refused)</span> <span class="detail">([^<]*)</span>`)
	shownQuery    = regexp.MustCompile(`<tr><td>(\w+)</td><td>[\d.]+ ms</td><td>[\d.]+ ms</td><td>(\d+)</td></tr>`) // bare-drops
	shownRow      = regexp.MustCompile(`<li id="r-([^"]*)">`)
)

// recordOf is the page about the request that had this answer, once all is known of it.
func recordOf(s *servertest.Server, a *servertest.Answer) (page string) {
	s.T.Helper()
	p := s.Somebody()
	s.Eventually("the answer is held against the contract", func() bool {
		page = html.UnescapeString(string(p.GET("/dev/requests/" + a.Header.Get("X-Request-Id")).Expect(http.StatusOK).Body))
		return !strings.Contains(page, "Nothing is known of the answer yet")
	})
	return page
}

// decisions are what a page says of the policies: name, outcome and why.
func decisions(page string) (all []string) {
	for _, found := range shownDecision.FindAllStringSubmatch(page, -1) {
		all = append(all, found[1]+" "+found[2]+": "+found[3])
	}
	return all
}

// decided fails the test unless these are the decisions in their order, each by its
// beginning.
func decided(t *testing.T, page string, want ...string) {
	t.Helper()
	got := decisions(page)
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const keepsTo = "The answer keeps to it"

// Each request has its operation, what each policy made of it in their order, its
// SQL, its jobs and mails, and whether the answer is what the contract declares.
func TestDevelopmentShowsItsRequests(t *testing.T) {
	t.Parallel()
	s, user, admin := developing(t, servertest.Options{Start: true, Outbox: t.TempDir()})

	asked := s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": user.User.Email}).Expect(http.StatusAccepted)
	var page string
	s.Eventually("the mail of the request is shown, and that its job is done", func() bool {
		page = recordOf(s, asked)
		return strings.Contains(page, "mail to "+user.User.Email) && strings.Contains(page, ">done</span>")
	})
	decided(t, page, "body limit passed: at most 65536 bytes", "rate limit by ip passed: 4 of 5 left in 1m0s", "authentication passed: not asked for",
		"content type passed: application/json", "validation passed", "rate limit by field:email passed: 2 of 3 left in 1h0m0s", "audit passed: auth.forgot-password", "timeout passed: answered within 10s")
	for _, want := range []string{">forgotPassword</a>", ">202</span>", keepsTo} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if !regexp.MustCompile(`<td>MailTokenCreate <span class="hint">in job \d+</span></td>`).MatchString(page) {
		t.Errorf("the job's SQL is not shown as the job's:\n%s", page)
	}
	mail := regexp.MustCompile(`<a href="(/dev/mail/[^"]+)">`).FindStringSubmatch(page)
	if mail == nil {
		t.Fatalf("no link to the mail:\n%s", page)
	}
	s.Somebody().GET(mail[1]).Expect(http.StatusOK)

	for _, want := range []string{"cache passed: miss", "cache passed: hit"} {
		decided(t, recordOf(s, admin.GET("/api/v1/admin/stats").Expect(http.StatusOK)), "body limit passed", "authentication passed", "rate limit by user passed", "role passed: admin", "validation passed", want, "timeout passed")
	}
}

// Who is refused sees by which policy, and that nothing came after it.
func TestDevelopmentShowsWhoRefuses(t *testing.T) {
	t.Parallel()
	s, user, _ := developing(t, servertest.Options{})
	refused := func(a *servertest.Answer, status int, want ...string) {
		t.Helper()
		decided(t, recordOf(s, a.Expect(status)), want...)
	}
	refused(s.Somebody().GET("/api/v1/users/me"), http.StatusUnauthorized, "body limit passed", "rate limit by ip passed: 59 of 60", "authentication refused: unauthenticated")
	refused(user.GET("/api/v1/admin/users"), http.StatusForbidden, "body limit passed", "authentication passed", "rate limit by user passed", "role refused: forbidden: The operation needs the role admin")
	refused(user.PATCH("/api/v1/users/me", map[string]any{"full_name": 1, "x": 2}), http.StatusUnprocessableEntity,
		"body limit passed", "authentication passed", "rate limit by user passed", "role passed", "content type passed", "validation refused: validation: 2 fields")
	refused(user.Do(http.MethodPatch, "/api/v1/users/me", "text/plain", []byte("x")), http.StatusUnsupportedMediaType,
		"body limit passed", "authentication passed", "rate limit by user passed", "role passed", "content type refused: unsupported-media-type")
	refused(user.Do(http.MethodPatch, "/api/v1/users/me", "application/merge-patch+json", bytes.Repeat([]byte(" "), 65537)), http.StatusRequestEntityTooLarge, "body limit refused: payload-too-large")
	refused(user.GET("/api/v1/users/"+unknownID), http.StatusNotFound, "body limit passed", "authentication passed", "rate limit by user passed", "role passed", "validation passed", "operation refused: not-found")
	p := s.Somebody()
	for range 5 {
		p.POST("/api/v1/auth/forgot-password", map[string]any{"email": "x"})
	}
	refused(p.POST("/api/v1/auth/forgot-password", map[string]any{"email": "x"}), http.StatusTooManyRequests, "body limit passed", "rate limit by ip refused: 0 of 5 left")
	lost := recordOf(s, p.GET("/api/v1/nothing").Expect(http.StatusNotFound))
	if decided(t, lost); !strings.Contains(lost, "No operation of the document") {
		t.Errorf("what is no operation: %s", lost)
	}
}

// An answer that is not what the contract declares is found out, and can be looked for.
func TestDevelopmentShowsBrokenAnswers(t *testing.T) {
	t.Parallel()
	s, user, _ := developing(t, servertest.Options{Judge: func(a inspect.Answer) []string {
		if a.Path != "/api/v1/users/me" {
			return nil
		}
		return []string{fmt.Sprintf("the body %s is not right", a.Body)}
	}})
	broken := user.GET("/api/v1/users/me").Expect(http.StatusOK)
	kept := user.GET("/health").Expect(http.StatusOK)
	if page := recordOf(s, broken); !strings.Contains(page, "does not keep to it") || !strings.Contains(page, "is not right") || strings.Contains(page, keepsTo) {
		t.Errorf("the page of the broken answer:\n%s", page)
	}
	if page := recordOf(s, kept); !strings.Contains(page, keepsTo) {
		t.Errorf("the page of the other one:\n%s", page)
	}
	for query, want := range map[string][]string{
		"status=broken":              {broken.Header.Get("X-Request-Id")},
		"operation=getHealth":        {kept.Header.Get("X-Request-Id")},
		"status=2xx":                 {kept.Header.Get("X-Request-Id"), broken.Header.Get("X-Request-Id")},
		"status=200&operation=getMe": {broken.Header.Get("X-Request-Id")},
		"status=404":                 nil,
		"operation=login":            nil,
	} {
		if got := rows(t, user, "?"+query); !slices.Equal(got, want) {
			t.Errorf("%s lists %v, want %v", query, got, want)
		}
	}
}

// rows are the ids of a list.
func rows(t *testing.T, p *servertest.Person, query string) (ids []string) {
	t.Helper()
	for _, row := range shownRow.FindAllStringSubmatch(string(p.GET("/dev/requests"+query).Expect(http.StatusOK).Body), -1) {
		ids = append(ids, row[1])
	}
	return ids
}

// The last 200 are kept; pages are none of them.
func TestDevelopmentKeepsTheLastRequests(t *testing.T) {
	t.Parallel()
	s, user, _ := developing(t, servertest.Options{Outbox: t.TempDir()})
	first := s.Somebody().GET("/livez").Header.Get("X-Request-Id")
	var last string
	for range 200 {
		last = s.Somebody().GET("/livez").Header.Get("X-Request-Id")
	}
	for _, page := range []string{"/", "/dev/requests", "/dev/mail", "/api/docs", "/api/openapi.json", "/assets/page.css", "/dev/assets/dev.css"} {
		user.GET(page).Expect(http.StatusOK)
	}
	ids := rows(t, user, "?operation=getLiveness")
	if len(ids) != 200 {
		t.Errorf("%d are kept", len(ids))
	}
	if slices.Contains(ids, first) || ids[0] != last {
		t.Errorf("from %s to %s, want up to %s, and %s gone", ids[len(ids)-1], ids[0], last, first)
	}
	user.GET("/dev/requests/" + first).Expect(http.StatusNotFound).Problem("not-found")
}

// A request is sent to who watches as it comes, in its row, if it is looked for.
func TestDevelopmentStreamsItsRequests(t *testing.T) {
	t.Parallel()
	s, user, _ := developing(t, servertest.Options{})
	stream := s.Somebody().Stream("/dev/requests/stream?operation=getMe&status=2xx", nil)
	user.GET("/health")
	s.Somebody().GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	id := user.GET("/api/v1/users/me").Expect(http.StatusOK).Header.Get("X-Request-Id")
	var came struct{ ID, HTML string }
	if err := json.Unmarshal(stream.Any().Data, &came); err != nil {
		t.Fatal(err)
	}
	if came.ID != id || !strings.Contains(came.HTML, `<a href="/dev/requests/`+id+`">`) || !strings.Contains(came.HTML, "getMe") {
		t.Errorf("want %s, got %+v", id, came)
	}
}

// No secret is shown, wherever in a request or an answer it stood, even where what is
// said of the answer quotes all of it.
func TestDevelopmentShowsNoSecrets(t *testing.T) {
	t.Parallel()
	s, user, _ := developing(t, servertest.Options{Judge: func(a inspect.Answer) []string {
		return []string{fmt.Sprintf("%s %v", a.Body, a.Header)}
	}})
	secrets := []string{
		servertest.Password, "Guessed-password-1", "Wanted-password-1", "link-token-0001", "in-the-query-0001", "in-a-cookie-0001", "the-idempotency-key", "bearer-of-nobody",
		user.Tokens.AccessToken, user.Tokens.RefreshToken,
	}
	stream := s.Somebody().Stream("/dev/requests/stream", nil)
	var answers []*servertest.Answer
	keep := func(a *servertest.Answer) { answers = append(answers, a) }
	var fresh struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	refreshed := user.Form("/api/v1/auth/refresh", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {user.Tokens.RefreshToken}}).Expect(http.StatusOK)
	refreshed.Into(&fresh)
	secrets = append(secrets, fresh.Access, fresh.Refresh)
	keep(refreshed)
	keep(s.Somebody().POST("/api/v1/auth/refresh", map[string]any{"refresh_token": fresh.Refresh}))
	keep(s.Somebody().Login(user.User.Username, "Guessed-password-1"))
	keep(user.PUT("/api/v1/users/me/password", map[string]any{"current_password": "Guessed-password-1", "new_password": "Wanted-password-1"}))
	keep(s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": "link-token-0001", "new_password": "Wanted-password-1"}))
	keep(s.Somebody().POST("/api/v1/users", registration(map[string]any{"email": "no"})))
	keep(user.GET("/api/v1/users/me?access_token=in-the-query-0001"))
	user.Header.Set("Cookie", "session=in-a-cookie-0001")
	user.Header.Set("Idempotency-Key", "the-idempotency-key")
	keep(user.PATCH("/api/v1/users/me", map[string]any{}))
	stranger := s.Somebody()
	stranger.Header.Set("Authorization", "Bearer bearer-of-nobody")
	keep(stranger.GET("/api/v1/users/me"))
	keep(stranger.GET("/api/v1/users/in-a-cookie-0001"))

	var shown strings.Builder
	for _, a := range answers {
		shown.WriteString(recordOf(s, a))
		shown.Write(stream.Any().Data)
	}
	shown.WriteString(html.UnescapeString(string(user.GET("/dev/requests").Body)))
	for _, secret := range secrets {
		if strings.Contains(strings.ReplaceAll(shown.String(), "/api/v1/users/in-a-cookie-0001", ""), secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	if n := strings.Count(shown.String(), "$CREDENTIAL"); n < 5 {
		t.Errorf("only %d secrets were taken out: the test tries nothing", n)
	}
}

var devPaths = []string{"/dev/requests", "/dev/requests/stream", "/dev/requests/" + unknownID, "/dev/health", "/dev/assets/dev.css", "/dev/assets/requests.js", "/dev/mail"}

// Outside development there are no such pages, the start page knows of none, and
// nothing is kept of requests.
func TestOnlyDevelopmentShowsItself(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]string{"test": nil, "production": production(nil)} {
		s := servertest.New(t, servertest.Options{Settings: settings})
		p := s.Somebody()
		p.Header.Set("X-Forwarded-Proto", "https")
		for _, path := range devPaths {
			p.GET(path).Expect(http.StatusNotFound).Problem("not-found")
		}
		if page := string(p.GET("/").Expect(http.StatusOK).Body); strings.Contains(page, "/dev/") || strings.Contains(page, "Migrations") {
			t.Errorf("%s: the start page shows %s", name, page)
		}
	}
	s, user, _ := developing(t, servertest.Options{Outbox: t.TempDir()})
	inline := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)
	for _, path := range []string{"/", "/dev/requests", "/dev/requests/" + user.GET("/health").Header.Get("X-Request-Id")} {
		answer := user.GET(path).Expect(http.StatusOK)
		if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if found := inline.Find(answer.Body); found != nil {
			t.Errorf("%s: %q is against the policy of the page", path, found)
		}
		for _, link := range regexp.MustCompile(`(?:src|href)="(/[^"#]*)"`).FindAllSubmatch(answer.Body, -1) {
			user.GET(html.UnescapeString(string(link[1]))).Expect(http.StatusOK)
		}
	}
	// A page of another origin that has got a name for this machine is refused.
	r := s.Somebody()
	r.Header.Set("X-Forwarded-Host", "evil.example.com")
	foreign, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/dev/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Host = "evil.example.com"
	r.Send(foreign).Expect(http.StatusMisdirectedRequest)
}

// The start page says how all that the server needs is, and what to do where it is
// not well.
func TestStartPageSaysHowItIs(t *testing.T) {
	t.Parallel()
	store := redistest.Start(t)
	gateway := newGateway(t, servertest.New(t).DatabaseURL)
	s, user, _ := developing(t, servertest.Options{DatabaseURL: gateway.url, Settings: map[string]string{"REDIS_URL": store.URL()}})
	says := func(name string) string {
		part := html.UnescapeString(string(user.GET("/dev/health").Expect(http.StatusOK).Body))
		found := regexp.MustCompile(`(?m)^<li class="(\w+)"><b>` + name + `</b>.*$`).FindStringSubmatch(part)
		if found == nil {
			t.Fatalf("%s is not in %s", name, part)
		}
		return found[1] + " " + found[0]
	}
	is := func(name, state string, want ...string) {
		t.Helper()
		s.Eventually(name+" is "+state, func() bool { return strings.HasPrefix(says(name), state+" ") })
		for _, text := range want {
			if got := says(name); !strings.Contains(got, text) {
				t.Errorf("%s lacks %q: %s", name, text, got)
			}
		}
	}
	is("Database", "well", "connections")
	is("Migrations", "well", "none is pending")
	is("Jobs", "well", "0 waiting, 0 running, 0 failed")
	is("Redis", "well", "answers in")
	if page := string(user.GET("/").Expect(http.StatusOK).Body); !strings.Contains(page, "none is pending") || !strings.Contains(page, `href="/dev/requests"`) || !strings.Contains(page, `href="/api/docs"`) {
		t.Errorf("the start page: %s", page)
	}

	execute(t, s, `INSERT INTO river_job (kind, args, max_attempts, state, attempt, finalized_at) VALUES ('mail', '{}', 10, 'discarded', 10, now())`)
	is("Jobs", "ill", "1 failed", "Their page says why")
	execute(t, s, "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	is("Migrations", "ill", "pending: 000", "accord migrate up")
	store.Kill()
	is("Redis", "ill", "out of reach", "REDIS_URL")
	gateway.shut()
	s.Clock.Advance(2 * time.Second)
	is("Database", "ill", "out of reach", "DATABASE_URL")
	is("Migrations", "ill", "The database has to be well first")
	is("Jobs", "ill", "The database has to be well first")
}
