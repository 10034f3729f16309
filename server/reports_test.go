package server_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/servertest"
)

// reportsNoun is what the tests of all tables know of reports.
var reportsNoun = noun{
	seeded: []string{`INSERT INTO reports (id, user_id, kind, format, days, status, created_at, finished_at)
		SELECT gen_random_uuid(), id, 'orders', 'csv', 30, 'succeeded', now(), now() FROM users`},
	newer: []string{`INSERT INTO reports (id, user_id, kind, format, days, status, created_at, finished_at)
		VALUES (@id, @user, 'orders', 'csv', 30, 'cancelled', now(), now())`},
	tables: map[string]string{"jobs": "reports"},
	own:    func(p, _ *servertest.Person) { report(p, "orders", "csv") },
	mayBeNull: map[string]string{
		"reports.lease_token":      "nobody works on it",
		"reports.lease_expires_at": "nobody works on it",
		"reports.file_id":          "there is no file",
		"reports.finished_at":      "not finished",
	},
	outOfRange: map[string][]string{"reports": {
		"kind = 'nonsense'", "format = 'nonsense'", "days = 0", "days = 367", "progress = -1", "progress = 101",
		"status = 'nonsense', finished_at = NULL", "status = 'nonsense'",
		"status = 'running', finished_at = NULL", "lease_token = id, lease_expires_at = now()",
		"lease_expires_at = now()", "status = 'running', finished_at = NULL, lease_token = id",
		"finished_at = NULL", "status = 'queued'",
	}},
	readWhole: map[string]string{"UserCount": "how many rows a report will have, in a job"},
	servedBy: map[string][]string{
		"ReportListAbandoned": {"reports_lease_idx"},
		"ReportListWaiting":   {"reports_queued_idx"},
	},
}

// report asks for one and gives where it is.
func report(p *servertest.Person, kind, format string) string {
	p.T.Helper()
	answer := p.POST("/api/v1/reports/generate", map[string]any{"kind": kind, "format": format, "days": 30}).Expect(http.StatusAccepted)
	var job api.ReportJob
	answer.Into(&job)
	if job.Status != "queued" || answer.Header.Get("Location") != "/api/v1/reports/"+job.JobID.String() {
		p.T.Errorf("%s %s", answer.Body, answer.Header.Get("Location"))
	}
	return answer.Header.Get("Location")
}

// ended waits for a report's end.
func ended(p *servertest.Person, path string) (r api.Report) {
	p.T.Helper()
	p.Eventually("the report has ended", func() bool { return statusOf(p.Server, path) == "" })
	p.GET(path).Expect(http.StatusOK).Into(&r)
	return r
}

// statusOf a report that has not ended, as the database has it: who asks the
// server all the time is limited.
func statusOf(s *servertest.Server, path string) string {
	s.T.Helper()
	id := strings.TrimPrefix(path, "/api/v1/reports/")
	return column(s.T, s, "SELECT CASE WHEN finished_at IS NULL THEN status ELSE '' END FROM reports WHERE id = $1", id)
}

// kinds of the notifications of a person, newest first.
func kinds(p *servertest.Person) (kinds []string) {
	p.T.Helper()
	var page api.NotificationPage
	p.GET("/api/v1/notifications").Expect(http.StatusOK).Into(&page)
	for _, n := range page.Items {
		kinds = append(kinds, string(n.Kind))
	}
	return kinds
}

// content gives the bytes of a report's file, from the storage itself.
func content(t *testing.T, s *servertest.Server, r api.Report) string {
	t.Helper()
	if r.FileID == nil {
		t.Fatalf("no file: %+v", r)
	}
	return readStored(t, s, column(t, s, "SELECT storage_key FROM files WHERE id = $1", *r.FileID))
}

