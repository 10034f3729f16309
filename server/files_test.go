package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/client"
	"github.com/accord-api/accord/servertest"
)

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
func upload(p *servertest.Person, name, content string) (file client.File) {
	p.T.Helper()
	sendForm(p, filePart(name, content)).Expect(http.StatusCreated).Into(&file)
	return file
}

func pathOf(f client.File) string { return filesPath + "/" + f.ID.String() }

// storageDir is the folder in which a test's server keeps files.
func storageDir(t *testing.T, s *servertest.Server) string {
	t.Helper()
	folder, err := url.Parse(s.Config.FilesURL)
	if err != nil {
		t.Fatal(err)
	}
	return folder.Path
}

// stored lists what is in the storage, what is being written as well.
func stored(t *testing.T, s *servertest.Server) []string {
	t.Helper()
	names := []string{}
	root := storageDir(t, s)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
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

// waits waits until a query waits for a lock.
func waits(t *testing.T, s *servertest.Server, query string) {
	t.Helper()
	s.Eventually(query+" waits", func() bool {
		return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1", "-- name: "+query+" %") != "0"
	})
}

func TestFiles(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true})
	p := s.Register()
	created := sendForm(p, filePart("notes.txt", "Notes.\n")).Expect(http.StatusCreated)
	var file client.File
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
	var page, next client.FilePage
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

