package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

func users(a *servertest.Answer) []string {
	var page api.AdminUserPage
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
	for _, u := range [][3]string{{"idle@example.org", "idle", "Gone Fishing"}, {"grace@navy.example", "hopper", `Grace Ärger \o/`}, {"ada@example.com", "lady_ada", "Augusta King"}, {"alan@example.com", "ladyXada", "Alan 100%"}} {
		s.Somebody().POST("/api/v1/users", registration(map[string]any{"email": u[0], "username": u[1], "full_name": u[2]})).Expect(http.StatusCreated)
	}
	execute(t, s, "UPDATE users SET is_active = false WHERE username = 'idle'")
	for query, want := range map[string][]string{
		"q=NAVY":                    {"hopper"},
		"q=lady_ada":                {"lady_ada"}, // no wildcard
		"q=augusta":                 {"lady_ada"},
		"q=ALAN@Example":            {"ladyXada"},
		"q=ÄRGER":                   {"hopper"},
		"q=" + url.QueryEscape(`\`): {"hopper"},
		"q=example.com&limit=1":     {"ladyXada"},
		"q=navy&role=admin":         {},
		"is_active=false&role=user": {"idle"},
		"is_active=true&q=idle":     {},
		"q=" + url.QueryEscape("%"): {"ladyXada"},
		"q=nobody":                  {},
		"role=admin":                {admin.User.Username},
		"role=user&q=hopper":        {"hopper"},
		"is_active=false":           {"idle"},
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
		var page api.AdminUserPage
		answer.Into(&page)
		if (path == "") != (page.NextCursor == nil) {
			t.Errorf("Link %q and next_cursor %v do not agree", path, page.NextCursor)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("walked %v, want %v", got, want)
	}
}

// The next page is of the same list: its link repeats the filters.
func TestPagesKeepTheirFilters(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for _, name := range []string{"ada-1", "grace", "ada-2", "ada-3"} {
		s.Somebody().POST("/api/v1/users", registration(map[string]any{"email": name + "@example.com", "username": name, "full_name": "A & B"})).Expect(http.StatusCreated)
	}
	var got []string
	for path := "/api/v1/admin/users?role=user&is_active=true&limit=1&q=" + url.QueryEscape("ada-"); path != ""; {
		answer := admin.GET(path)
		got = append(got, users(answer)...)
		path = answer.Link()
	}
	if !slices.Equal(got, []string{"ada-3", "ada-2", "ada-1"}) {
		t.Errorf("walked %v", got)
	}
}

func TestPagesHaveTwentyItemsUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	execute(t, s, `INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		SELECT gen_random_uuid(), n || '@example.net', 'user' || n, 'N', '', 'user', now(), now() FROM generate_series(1, 119) n`)
	for query, want := range map[string]int{"": 20, "?limit=1": 1, "?limit=100": 100} {
		if got := len(users(admin.GET("/api/v1/admin/users" + query))); got != want {
			t.Errorf("%q gives %d, want %d", query, got, want)
		}
	}
	// The last page, just full, has no next one.
	last := admin.GET(admin.GET("/api/v1/admin/users?limit=60").Link())
	if got := len(users(last)); got != 60 || last.Link() != "" {
		t.Errorf("%d on the last page, then %q", got, last.Link())
	}
}

func TestPageParametersAreChecked(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	s.Register()
	s.Register()
	var page api.AdminUserPage
	admin.GET("/api/v1/admin/users?limit=1").Expect(http.StatusOK).Into(&page)
	cursor := *page.NextCursor
	for query, want := range map[string]string{
		"limit=0": "limit minimum", "limit=101": "limit maximum", "limit=abc": "limit type", "limit=1&limit=2": "limit repeated",
		"limit=1e1": "limit type", "limit=10.0": "limit type", "limit=010": "limit type", "limit=%2B10": "limit type", "limit=-1": "limit minimum", "limit=1.5": "limit type", "limit=": "limit type", "limit=99999999999": "limit maximum", "is_active=maybe": "is_active type",
		"cursor=" + cursor[1:]: "cursor cursor", "cursor=" + cursor[:len(cursor)-2] + "AA": "cursor cursor", "cursor=" + cursor + "A": "cursor cursor",
		"cursor=x": "cursor cursor", "cursor=%00": "cursor pattern", "q=%00": "q pattern", "role=root": "role enum",
	} {
		if got := admin.GET("/api/v1/admin/users?" + query).Fields(); !slices.Contains(got, want) {
			t.Errorf("%s: fields %v, want %s", query, got, want)
		}
	}
	for _, list := range []string{"admin/audit-events", "auth/sessions"} {
		if got := admin.GET("/api/v1/" + list + "?cursor=" + cursor).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
			t.Errorf("a cursor of another list than %s: fields %v", list, got)
		}
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
	p.GET(path).Expect(http.StatusUnauthorized) // what was ended stays so
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusOK)
	admin.PATCH("/api/v1/admin/users/0198c0de-0000-7000-8000-000000000001", map[string]any{"is_active": true}).Expect(http.StatusNotFound)
}

// Whichever way they remove each other or themselves, one is left.
func TestTwoAdminsCannotRemoveEachOther(t *testing.T) {
	t.Parallel()
	patch := func(change map[string]any) func(one, two *servertest.Person) {
		return func(one, two *servertest.Person) {
			one.PATCH("/api/v1/admin/users/"+two.User.ID.String(), change)
		}
	}
	for name, remove := range map[string]func(one, two *servertest.Person){
		"demotion":     patch(map[string]any{"role": "user"}),
		"deactivation": patch(map[string]any{"is_active": false}),
		"deletion":     func(one, _ *servertest.Person) { one.DELETE(me, map[string]any{"password": one.Password}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servertest.New(t)
			for range 5 {
				one, two := s.Admin(), s.Admin()
				s.Clock.Advance(time.Second)
				release := lock(t, s, "audit_events") // so that both are under way before either ends
				var both sync.WaitGroup
				both.Go(func() { remove(one, two) })
				both.Go(func() { remove(two, one) })
				waiting(t, s, 2)
				release()
				both.Wait()
				if n := column(t, s, "SELECT count(*)::text FROM users WHERE role = 'admin' AND is_active"); n != "1" {
					t.Fatalf("%s administrators are left", n)
				}
				execute(t, s, "UPDATE users SET role = 'user'") // start over with none but the next two
			}
		})
	}
}

// Calls that a role is missing for count as well: whoever has an account must not
// be able to knock without an end.
func TestRefusedRolesAreCounted(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user := s.Register()
	for range api.Policies["adminListUsers"].RateLimits[0].Limit {
		user.GET("/api/v1/admin/users").Expect(http.StatusForbidden)
	}
	user.GET("/api/v1/admin/users").Expect(http.StatusTooManyRequests).Problem("too-many-requests")
	s.Clock.Advance(time.Minute)
	user.GET("/api/v1/admin/users").Expect(http.StatusForbidden)
}