// readStored gives what the storage has under a key.
func readStored(t *testing.T, s *servertest.Server, key string) string {
	t.Helper()
	folder, err := url.Parse(s.Config.FilesURL)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder.Path, filepath.FromSlash(key)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReports(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	admin, buyer := s.Admin(), s.Register()
	lamp := product(admin, "LAMP", map[string]any{"price": 4999, "name": "=Lamp & <b>"})
	placed := order(buyer, line(lamp, 2))
	order(admin, line(lamp, 1))
	cancelled := order(buyer, line(lamp, 5))
	buyer.POST("/api/v1/orders/"+cancelled.ID.String()+"/cancel", nil).Expect(http.StatusOK)
	today := s.Clock.Now().UTC().Format(time.DateOnly)

	own := ended(buyer, report(buyer, "orders", "csv"))
	if own.Status != "succeeded" || own.Progress != 100 || own.Problem != nil {
		t.Errorf("report %+v", own)
	}
	if got := content(t, s, own); strings.Count(got, "\n") != 3 || !strings.Contains(got, placed.ID.String()) || !strings.Contains(got, "'=Lamp") {
		t.Errorf("orders:\n%s", got)
	}
	if got := content(t, s, ended(admin, report(admin, "sales", "csv"))); !strings.Contains(got, today+",") || !strings.Contains(got, ",EUR,2,3,14997\r\n") {
		t.Errorf("sales:\n%s", got)
	}
	if got := content(t, s, ended(admin, report(admin, "users", "csv"))); !strings.HasPrefix(got, "id,email,username") || strings.Count(got, "\n") != 3 {
		t.Errorf("users:\n%s", got)
	}
	page := content(t, s, ended(admin, report(admin, "sales", "html")))
	if !strings.Contains(page, "<svg") || !strings.Contains(page, today+": 3</title>") || !strings.Contains(page, "149.97 EUR") || strings.Contains(page, "<b>") {
		t.Errorf("page:\n%s", page)
	}
	if got := kinds(buyer); !slices.Equal(got, []string{"report.succeeded", "order.status", "order.placed", "order.placed", "security.new-sign-in"}) {
		t.Errorf("notifications %v", got)
	}
	if got := column(t, s, "SELECT name || ' ' || content_type FROM files WHERE id = $1", *own.FileID); got != "orders-"+today+".csv text/csv" {
		t.Errorf("file %s", got)
	}
}

func TestReportsAreTheirOwners(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, user := s.Admin(), s.Register()
	path := report(user, "orders", "csv")
	admin.GET(path).Expect(http.StatusNotFound)
	admin.POST(path+"/cancel", nil).Expect(http.StatusNotFound)
	user.GET("/api/v1/reports/" + uuid.NewString()).Expect(http.StatusNotFound)
	for _, kind := range []string{"sales", "users"} {
		answer := user.POST("/api/v1/reports/generate", map[string]any{"kind": kind, "format": "csv", "days": 30}).Expect(http.StatusForbidden)
		if got := answer.Header.Get("WWW-Authenticate"); !strings.Contains(got, `scope="admin"`) {
			t.Errorf("WWW-Authenticate %s", got)
		}
	}
	if got := user.POST("/api/v1/reports/generate", map[string]any{"kind": "orders", "format": "html", "days": 30}).Fields(); !slices.Equal(got, []string{"format enum"}) {
		t.Errorf("fields %v", got)
	}
	second := report(user, "orders", "csv")
	var page api.ReportPage
	answer := user.GET("/api/v1/reports?limit=1").Expect(http.StatusOK)
	answer.Into(&page)
	if len(page.Items) != 1 || !strings.HasSuffix(second, page.Items[0].JobID.String()) {
		t.Errorf("page %s", answer.Body)
	}
	var next api.ReportPage
	user.GET(answer.Link()).Expect(http.StatusOK).Into(&next)
	if len(next.Items) != 1 || !strings.HasSuffix(path, next.Items[0].JobID.String()) || next.NextCursor != nil {
		t.Errorf("next page %+v", next)
	}
}

// The same request sent again makes no second report.
func TestReportIsAskedForOnce(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user := s.Register()
	user.Header.Set("Idempotency-Key", "once")
	if first, second := report(user, "orders", "csv"), report(user, "orders", "csv"); first != second {
		t.Errorf("%s and %s", first, second)
	}
	if n := column(t, s, "SELECT count(*)::text FROM river_job WHERE kind = 'report'"); n != "1" {
		t.Errorf("%s jobs", n)
	}
}

func TestCancelReport(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true, ReportLease: 300 * time.Millisecond, Now: time.Now})
	user := s.Register()
	release := hold(t, s, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
	path := report(user, "orders", "csv")
	var r api.Report
	s.Eventually("it is being made", func() bool { return statusOf(s, path) == "running" })
	user.POST(path+"/cancel", nil).Expect(http.StatusOK).Into(&r)
	if r.Status != "cancelled" || r.FinishedAt == nil {
		t.Errorf("report %+v", r)
	}
	user.POST(path+"/cancel", nil).Expect(http.StatusConflict).Problem("report-ended")
	// The worker notices within a renewal, though the query still waits.
	s.Eventually("the job has ended", func() bool {
		return column(t, s, "SELECT string_agg(state::text, ' ') FROM river_job WHERE kind = 'report'") == "completed"
	})
	release()
	if got := ended(user, path); got.Status != "cancelled" || got.FileID != nil {
		t.Errorf("report %+v", got)
	}
	if got := kinds(user); slices.Contains(got, "report.succeeded") || slices.Contains(got, "report.failed") {
		t.Errorf("notifications %v", got)
	}
}