// What a file is called and said to be does not count.
func TestUploadIsSniffed(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for content, want := range map[string]string{
		"<!doctype html><script>alert(1)</script>": "text/html; charset=utf-8",
		"\x89PNG\r\n\x1a\n":                        "image/png",
		"":                                         "text/plain",
		"\x00\x01\x02":                             "application/octet-stream",
		`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`: "image/svg+xml",
	} {
		file := upload(p, "cat.png", content)
		answer := p.GET(pathOf(file)).Expect(http.StatusOK)
		if file.ContentType != want || answer.Header.Get("Content-Type") != want || string(answer.Body) != content {
			t.Errorf("%q is stored as %q and served as %q: %q", content, file.ContentType, answer.Header.Get("Content-Type"), answer.Body)
		}
		if got := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="cat.png"`) {
			t.Errorf("Content-Disposition %q", got)
		}
	}
}

func TestUploadNames(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for name, want := range map[string]string{
		"plain.txt": "plain.txt", `a "b" c.txt`: `a "b" c.txt`, "naïve 文書.pdf": "naïve 文書.pdf", "100%.txt": "100%.txt",
		"../../etc/passwd": "passwd", `C:\temp\x.txt`: "x.txt", "/": "file", "..": "file", ".bashrc": "bashrc",
		"a\r\nSet-Cookie: x=1.txt": "aSet-Cookie: x=1.txt", "a\x00b.txt": "ab.txt", "gpj.\u202efdp.exe": "gpj.fdp.exe",
		strings.Repeat("é", 200) + ".txt": strings.Repeat("é", 125) + ".txt", "\xff.txt": "\ufffd.txt",
	} {
		file := upload(p, name, "x")
		if file.Name != want {
			t.Errorf("%q becomes %q, want %q", name, file.Name, want)
		}
		answer := p.GET(pathOf(file)).Expect(http.StatusOK)
		_, parameters, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition"))
		if err != nil || parameters["filename"] != want || answer.Header.Get("Set-Cookie") != "" {
			t.Errorf("%q: Content-Disposition %q (%v)", name, answer.Header.Get("Content-Disposition"), err)
		}
	}
	// As browsers write them.
	var file client.File
	sendForm(p, part{`form-data; name="file"; filename="naïve 文書.txt"`, "x"}).Expect(http.StatusCreated).Into(&file)
	if file.Name != "naïve 文書.txt" {
		t.Errorf("name %q", file.Name)
	}
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	good := filePart("a.txt", "a")
	field := part{`form-data; name="note"`, "x"}
	unnamed, chosen := part{`form-data; name="file"`, "a"}, part{`form-data; name="file"; filename=""`, ""}
	for what, c := range map[string]struct {
		parts []part
		want  []string
	}{
		"nothing":                  {nil, []string{"file required"}},
		"a field instead":          {[]part{field}, []string{"note unknown", "file required"}},
		"a field before the file":  {[]part{field, good}, []string{"note unknown"}},
		"a field behind the file":  {[]part{good, field}, []string{"note unknown"}},
		"two files":                {[]part{good, good}, []string{"file repeated"}},
		"everything":               {[]part{field, good, field, good}, []string{"note unknown", "note unknown", "file repeated"}},
		"no name of a file":        {[]part{unnamed}, []string{"file required"}},
		"nothing chosen":           {[]part{chosen}, []string{"file required"}},
		"nothing and then a file":  {[]part{chosen, good}, []string{"file required", "file repeated"}},
		"another case":             {[]part{{`form-data; name="File"; filename="a"`, "a"}}, []string{"File unknown", "file required"}},
		"a long name of a field":   {[]part{{`form-data; name="` + strings.Repeat("é", 101) + `"`, ""}, good}, []string{strings.Repeat("é", 100) + " unknown"}},
		"a strange name of it":     {[]part{{"form-data; name=\"\xff\"", ""}, good}, []string{" unknown"}},
		"a great many other parts": {slices.Repeat([]part{field}, 1000), slices.Repeat([]string{"note unknown"}, 100)},
	} {
		if got := sendForm(s.Register(), c.parts...).Fields(); !slices.Equal(got, c.want) {
			t.Errorf("%s: fields %q, want %q", what, got, c.want)
		}
	}
	holdsFiles(t, s, 0, 0)
}

func TestMalformedUpload(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	contentType, whole := formOf(t, filePart("a.txt", strings.Repeat("a", 10_000)))
	_, boundary, _ := strings.Cut(contentType, "boundary=")
	for what, c := range map[string]struct{ contentType, body string }{
		"no body":                   {contentType, ""},
		"no boundary":               {"multipart/form-data", string(whole)},
		"an empty boundary":         {`multipart/form-data; boundary=""`, string(whole)},
		"another boundary":          {"multipart/form-data; boundary=x", string(whole)},
		"an end within the file":    {contentType, string(whole[:5000])},
		"an end after the boundary": {contentType, strings.TrimSuffix(string(whole), "--\r\n")},
		"an end within a header":    {contentType, string(whole[:len(boundary)+10])},
		"no name of the part":       {contentType, strings.Replace(string(whole), "; name=file", "", 1)},
		"no disposition":            {contentType, strings.Replace(string(whole), "Content-Disposition", "X-Disposition", 1)},
		"a disposition of others":   {contentType, strings.Replace(string(whole), "form-data", "attachment", 1)},
		"text between the parts":    {contentType, strings.Replace(string(whole), "--"+boundary+"--", "--"+boundary+"x", 1)},
	} {
		answer := p.Do(http.MethodPost, filesPath, c.contentType, []byte(c.body))
		if answer.Status != http.StatusBadRequest {
			t.Errorf("%s: status %d", what, answer.Status)
		}
		answer.Problem("malformed-request")
	}
	holdsFiles(t, s, 0, 0)
	// What stands around the parts does not count.
	p.Do(http.MethodPost, filesPath, contentType, []byte("before\r\n"+string(whole)+"after")).Expect(http.StatusCreated)
}

// With all that is around it the file has the limit's size, or one byte more.
func TestUploadAtTheByte(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	const limit = 32 << 20
	_, empty := formOf(t, filePart("x", ""))
	content := strings.Repeat("x", limit+1-len(empty))
	contentType, tooLarge := formOf(t, filePart("x", content))
	for name, body := range map[string]io.Reader{"with a length": bytes.NewReader(tooLarge), "chunked": io.MultiReader(bytes.NewReader(tooLarge))} {
		answer := sendReader(t, p, contentType, body)
		if answer.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d", name, answer.Status)
		}
		answer.Problem("payload-too-large")
	}
	holdsFiles(t, s, 0, 0)
	file := upload(p, "x", content[1:])
	if got := p.GET(pathOf(file)).Expect(http.StatusOK); string(got.Body) != content[1:] {
		t.Errorf("%d bytes come back", len(got.Body))
	}
}

// sendReader uploads what a reader gives.
func sendReader(t *testing.T, p *servertest.Person, contentType string, body io.Reader) *servertest.Answer {
	t.Helper()
	return p.Send(uploadRequest(t.Context(), t, p, contentType, body))
}

func uploadRequest(ctx context.Context, t *testing.T, p *servertest.Person, contentType string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+filesPath, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Forwarded-For", p.IP)
	r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
	return r
}

// formOfSize is the form of a file of so many bytes, which is nowhere as a whole.
func formOfSize(t *testing.T, size int64) (contentType string, form io.Reader) {
	t.Helper()
	contentType, empty := formOf(t, filePart("large.bin", ""))
	end := bytes.LastIndex(empty, []byte("\r\n--"))
	random := rand.NewChaCha8([32]byte{})
	return contentType, io.MultiReader(bytes.NewReader(empty[:end]), io.LimitReader(random, size), bytes.NewReader(empty[end:]))
}

// A large upload is never in memory as a whole. Not parallel, because it counts
// what the whole process allocates, the client included.
//
//nolint:paralleltest // see above
func TestUploadTakesLittleMemory(t *testing.T) {
	s := servertest.New(t)
	p := s.Register()
	upload(p, "x", "x") // what is made once
	const size = 20 << 20
	contentType, form := formOfSize(t, size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer := sendReader(t, p, contentType, form)
	runtime.ReadMemStats(&after)
	var file client.File
	answer.Expect(http.StatusCreated).Into(&file)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes are uploaded with %d KiB allocated in all", file.Size, allocated>>10)
	if file.Size != size || allocated > 1<<20 {
		t.Errorf("%d bytes took %d", file.Size, allocated)
	}
}

// A client that goes away midway leaves nothing behind.
func TestAbortedUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	for what, length := range map[string]int64{"chunked": -1, "with a length": 20 << 20} {
		ctx, hangUp := context.WithCancel(t.Context())
		contentType, form := formOfSize(t, 20<<20)
		body, writer := io.Pipe()
		r := uploadRequest(ctx, t, p, contentType, body)
		r.ContentLength = length
		sent := make(chan error)
		go func() {
			response, err := p.HTTP.Do(r)
			if err == nil {
				response.Body.Close()
			}
			sent <- err
		}()
		if _, err := io.CopyN(writer, form, 1<<20); err != nil {
			t.Fatal(err)
		}
		s.Eventually("it is being written", func() bool { return len(stored(t, s)) == 1 })
		hangUp()
		writer.CloseWithError(io.ErrClosedPipe) // which the client waits for
		if err := <-sent; err == nil {
			t.Errorf("%s: it is answered", what)
		}
		becomesEmpty(t, s)
	}
	s.Eventually("both are logged", func() bool {
		return column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'file.upload' AND outcome = 'failed'") == "2"
	})
	holdsFiles(t, s, 0, 0)
	if strings.Contains(s.Log.String(), `"level":"ERROR"`) {
		t.Errorf("it counts as a failure of the server:\n%s", s.Log)
	}
}

// The bytes go when their row cannot be written.
func TestUploadWithoutItsRowLeavesNothing(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	execute(t, s, "ALTER TABLE audit_events RENAME TO gone") // the last that the transaction writes
	sendForm(p, filePart("x", "x")).Expect(http.StatusInternalServerError).Problem("internal")
	holdsFiles(t, s, 0, 0)
	execute(t, s, "ALTER TABLE gone RENAME TO audit_events")
	upload(p, "x", "x")
}

// Where nobody knows whether the row was committed, the bytes stay, as they do
// after a crash: a row without bytes would be worse than bytes without a row.
// They are swept a day later.
func TestUploadWithUnknownOutcomeKeepsTheBytes(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	execute(t, s, "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$")
	execute(t, s, "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON files DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()")
	sendForm(p, filePart("x", "x")).Expect(http.StatusServiceUnavailable).Problem("unavailable")
	holdsFiles(t, s, 0, 1)

	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(filepath.Join(storageDir(t, s), stored(t, s)[0]), yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	servertest.New(t, servertest.Options{DatabaseURL: s.DatabaseURL, Start: true, Settings: map[string]string{"FILES_URL": s.Config.FilesURL}})
	becomesEmpty(t, s)
}

func TestQuota(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"FILES_MAX_PER_USER": "1000"}})
	p := s.Register()
	first := upload(p, "1", strings.Repeat("x", 600))
	sendForm(p, filePart("2", strings.Repeat("x", 401))).Expect(http.StatusConflict).Problem("quota-exceeded")
	holdsFiles(t, s, 1, 1)
	upload(p, "3", strings.Repeat("x", 400))
	sendForm(p, filePart("4", "x")).Expect(http.StatusConflict).Problem("quota-exceeded")
	upload(p, "5", "")
	holdsFiles(t, s, 3, 3)
	upload(s.Register(), "1", strings.Repeat("x", 1000)) // others have their own
	p.DELETE(pathOf(first), nil).Expect(http.StatusNoContent)
	upload(p, "6", strings.Repeat("x", 600))
}

// However many uploads come at once, they do not exceed it together.
func TestQuotaHoldsAtOnce(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"FILES_MAX_PER_USER": "1000"}})
	p := s.Register()
	release := hold(t, s, "SELECT FROM users FOR UPDATE")
	var statuses [10]int
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() { statuses[i] = sendForm(p, filePart("x", strings.Repeat("x", 300))).Status })
	}
	s.Eventually("all are written", func() bool { return len(stored(t, s)) == len(statuses) })
	release()
	all.Wait()
	slices.Sort(statuses[:])
	if statuses != [10]int{201, 201, 201, 409, 409, 409, 409, 409, 409, 409} {
		t.Errorf("statuses %v", statuses)
	}
	holdsFiles(t, s, 3, 3)
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
	for _, asked := range []string{"bytes=1000-", "bytes=1000-1001", "bytes=x", "bytes=9-5", "bytes=1"} {
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
		if err == io.EOF {
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
	for _, file := range []client.File{lost, cut} {
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
	waits(t, s, "ReportDeleteOf")
	completing()
	if got := <-deleted; got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
	becomesEmpty(t, s)
	if got := column(t, s, "SELECT concat((SELECT count(*) FROM files), ' ', (SELECT count(*) FROM reports), ' ', (SELECT count(*) FROM notifications))"); got != "0 0 0" {
		t.Errorf("files, reports and notifications: %s of %s", got, path)
	}
}

// An upload to an account that is deleted meanwhile is none.
func TestUploadToADeletedAccount(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	release := hold(t, s, "SELECT FROM users FOR UPDATE")
	deleted, uploaded := make(chan int), make(chan int)
	go func() {
		deleted <- p.DELETE("/api/v1/users/me", map[string]any{"password": p.Password}).Status
	}()
	waits(t, s, "UserHold")
	go func() { uploaded <- sendForm(p, filePart("x", "x")).Status }()
	waits(t, s, "UserHoldLive")
	release()
	if one, two := <-deleted, <-uploaded; one != http.StatusNoContent || two != http.StatusUnauthorized {
		t.Errorf("statuses %d, %d", one, two)
	}
	holdsFiles(t, s, 0, 0)
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
	var page client.FilePage
	p.GET(filesPath).Expect(http.StatusOK).Into(&page)
	if len(page.Items) != 1 || page.Items[0].ID != *made.FileID {
		t.Errorf("files %+v", page)
	}
	s.Register().GET(path).Expect(http.StatusNotFound)
	p.DELETE(path, nil).Expect(http.StatusNoContent)
	var left client.Report
	p.GET("/api/v1/reports/" + made.JobID.String()).Expect(http.StatusOK).Into(&left)
	if left.FileID != nil || left.Status != "succeeded" {
		t.Errorf("report %+v", left)
	}
	becomesEmpty(t, s)
}
