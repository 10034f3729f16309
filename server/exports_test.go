package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// exportsNoun is what the tests of all tables know of exports.
var exportsNoun = noun{
	readWhole: map[string]string{"UserExport": "exports all accounts; twice at once at most"},
}

// table reads the rows of a CSV answer.
func table(t *testing.T, a *servertest.Answer) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(a.Expect(http.StatusOK).Body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestExportUsers(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	s.Somebody().POST("/api/v1/users", registration(map[string]any{"full_name": `=HYPERLINK("x";"y")`})).Expect(http.StatusCreated)
	gone := s.Register()
	gone.DELETE("/api/v1/users/me", map[string]any{"password": gone.Password}).Expect(http.StatusNoContent)

	answer := admin.GET("/api/v1/export/users")
	rows := table(t, answer)
	if got := strings.Join(rows[0], ","); got != "id,email,username,full_name,role,is_active,email_verified,created_at" {
		t.Errorf("columns %s", got)
	}
	if len(rows) != 3 || rows[1][2] != admin.User.Username || rows[1][4] != "admin" || rows[1][6] != "true" || rows[2][3] != `'=HYPERLINK("x";"y")` {
		t.Errorf("rows %v", rows)
	}
	if _, err := time.Parse(time.RFC3339, rows[1][7]); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"Content-Disposition": `attachment; filename="users.csv"`, "Content-Type": "text/csv; charset=utf-8", "Cache-Control": "no-store",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := strings.Join(answer.Header.Values("Vary"), ", "); !strings.Contains(got, "Accept") || !strings.Contains(got, "Accept-Encoding") {
		t.Errorf("Vary: %s", got)
	}
	if n := column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'export.users' AND outcome = 'succeeded'"); n != "1" {
		t.Errorf("%s events", n)
	}
	s.Register().GET("/api/v1/export/users").Expect(http.StatusForbidden)
}