// A report whose worker has died is made anew, once, and its user is told once.
func TestAbandonedReportIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Now: time.Now})
	user := s.Register()
	path := report(user, "orders", "csv")
	// As a worker leaves it that was killed: River believes that it is at work.
	execute(t, s, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{gone}' WHERE kind = 'report'")
	execute(t, s, "UPDATE reports SET status = 'running', attempt = 1, lease_token = gen_random_uuid(), lease_expires_at = now() - interval '1 second'")

	for range 2 { // two instances find it
		servertest.New(t, servertest.Options{DatabaseURL: s.DatabaseURL, Start: true, Now: time.Now, Settings: map[string]string{"PUBLIC_URL": s.URL}})
	}
	if got := ended(user, path); got.Status != "succeeded" {
		t.Errorf("report %+v", got)
	}
	if n := column(t, s, "SELECT count(*)::text FROM files") + column(t, s, "SELECT count(*)::text FROM notifications WHERE kind = 'report.succeeded'"); n != "11" {
		t.Errorf("files and notifications: %s", n)
	}
}

// A report that fails is tried again, and in the end says why.
func TestReportFails(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true, Now: time.Now})
	admin := s.Admin()
	execute(t, s, "ALTER TABLE users RENAME COLUMN full_name TO other_name")
	execute(t, s, "CREATE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.scheduled_at = now(); NEW.state = 'available'; RETURN NEW; END $$")
	execute(t, s, "CREATE TRIGGER hurry BEFORE INSERT ON river_job FOR EACH ROW WHEN (NEW.state = 'scheduled') EXECUTE FUNCTION hurry()")
	path := "/api/v1/reports/" + uuid.NewString()
	execute(t, s, "INSERT INTO reports (id, user_id, kind, format, days, status, created_at) VALUES ('"+path[len("/api/v1/reports/"):]+"', '"+admin.User.ID.String()+"', 'users', 'csv', 30, 'queued', now())")
	enqueueReport(t, s, path[len("/api/v1/reports/"):])
	var r api.Report
	s.Eventually("the report has failed", func() bool {
		return column(t, s, "SELECT status FROM reports") == "failed"
	})
	execute(t, s, "ALTER TABLE users RENAME COLUMN other_name TO full_name")
	admin.GET(path).Expect(http.StatusOK).Into(&r)
	if r.Problem == nil || r.Problem.Type != "/problems/internal" || r.FileID != nil {
		t.Errorf("report %+v", r)
	}
	if n := column(t, s, "SELECT attempt::text FROM reports"); n != "5" {
		t.Errorf("%s tries", n)
	}
	if got := kinds(admin); got[0] != "report.failed" || strings.Count(strings.Join(got, " "), "report") != 1 {
		t.Errorf("notifications %v", got)
	}
}

