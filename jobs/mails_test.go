package jobs_test

import (
	"context"
	"io"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/mail"
)

func quotedPrintable(message *netmail.Message) io.Reader {
	if message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		return quotedprintable.NewReader(message.Body)
	}
	return message.Body
}

var linkPattern = regexp.MustCompile(regexp.QuoteMeta(publicURL) + `(/account/[a-z-]+)(?:#token=([A-Za-z0-9_-]+))?`)

// Each mail arrives, its link works for as long as it says, and its token is
// nowhere else: not with the job, not in the log, and as a hash among the tokens.
func TestMails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		template, page, purpose string
		ttl                     time.Duration
	}{
		{jobs.MailWelcome, jobs.VerifyPage, jobs.PurposeVerify, jobs.VerifyTTL},
		{jobs.MailVerify, jobs.VerifyPage, jobs.PurposeVerify, jobs.VerifyTTL},
		{jobs.MailReset, jobs.ResetPage, jobs.PurposeReset, jobs.ResetTTL},
		{jobs.MailPasswordChanged, jobs.ForgotPage, "", 0},
	} {
		t.Run(c.template, func(t *testing.T) {
			t.Parallel()
			b := setUp(t)
			user := b.user("ada", "user", "")
			b.enqueue(jobs.Mail{Template: c.template, UserID: user.ID})
			b.start(b.jobs)
			b.becomes("mail", "completed 1")

			texts := b.post.to(user.Email)
			if len(texts) != 1 || b.post.count() != 1 {
				t.Fatalf("%d mails of %d are for the user", len(texts), b.post.count())
			}
			link := linkPattern.FindStringSubmatch(texts[0])
			if link == nil || link[1] != c.page || (link[2] == "") != (c.purpose == "") {
				t.Fatalf("the link is %q in %s", link, texts[0])
			}
			if c.purpose != "" {
				b.checkToken(link[2], c.purpose, c.ttl)
			}
		})
	}
}

func (b *bench) checkToken(token, purpose string, ttl time.Duration) {
	b.Helper()
	hash, err := auth.HashSecret(token)
	if err != nil {
		b.Fatal(err)
	}
	var expires time.Time
	err = b.pool.QueryRow(b.Context(), "SELECT expires_at FROM mail_tokens WHERE hash = $1 AND purpose = $2", hash, purpose).Scan(&expires)
	if err != nil || !expires.Equal(b.now.Add(ttl)) {
		b.Errorf("the token is valid until %s, error %v; want %s", expires, err, b.now.Add(ttl))
	}
	kept := b.text("SELECT (SELECT string_agg(river_job::text, '') FROM river_job) || (SELECT string_agg(mail_tokens::text, '') FROM mail_tokens)")
	if strings.Contains(kept, token) || strings.Contains(b.log.String(), token) {
		b.Error("the token is kept in clear")
	}
}

// Whoever asks for a mail to an address must not learn whether there is an
// account; and nobody is asked to confirm what is confirmed.
func TestMailsThatAreNotDue(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	inactive := b.user("inactive", "user", "is_active = false")
	verified := b.user("verified", "user", "email_verified_at = now()")
	deleted := b.user("deleted", "user", "deleted_at = now()")
	b.enqueue(
		jobs.Mail{Template: jobs.MailReset, Email: "nobody@example.com"},
		jobs.Mail{Template: jobs.MailWelcome, UserID: uuid.Must(uuid.NewV7())},
		jobs.Mail{Template: jobs.MailReset, Email: inactive.Email},
		jobs.Mail{Template: jobs.MailPasswordChanged, UserID: inactive.ID},
		jobs.Mail{Template: jobs.MailVerify, Email: verified.Email},
		jobs.Mail{Template: jobs.MailReset, Email: deleted.Email},
	)
	b.start(b.jobs)
	b.becomes("mail", "completed 6")
	if n := b.post.count(); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	if n := b.text("SELECT count(*)::text FROM mail_tokens"); n != "0" {
		t.Errorf("%s tokens were made", n)
	}
}

// A link to set a password is not for one that was changed since it was asked
// for: neither when the change is done, nor when it is just under way.
func TestResetLinksDoNotOutliveTheirPassword(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	changed, changing := b.user("ada", "user", ""), b.user("grace", "user", "")
	asked := func(user db.User, at time.Time) jobs.Mail {
		return jobs.Mail{Template: jobs.MailReset, Email: user.Email, AskedAt: at}
	}
	b.enqueue(asked(changed, b.now), asked(changing, b.now))
	const change = "UPDATE users SET password_changed_at = $2 WHERE id = $1"
	later := b.now.Add(time.Millisecond)
	b.exec(change, changed.ID, later)
	err := b.pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, change, changing.ID, later); err != nil {
			return err
		}
		b.start(b.jobs)
		b.eventually("the link waits for the change", func() bool {
			return b.text("SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == "1"
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.becomes("mail", "completed 2")
	if n := b.post.count(); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	if n := b.text("SELECT count(*)::text FROM mail_tokens"); n != "0" {
		t.Errorf("%s tokens were made", n)
	}

	b.enqueue(asked(changed, later)) // who asks now may set the new one
	b.becomes("mail", "completed 3")
	if n := len(b.post.to(changed.Email)); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

// An address is found in any letter case, and the mail goes to the one that the
// account has.
func TestMailToAnAddress(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	b.enqueue(jobs.Mail{Template: jobs.MailReset, Email: strings.ToUpper(user.Email)})
	b.start(b.jobs)
	b.becomes("mail", "completed 1")
	if texts := b.post.to(user.Email); len(texts) != 1 {
		t.Errorf("%d mails to the account's own address", len(texts))
	}
}

func TestRefusedMails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		template string
		codes    []int
		state    string
		mails    int
	}{
		"for good":         {jobs.MailReset, []int{550}, "cancelled 1", 0},
		"for a while":      {jobs.MailReset, []int{451}, "completed 1", 1},
		"no such template": {"nothing", nil, "cancelled 1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t)
			user := b.user("ada", "user", "")
			b.post.refuses(user.Email, c.codes...)
			b.enqueue(jobs.Mail{Template: c.template, UserID: user.ID})
			b.start(b.jobs)
			b.becomes("mail", c.state)
			if n := len(b.post.to(user.Email)); n != c.mails {
				t.Errorf("%d mails, want %d", n, c.mails)
			}
		})
	}
}

