package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

const streamPath = notificationsPath + "/stream"

// streamed is a stream of the person's; after is the last number that the client
// has, "" for none.
func streamed(p *servertest.Person, after string) *servertest.Stream {
	p.T.Helper()
	header := http.Header{}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	return p.Stream(streamPath, header)
}

// told is the next notification of a stream; its event has its number.
func told(t *testing.T, stream *servertest.Stream) api.Notification {
	t.Helper()
	e := stream.Next()
	var n api.Notification
	if err := json.Unmarshal(e.Data, &n); err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	if e.Name != "notification" || e.ID != strconv.FormatInt(n.Number, 10) {
		t.Errorf("event %s", e)
	}
	return n
}

// expect fails unless the next notifications have these titles and the numbers
// from number on.
func expect(t *testing.T, stream *servertest.Stream, number int64, titles ...string) {
	t.Helper()
	for i, title := range titles {
		if n := told(t, stream); n.Number != number+int64(i) || n.Title != title {
			t.Fatalf("%d %q, want %d %q", n.Number, n.Title, number+int64(i), title)
		}
	}
}

// A client that has come from elsewhere with a number that was never given is not
// left waiting for it.
func TestStreamAfterANumberThatWasNotGiven(t *testing.T) {
	t.Parallel()
	s := started(t)
	p, conn := s.Register(), many(t, s)
	tell(t, s, conn, p, "before")
	stream := streamed(p, "9007199254740991")
	tell(t, s, conn, p, "one")
	if n := told(t, stream); n.Title != "one" {
		t.Errorf("told %q", n.Title)
	}
}

func TestStreamBeginsWithWhatArises(t *testing.T) {
	t.Parallel()
	s := started(t)
	p, other := s.Register(), s.Register()
	tell(t, s, many(t, s), p, "before")
	stream := streamed(p, "")
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Length": ""} {
		if got := stream.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if string(stream.Body) != "id: 2\n\n" {
		t.Errorf("it begins with %q", stream.Body)
	}

	other.SignIn()
	p.Elsewhere().SignIn()
	n := told(t, stream)
	if want := notifications(p, "")[0]; n != want || n.Number != 3 {
		t.Errorf("%+v, want %+v", n, want)
	}
	s.Clock.Advance(time.Minute)
	p.POST(notificationsPath+"/read-all", nil).Expect(http.StatusOK) // is nothing new
	tell(t, s, many(t, s), p, "after")
	expect(t, stream, 4, "after")
}

// Each arrives exactly once and in order, though the transactions that they come
// from begin and end in any order, and some do not come to anything.
func TestStreamIsInOrderAndWhole(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	streams := []*servertest.Stream{streamed(p, ""), streamed(p, "1")}
	want, wait := somewhat(t, s, p, 20)
	wait()
	tell(t, s, many(t, s), p, "last")
	for _, stream := range streams {
		seen := map[string]bool{}
		for number := int64(2); ; number++ {
			n := told(t, stream)
			if n.Number != number {
				t.Fatalf("number %d, want %d", n.Number, number)
			}
			if n.Title == "last" {
				break
			}
			if !want[n.Title] || seen[n.Title] {
				t.Errorf("%q: once is wanted: %t, twice: %t", n.Title, want[n.Title], seen[n.Title])
			}
			seen[n.Title] = true
		}
		if len(seen) != len(want) {
			t.Errorf("%d arrived, want %d", len(seen), len(want))
		}
	}
}

// A stream tells what its user is told, and nothing of another's, though their
// numbers are the same.
func TestStreamIsItsUsers(t *testing.T) {
	t.Parallel()
	s := started(t)
	one, another := s.Register(), s.Register()
	pool := many(t, s)
	stream, other := streamed(one, ""), streamed(another, "")
	tell(t, s, pool, another, "x", "y")
	expect(t, other, 2, "x", "y")
	tell(t, s, pool, one, "a", "b")
	expect(t, stream, 2, "a", "b")
}

// A client that was cut off goes on where it was, over several batches, and then
// hears what arises.
func TestStreamResumes(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	pool := many(t, s)
	stream := streamed(p, "")
	tell(t, s, pool, p, "a", "b")
	expect(t, stream, 2, "a", "b")
	stream.Close()

	var missed []string
	for i := range 250 {
		missed = append(missed, fmt.Sprint(i))
	}
	tell(t, s, pool, p, missed...)
	execute(t, s, "UPDATE notifications SET id = gen_random_uuid()") // the number alone says what comes next
	resumed, whole := streamed(p, "3"), streamed(p, "253")
	expect(t, resumed, 4, missed...)
	tell(t, s, pool, p, "live")
	expect(t, resumed, 254, "live")
	expect(t, whole, 254, "live")
	if first := told(t, streamed(p, "0")); first.Number != 1 {
		t.Errorf("all begin with %d", first.Number)
	}
}

func TestStreamRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	p := servertest.New(t).Register()
	for _, text := range []string{"-1", "x", "1.5", "9007199254740992", "9223372036854775808"} {
		p.Header.Set("Last-Event-ID", text)
		if fields := p.GET(streamPath).Fields(); len(fields) != 1 || !strings.HasPrefix(fields[0], "Last-Event-ID ") {
			t.Errorf("%s: %v", text, fields)
		}
	}
}

// HEAD shows the head, and is over.
func TestStreamHead(t *testing.T) {
	t.Parallel()
	p := servertest.New(t).Register()
	answer := p.Do(http.MethodHead, streamPath, "", nil).Expect(http.StatusOK)
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	logLine(p.Server, answer.Header.Get("X-Request-Id")) // is written at the end
}

// It does not matter on which instance something arises.
func TestStreamHearsOtherInstances(t *testing.T) {
	t.Parallel()
	one := started(t)
	two := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Start: true, Now: one.Clock.Now, Settings: map[string]string{"PUBLIC_URL": one.URL}})
	p := one.Register()
	streams := []*servertest.Stream{streamed(p, ""), streamed(on(p, two), "")}
	on(p.Elsewhere(), two).SignIn()
	p.Elsewhere().SignIn()
	for _, stream := range streams {
		for number := int64(2); number <= 3; number++ {
			if n := told(t, stream); n.Number != number {
				t.Errorf("number %d, want %d", n.Number, number)
			}
		}
	}
}

// What is told while nobody listens is made up for.
func TestStreamMissesNothingWhenTheListenerIsCutOff(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	pool := many(t, s)
	stream := streamed(p, "")
	const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'accord listen' AND datname = current_database()"
	for round := range int64(5) {
		execute(t, s, cut)
		tell(t, s, pool, p, "a", "b", "c")
		expect(t, stream, 2+3*round, "a", "b", "c")
	}
}

// The end of a session ends its streams, wherever they are, and no others.
func TestStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	one := started(t)
	two := servertest.New(t, servertest.Options{DatabaseURL: one.DatabaseURL, Start: true, Now: one.Clock.Now, Settings: map[string]string{"PUBLIC_URL": one.URL}})
	p := one.Register()
	phone := p.Elsewhere()
	phone.SignIn()
	stays := streamed(phone, "")
	ends := []*servertest.Stream{streamed(p, ""), streamed(on(p, two), "")}
	p.POST("/api/v1/auth/logout", nil).Expect(http.StatusNoContent)
	for _, stream := range ends {
		stream.Ended(time.Second)
	}
	tell(t, one, many(t, one), p, "for the phone")
	expect(t, stays, 3, "for the phone")
	p.GET(streamPath).Expect(http.StatusUnauthorized)
}

func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	url, stop, ended := another(t, s, nil)
	stream := streamed(at(p, url), "")
	stop()
	stream.Ended(time.Second)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// One user cannot take all the memory there is.
func TestStreamsOfAUserAreBounded(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	var open []*servertest.Stream
	for range 20 {
		open = append(open, streamed(p, ""))
	}
	refused := p.GET(streamPath).Expect(http.StatusTooManyRequests)
	refused.Problem("too-many-requests")
	if got := refused.Header.Get("Retry-After"); got != "10" {
		t.Errorf("Retry-After %q", got)
	}
	streamed(s.Register(), "") // others are not held up

	open[7].Close()
	s.Eventually("there is room for another", func() bool {
		s.Clock.Advance(2 * time.Second) // for the rate limit
		return p.GET(streamPath).Status == http.StatusOK
	})
	tell(t, s, many(t, s), p, "to all that are left")
	for i, stream := range open {
		if i != 7 {
			expect(t, stream, 2, "to all that are left")
		}
	}
}

// A stream that cannot go on ends, and is taken up where it was.
func TestStreamEndsWhenTheDatabaseFails(t *testing.T) {
	t.Parallel()
	s := started(t)
	p := s.Register()
	stream := streamed(p, "")
	tell(t, s, many(t, s), p, "a")
	expect(t, stream, 2, "a")
	execute(t, s, "ALTER TABLE notifications RENAME TO gone")
	execute(t, s, "SELECT pg_notify('accord_notifications', '"+p.User.ID.String()+"')")
	if last := stream.Ended(10 * time.Second); len(last) != 0 {
		t.Errorf("it ends with %v", last)
	}
	line := logLine(s, stream.Header.Get("X-Request-Id"))
	if !strings.Contains(line, `"problem":"internal"`) || !strings.Contains(line, `"status":200`) {
		t.Errorf("log %s", line)
	}

	execute(t, s, "ALTER TABLE gone RENAME TO notifications")
	tell(t, s, many(t, s), p, "b")
	expect(t, streamed(p, "2"), 3, "b")
}
