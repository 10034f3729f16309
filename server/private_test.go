package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/redistest"
	"github.com/accord-api/accord/servertest"
)

// withEachCache runs a test on one server that keeps answers in memory, and on
// two that share them in Redis.
func withEachCache(t *testing.T, test func(t *testing.T, servers []*servertest.Server)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, []*servertest.Server{servertest.New(t)})
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		first, second := instances(t, patient(redistest.URL(t)))
		test(t, []*servertest.Server{first, second})
	})
}

// owner is somebody with one of everything that belongs to a user, and what shows
// that an answer is about them. Administrators may be shown what is about others,
// and have no marks.
type owner struct {
	*servertest.Person
	ids   map[string][]string // by table
	marks []string
}

func newOwner(t *testing.T, p *servertest.Person, admin *servertest.Person) *owner {
	t.Helper()
	name := p.User.Username
	ownEverything(p, admin)
	o := &owner{Person: p, ids: map[string][]string{"users": {p.User.ID.String()}}, marks: []string{name, p.User.ID.String()}}
	for table := range strings.FieldsSeq(column(t, p.Server, `
		SELECT string_agg(table_name, ' ') FROM information_schema.columns AS c
		WHERE table_schema = 'public' AND column_name = 'user_id' AND EXISTS (
			SELECT FROM information_schema.columns AS i WHERE i.table_name = c.table_name AND i.column_name = 'id')`)) {
		o.ids[table] = strings.Fields(column(t, p.Server, "SELECT coalesce(string_agg(id::text, ' '), '') FROM "+table+" WHERE user_id = $1", p.User.ID))
		o.marks = append(o.marks, o.ids[table]...)
	}
	return o
}

// url fills the path's parameters with ids of what the owner has.
func (p *owner) url(o operation) string {
	return pathParameter.ReplaceAllStringFunc(o.Path, func(parameter string) string {
		table := strings.TrimSuffix(strings.Trim(parameter, "{}"), "_id") + "s"
		if named := mapped(func(n noun) map[string]string { return n.tables })[table]; named != "" {
			table = named
		}
		if len(p.ids[table]) == 0 {
			p.T.Fatalf("%s: nobody has any %s; newOwner has to make one", o.Path, table)
		}
		return p.ids[table][0]
	})
}

// knows fails the test when an answer holds anything of somebody else's.
func (p *owner) knows(a *servertest.Answer, another *owner) {
	p.T.Helper()
	for _, mark := range another.marks {
		if bytes.Contains(a.Body, []byte(mark)) {
			p.T.Errorf("%s: somebody is shown %s of another: %s", a.Request.URL.Path, mark, a.Body)
		}
	}
}

// privateCacheControl fails the test when an answer may be kept for others.
func privateCacheControl(t *testing.T, a *servertest.Answer) {
	t.Helper()
	directives := strings.Split(a.Header.Get("Cache-Control"), ", ")
	if !slices.Contains(directives, "no-store") && !slices.Contains(directives, "private") || slices.Contains(directives, "public") {
		t.Errorf("%s: status %d with Cache-Control %q", a.Request.URL.Path, a.Status, directives)
	}
}

// Private answers are never shared between users: whoever asks first, side by
// side or on whichever instance, nobody is shown what is another's, and no tag of
// one's answer makes another's one unchanged.
func TestPrivateAnswersAreNeverShared(t *testing.T) {
	t.Parallel()
	withEachCache(t, func(t *testing.T, servers []*servertest.Server) {
		t.Helper()
		s := servers[0]
		users := []*owner{newOwner(t, s.Register(), s.Admin()), newOwner(t, s.Register(), s.Admin())}
		admins := []*owner{newOwner(t, s.Admin(), s.Admin()), newOwner(t, s.Admin(), s.Admin())}
		admins[0].marks, admins[1].marks = nil, nil
		for _, o := range document(t) {
			if o.Method != http.MethodGet || o.public() {
				continue
			}
			pair := users
			if o.wants("admin") {
				pair = admins
			}
			for _, mine := range pair {
				checkPrivate(t, servers, o, pair, mine.url(o))
				if pathParameter.FindString(o.Path) == "" {
					break // the other one's path is the same
				}
			}
		}
	})
}

