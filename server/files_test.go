package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// filesNoun is what the tests of all tables know of files, and of who owns their storage.
var filesNoun = noun{
	seeded: []string{
		`INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
			SELECT gen_random_uuid(), id, '', '', 1, sha256(''), id::text, now() FROM users`,
		`INSERT INTO storage_owner (id, sweeps) VALUES (gen_random_uuid(), 1)`,
	},
	newer: []string{`INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
		VALUES (@id, @user, 'x.txt', 'text/plain', 1, sha256(''), @id::uuid::text, now())`},
	many: func(id, rows string) []string {
		return []string{`INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
			SELECT gen_random_uuid(), '` + id + `', 'name', '', 1, sha256(''), 'uploads/' || n, now() FROM generate_series(1, ` + rows + `) n`}
	},
	own: func(p, _ *servertest.Person) { upload(p, p.User.Username+".txt", "of "+p.User.Username) },
	outOfRange: map[string][]string{
		"files": {
			"name = repeat('x', 256)", "content_type = repeat('x', 101)", "size = -1", "size = 9007199254740992", `sha256 = '\x00'`, "storage_key = repeat('x', 201)",
		},
		"storage_owner": {"one = false"},
	},
	twice:     []string{"UPDATE files SET storage_key = 'x'"},
	readWhole: map[string]string{"StorageSwept": "the table has one row"},
}

const filesPath = "/api/v1/files"

// part is one of a form: its Content-Disposition and its content.
type part struct{ disposition, content string }