// enqueueReport inserts the job of a report by itself.
func enqueueReport(t *testing.T, s *servertest.Server, id string) {
	t.Helper()
	execute(t, s, `INSERT INTO river_job (args, kind, max_attempts, queue, state) VALUES ('{"id": "`+id+`", "attempt": 0}', 'report', 3, 'reports', 'available')`)
}

// refused waits for a report's failure and checks why, and that nothing is left.
func refused(p *servertest.Person, path, problem string, files int) {
	p.T.Helper()
	if r := ended(p, path); r.Status != "failed" || r.Problem == nil || r.Problem.Type != "/problems/"+problem || r.FileID != nil {
		p.T.Errorf("report %+v, want %s", r, problem)
	}
	p.Eventually("its bytes are gone", func() bool { return len(stored(p.T.(*testing.T), p.Server)) == files })
	if got := kinds(p); !slices.Contains(got, "report.failed") {
		p.T.Errorf("notifications %v", got)
	}
}

// worksOn runs the jobs of a server that has none of its own.
func worksOn(t *testing.T, s *servertest.Server) {
	t.Helper()
	servertest.New(t, servertest.Options{DatabaseURL: s.DatabaseURL, Start: true, Settings: map[string]string{
		"PUBLIC_URL": s.URL, "FILES_URL": s.Config.FilesURL, "FILES_MAX_PER_USER": strconv.FormatInt(int64(s.Config.FilesMaxPerUser), 10),
	}})
}

// Who asked for a report as an administrator and is none any more gets none.
func TestReportOfADemotedAdministrator(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, user := s.Admin(), s.Register()
	users, own := report(admin, "users", "csv"), report(admin, "orders", "csv")
	ofInactive := report(user, "orders", "csv")
	execute(t, s, "UPDATE users SET role = 'user' WHERE role = 'admin'")
	execute(t, s, "UPDATE users SET is_active = false WHERE id = '"+user.User.ID.String()+"'")
	worksOn(t, s)
	if r := ended(admin, own); r.Status != "succeeded" {
		t.Errorf("report %+v", r)
	}
	refused(admin, users, "forbidden", 1)
	s.Eventually("the other one has failed", func() bool { return statusOf(s, ofInactive) == "" })
	if got := column(t, s, "SELECT problem || attempt FROM reports WHERE user_id = $1", user.User.ID); got != "forbidden1" {
		t.Errorf("report of an inactive account: %s", got)
	}
}

// Nor who loses the role while it is made.
func TestReportOfWhoIsDemotedMeanwhile(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	admin := s.Admin()
	release := hold(t, s, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
	path := report(admin, "sales", "csv")
	waits(t, s, "SalesBetween")
	execute(t, s, "UPDATE users SET role = 'user'")
	release()
	refused(admin, path, "forbidden", 0)
}

// A report counts among the user's files, and there may be no room for it.
func TestReportWithoutRoom(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true, Settings: map[string]string{"FILES_MAX_PER_USER": "1000"}})
	user := s.Register()
	file := upload(user, "x", strings.Repeat("x", 990))
	refused(user, report(user, "orders", "csv"), "quota-exceeded", 1)
	user.DELETE(pathOf(file), nil).Expect(http.StatusNoContent)
	if r := ended(user, report(user, "orders", "csv")); r.Status != "succeeded" {
		t.Errorf("report %+v", r)
	}

	// What comes in while it is made takes the room as well.
	release := hold(t, s, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
	path := report(user, "orders", "csv")
	waits(t, s, "OrderLineCountOf")
	execute(t, s, "UPDATE files SET size = 1000")
	release()
	refused(user, path, "quota-exceeded", 1)
}

