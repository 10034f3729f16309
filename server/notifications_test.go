package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/servertest"
)

// notificationsNoun is what the tests of all tables know of notifications.
var notificationsNoun = noun{
	seeded: []string{
		`INSERT INTO notification_counters (user_id, last) SELECT id, 1 FROM users`,
		`INSERT INTO notifications (id, user_id, number, kind, title, link, created_at)
			SELECT gen_random_uuid(), id, 1, 'order.placed', '', '', now() - interval '90 days' * random() FROM users`,
	},
	worn: []string{"UPDATE notifications SET read_at = now() WHERE get_byte(uuid_send(id), 0) > 25", "ANALYZE notifications"},
	newer: []string{
		`INSERT INTO notifications (id, user_id, number, kind, title, link, created_at) VALUES (@id, @user, 1000 + @n::int, 'order.placed', 'x', '', now())`,
	},
	filters:   map[string]string{"unread": "true"},
	mayBeNull: map[string]string{"notifications.read_at": "unread"},
	outOfRange: map[string][]string{"notifications": {
		"kind = repeat('x', 51)", "kind = 'nonsense'", "title = repeat('x', 201)", "link = repeat('x', 201)", "number = -number", "number = 9007199254740991 + number",
	}},
	twice:       []string{"UPDATE notifications SET user_id = (SELECT user_id FROM notifications LIMIT 1)"},
	staysBehind: map[string]string{"notification_counters.user_id": "a number, so that none is given twice"},
	servedBy: map[string][]string{
		"NotificationListUnread":  {"notifications_unread_idx"},
		"NotificationCountUnread": {"notifications_unread_idx"},
	},
}

const notificationsPath = "/api/v1/notifications"

// notifications are the person's own, newest first.
func notifications(p *servertest.Person, query string) []api.Notification {
	p.T.Helper()
	var page api.NotificationPage
	p.GET(notificationsPath + query).Expect(http.StatusOK).Into(&page)
	return page.Items
}

func titles(list []api.Notification) string {
	var all []string
	for _, n := range list {
		all = append(all, n.Title)
	}
	return strings.Join(all, ", ")
}

// unread is what the counter says.
func unread(p *servertest.Person) int64 {
	p.T.Helper()
	var count api.NotificationCount
	p.GET(notificationsPath + "/unread-count").Expect(http.StatusOK).Into(&count)
	return count.Count
}

