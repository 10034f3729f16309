package server

import (
	"bufio"
	"context"
	"io"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/policy"
)

// streaming serves a user's stream under a policy of the test's own. ended gets
// how each stream ended.
func streaming(t *testing.T, stall time.Duration, after *int64) (s *Server, user db.User, server *httptest.Server, ended <-chan error) {
	t.Helper()
	s, _ = rotating(t)
	user = someUser(t, s)
	done := make(chan error, 1)
	server = serveOperation(t, s, policy.Policy{Stall: stall}, func(c echo.Context) error {
		callOf(c).who = principal{UserID: user.ID}
		request := api.StreamNotificationsRequestObject{Params: api.StreamNotificationsParams{LastEventID: after}}
		answer, err := s.StreamNotifications(c.Request().Context(), request)
		if err == nil {
			err = answer.VisitStreamNotificationsResponse(c.Response())
		}
		done <- err
		return err
	})
	late := time.AfterFunc(20*time.Second, server.CloseClientConnections) // a test that waits for ever shall fail
	t.Cleanup(func() { late.Stop() })
	return s, user, server, done
}

// A stream with nothing to say says so again and again.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s, _, server, ended := streaming(t, time.Minute, nil)
	s.hub.beat = time.Millisecond
	response := get(t, server)
	lines := bufio.NewReader(response.Body)
	for _, want := range append([]string{"id: 0\n", "\n"}, slices.Repeat([]string{": \n", "\n"}, 10)...) {
		if line, err := lines.ReadString('\n'); err != nil || line != want {
			t.Fatalf("line %q: %v", line, err)
		}
	}
	response.Body.Close() // the client goes, and that is no failure
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if len(s.hub.wakes) != 0 {
		t.Errorf("streams are left: %v", s.hub.wakes)
	}
}

// A client that does not read is cut off, and its stream is not kept.
func TestSlowReaderIsCutOff(t *testing.T) {
	t.Parallel()
	s, user, server, ended := streaming(t, 200*time.Millisecond, new(int64))
	const much = `
		WITH counter AS (INSERT INTO notification_counters (user_id, last) VALUES ($1, 40000))
		INSERT INTO notifications (id, user_id, number, kind, title, link, created_at)
		SELECT gen_random_uuid(), $1, n, 'order.status', repeat('x', 200), '/' || repeat('x', 199), now() FROM generate_series(1, 40000) n`
	if _, err := s.pool.Exec(t.Context(), much, user.ID); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-ended; err != nil { // the client's fault, not ours
		t.Errorf("it ended with %v", err)
	}
	if len(s.hub.wakes) != 0 {
		t.Errorf("streams are left: %v", s.hub.wakes)
	}
	sent, _ := io.Copy(io.Discard, conn) // until the connection is reset
	if sent < 64<<10 || sent > 16<<20 {
		t.Errorf("%d bytes were sent", sent)
	}
}

// However often a stream is woken while it is at work, it looks once more.
func TestWakesCollapse(t *testing.T) {
	t.Parallel()
	h := newHub(nil)
	user, other := uuid.New(), uuid.New()
	mine, err := h.join(user)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := h.join(other)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		h.wake(user)
	}
	if len(mine) != 1 || len(theirs) != 0 {
		t.Errorf("%d words for the user, %d for another one", len(mine), len(theirs))
	}
	h.wake(uuid.Nil)
	if len(mine) != 1 || len(theirs) != 1 {
		t.Errorf("%d and %d words for all", len(mine), len(theirs))
	}
	h.leave(user, mine)
	h.leave(other, theirs)
	h.wake(user)
	if len(h.wakes) != 0 {
		t.Errorf("streams are left: %v", h.wakes)
	}
}

// However many are woken at once, few ask the database at the same time.
func TestFewStreamsReadAtOnce(t *testing.T) {
	t.Parallel()
	s, user, server, _ := streaming(t, time.Minute, new(int64))
	var leave []func()
	for range eventReaders {
		out, err := s.hub.readers.Enter(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, out)
	}
	err := s.inTx(t.Context(), func(ctx context.Context, w *write) error {
		return w.notify(ctx, user.ID, notification{kind: api.NotificationKindOrderPlaced, title: "an order"})
	})
	if err != nil {
		t.Fatal(err)
	}
	response := get(t, server)
	defer response.Body.Close()
	for began := time.Now(); s.hub.readers.Waiting() == 0; runtime.Gosched() {
		if time.Since(began) > 10*time.Second {
			t.Fatal("it does not queue")
		}
	}
	leave[0]()
	lines := bufio.NewReader(response.Body)
	for _, want := range []string{"id: 0\n", "\n", "id: 1\n", "event: notification\n"} {
		if line, err := lines.ReadString('\n'); err != nil || line != want {
			t.Fatalf("line %q: %v", line, err)
		}
	}
}

// Where nothing can be read there is no stream, but a problem.
func TestStreamBeginsOnlyWithADatabase(t *testing.T) {
	t.Parallel()
	s, _ := rotating(t)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.hub.open(t.Context(), uuid.New(), nil); err == nil {
		t.Error("it begins")
	}
	if len(s.hub.wakes) != 0 {
		t.Errorf("streams are left: %v", s.hub.wakes)
	}
}
