package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/client"
	"github.com/accord-api/accord/servertest"
)

func users(a *servertest.Answer) []string {
	var page client.UserPage
	a.Expect(http.StatusOK).Into(&page)
	names := []string{}
	for _, u := range page.Items {
		names = append(names, u.Username)
	}
	return names
}

func TestAdminFindsUsers(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for _, u := range [][3]string{{"grace@navy.example", "hopper", "Grace Murray"}, {"ada@example.com", "lady_ada", "Augusta King"}, {"alan@example.com", "ladyXada", "Alan 100%"}} {
		s.Somebody().POST("/api/v1/users", registration(map[string]any{"email": u[0], "username": u[1], "full_name": u[2]})).Expect(http.StatusCreated)
	}
	for query, want := range map[string][]string{
		"q=NAVY":                    {"hopper"},
		"q=lady_ada":                {"lady_ada"}, // no wildcard
		"q=augusta":                 {"lady_ada"},
		"q=" + url.QueryEscape("%"): {"ladyXada"},
		"q=nobody":                  {},
		"role=admin":                {admin.User.Username},
		"role=user&q=hopper":        {"hopper"},
		"is_active=false":           {},
	} {
		if got := users(admin.GET("/api/v1/admin/users?" + query)); !slices.Equal(got, want) {
			t.Errorf("%s gives %v, want %v", query, got, want)
		}
	}
}

// No row is shown twice and none that was there at the start is missed, however
// many come in between; both ways to the next page agree.
func TestPagesAreWalkedWhole(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	var want []string
	for range 7 {
		want = append(want, s.Register().User.Username)
	}
	want = append([]string{admin.User.Username}, want...)
	slices.Reverse(want)

	var got []string
	path := "/api/v1/admin/users?limit=3"
	for path != "" {
		answer := admin.GET(path)
		got = append(got, users(answer)...)
		s.Register() // newer than all: belongs to no page that is still to come
		path = answer.Link()
		var page client.UserPage
		answer.Into(&page)
		if (path == "") != (page.NextCursor == nil) {
			t.Errorf("Link %q and next_cursor %v do not agree", path, page.NextCursor)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("walked %v, want %v", got, want)
	}
}

func TestPageParametersAreChecked(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	s.Register()
	s.Register()
	var page client.UserPage
	admin.GET("/api/v1/admin/users?limit=1").Expect(http.StatusOK).Into(&page)
	cursor := *page.NextCursor
	for query, want := range map[string]string{
		"limit=0": "limit minimum", "limit=101": "limit maximum", "limit=abc": "limit type", "limit=1&limit=2": "limit repeated",
		"cursor=" + cursor[1:]: "cursor cursor", "cursor=x": "cursor cursor", "cursor=%00": "cursor pattern", "q=%00": "q pattern", "role=root": "role enum",
	} {
		if got := admin.GET("/api/v1/admin/users?" + query).Fields(); !slices.Contains(got, want) {
			t.Errorf("%s: fields %v, want %s", query, got, want)
		}
	}
	if got := admin.GET("/api/v1/admin/audit-events?cursor=" + cursor).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
		t.Errorf("a cursor of another list: fields %v", got)
	}
}

func TestAdminChangesAccounts(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, p := s.Admin(), s.Register()
	path := "/api/v1/admin/users/" + p.User.ID.String()

	p.GET(path).Expect(http.StatusForbidden).Problem("forbidden")
	admin.PATCH(path, map[string]any{"role": "admin"}).Expect(http.StatusOK)
	p.GET(path).Expect(http.StatusOK) // with the very same token
	admin.PATCH(path, map[string]any{"is_active": false}).Expect(http.StatusOK)
	p.GET(path).Expect(http.StatusUnauthorized)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest)
	admin.PATCH(path, map[string]any{"is_active": true}).Expect(http.StatusOK)
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK)
	admin.PATCH("/api/v1/admin/users/0198c0de-0000-7000-8000-000000000001", map[string]any{"is_active": true}).Expect(http.StatusNotFound)
}

func TestTwoAdminsCannotRemoveEachOther(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for range 5 {
		one, two := s.Admin(), s.Admin()
		s.Clock.Advance(time.Second)
		var both sync.WaitGroup
		for _, pair := range [][2]*servertest.Person{{one, two}, {two, one}} {
			both.Go(func() {
				pair[0].PATCH("/api/v1/admin/users/"+pair[1].User.ID.String(), map[string]any{"is_active": false})
			})
		}
		both.Wait()
		if n := column(t, s, "SELECT count(*)::text FROM users WHERE role = 'admin' AND is_active"); n != "1" {
			t.Fatalf("%s administrators are left", n)
		}
		// Start over with none but the next two.
		if got := column(t, s, "WITH gone AS (UPDATE users SET role = 'user' RETURNING 1) SELECT count(*)::text FROM gone"); got == "0" {
			t.Fatal("nobody is there")
		}
	}
}

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

	events := func(query string) []client.AuditEvent {
		var page client.AuditEventPage
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
	if n := len(events("action=auth.login&outcome=limited")); n != 1 {
		t.Errorf("%d events of a flood in one minute", n)
	}
	if !strings.Contains(s.Log.String(), `"action":"auth.login","outcome":"failed"`) {
		t.Error("no log line beside the event")
	}
}
