package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

func TestAuditTrail(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, p := s.Admin(), s.Register()
	guesser := p.Elsewhere()
	guesser.Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
	for range 20 {
		guesser.Login(p.User.Username, "Wrong-1843").Expect(http.StatusTooManyRequests)
	}
	admin.PATCH("/api/v1/admin/users/"+p.User.ID.String(), map[string]any{"role": "admin"}).Expect(http.StatusOK)
	p.PUT("/api/v1/users/me/password", map[string]any{"current_password": "short"}).Expect(http.StatusUnprocessableEntity)

	events := func(query string) []api.AuditEvent {
		var page api.AuditEventPage
		admin.GET("/api/v1/admin/audit-events?limit=100&" + query).Expect(http.StatusOK).Into(&page)
		return page.Items
	}
	about := "user_id=" + p.User.ID.String()
	var got []string
	for _, e := range events(about) {
		got = append(got, fmt.Sprintf("%s %s", e.Action, e.Outcome))
		if e.RequestID == "" || e.UserAgent == "" || e.IP == "" {
			t.Errorf("event %+v", e)
		}
	}
	want := []string{"admin.user-update succeeded", "auth.login limited", "auth.login failed", "auth.login succeeded", "user.register succeeded"}
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if e := events("action=admin.user-update")[0]; e.Detail != "role=admin" || *e.ActorID != admin.User.ID || *e.SubjectID != p.User.ID {
		t.Errorf("event %+v", e)
	}
	if !strings.Contains(s.Log.String(), `"action":"auth.login","outcome":"failed"`) {
		t.Error("no log line beside the event")
	}
}

// A flood must not fill the trail: one event a minute and address tells it.
func TestFloodLeavesOneEventAMinute(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	flooder, second := s.Somebody(), s.Somebody()
	flood := func(q *servertest.Person) {
		for range 12 {
			q.Login(p.User.Username, "Wrong-1843")
		}
	}
	for i, c := range []struct {
		who  *servertest.Person
		wait time.Duration
	}{{flooder, 0}, {flooder, 59 * time.Second}, {second, 0}, {flooder, time.Second}, {flooder, time.Minute}} {
		s.Clock.Advance(c.wait)
		flood(c.who)
		want := []string{"1", "1", "2", "3", "4"}[i]
		if n := column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'auth.login' AND outcome = 'limited'"); n != want {
			t.Errorf("flood %d: %s events, want %s", i, n, want)
		}
	}
	if got := strings.Count(s.Log.String(), `"action":"auth.login","outcome":"limited"`); got != 4 {
		t.Errorf("%d log lines", got)
	}
}

// Who did what, to whom.
func TestEachActionLeavesItsEvent(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.Admin()
	p := s.Register()
	verify := token(s, p.User.Email, 1)
	s.Somebody().POST("/api/v1/auth/verify-email", map[string]any{"token": verify}).Expect(http.StatusNoContent)
	p.PATCH(me, map[string]any{"full_name": "Somebody Else"}).Expect(http.StatusOK)
	p.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Difference-1822"}).Expect(http.StatusNoContent)
	p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent)
	s.Eventually("the owner is told of the change", func() bool { return len(s.Mailbox.To(p.User.Email)) == 2 })
	s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	reset := token(s, p.User.Email, 3)
	s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": reset, "new_password": p.Password}).Expect(http.StatusNoContent)
	p.SignIn()
	p.DELETE("/api/v1/auth/sessions/"+sessions(p)[0].ID.String(), nil).Expect(http.StatusNoContent)
	p.SignIn()
	p.POST("/api/v1/auth/logout-all", nil).Expect(http.StatusNoContent)
	p.SignIn()
	p.DELETE(me, map[string]any{"password": "Wrong-1843"}).Expect(http.StatusUnprocessableEntity)
	s.Clock.Advance(time.Second)
	p.DELETE(me, map[string]any{"password": p.Password}).Expect(http.StatusNoContent)

	got := column(t, s, `SELECT string_agg(concat(action, ' ', outcome, CASE actor_id WHEN $1 THEN ' by' END, CASE subject_id WHEN $1 THEN ' on' END), E'\n' ORDER BY id)
		FROM audit_events WHERE $1 IN (actor_id, subject_id)`, p.User.ID)
	want := `user.register succeeded on
auth.login succeeded by on
auth.verify-email succeeded on
user.update succeeded by
user.password-change succeeded by
auth.logout succeeded by
auth.reset-password succeeded on
auth.login succeeded by on
auth.session-revoke succeeded by
auth.login succeeded by on
auth.logout-all succeeded by
auth.login succeeded by on
user.delete failed by
user.delete succeeded by`
	if got != want {
		t.Errorf("events:\n%s", got)
	}
}