// One that kills each of its workers has failed in the end.
func TestReportThatKillsItsWorkers(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user := s.Register()
	path := report(user, "orders", "csv")
	execute(t, s, "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{gone}' WHERE kind = 'report'")
	execute(t, s, "UPDATE reports SET status = 'running', attempt = 5, lease_token = gen_random_uuid(), lease_expires_at = now() - interval '1 minute'")
	worksOn(t, s)
	refused(user, path, "internal", 0)
}

// One whose job is lost gets another, and one whose job is still to come does not.
func TestReportWithoutItsJob(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user := s.Register()
	lost, waiting := report(user, "orders", "csv"), report(user, "orders", "csv")
	execute(t, s, "DELETE FROM river_job WHERE args ->> 'id' = '"+lost[len("/api/v1/reports/"):]+"'")
	execute(t, s, "UPDATE river_job SET state = 'scheduled', scheduled_at = now() + interval '1 hour' WHERE kind = 'report'")
	execute(t, s, "UPDATE reports SET created_at = created_at - interval '2 minutes'")
	worksOn(t, s)
	if r := ended(user, lost); r.Status != "succeeded" {
		t.Errorf("report %+v", r)
	}
	if got := statusOf(s, waiting) + column(t, s, "SELECT count(*)::text FROM river_job WHERE kind = 'report'"); got != "queued2" {
		t.Errorf("the other one and the jobs: %s", got)
	}
}

// How far a report of orders is, is measured by the lines of whom it is for.
func TestProgressIsOfOnesOwnOrders(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	lamp, one, another := product(s.Admin(), "LAMP", nil), s.Register(), s.Register()
	for _, buyer := range []*servertest.Person{one, another, another} {
		order(buyer, line(lamp, 1))
	}
	if n, err := db.New(many(t, s)).OrderLineCountOf(t.Context(), one.User.ID, s.Clock.Now().AddDate(0, 0, -1)); n != 1 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
}

// How far a report is, is told while it is made, long before a lease is renewed.
func TestProgressOfAReport(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true, ReportLease: 10 * time.Minute})
	admin, buyer := s.Admin(), s.Register()
	order(buyer, line(product(admin, "LAMP", nil), 1))
	release := hold(t, s, "SELECT pg_advisory_xact_lock(1)")
	execute(t, s, `ALTER TABLE order_lines RENAME TO lines`)
	execute(t, s, `CREATE FUNCTION awaited(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN true; END $$`)
	execute(t, s, `CREATE VIEW order_lines AS SELECT * FROM lines WHERE awaited(sku)`)
	path := report(admin, "sales", "csv") // of 30 days, the last of which has the order
	var r api.Report
	s.Eventually("29 days are told", func() bool {
		return column(t, s, "SELECT progress::text FROM reports") == "96"
	})
	admin.GET(path).Expect(http.StatusOK).Into(&r)
	if r.Status != "running" || r.Progress != 96 {
		t.Errorf("report %+v", r)
	}
	release()
	if r := ended(admin, path); r.Status != "succeeded" || r.Progress != 100 {
		t.Errorf("report %+v", r)
	}
}

// Who is no administrator any more is not given what an administrator was answered.
func TestReplayKeepsToTheRole(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	other, admin := s.Admin(), s.Admin()
	ask := func() *servertest.Answer {
		return admin.POST("/api/v1/reports/generate", map[string]any{"kind": "sales", "format": "csv", "days": 30})
	}
	admin.Header.Set("Idempotency-Key", "once")
	ask().Expect(http.StatusAccepted)
	if got := ask().Expect(http.StatusAccepted).Header.Get("Idempotency-Replayed"); got != "true" {
		t.Errorf("Idempotency-Replayed %q", got)
	}
	other.PATCH("/api/v1/admin/users/"+admin.User.ID.String(), map[string]any{"role": "user"}).Expect(http.StatusOK)
	ask().Expect(http.StatusUnprocessableEntity).Problem("idempotency-key-reused")
	admin.Header.Set("Idempotency-Key", "another")
	ask().Expect(http.StatusForbidden)
}