// filePart is the part of a file.
func filePart(name, content string) part {
	return part{mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": name}), content}
}

// formOf writes a form.
func formOf(t testing.TB, parts ...part) (contentType string, body []byte) {
	t.Helper()
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	for _, p := range parts {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {p.disposition}, "Content-Type": {"image/png"}})
		if err == nil {
			_, err = io.WriteString(w, p.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return form.FormDataContentType(), buffer.Bytes()
}

func sendForm(p *servertest.Person, parts ...part) *servertest.Answer {
	p.T.Helper()
	contentType, body := formOf(p.T, parts...)
	return p.Do(http.MethodPost, filesPath, contentType, body)
}

// upload stores a file for a test.
func upload(p *servertest.Person, name, content string) (file api.File) {
	p.T.Helper()
	sendForm(p, filePart(name, content)).Expect(http.StatusCreated).Into(&file)
	return file
}

func pathOf(f api.File) string { return filesPath + "/" + f.ID.String() }

// storageDir is the folder in which a test's server keeps files.
func storageDir(t *testing.T, s *servertest.Server) string {
	t.Helper()
	folder, err := url.Parse(s.Config.FilesURL)
	if err != nil {
		t.Fatal(err)
	}
	return folder.Path
}

// stored lists what is in the storage, what is being written as well, but not
// what says whose it is.
func stored(t *testing.T, s *servertest.Server) []string {
	t.Helper()
	names := []string{}
	root := storageDir(t, s)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "owner" {
			return err
		}
		name, err := filepath.Rel(root, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// holdsFiles fails the test unless so many files have rows and bytes.
func holdsFiles(t *testing.T, s *servertest.Server, rows, keys int) {
	t.Helper()
	if got := column(t, s, "SELECT count(*)::text FROM files"); got != fmt.Sprint(rows) {
		t.Errorf("%s rows, want %d", got, rows)
	}
	if got := stored(t, s); len(got) != keys {
		t.Errorf("stored are %q, want %d", got, keys)
	}
}

// becomesEmpty waits until the storage is.
func becomesEmpty(t *testing.T, s *servertest.Server) {
	t.Helper()
	s.Eventually("the storage is empty", func() bool { return len(stored(t, s)) == 0 })
}

func TestFiles(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	p := s.Register()
	created := sendForm(p, filePart("notes.txt", "Notes.\n")).Expect(http.StatusCreated)
	var file api.File
	created.Into(&file)
	sum := sha256.Sum256([]byte("Notes.\n"))
	if file.Name != "notes.txt" || file.ContentType != "text/plain; charset=utf-8" || file.Size != 7 || file.Sha256 != hex.EncodeToString(sum[:]) || !file.CreatedAt.Equal(s.Clock.Now()) {
		t.Errorf("file %s", created.Body)
	}
	if got := created.Header.Get("Location"); got != pathOf(file) {
		t.Errorf("Location %q", got)
	}
	if got := stored(t, s); !slices.Equal(got, []string{"uploads/" + file.ID.String()}) {
		t.Errorf("stored are %q", got)
	}

	answer := p.GET(created.Header.Get("Location")).Expect(http.StatusOK)
	if string(answer.Body) != "Notes.\n" {
		t.Errorf("body %q", answer.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": file.ContentType, "Content-Length": "7", "ETag": `"` + file.Sha256 + `"`, "Accept-Ranges": "bytes",
		"Last-Modified":       s.Clock.Now().UTC().Format(http.TimeFormat),
		"Content-Disposition": `attachment; filename="notes.txt"; filename*=UTF-8''notes.txt`,
		"Cache-Control":       "private, max-age=0, must-revalidate", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	head := p.Do(http.MethodHead, pathOf(file), "", nil).Expect(http.StatusOK)
	if head.Header.Get("Content-Length") != "7" || head.Header.Get("ETag") != answer.Header.Get("ETag") {
		t.Errorf("HEAD: %v", head.Header)
	}

	p.DELETE(pathOf(file), nil).Expect(http.StatusNoContent)
	p.GET(pathOf(file)).Expect(http.StatusNotFound).Problem("not-found")
	p.DELETE(pathOf(file), nil).Expect(http.StatusNotFound)
	becomesEmpty(t, s)
	events := column(t, s, "SELECT string_agg(concat(action, ' ', outcome), ', ' ORDER BY id) FROM audit_events WHERE action LIKE 'file.%'")
	if events != "file.upload succeeded, file.delete succeeded, file.delete failed" {
		t.Errorf("events %s", events)
	}
}

func TestListFiles(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p, other := s.Register(), s.Register()
	first, second := upload(p, "1", "a"), upload(p, "2", "b")
	upload(other, "3", "c")
	answer := p.GET(filesPath + "?limit=1").Expect(http.StatusOK)
	var page, next api.FilePage
	answer.Into(&page)
	p.GET(answer.Link()).Expect(http.StatusOK).Into(&next)
	if len(page.Items) != 1 || page.Items[0] != second || len(next.Items) != 1 || next.Items[0] != first || next.NextCursor != nil {
		t.Errorf("pages %+v, %+v", page, next)
	}
	if got := string(s.Register().GET(filesPath).Expect(http.StatusOK).Body); got != `{"items":[],"next_cursor":null}`+"\n" {
		t.Errorf("nobody else's: %s", got)
	}
}

func TestFilesAreTheirOwners(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	owner, other, admin := s.Register(), s.Register(), s.Admin()
	file := upload(owner, "x.txt", "mine")
	other.GET(pathOf(file)).Expect(http.StatusNotFound).Problem("not-found")
	other.Do(http.MethodHead, pathOf(file), "", nil).Expect(http.StatusNotFound)
	other.DELETE(pathOf(file), nil).Expect(http.StatusNotFound)
	s.Somebody().GET(pathOf(file)).Expect(http.StatusUnauthorized)
	owner.GET(filesPath + "/" + uuid.NewString()).Expect(http.StatusNotFound)
	if got := admin.GET(pathOf(file)).Expect(http.StatusOK); string(got.Body) != "mine" {
		t.Errorf("the administrator reads %q", got.Body)
	}
	admin.DELETE(pathOf(file), nil).Expect(http.StatusNoContent)
	owner.GET(pathOf(file)).Expect(http.StatusNotFound)
	subject := column(t, s, "SELECT subject_id::text FROM audit_events WHERE action = 'file.delete' AND outcome = 'succeeded'")
	if subject != owner.User.ID.String() {
		t.Errorf("the event is about %s", subject)
	}
}

// What is stored is read in parts; the rules are RFC 9110's.
func TestDownloadInParts(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	content := strings.Repeat("0123456789", 100)
	path := pathOf(upload(p, "digits.txt", content))
	for _, c := range []struct {
		asked, got, text string
	}{
		{"bytes=0-0", "bytes 0-0/1000", "0"},
		{"bytes=5-9", "bytes 5-9/1000", "56789"},
		{"bytes=-3", "bytes 997-999/1000", "789"},
		{"bytes=995-", "bytes 995-999/1000", "56789"},
		{"bytes=995-9000", "bytes 995-999/1000", "56789"},
		{"bytes=0-999", "bytes 0-999/1000", content},
		{"bytes=998-99999999999999999999", "bytes 998-999/1000", "89"},
		{"bytes=-99999999999999999999", "bytes 0-999/1000", content},
		{"bytes=-0, 0-1", "bytes 0-1/1000", "01"},
	} {
		answer := get(p, path, "Range", c.asked).Expect(http.StatusPartialContent)
		if answer.Header.Get("Content-Range") != c.got || string(answer.Body) != c.text || answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %q, %d bytes", c.asked, answer.Header.Get("Content-Range"), len(answer.Body))
		}
	}
	if got := partsOf(t, get(p, path, "Range", "bytes=0-1, 500-502,-1").Expect(http.StatusPartialContent)); !slices.Equal(got, []string{
		"bytes 0-1/1000 01", "bytes 500-502/1000 012", "bytes 999-999/1000 9",
	}) {
		t.Errorf("parts %q", got)
	}
	for _, asked := range []string{"bytes=1000-", "bytes=1000-1001", "bytes=x", "bytes=9-5", "bytes=1", "bytes=-0", "bytes=-0, -00", "bytes=99999999999999999999-"} {
		answer := get(p, path, "Range", asked)
		problem := answer.Expect(http.StatusRequestedRangeNotSatisfiable).Problem("range-not-satisfiable")
		if got := answer.Header.Get("Content-Range"); got != "bytes */1000" || problem.Detail != "The file has 1000 bytes." {
			t.Errorf("%s: Content-Range %q, %q", asked, got, problem.Detail)
		}
		for name, want := range map[string]string{"Content-Disposition": "", "ETag": "", "Cache-Control": "no-store"} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: the problem has %s %q", asked, name, got)
			}
		}
	}
	for _, whole := range []string{"items=0-1", "BYTES=0-1", "bytes=", "nonsense"} {
		if got := get(p, path, "Range", whole).Expect(http.StatusOK); len(got.Body) != len(content) {
			t.Errorf("%s: %d bytes", whole, len(got.Body))
		}
	}
	if got := get(p, path, "Range", "bytes="+strings.Repeat("0-0,", 60)+"1-1").Fields(); !slices.Equal(got, []string{"Range max_length"}) {
		t.Errorf("fields %q", got)
	}
	q := *p
	q.Header = http.Header{"Range": {"bytes=0-1"}} // only GET knows parts
	if got := q.Do(http.MethodHead, path, "", nil).Expect(http.StatusOK); got.Header.Get("Content-Length") != "1000" {
		t.Errorf("HEAD: %v", got.Header)
	}
	empty := pathOf(upload(p, "empty", ""))
	get(p, empty, "Range", "bytes=-1").Expect(http.StatusRequestedRangeNotSatisfiable).Problem("range-not-satisfiable")
	get(p, empty, "Range", "bytes=-1", "If-Range", `"other"`).Expect(http.StatusOK)
	if got := get(p, empty, "Range", "bytes=0-").Expect(http.StatusOK); len(got.Body) != 0 {
		t.Errorf("the empty file: %q", got.Body)
	}
}

// get asks with header fields, given as names and values.
func get(p *servertest.Person, path string, fields ...string) *servertest.Answer {
	p.T.Helper()
	q := *p
	q.Header = http.Header{}
	for i := 0; i < len(fields); i += 2 {
		q.Header.Set(fields[i], fields[i+1])
	}
	return q.GET(path)
}

// partsOf gives the Content-Range and the bytes of each part of an answer.
func partsOf(t *testing.T, a *servertest.Answer) (parts []string) {
	t.Helper()
	mediaType, parameters, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/byteranges" {
		t.Fatalf("Content-Type %q", a.Header.Get("Content-Type"))
	}
	for reader := multipart.NewReader(bytes.NewReader(a.Body), parameters["boundary"]); ; {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part.Header.Get("Content-Range")+" "+string(data))
	}
}

func TestDownloadConditions(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	file := upload(p, "x.txt", "content")
	tag, stored := `"`+file.Sha256+`"`, s.Clock.Now().UTC().Format(http.TimeFormat)
	before, other := s.Clock.Now().UTC().AddDate(0, 0, -1).Format(http.TimeFormat), `"`+strings.Repeat("0", 64)+`"`
	for _, c := range []struct {
		fields []string
		status int
	}{
		{[]string{"If-None-Match", tag}, 304},
		{[]string{"If-None-Match", other + ", W/" + tag}, 304},
		{[]string{"If-None-Match", "*"}, 304},
		{[]string{"If-None-Match", other}, 200},
		{[]string{"If-Modified-Since", stored}, 304},
		{[]string{"If-Modified-Since", before}, 200},
		{[]string{"If-Modified-Since", "yesterday"}, 200},
		{[]string{"If-None-Match", other, "If-Modified-Since", stored}, 200},
		{[]string{"If-None-Match", tag, "Range", "bytes=0-1"}, 304},
		{[]string{"If-Range", tag, "Range", "bytes=0-1"}, 206},
		{[]string{"If-Range", stored, "Range", "bytes=0-1"}, 206},
		{[]string{"If-Range", other, "Range", "bytes=0-1"}, 200},
		{[]string{"If-Range", "W/" + tag, "Range", "bytes=0-1"}, 200},
		{[]string{"If-Range", before, "Range", "bytes=0-1"}, 200},
		{[]string{"If-Range", other, "Range", "bytes=900-"}, 200},
		{[]string{"If-Match", tag}, 200},
		{[]string{"If-Match", other}, 412},
		{[]string{"If-Unmodified-Since", stored}, 200},
		{[]string{"If-Unmodified-Since", before}, 412},
	} {
		answer := get(p, pathOf(file), c.fields...)
		switch {
		case answer.Status != c.status:
			t.Errorf("%q: status %d, want %d", c.fields, answer.Status, c.status)
		case c.status == http.StatusPreconditionFailed:
			answer.Problem("precondition-failed")
		case c.status == http.StatusOK && string(answer.Body) != "content", c.status == http.StatusPartialContent && string(answer.Body) != "co":
			t.Errorf("%q: %q", c.fields, answer.Body)
		case answer.Header.Get("ETag") != tag || answer.Header.Get("Cache-Control") != "private, max-age=0, must-revalidate":
			t.Errorf("%q: %v", c.fields, answer.Header)
		}
	}
}

// Bytes that are lost are a failure of the server, and the log says which.
func TestLostBytes(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	lost, cut := upload(p, "lost.txt", "content"), upload(p, "cut.txt", "content")
	if err := os.Remove(filepath.Join(storageDir(t, s), "uploads", lost.ID.String())); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(storageDir(t, s), "uploads", cut.ID.String()), 3); err != nil {
		t.Fatal(err)
	}
	for _, file := range []api.File{lost, cut} {
		answer := p.GET(pathOf(file)).Expect(http.StatusInternalServerError)
		answer.Problem("internal")
		line := logLine(s, answer.Header.Get("X-Request-Id"))
		if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, "uploads/"+file.ID.String()) {
			t.Errorf("the log says %s", line)
		}
	}
}

