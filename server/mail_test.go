package server_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/mail"
	"github.com/accord-api/accord/servertest"
)

var linkPattern = regexp.MustCompile(`(https?://\S+)#token=([A-Za-z0-9_-]+)`)

// token waits for the n-th mail to an address and gives the token of its link.
func token(s *servertest.Server, address string, n int) string {
	s.T.Helper()
	var found []mail.Message
	s.Eventually("mail arrives for "+address, func() bool {
		found = s.Mailbox.To(address)
		return len(found) >= n
	})
	link := linkPattern.FindStringSubmatch(found[n-1].Text)
	if link == nil || !strings.HasPrefix(link[1], s.URL+"/account/") {
		s.T.Fatalf("no link to %s in %q", s.URL, found[n-1].Text)
	}
	return link[2]
}

func started(t *testing.T) *servertest.Server {
	t.Helper()
	return servertest.New(t, servertest.Options{Start: true})
}

// Production without SMTP_URL says at the start that mails are dropped, and of
// each one that it was. Nothing keeps it, or its link.
func TestMailsAreDroppedWithoutSMTP(t *testing.T) {
	t.Parallel()
	const warning = `"level":"WARN","msg":"SMTP_URL is not set: mails are dropped`
	first := servertest.New(t) // whose hashes are cheap, and whose jobs are left to the other one
	p := first.Register()
	s := servertest.New(t, servertest.Options{Start: true, Outbox: t.TempDir(), DatabaseURL: first.DatabaseURL, Settings: production(nil)})
	if !strings.Contains(s.Log.String(), warning) {
		t.Fatalf("the start says nothing of it:\n%s", s.Log)
	}
	s.Eventually("the mail's job is done", func() bool {
		return column(t, s, "SELECT count(*)::text FROM river_job WHERE kind = 'mail' AND state = 'completed'") == "1"
	})
	if log := s.Log.String(); !strings.Contains(log, `"level":"WARN","msg":"a mail was not sent, since SMTP_URL is not set","subject":"`) || strings.Contains(log, p.User.Email) || strings.Contains(log, "#token=") {
		t.Errorf("log:\n%s", log)
	}

	sent := servertest.New(t, servertest.Options{Start: true, Outbox: t.TempDir(), Settings: production(map[string]string{"SMTP_URL": "smtps://127.0.0.1:1", "MAIL_FROM": "shop@example.com"})})
	if strings.Contains(sent.Log.String(), warning) {
		t.Error("it is said where mails are sent as well")
	}
}

func TestRegisteringSendsMails(t *testing.T) {
	t.Parallel()
	s := started(t)
	admin, p := s.Admin(), s.Register()
	welcome := token(s, p.User.Email, 1)
	s.Eventually("the administrator is told", func() bool { return len(s.Mailbox.To(admin.User.Email)) == 1 })
	if text := s.Mailbox.To(admin.User.Email)[0].Text; !strings.Contains(text, p.User.Username) {
		t.Errorf("the notice is %q", text)
	}
	notStored(t, s, map[string]string{"the token of the mail": welcome})
}

// Whoever registers somebody else's address does not have us advertise to them.
func TestMailsGreetNobodyWithAnAdvertisement(t *testing.T) {
	t.Parallel()
	s := started(t)
	s.Somebody().POST("/api/v1/users", registration(map[string]any{"full_name": "Win 1000 EUR at win24.com now"})).Expect(http.StatusCreated)
	token(s, "ada@example.com", 1)
	if text := s.Mailbox.To("ada@example.com")[0].Text; !strings.HasPrefix(text, "Hello ada,\n") || strings.Contains(text, "win24") {
		t.Errorf("the mail says %q", text)
	}
}