func TestExportAsNDJSON(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	s.Somebody().POST("/api/v1/users", registration(map[string]any{"full_name": "=1+1 <b>"})).Expect(http.StatusCreated)
	admin.Header.Set("Accept", "application/x-ndjson")
	answer := admin.GET("/api/v1/export/users").Expect(http.StatusOK)
	if got := answer.Header.Get("Content-Disposition"); got != `attachment; filename="users.ndjson"` {
		t.Errorf("Content-Disposition %s", got)
	}
	var names []string
	for line := range strings.Lines(string(answer.Body)) {
		var row struct {
			FullName      string `json:"full_name"`
			EmailVerified bool   `json:"email_verified"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		names = append(names, row.FullName)
	}
	if len(names) != 2 || names[1] != "=1+1 <b>" {
		t.Errorf("names %q", names)
	}
}

// Which form is chosen (RFC 9110, section 12.5.1).
func TestExportNegotiates(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for accept, want := range map[string]string{
		"-":                              "text/csv", // none
		"":                               "text/csv",
		" , ":                            "text/csv",
		"*/*":                            "text/csv",
		"text/*":                         "text/csv",
		"application/*":                  "application/x-ndjson",
		"text/csv;q=0.5, */*;q=0.6":      "application/x-ndjson",
		"text/csv;q=0, */*":              "application/x-ndjson",
		"application/x-ndjson, text/csv": "text/csv",
		"text/html, text/csv;q=0.1":      "text/csv",
		"application/json":               "",
		"text/csv;q=0":                   "",
		"text/csv;q=much":                "",
		"nonsense":                       "",
	} {
		admin.Header.Set("Accept", accept)
		if accept == "-" {
			admin.Header.Del("Accept")
		}
		answer := admin.GET("/api/v1/export/orders")
		if want == "" {
			answer.Expect(http.StatusNotAcceptable).Problem("not-acceptable")
			continue
		}
		if got, _, _ := strings.Cut(answer.Expect(http.StatusOK).Header.Get("Content-Type"), ";"); got != want {
			t.Errorf("%s: %s, want %s", accept, got, want)
		}
	}
}

func TestExportOrders(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp, book := product(admin, "LAMP", map[string]any{"price": 4999, "name": "@Lamp"}), product(admin, "BOOK", nil)
	placed := order(buyer, line(lamp, 2), line(book, 1))
	s.Clock.Advance(10 * time.Minute)
	order(buyer, line(book, 3))
	rows := table(t, admin.GET("/api/v1/export/orders"))
	want := []string{
		"order_id,created_at,status,user_id,username,email,position,sku,name,quantity,price,amount,currency",
		strings.Join([]string{placed.ID.String(), placed.CreatedAt.Format(time.RFC3339Nano), "pending", buyer.User.ID.String(), buyer.User.Username, buyer.User.Email, "1,LAMP,'@Lamp,2,4999,9998,EUR"}, ","),
	}
	if len(rows) != 4 || strings.Join(rows[0], ",") != want[0] || strings.Join(rows[1], ",") != want[1] {
		t.Errorf("rows %v, want %v", rows, want)
	}
	middle := s.Clock.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	if n := len(table(t, admin.GET("/api/v1/export/orders?to="+middle))); n != 3 {
		t.Errorf("%d rows before", n)
	}
	if n := len(table(t, admin.GET("/api/v1/export/orders?from="+middle))); n != 2 {
		t.Errorf("%d rows after", n)
	}
	if n := len(table(t, admin.GET("/api/v1/export/orders?from="+middle+"&to="+middle))); n != 1 {
		t.Errorf("%d rows between", n)
	}
	if got := admin.GET("/api/v1/export/orders?to=" + middle + "&from=" + s.Clock.Now().UTC().Format(time.RFC3339)).Fields(); !slices.Equal(got, []string{"from maximum"}) {
		t.Errorf("fields %v", got)
	}
	execute(t, s, "UPDATE orders SET created_at = created_at + interval '50 years'")
	if n := len(table(t, admin.GET("/api/v1/export/orders"))); n != 4 {
		t.Errorf("%d rows after 2038", n)
	}
	if got := admin.GET("/api/v1/export/orders?from=yesterday").Fields(); !slices.Equal(got, []string{"from format"}) {
		t.Errorf("fields %v", got)
	}
}

func TestExportIsCompressed(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	seedFor(t, s, admin, "500")
	plain := admin.GET("/api/v1/export/users").Expect(http.StatusOK)
	admin.Header.Set("Accept-Encoding", "gzip")
	packed := admin.GET("/api/v1/export/users").Expect(http.StatusOK)
	if got := packed.Header.Get("Content-Encoding"); got != "gzip" || len(packed.Body) > len(plain.Body)/2 {
		t.Errorf("Content-Encoding %s, %d bytes of %d", got, len(packed.Body), len(plain.Body))
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed.Body))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(reader); err != nil || !bytes.Equal(unpacked, plain.Body) {
		t.Errorf("unpacked it is something else (%v)", err)
	}
	head := admin.Do(http.MethodHead, "/api/v1/export/users", "", nil).Expect(http.StatusOK)
	if got := head.Header.Get("Content-Disposition"); got != `attachment; filename="users.csv"` || strings.Join(head.Header.Values("Vary"), ", ") != strings.Join(plain.Header.Values("Vary"), ", ") {
		t.Errorf("HEAD: %v, GET: %v", head.Header, plain.Header)
	}
}

// manyUsers makes 100,000 accounts, with names that cannot be compressed.
func manyUsers(t *testing.T, s *servertest.Server) {
	t.Helper()
	execute(t, s, `INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		SELECT gen_random_uuid(), 'many' || n || '@example.com', 'many' || n, md5(n::text) || md5((-n)::text), '', 'user', now(), now() FROM generate_series(1, 100000) n`)
}

// open begins a download whose body the test reads by itself.
func open(t *testing.T, p *servertest.Person, encoding string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/api/v1/export/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
	r.Header.Set("Accept-Encoding", encoding)
	response, err := p.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	return response
}

const exporting = "pid <> pg_backend_pid() AND datname = current_database() AND query LIKE '-- name: UserExport %' AND state = 'active'"

// A client never takes half for whole: what fails midway breaks the connection.
func TestABrokenExportBreaksTheConnection(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	manyUsers(t, s) // more than the buffers on the way hold
	for _, encoding := range []string{"identity", "gzip"} {
		response := open(t, admin, encoding)
		reader := bufio.NewReader(response.Body)
		if _, err := reader.Peek(10); err != nil {
			t.Fatal(err)
		}
		if n := column(t, s, "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE "+exporting); n != "1" {
			t.Fatalf("%s: %s queries are under way", encoding, n)
		}
		if n, err := io.Copy(io.Discard, reader); err == nil {
			t.Errorf("%s: the client sees a whole answer after %d bytes", encoding, n)
		}
		response.Body.Close()
	}
	if n := column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'export.users' AND outcome = 'failed'"); n != "2" {
		t.Errorf("%s failures are audited", n)
	}
	// Whether the database's farewell is read before its end of the connection is a race.
	told := regexp.MustCompile(`"level":"(WARN|ERROR)","msg":"request".*"operation":"exportUsers".*"error":"[^"]`).FindAllString(s.Log.String(), -1)
	if len(told) != 2 {
		t.Errorf("the log tells of %d failures and why: %s", len(told), s.Log.String())
	}
}

// To a client of HTTP/1.0 the end of the connection is the end of the answer, so
// what fails must not end it in order. Proxies speak it to their servers.
func TestABrokenExportResetsAnOldClient(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	manyUsers(t, s)
	for _, encoding := range []string{"identity", "gzip"} {
		conn := dial(t, s.URL)
		fmt.Fprintf(conn, "GET /api/v1/export/users HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nAccept-Encoding: %s\r\n\r\n", admin.Tokens.AccessToken, encoding)
		reader := bufio.NewReader(conn)
		if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
			t.Fatalf("answer %q (%v)", line, err)
		}
		if n := column(t, s, "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE "+exporting); n != "1" {
			t.Fatalf("%s: %s queries are under way", encoding, n)
		}
		if n, err := io.Copy(io.Discard, reader); err == nil {
			t.Errorf("%s: the client sees a whole answer after %d bytes", encoding, n)
		}
	}
}

// Who goes away in the middle ends the query, and that is no fault of the server.
func TestACancelledExportEndsItsQuery(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	manyUsers(t, s)
	for _, encoding := range []string{"identity", "gzip"} {
		response := open(t, admin, encoding)
		if n := column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE "+exporting); n != "1" {
			t.Fatalf("%s queries are under way", n)
		}
		response.Body.Close()
		s.Eventually("the query has ended", func() bool {
			return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE "+exporting) == "0"
		})
	}
	told := regexp.MustCompile(`"level":"INFO","msg":"request".*"operation":"exportUsers".*"problem":"request-timeout"`)
	s.Eventually("both are told as cancelled", func() bool { return len(told.FindAllString(s.Log.String(), -1)) == 2 })
	if log := s.Log.String(); strings.Contains(log, `"level":"WARN"`) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("it counts as a failure of the server: %s", log)
	}
}

// Who stays and does not read holds the query no longer than the stall.
func TestAStalledExportEndsItsQuery(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Stall: 500 * time.Millisecond})
	admin := s.Admin()
	manyUsers(t, s)
	response := open(t, admin, "identity")
	defer response.Body.Close()
	if n := column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE "+exporting); n != "1" {
		t.Fatalf("%s queries are under way", n)
	}
	s.Eventually("the query has ended", func() bool {
		return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE "+exporting) == "0"
	})
	if n, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Errorf("the client sees a whole answer after %d bytes", n)
	}
	s.Eventually("it is audited", func() bool {
		return column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'export.users' AND outcome = 'failed'") == "1"
	})
}

// All rows are of the moment in which the export began.
func TestExportIsOneSnapshot(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	manyUsers(t, s)
	response := open(t, admin, "identity")
	defer response.Body.Close()
	execute(t, s, "UPDATE users SET full_name = 'changed'")
	execute(t, s, "INSERT INTO users SELECT gen_random_uuid(), 'new' || email, 'new' || username, 'new', '', 'user', true, NULL, created_at, updated_at FROM users LIMIT 1000")
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(body, []byte("\n")); n != 100_002 || bytes.Contains(body, []byte("changed")) {
		t.Errorf("%d lines, or changed ones", n)
	}
}

// Memory does not grow with the table, though the client reads slowly.
func TestExportTakesConstantMemory(t *testing.T) { //nolint:paralleltest // it measures the process
	s := servertest.New(t)
	admin := s.Admin()
	manyUsers(t, s)
	open(t, admin, "identity").Body.Close() // what is made once
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var most uint64
	response := open(t, admin, "identity")
	defer response.Body.Close()
	chunk := make([]byte, 1<<20)
	for {
		_, err := io.ReadFull(response.Body, chunk)
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse+now.StackInuse)
		if err != nil {
			break
		}
	}
	if grown := int64(most) - int64(before.HeapInuse+before.StackInuse); grown > 32<<20 {
		t.Errorf("it grew by %d bytes", grown)
	} else {
		t.Logf("it grew by %.1f MiB", float64(grown)/(1<<20))
	}
}

// The first row of an export comes at once: nothing is sorted or gathered before
// it, whether the plan is made for its arguments or for any.
func TestExportsBeginAtOnce(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		execOn(t, conn, "SET plan_cache_mode = "+mode)
		for _, name := range []string{"UserExport", "OrderLineExport"} {
			for _, node := range nodes(plan(t, conn, name, queriesOf(t)[name])) {
				if !slices.Contains([]string{"Limit", "Result", "Nested Loop", "Memoize", "Index Scan"}, node) {
					t.Errorf("%s, %s: the plan has a node %s", name, mode, node)
				}
			}
		}
	}
}
