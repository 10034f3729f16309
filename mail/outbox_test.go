package mail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/accord-api/accord/mail"
)

const mount = "/dev/mail"

// box is an outbox and the pages that show it.
type box struct {
	*mail.Outbox
	dir  string
	page http.Handler
}

func newBox(t *testing.T) box {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mail")
	outbox, err := mail.NewOutbox(dir, from)
	if err != nil {
		t.Fatal(err)
	}
	return box{outbox, dir, outbox.Handler(mount, func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) })}
}

func (b box) send(t *testing.T, messages ...mail.Message) {
	t.Helper()
	for _, message := range messages {
		if err := b.Send(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
}

func (b box) get(t *testing.T, path string, header ...string) (*http.Response, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	b.page.ServeHTTP(recorder, request)
	response := recorder.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func (b box) list(t *testing.T, path string, header ...string) []mail.Delivery {
	t.Helper()
	_, body := b.get(t, path, header...)
	var list struct{ Items []mail.Delivery }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("decoding %q: %v", body, err)
	}
	return list.Items
}

func TestOutboxKeepsMessages(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	before := time.Now().Add(-time.Millisecond)
	b.send(t, greetingMessage)

	deliveries, err := b.List("")
	if err != nil || len(deliveries) != 1 {
		t.Fatalf("got %v, %v", deliveries, err)
	}

	got := deliveries[0]
	if got.To != greetingMessage.To || got.Subject != greetingMessage.Subject || got.Text != greetingMessage.Text {
		t.Errorf("got %+v, want %+v", got, greetingMessage)
	}
	if got.At.Before(before) || got.At.After(time.Now()) || !strings.Contains(got.From, "no-reply@example.test") {
		t.Errorf("got sent at %v by %q", got.At, got.From)
	}
	info, err := os.Stat(filepath.Join(b.dir, got.ID+".eml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode(), err)
	}
}

func TestOutboxShowsNewestFirst(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for i := range 3 {
		b.send(t, mail.Message{To: fmt.Sprintf("user%d@example.test", i), Subject: fmt.Sprintf("number %d", i), Text: "x"})
	}

	for _, got := range [][]mail.Delivery{b.list(t, mount+"/messages.json"), b.list(t, mount, "Accept", "application/json"), b.list(t, mount+"/", "Accept", "application/json")} {
		if len(got) != 3 || got[0].Subject != "number 2" || got[2].Subject != "number 0" {
			t.Errorf("got %+v", got)
		}
	}
	if got := b.list(t, mount+"/messages.json?to=User1@example.test"); len(got) != 1 || got[0].Subject != "number 1" {
		t.Errorf("got %+v", got)
	}
	_, html := b.get(t, mount, "Accept", "text/html,application/json")
	if strings.Index(html, "number 2") > strings.Index(html, "number 0") || !strings.Contains(html, "to user1@example.test") {
		t.Errorf("got %s", html)
	}
}

func TestOutboxShowsMessage(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.send(t, mail.Message{
		To:      "jane@example.test",
		Subject: "<b>bold</b>",
		Text:    "<script>alert(1)</script>\nSee (https://example.test/?a=1&b=2), or javascript:alert(1).\nhttps://example.test/\"onclick=x\n",
	})
	id := b.list(t, mount+"/messages.json")[0].ID

	response, html := b.get(t, mount+"/"+id)

	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %s, %s", response.Status, response.Header.Get("Content-Type"))
	}
	for _, want := range []string{
		`href="https://example.test/?a=1&amp;b=2"`, `href="https://example.test/" rel="noopener noreferrer"`, "&lt;b&gt;bold&lt;/b&gt;", "&lt;script&gt;",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is not in\n%s", want, html)
		}
	}
	for _, unwanted := range []string{"<script", "<b>", `href="javascript:`, `onclick=x"`} {
		if strings.Contains(html, unwanted) {
			t.Errorf("%s is in\n%s", unwanted, html)
		}
	}
	for path, contentType := range map[string]string{mount + "/" + id + ".json": "application/json", mount + "/" + id + ".eml": "text/plain; charset=utf-8"} {
		response, body := b.get(t, path)
		if response.Header.Get("Content-Type") != contentType || !strings.Contains(body, "jane@example.test") {
			t.Errorf("%s: got %s %s", path, response.Header.Get("Content-Type"), body)
		}
	}
}

// Nothing in the pages may need more than style-src 'self'.
func TestOutboxPagesKeepTheirCSP(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.send(t, greetingMessage)
	id := b.list(t, mount+"/messages.json")[0].ID
	inline := regexp.MustCompile(`(?i)<style|<script|\sstyle=|\son[a-z]+=|<img|<form`)

	for _, path := range []string{mount, mount + "/" + id} {
		response, html := b.get(t, path)
		if inline.MatchString(html) || !strings.Contains(html, `href="`+mount+`/style.css"`) {
			t.Errorf("%s: got %s", path, html)
		}
		if csp := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") {
			t.Errorf("%s: got policy %q", path, csp)
		}
		if response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: got headers %v", path, response.Header)
		}
	}
	if response, css := b.get(t, mount+"/style.css"); response.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(css, "body {") {
		t.Errorf("got %v %s", response.Header, css)
	}
}