// Each administrator is told once, those who are none (any more) are not.
func TestAdminsAreToldOfRegistrations(t *testing.T) {
	t.Parallel()
	s := started(t)
	one, two, gone := s.Admin(), s.Admin(), s.Admin()
	one.PATCH("/api/v1/admin/users/"+gone.User.ID.String(), map[string]any{"is_active": false}).Expect(http.StatusOK)
	p := s.Register()
	done(t, s)
	for address, want := range map[string]int{one.User.Email: 1, two.User.Email: 1, gone.User.Email: 0, p.User.Email: 1} {
		if got := len(s.Mailbox.To(address)); got != want {
			t.Errorf("%d mails to %s, want %d", got, address, want)
		}
	}
}

// done waits until no mail is on its way.
func done(t *testing.T, s *servertest.Server) {
	t.Helper()
	s.Eventually("all jobs are done", func() bool {
		return column(t, s, "SELECT count(*)::text FROM river_job WHERE kind <> 'sweep' AND state <> 'completed'") == "0"
	})
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	first := token(s, p.User.Email, 1)
	verify := func(token string) *servertest.Answer {
		return s.Somebody().POST("/api/v1/auth/verify-email", map[string]any{"token": token})
	}
	verify("unknown-token").Expect(http.StatusBadRequest).Problem("invalid-link")

	s.Somebody().POST("/api/v1/auth/resend-verification", map[string]any{"email": strings.ToUpper(p.User.Email)}).Expect(http.StatusAccepted)
	second := token(s, p.User.Email, 2)
	verify(first).Expect(http.StatusBadRequest).Problem("invalid-link") // the newest link only
	s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": second, "new_password": "Difference-1822"}).
		Expect(http.StatusBadRequest) // not for another purpose
	verify(second).Expect(http.StatusNoContent)
	verify(second).Expect(http.StatusBadRequest)
	var me struct {
		Verified bool `json:"email_verified"`
	}
	if p.GET("/api/v1/users/me").Into(&me); !me.Verified {
		t.Error("the address is not verified")
	}
}

// 24 hours for an address, one for a password.
func TestLinksExpire(t *testing.T) {
	t.Parallel()
	for life, status := range map[time.Duration]int{-time.Second: http.StatusNoContent, 0: http.StatusBadRequest} {
		s := started(t)
		p := s.Register()
		verify := token(s, p.User.Email, 1)
		s.Clock.Advance(24*time.Hour + life)
		s.Somebody().POST("/api/v1/auth/verify-email", map[string]any{"token": verify}).Expect(status)

		s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
		reset := token(s, p.User.Email, 2)
		s.Clock.Advance(time.Hour + life)
		s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": reset, "new_password": "Difference-1822"}).Expect(status)
	}
}

// Who asks twice uses the newest mail: the link of the older one is stale.
func TestNewestResetLinkWorks(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	var links []string
	for n := range 2 {
		token(s, p.User.Email, n+1)
		s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": strings.ToUpper(p.User.Email)}).Expect(http.StatusAccepted)
		links = append(links, token(s, p.User.Email, n+2))
	}
	notStored(t, s, map[string]string{"the token of the mail": links[1]})
	for i, status := range []int{http.StatusBadRequest, http.StatusNoContent} {
		s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": links[i], "new_password": "Difference-1822"}).Expect(status)
	}
}