// many is a pool of its own for who writes much at once.
func many(t *testing.T, s *servertest.Server) *pg.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: s.DatabaseURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// tell writes notifications as a job does.
func tell(t *testing.T, s *servertest.Server, q db.DBTX, p *servertest.Person, titles ...string) {
	t.Helper()
	for _, title := range titles {
		err := db.New(q).NotificationCreate(t.Context(), db.NotificationCreateParams{
			ID: uuid.Must(uuid.NewV7()), UserID: p.User.ID, Now: s.Clock.Now(), Kind: "report.succeeded", Title: title,
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	phone := p.Elsewhere()
	phone.Header.Set("User-Agent", "Mozilla/5.0 (Android 15; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0")
	phone.SignIn()

	list := notifications(p, "")
	if len(list) != 2 {
		t.Fatalf("%d notifications: %+v", len(list), list)
	}
	n := list[0]
	want := api.Notification{
		ID: n.ID, Number: 2, Kind: "security.new-sign-in", Title: "New sign-in from Firefox on Android",
		Link: "/api/v1/auth/sessions", CreatedAt: s.Clock.Now().UTC(),
	}
	if n != want || list[1].Number != 1 {
		t.Errorf("%+v, want %+v", list, want)
	}
	if other := s.Register(); len(notifications(other, "")) != 1 {
		t.Errorf("somebody else sees %+v", notifications(other, ""))
	}
}

// A name that is cut in the midst of a character is still a text.
func TestNewSignInFromAnyClient(t *testing.T) {
	t.Parallel()
	p := servertest.New(t).Register()
	p.Header.Set("User-Agent", "x"+strings.Repeat("é", 140))
	p.SignIn()
	if title := notifications(p, "")[0].Title; title != "New sign-in from x"+strings.Repeat("é", 49) {
		t.Errorf("title %q", title)
	}
}

func TestNotificationsOfNewPasswords(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	change := map[string]any{"current_password": p.Password, "new_password": "Difference-1822"}
	p.PUT("/api/v1/users/me/password", change).Expect(http.StatusNoContent)
	if n := notifications(p, "")[0]; n.Kind != "security.password-changed" || n.Link != "/api/v1/users/me" {
		t.Errorf("after a change: %+v", n)
	}

	s.Eventually("the mail of the change arrives", func() bool { return len(s.Mailbox.To(p.User.Email)) == 2 })
	p.POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	reset := map[string]any{"token": token(s, p.User.Email, 3), "new_password": "Analytical-1843"}
	s.Somebody().POST("/api/v1/auth/reset-password", reset).Expect(http.StatusNoContent)
	p.SignIn()
	var kinds []api.NotificationKind
	for _, n := range notifications(p, "") {
		kinds = append(kinds, n.Kind)
	}
	want := []api.NotificationKind{"security.new-sign-in", "security.password-changed", "security.password-changed", "security.new-sign-in"}
	if !slices.Equal(kinds, want) {
		t.Errorf("after a reset: %v", kinds)
	}
}

// What fails tells nobody of anything.
func TestFailuresNotifyNobody(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	p.Login(p.User.Username, "Wrong-password-1").Expect(http.StatusUnauthorized)
	execute(t, s, "ALTER TABLE audit_events RENAME TO gone") // the last that the transaction writes
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusInternalServerError)
	if list := notifications(p, ""); len(list) != 1 {
		t.Errorf("%+v", list)
	}
}

func TestNotificationPages(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	tell(t, s, many(t, s), p, "a", "b", "c", "d")
	for _, n := range notifications(p, "")[1:4:4] { // c, b and a
		if n.Title != "b" {
			p.POST(notificationsPath+"/"+n.ID.String()+"/read", nil).Expect(http.StatusOK)
		}
	}
	signIn := notifications(p, "?limit=100")[4].Title
	for query, want := range map[string]string{
		"?limit=2":              "d, c; b, a; " + signIn,
		"?limit=2&unread=true":  "d, b; " + signIn,
		"?limit=3&unread=false": "d, c, b; a, " + signIn,
	} {
		var pages []string
		for next := notificationsPath + query; next != ""; {
			answer := p.GET(next).Expect(http.StatusOK)
			var page api.NotificationPage
			answer.Into(&page)
			pages = append(pages, titles(page.Items))
			if next = answer.Link(); (next == "") != (page.NextCursor == nil) {
				t.Errorf("%s: link %q and cursor %v", query, next, page.NextCursor)
			}
		}
		if got := strings.Join(pages, "; "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if fields := p.GET(notificationsPath + "?unread=maybe&limit=0&cursor=x.y").Fields(); len(fields) != 3 {
		t.Errorf("fields %v", fields)
	}
}

func TestReadNotifications(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	tell(t, s, many(t, s), p, "a", "b")
	path := notificationsPath + "/" + notifications(p, "")[0].ID.String() + "/read"

	other.POST(path, nil).Expect(http.StatusNotFound).Problem("not-found")
	p.POST(notificationsPath+"/"+unknownID+"/read", nil).Expect(http.StatusNotFound)
	if n := unread(p); n != 3 {
		t.Errorf("%d are unread", n)
	}

	at := s.Clock.Now()
	for range 2 { // the first reading counts
		var read api.Notification
		p.POST(path, nil).Expect(http.StatusOK).Into(&read)
		if read.Title != "b" || read.ReadAt == nil || !read.ReadAt.Equal(at) {
			t.Errorf("%+v, want it read at %s", read, at)
		}
		s.Clock.Advance(time.Minute)
	}
	if n := unread(p); n != 2 {
		t.Errorf("%d are unread after one was read", n)
	}

	for _, want := range []int64{2, 0} {
		var count api.NotificationCount
		p.POST(notificationsPath+"/read-all", nil).Expect(http.StatusOK).Into(&count)
		if count.Count != want || unread(p) != 0 {
			t.Errorf("%d were read, want %d; %d are unread", count.Count, want, unread(p))
		}
	}
	if list := notifications(p, "?unread=true"); len(list) != 0 {
		t.Errorf("unread: %+v", list)
	}
	if first := notifications(p, "")[0]; !first.ReadAt.Equal(at) {
		t.Errorf("reading all moved %s to %s", at, first.ReadAt)
	}
	if n := unread(other); n != 1 {
		t.Errorf("somebody else has %d unread", n)
	}
}

// What a person was told goes with the account.
func TestDeletionTakesNotifications(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	p.DELETE(me, map[string]any{"password": p.Password}).Expect(http.StatusNoContent)
	if left := column(t, s, "SELECT string_agg(user_id::text, ' ') FROM notifications"); left != other.User.ID.String() {
		t.Errorf("left are those of %s", left)
	}
}

// The number is taken under a lock that is held until the end: no transaction
// can commit a number before the one with the smaller number has ended.
func TestNumbersAreCommittedInOrder(t *testing.T) {
	t.Parallel()
	for name, commits := range map[string]bool{"committed": true, "given back": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servertest.New(t)
			p := s.Register()
			pool := many(t, s)
			first, err := pool.Inner().Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tell(t, s, first, p, "first")
			committed := make(chan struct{})
			go func() {
				defer close(committed)
				tell(t, s, pool, p, "second")
			}()
			waiting(t, s, 1)
			if list := notifications(p, ""); len(list) != 1 {
				t.Errorf("to be seen already: %+v", list)
			}

			want := "2 first, 3 second"
			if commits {
				err = first.Commit(t.Context())
			} else {
				want, err = "2 second", first.Rollback(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			<-committed
			if got := column(t, s, "SELECT string_agg(number || ' ' || title, ', ' ORDER BY number) FROM notifications WHERE number > 1"); got != want {
				t.Errorf("numbers %q, want %q", got, want)
			}
		})
	}
}

// somewhat runs n transactions at once that each tell two things and take their
// time; every fourth is given up. It gives the titles of the others.
func somewhat(t *testing.T, s *servertest.Server, p *servertest.Person, n int) (want map[string]bool, wait func()) {
	t.Helper()
	pool := many(t, s)
	want = map[string]bool{}
	ended := make(chan struct{}, n)
	for i := range n {
		a, b := fmt.Sprintf("%d a", i), fmt.Sprintf("%d b", i)
		given := i%4 == 3
		if !given {
			want[a], want[b] = true, true
		}
		go func() {
			defer func() { ended <- struct{}{} }()
			tx, err := pool.Inner().Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			pause(t, tx)
			tell(t, s, tx, p, a)
			pause(t, tx)
			tell(t, s, tx, p, b)
			pause(t, tx)
			end := tx.Commit
			if given {
				end = tx.Rollback
			}
			if err := end(t.Context()); err != nil {
				t.Error(err)
			}
		}()
	}
	return want, func() {
		for range n {
			<-ended
		}
	}
}

// pause lets other transactions go first.
func pause(t *testing.T, tx pgx.Tx) {
	t.Helper()
	if _, err := tx.Exec(t.Context(), "SELECT pg_sleep(random() * 0.02)"); err != nil {
		t.Error(err)
	}
}