// checkPrivate lets two ask for the same, side by side, and then one after the
// other and on each server, the second one with the tag of the first.
func checkPrivate(t *testing.T, servers []*servertest.Server, o operation, pair []*owner, path string) {
	t.Helper()
	ask := func(s *servertest.Server, p *owner, tag string) *servertest.Answer {
		at := sameAt(s, p.Person)
		if tag != "" {
			at.Header.Set("If-None-Match", tag)
		}
		answer := at.GET(path)
		privateCacheControl(t, answer)
		if !slices.Contains([]int{http.StatusOK, http.StatusNotModified, http.StatusNotFound}, answer.Status) {
			t.Errorf("%s %s: status %d: %s", o.ID, path, answer.Status, answer.Body)
		}
		return answer
	}
	answers := atOnce(len(pair), func(i int) *servertest.Answer { return ask(servers[i%len(servers)], pair[i], "") })
	for _, s := range servers {
		for i, p := range pair {
			other := answers[1-i]
			again := ask(s, p, other.Header.Get("ETag"))
			if again.Status == http.StatusNotModified && !bytes.Equal(answers[i].Body, other.Body) {
				t.Errorf("%s: the tag of another's answer makes one's own unchanged", o.ID)
			}
			if answers[i].Status == http.StatusNotFound && again.Status != http.StatusNotFound {
				t.Errorf("%s: what is not there for somebody is answered with %d", o.ID, again.Status)
			}
			p.knows(answers[i], pair[1-i])
			p.knows(again, pair[1-i])
		}
	}
}

// An answer that is kept is its user's alone, though another one's would be made
// of the same. It stays where it was made: Redis holds none of one user.
func TestKeptPrivateAnswersAreTheirUsers(t *testing.T) {
	t.Parallel()
	withEachCache(t, func(t *testing.T, servers []*servertest.Server) {
		t.Helper()
		const path = "/api/v1/admin/stats"
		s := servers[0]
		one, another := s.Admin(), s.Admin()
		first := one.GET(path).Expect(http.StatusOK)
		execute(t, s, "UPDATE users SET created_at = created_at - interval '2 days'") // which no cache knows of
		for i, s := range servers {
			at := sameAt(s, another)
			at.Header.Set("If-None-Match", first.Header.Get("ETag"))
			if second := at.GET(path).Expect(http.StatusOK); bytes.Equal(second.Body, first.Body) {
				t.Errorf("somebody is given what is kept for another: %s", second.Body)
			}
			at = sameAt(s, one)
			if kept := bytes.Equal(at.GET(path).Expect(http.StatusOK).Body, first.Body); kept != (i == 0) {
				t.Errorf("instance %d: what was kept is given: %t", i, kept)
			}
			at.Header.Set("If-None-Match", first.Header.Get("ETag"))
			at.GET(path).Expect(map[bool]int{true: http.StatusNotModified, false: http.StatusOK}[i == 0])
			s.Register().GET(path).Expect(http.StatusForbidden)
		}
	})
}

// Whatever somebody does to all that is theirs, nothing of another's changes.
func TestNobodyChangesWhatIsAnothers(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	one, another := s.Register(), s.Register()
	for _, p := range []*servertest.Person{one, another} {
		useEverything(t, s, p)
		p.POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	}
	s.Eventually("all jobs are done and their mails are sent", func() bool {
		return column(t, s, "SELECT count(*)::text FROM river_job WHERE finalized_at IS NULL") == "0" &&
			column(t, s, "SELECT count(*)::text FROM mail_tokens") == "4"
	})
	before := rowsOf(t, conn, another.User.ID)
	one.POST("/api/v1/notifications/read-all", nil).Expect(http.StatusOK) // bare-drops
	one.PUT("/api/v1/users/me/password", map[string]any{"current_password": one.Password, "new_password": "Difference-1822"}).Expect(http.StatusNoContent)
	one.Password = "Difference-1822"
	one.POST("/api/v1/auth/logout-all", nil).Expect(http.StatusNoContent)
	one.SignIn()
	one.DELETE("/api/v1/users/me", map[string]any{"password": one.Password}).Expect(http.StatusNoContent)
	for column, rows := range rowsOf(t, conn, another.User.ID) {
		if rows != before[column] {
			t.Errorf("%s of another was\n%s\nand is\n%s", column, before[column], rows)
		}
	}
}

// rowsOf gives all rows that name an account, by their column.
func rowsOf(t *testing.T, conn *pgx.Conn, user uuid.UUID) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for _, c := range ownerColumns(t, conn) {
		sql := fmt.Sprintf(`SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') FROM %s r WHERE %s = $1`, c.table, c.name)
		rows[c.table+"."+c.name] = textsOf(t, conn, sql, user)[0]
	}
	return rows
}

// atOnce runs n calls side by side and gives what each of them gave.
func atOnce[R any](n int, call func(i int) R) []R {
	results := make([]R, n)
	start, done := make(chan struct{}), make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			<-start
			results[i] = call(i)
		}()
	}
	close(start)
	for range n {
		<-done
	}
	return results
}