// Whoever deletes the account deletes the files, and the reports with theirs.
func TestDeletedAccountLeavesNoFiles(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	p, other := s.Register(), s.Register()
	upload(p, "1", "a")
	upload(p, "2", "b")
	ended(p, report(p, "orders", "csv"))
	kept := upload(other, "3", "c")
	execute(t, s, "INSERT INTO files SELECT gen_random_uuid(), user_id, name, '', 0, sha256, 'uploads/' || n, created_at FROM files, generate_series(1, 100) n WHERE name = '2'")
	p.DELETE("/api/v1/users/me", map[string]any{"password": p.Password}).Expect(http.StatusNoContent)
	if got := column(t, s, "SELECT string_agg(name, ' ') FROM files") + column(t, s, "SELECT count(*)::text FROM reports"); got != "30" {
		t.Errorf("left are %s", got)
	}
	s.Eventually("only the other one's is stored", func() bool {
		return slices.Equal(stored(t, s), []string{"uploads/" + kept.ID.String()})
	})
	if n := column(t, s, "SELECT count(*)::text FROM river_job WHERE kind = 'delete-bytes'"); n != "2" {
		t.Errorf("%s jobs", n)
	}
}

// A report that is completed while the account is deleted leaves no file.
func TestReportOfADeletedAccountLeavesNoFile(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	p := s.Register()
	making := hold(t, s, "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
	path := report(p, "orders", "csv")
	s.Eventually("it is being made", func() bool { return column(t, s, "SELECT status FROM reports") == "running" })
	completing := hold(t, s, "SELECT FROM reports FOR UPDATE")
	making()
	waits(t, s, "ReportSucceed")
	deleted := make(chan int)
	go func() {
		deleted <- p.DELETE("/api/v1/users/me", map[string]any{"password": p.Password}).Status
	}()
	waits(t, s, "UserHold")
	completing()
	if got := <-deleted; got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
	becomesEmpty(t, s)
	if got := column(t, s, "SELECT concat((SELECT count(*) FROM files), ' ', (SELECT count(*) FROM reports), ' ', (SELECT count(*) FROM notifications))"); got != "0 0 0" {
		t.Errorf("files, reports and notifications: %s of %s", got, path)
	}
}

// What a report was made into is a file like any other.
func TestReportIsDownloaded(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	p := s.Register()
	made := ended(p, report(p, "orders", "csv"))
	path := filesPath + "/" + made.FileID.String()
	answer := p.GET(path).Expect(http.StatusOK)
	if got := answer.Header.Get("Content-Type"); got != "text/csv" || !strings.HasPrefix(string(answer.Body), "order_id,") {
		t.Errorf("%s: %s", got, answer.Body)
	}
	var page api.FilePage
	p.GET(filesPath).Expect(http.StatusOK).Into(&page)
	if len(page.Items) != 1 || page.Items[0].ID != *made.FileID {
		t.Errorf("files %+v", page)
	}
	s.Register().GET(path).Expect(http.StatusNotFound)
	p.DELETE(path, nil).Expect(http.StatusNoContent)
	var left api.Report
	p.GET("/api/v1/reports/" + made.JobID.String()).Expect(http.StatusOK).Into(&left)
	if left.FileID != nil || left.Status != "succeeded" {
		t.Errorf("report %+v", left)
	}
	becomesEmpty(t, s)
}
