package server_test

import (
	"encoding/json"
	"html"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// awkward is a project's name that would break a page or a document that does
// not escape it.
const awkward = `Tom & "Jerry" <b>'\</title>`

var pagePaths = []string{"/", "/problems", "/api/docs", "/account/verify-email", "/account/reset-password", "/account/forgot-password"}

// What the page's policy forbids must not be in it, or it would not work.
func TestPages(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"PROJECT_NAME": awkward}})
	p := s.Somebody()
	linked := regexp.MustCompile(`(?:src|href)="(/[^"#]*)"`)
	inline := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:|(?:src|href|action)="?(?:https?:)?//`)
	paths := pagePaths
	for _, kind := range api.ProblemTypes {
		paths = append(paths, "/problems/"+kind.Code)
	}
	for _, path := range paths {
		answer := p.GET(path).Expect(http.StatusOK)
		page := string(answer.Body)
		if got := answer.Header.Get("Content-Type"); got != "text/html; charset=UTF-8" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
		if strings.Contains(page, "<b>") || !strings.Contains(html.UnescapeString(page), awkward) {
			t.Errorf("%s does not hold the project's name escaped: %s", path, page)
		}
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s: %q is against the policy of the page", path, found)
		}
		// Without its script a form would otherwise put a password into an address.
		if strings.Count(page, "<form") != strings.Count(page, `<form method="post"`) {
			t.Errorf("%s: a form is sent with GET when the script is not loaded", path)
		}
		for _, link := range linked.FindAllStringSubmatch(page, -1) {
			p.GET(link[1]).Expect(http.StatusOK)
		}
		head := p.Do(http.MethodHead, path, "", nil).Expect(http.StatusOK)
		if len(head.Body) != 0 || head.Header.Get("Content-Type") != answer.Header.Get("Content-Type") {
			t.Errorf("HEAD %s: %v", path, head.Header)
		}
		p.POST(path, nil).Expect(http.StatusMethodNotAllowed)
	}
}

// Each problem's type is a page that says what it means and how to mend it.
func TestProblemPages(t *testing.T) {
	t.Parallel()
	p := servertest.New(t).Somebody()
	index := html.UnescapeString(string(p.GET("/problems").Body))
	for _, kind := range api.ProblemTypes {
		page := html.UnescapeString(string(p.GET("/problems/" + kind.Code).Expect(http.StatusOK).Body))
		for _, want := range []string{kind.Code, kind.Title, kind.Meaning, kind.Mend} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not on its page", kind.Code, want)
			}
		}
		if !strings.Contains(index, `href="/problems/`+kind.Code+`"`) {
			t.Errorf("%s is not in the list", kind.Code)
		}
	}
	p.GET("/problems/unknown").Expect(http.StatusNotFound).Problem("not-found")
}

func TestAssets(t *testing.T) {
	t.Parallel()
	p := servertest.New(t).Somebody()
	for path, contentType := range map[string]string{
		"/assets/page.css":                   "text/css",
		"/assets/account.js":                 "text/javascript",
		"/assets/docs.js":                    "text/javascript",
		"/assets/docs.css":                   "text/css",
		"/assets/icon.svg":                   "image/svg+xml",
		"/api/docs/swagger-ui.css":           "text/css",
		"/api/docs/swagger-ui-bundle.js":     "application/javascript",
		"/api/docs/oauth2-redirect.html":     "text/html",
		"/api/docs/swagger-ui-bundle.js?v=1": "application/javascript",
	} {
		answer := p.GET(path).Expect(http.StatusOK)
		if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, contentType) {
			t.Errorf("%s: Content-Type %q", path, got)
		}
		if len(answer.Body) == 0 {
			t.Errorf("%s is empty", path)
		}
	}
	for _, path := range []string{"/assets", "/assets/", "/assets/none.js", "/assets/index.html", "/api/docs/none.js", "/api/docs/index.html", "/api/docs/embed.go", "/account", "/dev/mail"} {
		p.GET(path).Expect(http.StatusNotFound).Problem("not-found")
	}
}

// The document that is served is the published one under the project's name.
func TestPublishedDocument(t *testing.T) {
	t.Parallel()
	var want map[string]any
	if err := json.Unmarshal(api.OpenAPI, &want); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Accord", "Shop", awkward} {
		s := servertest.New(t, servertest.Options{Settings: map[string]string{"PROJECT_NAME": name}})
		answer := s.Somebody().GET("/api/openapi.json").Expect(http.StatusOK)
		if got := answer.Header.Get("Content-Type"); got != "application/vnd.oai.openapi+json;version=3.1" {
			t.Errorf("Content-Type %q", got)
		}
		var got map[string]any
		answer.Into(&got)
		want["info"].(map[string]any)["title"] = name
		if !reflect.DeepEqual(got, want) {
			t.Errorf("under the name %s the document differs: %v", name, got["info"])
		}
	}
}