func TestOutboxEmpty(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	if _, body := b.get(t, mount+"/messages.json"); body != "{\"items\":[]}\n" {
		t.Errorf("got %q", body)
	}
	if _, html := b.get(t, mount); !strings.Contains(html, "No mail yet") {
		t.Errorf("got %s", html)
	}
}

func TestOutboxRefusesOtherPaths(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.send(t, greetingMessage)
	id := b.list(t, mount+"/messages.json")[0].ID
	if err := os.WriteFile(filepath.Join(b.dir, "..", "secret.eml"), []byte("Subject: x\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Get("../secret"); !errors.Is(err, mail.ErrNotFound) {
		t.Errorf("got %+v, %v, want %v", got, err, mail.ErrNotFound)
	}
	for _, path := range []string{
		mount + "/../secret", mount + "/..%2fsecret.eml", mount + "/" + strings.ToUpper(id), mount + "/" + id + ".exe", mount + "/" + id + "/x",
		mount + "/019cac8c-0000-7000-8000-000000000000", mount + "/019cac8c-0000-7000-8000-000000000000.json", mount + "/nothing", "/elsewhere",
	} {
		if response, body := b.get(t, path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %s %s", path, response.Status, body)
		}
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, mount, nil)
	recorder := httptest.NewRecorder()
	b.page.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("got %d, Allow %q", recorder.Code, recorder.Header().Get("Allow"))
	}
}

func TestOutboxKeepsTheNewest(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for i := range 203 {
		b.send(t, mail.Message{To: "jane@example.test", Subject: fmt.Sprint(i), Text: "x"})
	}
	got := b.list(t, mount+"/messages.json")
	if len(got) != 200 || got[0].Subject != "202" || got[199].Subject != "3" {
		t.Errorf("got %d messages, from %s to %s", len(got), got[0].Subject, got[len(got)-1].Subject)
	}
	if entries, err := os.ReadDir(b.dir); err != nil || len(entries) != 200 {
		t.Errorf("got %d files, %v", len(entries), err)
	}
}

// What cannot be read does not hide the others: here a folder and, where modes
// count, a mail of another user.
func TestOutboxSkipsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.send(t, greetingMessage, greetingMessage)
	closed := b.list(t, mount+"/messages.json")[0].ID
	if err := os.Chmod(filepath.Join(b.dir, closed+".eml"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(b.dir, "019cac8c-0000-7000-8000-000000000000.eml"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := 1
	if os.Geteuid() == 0 {
		want = 2
	}
	if got := b.list(t, mount+"/messages.json"); len(got) != want {
		t.Errorf("got %d messages, want %d", len(got), want)
	}
}

// Root works in another's folder as that user would, who reads it afterwards.
func TestOutboxOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can work for another user")
	}
	const owner = 65534
	parent := t.TempDir()
	if err := os.Chown(parent, owner, owner); err != nil {
		t.Fatal(err)
	}
	dir, link := filepath.Join(parent, "mail"), filepath.Join(parent, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, dir, link} { // made, and found
		outbox, err := mail.NewOutbox(dir, from)
		if err != nil {
			t.Fatal(err)
		}
		if err := outbox.Send(t.Context(), greetingMessage); err != nil {
			t.Fatal(err)
		}
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(paths) != 3 {
		t.Fatalf("got %q, %v", paths, err)
	}
	for _, path := range append(paths, dir) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != owner {
			t.Errorf("%s is user %d's", path, got)
		}
	}
}

// Two outboxes in one folder are two processes of one developer.
func TestOutboxTakesManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	other, err := mail.NewOutbox(b.dir, from)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, outbox := range []*mail.Outbox{b.Outbox, other, b.Outbox, other} {
		group.Go(func() {
			for range 60 {
				if err := outbox.Send(t.Context(), greetingMessage); err != nil {
					t.Error(err)
				}
				if _, err := outbox.List(""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if got, err := b.List(""); err != nil || len(got) != 200 {
		t.Errorf("got %d messages, %v", len(got), err)
	}
}
