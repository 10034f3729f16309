package server_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/client"
	"github.com/accord-api/accord/servertest"
)

// column asks the database itself for one text.
func column(t *testing.T, s *servertest.Server, query string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var text string
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text
}

func registration(changes map[string]any) map[string]any {
	body := map[string]any{"email": "ada@example.com", "username": "ada", "password": servertest.Password, "full_name": "Ada Lovelace"}
	for name, value := range changes {
		if body[name] = value; value == nil {
			delete(body, name)
		}
	}
	return body
}

func TestRegister(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	answer := s.Somebody().POST("/api/v1/users", registration(nil)).Expect(http.StatusCreated)

	var user map[string]any
	answer.Into(&user)
	want := []string{"created_at", "email", "email_verified", "full_name", "id", "is_active", "role", "username"}
	if got := slices.Sorted(maps.Keys(user)); !slices.Equal(got, want) {
		t.Errorf("members %v", got)
	}
	if user["role"] != "user" || user["is_active"] != true || user["email_verified"] != false {
		t.Errorf("user %v", user)
	}
	if got := answer.Header.Get("Location"); got != "/api/v1/users/"+user["id"].(string) {
		t.Errorf("Location %q", got)
	}
	if hash := column(t, s, "SELECT password_hash FROM users"); !strings.Contains(hash, "$2a$04$") || strings.Contains(hash, servertest.Password) {
		t.Errorf("stored as %q", hash)
	}
}

func TestRegisterRefusesWhatIsTaken(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	s.Somebody().POST("/api/v1/users", registration(nil)).Expect(http.StatusCreated)
	for _, c := range []struct {
		changes map[string]any
		problem string
	}{
		{map[string]any{"email": "ADA@Example.com", "username": "other"}, "email-taken"},
		{map[string]any{"email": "other@example.com", "username": "ADA"}, "username-taken"},
	} {
		s.Somebody().POST("/api/v1/users", registration(c.changes)).Expect(http.StatusConflict).Problem(c.problem)
	}
	if n := column(t, s, "SELECT count(*)::text FROM river_job"); n != "2" {
		t.Errorf("%s jobs: a refused registration must enqueue none", n)
	}
}

func TestRegisterNamesEveryFailingField(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for name, c := range map[string]struct {
		changes map[string]any
		want    []string
	}{
		"no upper-case letter": {map[string]any{"password": "analytical-1843"}, []string{"password pattern"}},
		"no digit":             {map[string]any{"password": "Analytical-"}, []string{"password pattern"}},
		"no special character": {map[string]any{"password": "Analytical1843"}, []string{"password pattern"}},
		"short password":       {map[string]any{"password": "Ab1-"}, []string{"password min_length"}},
		"long password":        {map[string]any{"password": "Aa1-" + strings.Repeat("x", 97)}, []string{"password max_length"}},
		"null":                 {map[string]any{"full_name": json.RawMessage("null")}, []string{"full_name null"}},
		"blank name":           {map[string]any{"full_name": "   "}, []string{"full_name pattern"}},
		"unknown member":       {map[string]any{"role": "admin"}, []string{"role unknown"}},
		"everything":           {map[string]any{"email": "x", "username": "a b", "password": nil, "full_name": 7}, []string{"email format", "username pattern", "password required", "full_name type"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := s.Somebody().POST("/api/v1/users", registration(c.changes)).Fields(); !slices.Equal(got, c.want) {
				t.Errorf("fields %v, want %v", got, c.want)
			}
		})
	}
}

// bcrypt alone reads 72 bytes.
func TestAllHundredCharactersOfAPasswordCount(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Somebody()
	p.Password = "Aa1-" + strings.Repeat("x", 96)
	p.POST("/api/v1/users", registration(map[string]any{"password": p.Password})).Expect(http.StatusCreated)
	p.Login("ada", p.Password[:99]+"y").Expect(http.StatusUnauthorized)
	s.Somebody().Login("ada", p.Password).Expect(http.StatusOK)
}

