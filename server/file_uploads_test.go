package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/servertest"
)

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
		"a\r\nSet-Cookie: x=1.txt": "aSet-Cookie_ x=1.txt", "a\x00b.txt": "ab.txt", "gpj.\u202efdp.exe": "gpj.fdp.exe",
		strings.Repeat("x", 300) + ".txt": strings.Repeat("x", 251) + ".txt",
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
	var file api.File
	sendForm(p, part{`form-data; name="file"; filename="naïve 文書.txt"`, "x"}).Expect(http.StatusCreated).Into(&file)
	if file.Name != "naïve 文書.txt" {
		t.Errorf("name %q", file.Name)
	}
	sendForm(p, part{`form-data; name="file"; filename="a %22b%22 c%0D%0A%20%2B.txt"`, "x"}).Expect(http.StatusCreated).Into(&file)
	if file.Name != `a "b" c%20%2B.txt` {
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

// A form that is whole in a body that is cut off is not what the client has sent.
func TestUploadOfACutOffBody(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	contentType, whole := formOf(t, filePart("a.txt", "a"))
	for what, framing := range map[string]string{
		"with a length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(whole)+1, whole),
		"chunked":       fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(whole), whole),
	} {
		conn := dial(t, s.URL)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n%s", filesPath, p.Tokens.AccessToken, contentType, framing)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil && !strings.Contains(line, " 400 ") {
			t.Errorf("%s: answer %q", what, line)
		}
	}
	s.Eventually("both are logged", func() bool {
		return column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'file.upload' AND outcome = 'failed'") == "2"
	})
	holdsFiles(t, s, 0, 0)
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
	var file api.File
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
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	if err := jobs.ClaimStorage(t.Context(), db.New(conn), s.API.Files(), yesterday); err != nil {
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
	var statuses [4]int // as many as one account may have under way
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() { statuses[i] = sendForm(p, filePart("x", strings.Repeat("x", 300))).Status })
	}
	s.Eventually("all are written", func() bool { return len(stored(t, s)) == len(statuses) })
	release()
	all.Wait()
	slices.Sort(statuses[:])
	if statuses != [4]int{201, 201, 201, 409} {
		t.Errorf("statuses %v", statuses)
	}
	holdsFiles(t, s, 3, 3)
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

// However many uploads one account begins and does not go on with, the others
// get in.
func TestOneAccountCannotStopAllUploads(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	greedy, other := s.Register(), s.Register()
	contentType, _ := formOf(t, filePart("x", "x"))
	answers := make(chan string, 20)
	for range cap(answers) {
		conn := dial(t, s.URL)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nX-Forwarded-For: %s\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n-",
			filesPath, greedy.Tokens.AccessToken, greedy.IP, contentType)
		go func() {
			line, _ := bufio.NewReader(conn).ReadString('\n')
			answers <- strings.TrimSpace(line)
		}()
	}
	s.Eventually("the account has its share", func() bool {
		return sendForm(greedy, filePart("x", "x")).Status == http.StatusServiceUnavailable
	})
	upload(other, "x", "x")
	counted := map[string]int{}
	for range cap(answers) { // within seconds: who says nothing more is not waited for
		counted[<-answers]++
	}
	// A refusal that comes before all that was sent is read may be lost with the connection.
	refused := counted["HTTP/1.1 503 Service Unavailable"]
	if counted["HTTP/1.1 408 Request Timeout"] != 4 || refused < 12 || refused+counted[""] != 16 {
		t.Errorf("answers %v", counted)
	}
	upload(greedy, "x", "x")
}

// A second database does not even start on the storage of a first one, whose
// sweep would delete its files.
func TestStorageIsOneDatabases(t *testing.T) {
	t.Parallel()
	first := servertest.New(t, servertest.Options{Start: true})
	second := servertest.New(t, servertest.Options{Settings: map[string]string{"FILES_URL": first.Config.FilesURL}})
	if err := second.API.Start(t.Context()); !errors.Is(err, jobs.ErrForeignStorage) {
		t.Errorf("it starts: %v", err)
	}
}