// Of many who use one link at once, one has it.
func TestLinksWorkOnceWhenUsedAtOnce(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	link := token(s, p.User.Email, 1)
	var statuses [5]int
	var all sync.WaitGroup
	for i := range statuses {
		q := s.Somebody()
		all.Go(func() { statuses[i] = q.POST("/api/v1/auth/verify-email", map[string]any{"token": link}).Status })
	}
	all.Wait()
	slices.Sort(statuses[:])
	if statuses != [5]int{204, 400, 400, 400, 400} {
		t.Errorf("statuses %v", statuses)
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	token(s, p.User.Email, 1)
	forgot := func() {
		s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	}
	reset := func(token string) *servertest.Answer {
		return s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": token, "new_password": "Difference-1822"})
	}
	forgot()
	expired := token(s, p.User.Email, 2)
	s.Clock.Advance(time.Hour)
	reset(expired).Expect(http.StatusBadRequest).Problem("invalid-link")
	s.Clock.Advance(time.Hour) // the limit by address
	forgot()
	link := token(s, p.User.Email, 3)
	p.SignIn()
	reset(link).Expect(http.StatusNoContent)
	reset(link).Expect(http.StatusBadRequest)

	p.GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	p.Elsewhere().Login(p.User.Username, p.Password).Expect(http.StatusUnauthorized)
	q := p.Elsewhere()
	q.Password = "Difference-1822"
	q.SignIn()
	var me struct {
		Verified bool `json:"email_verified"`
	}
	if q.GET("/api/v1/users/me").Into(&me); !me.Verified {
		t.Error("the mail was received there: the address counts as verified")
	}
	s.Eventually("the owner is told", func() bool { return len(s.Mailbox.To(p.User.Email)) == 4 })
}

// Who has set a new password is let in with it at once, from the network where
// the old one was forgotten; what was guessed elsewhere is not forgiven.
func TestResetForgivesWrongPasswords(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	token(s, p.User.Email, 1)
	names := []string{p.User.Username, p.User.Email}
	home, abroad := "198.51.100.", "198.51.101."
	for i, name := range names {
		from(s, fmt.Sprint(home, i), name, "Wrong-1843").Expect(http.StatusUnauthorized)
		from(s, fmt.Sprint(abroad, i), name, "Wrong-1843").Expect(http.StatusUnauthorized)
	}
	s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	owner := s.Somebody()
	owner.IP = home + "7"
	owner.POST("/api/v1/auth/reset-password", map[string]any{"token": token(s, p.User.Email, 2), "new_password": "Difference-1822"}).
		Expect(http.StatusNoContent)
	for i, name := range names {
		from(s, fmt.Sprint(home, i), name, "Difference-1822").Expect(http.StatusOK)
		from(s, fmt.Sprint(abroad, i), name, "Difference-1822").Expect(http.StatusTooManyRequests)
	}
}

// A password that is changed, here or by the operator, makes the link to set one
// stale, even when its mail is still on its way.
func TestChangedPasswordsMakeResetLinksStale(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(p *servertest.Person){
		"by its owner": func(p *servertest.Person) {
			p.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Difference-1822"}).Expect(http.StatusNoContent)
		},
		"by the operator": func(p *servertest.Person) {
			if _, err := p.API.SetPassword(p.T.Context(), p.User.Username, "Difference-1822"); err != nil {
				p.T.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := started(t)
			p := s.Register()
			token(s, p.User.Email, 1)
			forgot := func() {
				s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
			}
			forgot()
			link := token(s, p.User.Email, 2)
			change(p)
			s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": link, "new_password": "Stranger-1850"}).
				Expect(http.StatusBadRequest).Problem("invalid-link")
			s.Eventually("the owner is told", func() bool { return len(s.Mailbox.To(p.User.Email)) == 3 })
			forgot() // whoever has forgotten the new one, too
			s.Somebody().POST("/api/v1/auth/reset-password", map[string]any{"token": token(s, p.User.Email, 4), "new_password": "Analytical-1850"}).
				Expect(http.StatusNoContent)
		})
	}
}

// The same where the mail is sent only after the change.
func TestLateResetMailsAreNotSent(t *testing.T) {
	t.Parallel()
	idle := servertest.New(t)
	p := idle.Register()
	idle.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	idle.Clock.Advance(time.Second)
	p.PUT("/api/v1/users/me/password", map[string]any{"current_password": p.Password, "new_password": "Difference-1822"}).Expect(http.StatusNoContent)

	s := servertest.New(t, servertest.Options{DatabaseURL: idle.DatabaseURL, Now: idle.Clock.Now, Start: true})
	done(t, s)
	if n := len(s.Mailbox.To(p.User.Email)); n != 2 { // the welcome, and the news of the change
		t.Errorf("%d mails", n)
	}
	if n := column(t, s, "SELECT count(*)::text FROM mail_tokens WHERE purpose = 'reset'"); n != "0" {
		t.Errorf("%s links to set a password", n)
	}
}

// Known or not, active or verified or not, an address gets the same answer and
// leaves the same job.
func TestAskingForAMailTellsNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, admin := s.Register(), s.Admin() // an administrator's address is verified
	execute(t, s, "DELETE FROM river_job")
	for _, path := range []string{"forgot-password", "resend-verification"} {
		var answers []string
		for _, email := range []string{p.User.Email, admin.User.Email, "nobody@example.com"} {
			answer := s.Somebody().POST("/api/v1/auth/"+path, map[string]any{"email": email}).Expect(http.StatusAccepted)
			for _, name := range []string{"Date", "X-Request-Id"} {
				answer.Header.Del(name)
			}
			answers = append(answers, fmt.Sprint(answer.Header, string(answer.Body)))
			job := column(t, s, `SELECT replace((to_jsonb(river_job) - '{id,created_at,scheduled_at}'::text[])::text, $1, 'X') FROM river_job`, email)
			answers[len(answers)-1] += job
			execute(t, s, "DELETE FROM river_job")
		}
		if answers[0] != answers[1] || answers[0] != answers[2] {
			t.Errorf("answers and jobs differ: %q", answers)
		}
	}
}