// From its beginning to its end a session can be followed by its id.
func TestEventsNameTheirSession(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	phone, tablet := p.Elsewhere(), p.Elsewhere()
	phone.SignIn()
	ended := sessions(phone)[0].ID.String()
	tablet.SignIn()
	left := sessions(tablet)[0].ID.String()
	p.DELETE("/api/v1/auth/sessions/"+ended, nil).Expect(http.StatusNoContent)
	tablet.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent)
	p.DELETE("/api/v1/auth/sessions/"+ended, nil).Expect(http.StatusNotFound)
	p.Elsewhere().Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)

	got := column(t, s, "SELECT string_agg(concat_ws(' ', action, outcome, detail), E'\n' ORDER BY id) FROM audit_events")
	want := strings.NewReplacer("$own", sessions(p)[0].ID.String(), "$ended", ended, "$left", left).Replace(`user.register succeeded 
auth.login succeeded session=$own
auth.login succeeded session=$ended
auth.login succeeded session=$left
auth.session-revoke succeeded session=$ended
auth.logout succeeded session=$left
auth.session-revoke failed session=$ended
auth.login failed `)
	if got != want {
		t.Errorf("events:\n%s\nwant:\n%s", got, want)
	}
}

// Nothing in the events of a refused change says that it was made.
func TestRefusedChangesAreEventsOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	admin.PATCH("/api/v1/admin/users/"+admin.User.ID.String(), map[string]any{"role": "user"}).Expect(http.StatusConflict)
	var page api.AuditEventPage
	admin.GET("/api/v1/admin/audit-events?action=admin.user-update").Expect(http.StatusOK).Into(&page)
	if len(page.Items) != 1 || page.Items[0].Outcome != "failed" || page.Items[0].Detail != "role=user" {
		t.Errorf("events %+v", page.Items)
	}
}

func TestAuditEventsAreListedInPages(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, p := s.Admin(), s.Register()
	for range 6 {
		p.PATCH(me, map[string]any{"full_name": "Somebody Else"}).Expect(http.StatusOK)
	}
	want := column(t, s, "SELECT string_agg(id::text, ' ' ORDER BY id DESC) FROM audit_events WHERE action = 'user.update'")
	var got []string
	for path := "/api/v1/admin/audit-events?limit=2&action=user.update&outcome=succeeded&user_id=" + p.User.ID.String(); path != ""; {
		var page api.AuditEventPage
		answer := admin.GET(path).Expect(http.StatusOK)
		answer.Into(&page)
		for _, e := range page.Items {
			got = append(got, e.ID.String())
		}
		p.PATCH(me, map[string]any{"full_name": "Somebody New"}).Expect(http.StatusOK) // newer than the walk
		path = answer.Link()
	}
	if strings.Join(got, " ") != want {
		t.Errorf("walked %v, want %s", got, want)
	}
	for _, q := range []*servertest.Person{p, s.Somebody()} {
		if status := q.GET("/api/v1/admin/audit-events").Status; status != http.StatusForbidden && status != http.StatusUnauthorized {
			t.Errorf("status %d for who is no administrator", status)
		}
	}
}