// Each active administrator gets one mail, though the job ran twice and though
// one of them has an address that takes none.
func TestNotifyAdmins(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	first, second, broken := b.user("first", "admin", ""), b.user("second", "admin", ""), b.user("broken", "admin", "")
	b.user("away", "admin", "is_active = false")
	user := b.user("newcomer", "user", "")
	b.post.refuses(broken.Email, 550)
	b.enqueue(jobs.NotifyAdmins{UserID: user.ID}, jobs.NotifyAdmins{UserID: user.ID})
	b.start(b.jobs)
	b.becomes("notify-admins", "completed 2")
	b.becomes("notify-admin", "cancelled 1, completed 2")
	for _, admin := range []string{first.Email, second.Email} {
		if texts := b.post.to(admin); len(texts) != 1 || !strings.Contains(texts[0], user.Username) {
			t.Errorf("%s got %q", admin, texts)
		}
	}
	if n := b.post.count(); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
}

// There may be nobody to tell, and nobody to tell of.
func TestNotifyNobody(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("newcomer", "user", "")
	b.enqueue(jobs.NotifyAdmins{UserID: user.ID})
	b.start(b.jobs)
	b.becomes("notify-admins", "completed 1")

	b.user("admin", "admin", "")
	b.exec("UPDATE users SET deleted_at = now() WHERE id = $1", user.ID)
	b.enqueue(jobs.NotifyAdmins{UserID: user.ID})
	b.becomes("notify-admin", "completed 1")
	if n := b.post.count(); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// stuck is a mail server that does not answer. began is closed at the first
// mail; with heeds the sender gives up when it is told to, as it should.
type stuck struct {
	began chan struct{}
	heeds bool
	end   chan struct{}
}

func (s *stuck) Send(ctx context.Context, _ mail.Message) error {
	close(s.began)
	if !s.heeds {
		<-s.end
		return nil
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// An address goes out of every job that holds it, even of one that is running,
// and out of no other.
func TestForgetAddress(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	sender := &stuck{began: make(chan struct{}), end: make(chan struct{})}
	held := b.newJobs(sender, auditRetention)
	b.enqueue(jobs.Mail{Template: jobs.MailReset, Email: user.Email, AskedAt: b.now})
	b.start(held)
	<-sender.began
	b.enqueue(jobs.Mail{Template: jobs.MailReset, Email: "ada@example.co", AskedAt: b.now})
	b.becomes("mail", "completed 1, running 1")

	err := b.pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error { return held.ForgetAddress(ctx, tx, "Ada@Example.com") })
	if err != nil {
		t.Fatal(err)
	}
	close(sender.end)
	b.becomes("mail", "completed 2")
	if left := b.text("SELECT string_agg(args->>'email', ' ') FROM river_job"); left != "ada@example.co" {
		t.Errorf("jobs hold %s", left)
	}
}

// Without its address a job finds nobody.
func TestForgottenAddressGetsNoMail(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	b.enqueue(jobs.Mail{Template: jobs.MailVerify, Email: user.Email})
	err := b.pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error { return b.jobs.ForgetAddress(ctx, tx, user.Email) })
	if err != nil {
		t.Fatal(err)
	}
	b.start(b.jobs)
	b.becomes("mail", "completed 1")
	if n := b.post.count(); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// A stop waits for its limit and no longer; what was not done then is done by
// the next instance.
func TestStopHandsBack(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	sender := &stuck{began: make(chan struct{}), heeds: true}
	leaving := b.newJobs(sender, auditRetention)
	if err := leaving.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.enqueue(jobs.Mail{Template: jobs.MailWelcome, UserID: user.ID})
	<-sender.began

	const limit = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	if err := leaving.Stop(ctx); err != nil {
		t.Errorf("the stop: %v", err)
	}
	if took := time.Since(began); took < limit || took > limit+2*time.Second {
		t.Errorf("the stop took %s, its limit was %s", took, limit)
	}
	if strings.Contains(b.states("mail"), "running") {
		t.Errorf("the job is not handed back: %s", b.states("mail"))
	}

	b.start(b.jobs)
	b.becomes("mail", "completed 1")
	if n := len(b.post.to(user.Email)); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

// Even a job that does not heed its end cannot hold up the stop.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	sender := &stuck{began: make(chan struct{}), end: make(chan struct{})}
	leaving := b.newJobs(sender, auditRetention)
	if err := leaving.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.enqueue(jobs.Mail{Template: jobs.MailWelcome, UserID: user.ID})
	<-sender.began

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if err := leaving.Stop(ctx); err == nil {
		t.Error("nothing says that a job is still running")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %s", took)
	}
	close(sender.end)
	b.becomes("mail", "completed 1")
}