func TestNoMailWhereNoneIsDue(t *testing.T) {
	t.Parallel()
	s := started(t)
	admin, inactive := s.Admin(), s.Register()
	token(s, inactive.User.Email, 1)
	admin.PATCH("/api/v1/admin/users/"+inactive.User.ID.String(), map[string]any{"is_active": false}).Expect(http.StatusOK)
	s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": inactive.User.Email}).Expect(http.StatusAccepted)
	s.Somebody().POST("/api/v1/auth/forgot-password", map[string]any{"email": "nobody@example.com"}).Expect(http.StatusAccepted)
	s.Somebody().POST("/api/v1/auth/resend-verification", map[string]any{"email": admin.User.Email}).Expect(http.StatusAccepted) // is verified
	done(t, s)
	if n := len(s.Mailbox.To(inactive.User.Email)) + len(s.Mailbox.To("nobody@example.com")); n != 1 {
		t.Errorf("%d mails", n)
	}
	for _, m := range s.Mailbox.To(admin.User.Email) {
		if strings.Contains(m.Text, "#token=") {
			t.Errorf("a link to somebody who is verified: %s", m.Subject)
		}
	}
}

func TestSweepDeletesWhatHasExpired(t *testing.T) {
	t.Parallel()
	one := servertest.New(t)
	gone := one.Register()
	one.Clock.Advance(8 * 24 * time.Hour)
	kept := one.Register()
	s := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Now: one.Clock.Now, Start: true}) // sweeps when it starts
	s.Eventually("the expired session is deleted", func() bool {
		return column(t, s, "SELECT count(*)::text FROM sessions WHERE user_id = $1", gone.User.ID) == "0"
	})
	if n := column(t, s, "SELECT count(*)::text FROM sessions WHERE user_id = $1", kept.User.ID); n != "1" {
		t.Errorf("%s live sessions are left", n)
	}
	if n := column(t, s, "SELECT count(*)::text FROM audit_events WHERE actor_id = $1", gone.User.ID); n != "1" {
		t.Errorf("%s events of the sign-in are left", n)
	}
}

// The audit trail outlives the sessions: 400 days unless a setting says otherwise.
func TestSweepDeletesTheAuditTrailInTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		setting string
		days    int
	}{{"", 400}, {"48h", 2}} {
		idle := servertest.New(t)
		idle.Register()
		idle.Clock.Advance(time.Duration(c.days)*24*time.Hour + time.Minute)
		s := servertest.New(t, servertest.Options{
			DatabaseURL: idle.DatabaseURL, Now: idle.Clock.Now, Start: true, Settings: map[string]string{"AUDIT_RETENTION": c.setting},
		})
		s.Eventually("the events are deleted", func() bool { return column(t, s, "SELECT count(*)::text FROM audit_events") == "0" })
	}
}
