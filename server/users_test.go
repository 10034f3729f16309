package server_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// column asks the database itself for one text.
func column(t testing.TB, s *servertest.Server, query string, args ...any) string {
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

// everything gives the text of every row of every table.
func everything(t *testing.T, s *servertest.Server) string {
	t.Helper()
	tables := column(t, s, "SELECT string_agg(oid::regclass::text, ' ') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
	var all strings.Builder
	for table := range strings.FieldsSeq(tables) {
		all.WriteString(column(t, s, "SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM "+table+" t"))
	}
	return all.String()
}

// notStored fails the test when a secret is anywhere in the database, as it is
// or as bytes.
func notStored(t *testing.T, s *servertest.Server, secrets map[string]string) {
	t.Helper()
	all := everything(t, s)
	for what, secret := range secrets {
		raw, _ := base64.RawURLEncoding.DecodeString(secret)
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), hex.EncodeToString(raw)} {
			if form != "" && strings.Contains(all, form) {
				t.Errorf("%s is stored in clear", what)
			}
		}
	}
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

// The database decides, not a look beforehand.
func TestOneOfManyAtOnceGetsTheName(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	var statuses [6]int
	var all sync.WaitGroup
	for i := range statuses {
		p := s.Somebody()
		all.Go(func() {
			statuses[i] = p.POST("/api/v1/users", registration(map[string]any{"email": fmt.Sprintf("ada%d@example.com", i)})).Status
		})
	}
	all.Wait()
	slices.Sort(statuses[:])
	if statuses != [6]int{201, 409, 409, 409, 409, 409} {
		t.Errorf("statuses %v", statuses)
	}
}

// The account, its mails and its audit event are there together or not at all.
func TestRegisteringIsOneTransaction(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	execute(t, s, "ALTER TABLE audit_events RENAME TO gone") // the last that the transaction writes
	s.Somebody().POST("/api/v1/users", registration(nil)).Expect(http.StatusInternalServerError).Problem("internal")
	if got := column(t, s, "SELECT concat((SELECT count(*) FROM users), ' ', (SELECT count(*) FROM river_job))"); got != "0 0" {
		t.Errorf("accounts and jobs: %s", got)
	}
	execute(t, s, "ALTER TABLE gone RENAME TO audit_events")
	s.Somebody().POST("/api/v1/users", registration(nil)).Expect(http.StatusCreated)
	jobs := column(t, s, "SELECT string_agg(concat(kind, ' ', args->>'template'), ', ' ORDER BY kind) FROM river_job")
	if jobs != "mail welcome, notify-admins " {
		t.Errorf("jobs %q", jobs)
	}
}

// The last value of each rule that is accepted; the first that is not is below.
func TestRegisterAcceptsWhatTheRulesAllow(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	accepted := []map[string]any{
		{"username": "a-1"}, {"username": strings.Repeat("_", 50)}, {"full_name": "Ä"}, {"full_name": strings.Repeat("語", 100)},
		{"password": "Abcdef1-"}, {"password": "Äöü語A1-x"}, // eight characters, more bytes
		{"password": "A1-" + strings.Repeat("語", 97)},
	}
	for _, special := range "!@#$%^&*()_+-=" {
		accepted = append(accepted, map[string]any{"password": "Abcdef1" + string(special)})
	}
	for i, changes := range accepted {
		body := map[string]any{"email": fmt.Sprintf("ada%d@example.com", i), "username": fmt.Sprintf("ada%d", i)}
		maps.Copy(body, changes)
		if answer := s.Somebody().POST("/api/v1/users", registration(body)); answer.Status != http.StatusCreated {
			t.Errorf("%v: %s", changes, answer.Body)
			continue
		}
		body = registration(body)
		s.Somebody().Login(body["username"].(string), body["password"].(string)).Expect(http.StatusOK)
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
		"other characters":     {map[string]any{"password": "Änalytical?1٣"}, []string{"password pattern", "password pattern"}},
		"none of the rules":    {map[string]any{"password": "abc"}, []string{"password min_length", "password pattern", "password pattern", "password pattern"}},
		"short password":       {map[string]any{"password": "Abcde1-"}, []string{"password min_length"}},
		"long password":        {map[string]any{"password": "Aa1-" + strings.Repeat("x", 97)}, []string{"password max_length"}},
		"null":                 {map[string]any{"full_name": json.RawMessage("null")}, []string{"full_name null"}},
		"short user name":      {map[string]any{"username": "ab"}, []string{"username min_length"}},
		"long user name":       {map[string]any{"username": strings.Repeat("a", 51)}, []string{"username max_length"}},
		"foreign user name":    {map[string]any{"username": "адам"}, []string{"username pattern"}},
		"address as user name": {map[string]any{"username": "ada@example.com"}, []string{"username pattern"}},
		"no name":              {map[string]any{"full_name": ""}, []string{"full_name min_length", "full_name pattern"}},
		"long name":            {map[string]any{"full_name": strings.Repeat("語", 101)}, []string{"full_name max_length"}},
		"other letter case":    {map[string]any{"email": nil, "Email": "ada@example.com"}, []string{"email required", "Email unknown"}},
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

// A name can be seen, and what can be seen is what it says.
func TestNamesCanBeSeen(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for _, name := range []string{"é", "Ada\u00a0Lovelace", "می\u200cخواهم", "e\u0301", "👩\u200d💻", "-", "İ", "a\u3000b"} {
		if answer := p.PATCH(me, map[string]any{"full_name": name}); answer.Status != http.StatusOK {
			t.Errorf("%q: %s", name, answer.Body)
		}
	}
	for _, name := range []string{
		"a\nb", "a\tb", "a\u007fb", "a\u0080b", "a\u0085b", "a\u009fb", "a\u2028b", "a\u2029b", "a\u202ab", "a\u202eb", "a\u2066b", "a\u2069b", "\u202ea",
		" ", "\u00a0", "\u200b", "\u200d\u200c", "\u3000", "\ufeff", "\u00ad", "\u2800", "\u3164", "\u115f\u1160", "\uffa0", "\u2060", "\ufe0f", "\u180e", "\u1680",
	} {
		if got := p.PATCH(me, map[string]any{"full_name": name}).Fields(); !slices.Equal(got, []string{"full_name pattern"}) {
			t.Errorf("%q: fields %v", name, got)
		}
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
	one, two := other.GET(path).Expect(http.StatusNotFound), other.GET("/api/v1/users/0198c0de-0000-7000-8000-000000000001").Expect(http.StatusNotFound)
	if a, b := one.Problem("not-found"), two.Problem("not-found"); a.Detail != b.Detail {
		t.Errorf("another's account and none are told apart: %q and %q", a.Detail, b.Detail)
	}
	s.Somebody().GET(path).Expect(http.StatusUnauthorized)
	if got := other.GET("/api/v1/users/not-an-id").Fields(); !slices.Equal(got, []string{"user_id format"}) {
		t.Errorf("fields %v", got)
	}
}

func TestUpdateMe(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	var user api.User
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
	s.Clock.Advance(2 * time.Second)
	for _, path := range []string{"forgot-password", "resend-verification"} { // whose mails are still to be sent
		s.Somebody().POST("/api/v1/auth/"+path, map[string]any{"email": strings.ToUpper(p.User.Email)}).Expect(http.StatusAccepted)
	}
	hash := column(t, s, "SELECT password_hash FROM users WHERE id = $1", p.User.ID)
	p.DELETE("/api/v1/users/me", map[string]any{"password": p.Password}).Expect(http.StatusNoContent)

	p.GET(me).Expect(http.StatusUnauthorized)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	phone.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)
	all := strings.ToLower(everything(t, s))
	for _, trace := range []string{p.User.Email, p.User.Username, p.User.FullName, hash} {
		if strings.Contains(all, strings.ToLower(trace)) {
			t.Errorf("%q is still stored", trace)
		}
	}
	if kept := column(t, s, "SELECT concat(full_name, ' ', is_active, ' ', role) FROM users WHERE id = $1", p.User.ID); kept != "Deleted account f user" {
		t.Errorf("what others refer to is %q", kept)
	}
	if places := column(t, s, "SELECT string_agg(ip || user_agent, '') FROM sessions WHERE user_id = $1", p.User.ID); places != "" {
		t.Errorf("the sessions still tell %q", places)
	}
	again := registration(map[string]any{"email": p.User.Email, "username": p.User.Username})
	s.Somebody().POST("/api/v1/users", again).Expect(http.StatusCreated)
}

// Mails that were sent leave their jobs for a while, without the address once the
// account is deleted.
func TestDeletionTakesTheAddressOutOfTheMails(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.Admin()
	admin, p := s.Admin(), s.Register() // of whom administrators are told
	for _, q := range []*servertest.Person{p, admin} {
		s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": q.User.Email}).Expect(http.StatusAccepted)
	}
	done(t, s)
	if n, told := len(s.Mailbox.To(p.User.Email)), len(s.Mailbox.To(admin.User.Email)); n != 2 || told != 2 {
		t.Errorf("%d mails to the person, %d to the administrator", n, told)
	}
	for _, q := range []*servertest.Person{p, admin} {
		q.DELETE(me, map[string]any{"password": q.Password}).Expect(http.StatusNoContent)
		if all := strings.ToLower(everything(t, s)); strings.Contains(all, q.User.Email) {
			t.Errorf("%s is still stored", q.User.Email)
		}
	}
}

// The address of a deleted account leads nowhere, with a link that was on its
// way as well.
func TestLinksOfADeletedAccountLeadNowhere(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	link := token(s, p.User.Email, 1)
	p.DELETE(me, map[string]any{"password": p.Password}).Expect(http.StatusNoContent)
	s.Somebody().POST("/api/v1/auth/verify-email", map[string]any{"token": link}).Expect(http.StatusBadRequest).Problem("invalid-link")
}

// Not even an administrator finds a deleted account, nor brings it back.
func TestDeletedAccountsAreNotShown(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, p := s.Admin(), s.Register()
	p.DELETE(me, map[string]any{"password": p.Password}).Expect(http.StatusNoContent)
	path := "/api/v1/admin/users/" + p.User.ID.String()
	admin.GET(path).Expect(http.StatusNotFound).Problem("not-found")
	admin.GET("/api/v1/users/" + p.User.ID.String()).Expect(http.StatusNotFound)
	admin.PATCH(path, map[string]any{"is_active": true}).Expect(http.StatusNotFound).Problem("not-found")
	if got := users(admin.GET("/api/v1/admin/users")); !slices.Equal(got, []string{admin.User.Username}) {
		t.Errorf("users %v", got)
	}
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
	s.Clock.Advance(time.Second)
	change(p.Password).Expect(http.StatusNoContent)

	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK)
	phone.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	refresh(phone, phone.Tokens.RefreshToken).Expect(http.StatusBadRequest).Problem("invalid-grant")
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)
	p.Elsewhere().Login(p.User.Username, "Difference-1822").Expect(http.StatusOK)
}

// A stolen access token must not help to guess the password: wrong ones count
// together with failed sign-ins, whichever way they come.
func TestWrongPasswordsCountTogether(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	change := map[string]any{"current_password": "Wrong-1843", "new_password": "Difference-1822"}
	for i, c := range []struct {
		try  func() *servertest.Answer
		told int // seconds; to who signs in, those of the name alone
	}{
		{func() *servertest.Answer { return p.Login(p.User.Username, "Wrong-1843") }, 1},
		{func() *servertest.Answer { return p.Login(strings.ToUpper(p.User.Email), "Wrong-1843") }, 1},
		{func() *servertest.Answer { return p.DELETE(me, map[string]any{"password": "Wrong-1843"}) }, 4},
		{func() *servertest.Answer { return p.PUT("/api/v1/users/me/password", change) }, 8},
	} {
		if status := c.try().Status; status != http.StatusUnauthorized && status != http.StatusUnprocessableEntity {
			t.Errorf("try %d: status %d", i, status)
		}
		refused := c.try().Expect(http.StatusTooManyRequests)
		if got, want := refused.Header.Get("Retry-After"), fmt.Sprint(c.told); got != want {
			t.Errorf("try %d: Retry-After %s, want %s", i, got, want)
		}
		s.Clock.Advance(time.Second << i)
	}
}

// No session may begin, and nothing be changed, with a password that is replaced
// while it is being checked.
func TestPasswordThatIsJustBeingReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		use    func(p *servertest.Person) *servertest.Answer
		status int
	}{
		"sign-in": {func(p *servertest.Person) *servertest.Answer { return p.Elsewhere().Login(p.User.Username, p.Password) }, http.StatusUnauthorized},
		"deletion": {func(p *servertest.Person) *servertest.Answer {
			return p.DELETE(me, map[string]any{"password": p.Password})
		}, http.StatusServiceUnavailable},
		"another change": {func(p *servertest.Person) *servertest.Answer {
			return p.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Difference-1822"})
		}, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servertest.New(t)
			p := s.Register()
			conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
			if _, err := conn.Exec(t.Context(), "BEGIN; UPDATE users SET password_hash = 'new'"); err != nil {
				t.Fatal(err)
			}
			status := make(chan int, 1)
			go func() { status <- c.use(p).Status }()
			waiting(t, s, 1)
			if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
				t.Fatal(err)
			}
			if got := <-status; got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
			if got := column(t, s, "SELECT concat(password_hash, ' ', (SELECT count(*) FROM sessions WHERE revoked_at IS NULL)) FROM users"); got != "new 1" {
				t.Errorf("password and sessions: %s", got)
			}
		})
	}
}

// Whatever an account does, the password is nowhere but in its hash.
func TestNoSecretIsStored(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	link := token(s, p.User.Email, 1)
	var second api.Token
	refresh(p, p.Tokens.RefreshToken).Expect(http.StatusOK).Into(&second)
	p.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Difference-1822"}).Expect(http.StatusNoContent)
	p.Elsewhere().Login(p.User.Username, "Never-Right-7").Expect(http.StatusUnauthorized)
	notStored(t, s, map[string]string{
		"the password": p.Password, "the new password": "Difference-1822", "a wrong password": "Never-Right-7", "the token of a mail": link,
		"a refresh token": p.Tokens.RefreshToken, "its successor": second.RefreshToken, "an access token": p.Tokens.AccessToken,
	})
}