func TestOnlyTheOwnAccountIsSeen(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other, admin := s.Register(), s.Register(), s.Admin()
	path := "/api/v1/users/" + p.User.ID.String()
	p.GET(path).Expect(http.StatusOK)
	admin.GET(path).Expect(http.StatusOK)
	other.GET(path).Expect(http.StatusNotFound).Problem("not-found")
	other.GET("/api/v1/users/0198c0de-0000-7000-8000-000000000001").Expect(http.StatusNotFound)
	if got := other.GET("/api/v1/users/not-an-id").Fields(); !slices.Equal(got, []string{"user_id format"}) {
		t.Errorf("fields %v", got)
	}
}

func TestUpdateMe(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	var user client.User
	p.PATCH("/api/v1/users/me", map[string]any{"full_name": "Augusta"}).Expect(http.StatusOK).Into(&user)
	if user.FullName != "Augusta" || user.Username != p.User.Username {
		t.Errorf("user %+v", user)
	}
	p.PATCH("/api/v1/users/me", map[string]any{"username": strings.ToUpper(other.User.Username)}).Expect(http.StatusConflict).Problem("username-taken")
	for body, want := range map[string]string{
		`{}`:                  "body min_properties",
		`{"full_name": null}`: "full_name null",
		`{"role": "admin"}`:   "role unknown",
	} {
		if got := p.PATCH("/api/v1/users/me", body).Fields(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: fields %v", body, got)
		}
	}
	p.JSON(http.MethodPatch, "/api/v1/users/me", map[string]any{"full_name": "x"}).Expect(http.StatusUnsupportedMediaType)
}

func TestDeleteMeLeavesNoTrace(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	s.Admin()
	p := s.Register()
	phone := p.Elsewhere()
	phone.SignIn()
	if got := p.DELETE("/api/v1/users/me", map[string]any{"password": "Wrong-1843"}).Fields(); !slices.Equal(got, []string{"password password"}) {
		t.Errorf("fields %v", got)
	}
	s.Clock.Advance(2e9)
	p.DELETE("/api/v1/users/me", map[string]any{"password": p.Password}).Expect(http.StatusNoContent)

	phone.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)
	row := column(t, s, "SELECT users::text FROM users WHERE id = $1", p.User.ID)
	for _, trace := range []string{p.User.Email, p.User.Username, p.User.FullName, "$2a$"} {
		if strings.Contains(row, trace) {
			t.Errorf("%q is still in %s", trace, row)
		}
	}
	again := registration(map[string]any{"email": p.User.Email, "username": p.User.Username})
	s.Somebody().POST("/api/v1/users", again).Expect(http.StatusCreated)
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	own := "/api/v1/admin/users/" + admin.User.ID.String()
	admin.DELETE("/api/v1/users/me", map[string]any{"password": admin.Password}).Expect(http.StatusConflict).Problem("last-admin")
	admin.PATCH(own, map[string]any{"role": "user"}).Expect(http.StatusConflict).Problem("last-admin")
	admin.PATCH(own, map[string]any{"is_active": false}).Expect(http.StatusConflict).Problem("last-admin")
	s.Admin()
	admin.PATCH(own, map[string]any{"role": "user"}).Expect(http.StatusOK)
}

func TestChangePasswordKeepsOnlyThisSession(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	phone := p.Elsewhere()
	phone.SignIn()
	change := func(current string) *servertest.Answer {
		return p.PUT("/api/v1/users/me/password", map[string]any{"current_password": current, "new_password": "Difference-1822"})
	}
	if got := change("Wrong-1843").Fields(); !slices.Equal(got, []string{"current_password password"}) {
		t.Errorf("fields %v", got)
	}
	change(p.Password).Expect(http.StatusTooManyRequests) // a wrong one counts like a failed sign-in
	s.Clock.Advance(1e9)
	change(p.Password).Expect(http.StatusNoContent)

	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	phone.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)
	p.Elsewhere().Login(p.User.Username, "Difference-1822").Expect(http.StatusOK)
}