// In development mails are kept to be read in the browser; elsewhere there is
// no such page.
func TestDevelopmentShowsItsMails(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true, Outbox: t.TempDir(), Settings: map[string]string{
		"ENVIRONMENT": "development", "SECRET_KEY": "", "BCRYPT_COST": "12",
	}})
	p := s.Somebody()
	p.POST("/api/v1/auth/forgot-password", map[string]any{"email": "nobody@example.com"}).Expect(http.StatusAccepted)
	for range 20 { // a hash of full cost may have to queue for too long, beside all the other tests
		if s.Somebody().POST("/api/v1/users", registration(nil)).Status == http.StatusCreated {
			break
		}
	}
	link := regexp.MustCompile(`<a href="(/dev/mail/[^"]+)"`)
	var found string
	s.Eventually("the mail is listed", func() bool {
		if link := link.FindSubmatch(p.GET("/dev/mail").Expect(http.StatusOK).Body); link != nil {
			found = string(link[1])
		}
		return found != ""
	})
	answer := p.GET(found).Expect(http.StatusOK)
	if body := string(answer.Body); !strings.Contains(body, "ada@example.com") {
		t.Errorf("%s: %s", found, body)
	}
	if got := answer.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Errorf("Content-Security-Policy %q", got)
	}
	for _, path := range []string{"/dev/mail/x", "/dev/mail/" + unknownID, found + "0", found + ".exe", found + "/x"} {
		p.GET(path).Expect(http.StatusNotFound).Problem("not-found")
	}
	if page := string(p.GET("/").Body); !strings.Contains(page, `href="/dev/mail"`) || !strings.Contains(page, `href="/api/docs"`) {
		t.Errorf("the start page does not lead there: %s", page)
	}

	p.Header.Set("X-Forwarded-Proto", "http")
	p.GET("/api/v1/users/me").Expect(http.StatusUnauthorized) // no HTTPS is asked for
}

// What is the same for everybody has a tag, as RFC 9110 writes one, and who has
// it is told so instead of being sent it again.
func TestPagesAreTagged(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	form := regexp.MustCompile(`^(W/)?"[!#-~]+"$`)
	for _, path := range slices.Concat(pagePaths, []string{
		"/problems/conflict", "/api/openapi.json", "/assets/page.css", "/api/docs/swagger-ui.css", "/api/docs/oauth2-redirect.html",
	}) {
		for _, encoding := range []string{"gzip", "identity"} {
			p := s.Somebody()
			p.Header.Set("Accept-Encoding", encoding)
			full := p.GET(path).Expect(http.StatusOK)
			tag := full.Header.Get("ETag")
			if head := p.Do(http.MethodHead, path, "", nil).Header.Get("ETag"); !form.MatchString(tag) || head != tag {
				t.Errorf("%s: ETag %q, and %q of HEAD", path, tag, head)
			}
			if full.Header.Get("Content-Encoding") != "" && !slices.Contains(full.Header.Values("Vary"), "Accept-Encoding") {
				t.Errorf("%s: it is compressed, and no word of Accept-Encoding in Vary", path)
			}
			strong := strings.TrimPrefix(tag, "W/")
			for condition, want := range map[string]int{
				strong: 304, "W/" + strong: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, strings.Trim(strong, `"`): 200,
			} {
				p.Header.Set("If-None-Match", condition)
				answer := p.GET(path).Expect(want)
				if want == http.StatusOK && len(answer.Body) != len(full.Body) || want != http.StatusOK && len(answer.Body) != 0 {
					t.Errorf("%s: If-None-Match %s is answered with %d bytes", path, condition, len(answer.Body))
				}
				for _, name := range []string{"ETag", "Cache-Control", "Vary"} { // RFC 9110, section 15.4.5
					if answer.Header.Get(name) != full.Header.Get(name) {
						t.Errorf("%s: %s %q, in the %d %q", path, name, full.Header.Get(name), want, answer.Header.Get(name))
					}
				}
			}
			if strings.Contains(full.Header.Get("Cache-Control"), "no-store") {
				t.Errorf("%s: Cache-Control %s lets nobody keep it", path, full.Header.Get("Cache-Control"))
			}
		}
	}
}
