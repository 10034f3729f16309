package jobs_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/mail"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	publicURL      = "https://api.example.com"
	auditRetention = 30 * 24 * time.Hour
)

// bench is the jobs on a database of their own, with a mail server.
type bench struct {
	*testing.T
	pool    *pg.Pool
	queries *db.Queries
	post    *post
	dir     string       // where files are kept; bare-drops
	files   *files.Store // bare-drops
	log     *record
	jobs    *jobs.Jobs
	now     time.Time
}

// setUp does not start the jobs: a test first writes what they find.
func setUp(t *testing.T) *bench {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: pgtest.New(t), Size: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b := &bench{
		T: t, pool: pool, queries: db.New(pool), post: openPost(t), log: &record{},
		now: time.Now().Truncate(time.Microsecond),
	}
	// bare-drops {
	b.dir = t.TempDir()
	if b.files, err = files.OpenFolder(b.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.files.Close() })
	// bare-drops }
	b.jobs = b.newJobs(b.post.sender(t), auditRetention)
	return b
}

// newJobs is one instance of the server, as the jobs see it.
func (b *bench) newJobs(sender mail.Sender, audit time.Duration) *jobs.Jobs {
	b.Helper()
	j, err := jobs.New(jobs.Config{
		Direct: b.pool.Inner(), Queries: b.queries, Sender: sender, Project: "Accord", PublicURL: publicURL,
		Files:          b.files, // bare-drops
		AuditRetention: audit,
		Now:            func() time.Time { return b.now }, Test: true,
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		b.Fatal(err)
	}
	return j
}

func (b *bench) start(j *jobs.Jobs) {
	b.Helper()
	if err := j.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := j.Stop(ctx); err != nil {
			b.Errorf("stopping the jobs: %v", err)
		}
	})
}

// user is an account whose address nobody has confirmed; change may say more.
func (b *bench) user(name, role, change string) db.User {
	b.Helper()
	user, err := b.queries.UserCreate(b.Context(), db.UserCreateParams{
		ID: uuid.Must(uuid.NewV7()), Email: name + "@example.com", Username: name, FullName: "Somebody",
		PasswordHash: "x", Role: role, Now: b.now,
	})
	if err != nil {
		b.Fatal(err)
	}
	if change != "" {
		b.exec("UPDATE users SET "+change+" WHERE id = $1", user.ID)
	}
	return user
}

func (b *bench) enqueue(all ...jobs.Args) {
	b.Helper()
	err := b.pool.InTx(b.Context(), func(ctx context.Context, tx pgx.Tx) error {
		for _, job := range all {
			if err := b.jobs.Enqueue(ctx, tx, job); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) exec(sql string, args ...any) {
	b.Helper()
	if _, err := b.pool.Exec(b.Context(), sql, args...); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) text(sql string, args ...any) (text string) {
	b.Helper()
	if err := b.pool.QueryRow(b.Context(), sql, args...).Scan(&text); err != nil {
		b.Fatal(err)
	}
	return text
}

// states counts the jobs of a kind by how they stand: "completed 2".
func (b *bench) states(kind string) string {
	b.Helper()
	return b.text(`SELECT coalesce(string_agg(state || ' ' || n, ', ' ORDER BY state), '')
		FROM (SELECT state::text, count(*) AS n FROM river_job WHERE kind = $1 GROUP BY state) AS counts`, kind)
}

// becomes waits until the jobs of a kind stand so.
func (b *bench) becomes(kind, want string) {
	b.Helper()
	b.eventually(kind+" jobs are "+want, func() bool { return b.states(kind) == want })
}

func (b *bench) eventually(what string, holds func() bool) {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-limit:
			b.Fatalf("it never came true that %s\n%s\n%s", what, b.text(`SELECT coalesce(string_agg(concat_ws(' ', kind, state, attempt, errors), E'\n'), '') FROM river_job`), b.log)
		case <-tick.C:
		}
	}
}

// record is written by the jobs while a test reads it.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// post is a mail server. It refuses an address with the replies it was told,
// one each time, and then takes it.
type post struct {
	address string
	mu      sync.Mutex
	refuse  map[string][]*smtp.SMTPError
	taken   []mail.Message
}

func openPost(t *testing.T) *post {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{address: listener.Addr().String(), refuse: map[string][]*smtp.SMTPError{}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{post: p}, nil }))
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return p
}

func (p *post) sender(t *testing.T) mail.Sender {
	t.Helper()
	sender, err := mail.NewSMTP("smtp://"+p.address, "Accord <no-reply@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// refuses has the next mails to an address answered with these codes.
func (p *post) refuses(address string, codes ...int) {
	for _, code := range codes {
		p.refuse[address] = append(p.refuse[address], &smtp.SMTPError{Code: code, Message: "not now, or never"})
	}
}

// to lists the texts that an address was sent.
func (p *post) to(address string) (texts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, message := range p.taken {
		if message.To == address {
			texts = append(texts, message.Text)
		}
	}
	return texts
}

func (p *post) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.taken)
}

// delivery is one connection to the mail server.
type delivery struct {
	post *post
	to   string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Reset()                               {}
func (d *delivery) Logout() error                        { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.post.mu.Lock()
	defer d.post.mu.Unlock()
	d.to = to
	if replies := d.post.refuse[to]; len(replies) > 0 {
		d.post.refuse[to] = replies[1:]
		return replies[0]
	}
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	var body strings.Builder
	if _, err := io.Copy(&body, quotedPrintable(message)); err != nil {
		return err
	}
	d.post.mu.Lock()
	defer d.post.mu.Unlock()
	d.post.taken = append(d.post.taken, mail.Message{To: d.to, Subject: message.Header.Get("Subject"), Text: body.String()})
	return nil
}
