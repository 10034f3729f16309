package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/limit"
)

const (
	// notificationsChannel is where the query NotificationCreate notifies.
	notificationsChannel = "accord_notifications"
	// heartbeat is how often a stream that has nothing to say says so.
	heartbeat = 20 * time.Second
	// maxStreams is how many streams a user may have open on an instance.
	maxStreams = 20
	// streamRetry is when a user with too many streams should try again.
	streamRetry = 10 * time.Second
	// eventBatch is how many notifications a stream reads at once.
	eventBatch = 100
	// eventReaders is how many streams read at once. All are woken when the
	// subscription stands again, and must not take the database from the rest.
	eventReaders = 4
	// eventReadTimeout bounds each reading, since a stream itself has no timeout.
	eventReadTimeout = 10 * time.Second
)

// errNotRead is for a client that has gone, or that does not read.
var errNotRead = errors.New("the client does not read its events")

// hub wakes the streams of notifications. What they send they read from the
// database, so it does not matter how often they are woken, only that they are.
type hub struct {
	queries *db.Queries
	beat    time.Duration
	readers *limit.Gate

	mu    sync.Mutex
	wakes map[uuid.UUID][]chan struct{} // by user; each has room for one word
}

func newHub(queries *db.Queries) *hub {
	return &hub{
		queries: queries, beat: heartbeat, readers: limit.NewGate(eventReaders, math.MaxInt, 0),
		wakes: map[uuid.UUID][]chan struct{}{},
	}
}

// join adds a stream of a user and gives what wakes it. It returns the problem
// `too-many-requests` to who has as many as allowed.
func (h *hub) join(user uuid.UUID) (chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wakes[user]) >= maxStreams {
		return nil, tooMany(streamRetry, "At most %d streams of an account at once.", maxStreams)
	}
	woken := make(chan struct{}, 1)
	h.wakes[user] = append(h.wakes[user], woken)
	return woken, nil
}

func (h *hub) leave(user uuid.UUID, woken chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rest := slices.DeleteFunc(h.wakes[user], func(one chan struct{}) bool { return one == woken })
	if h.wakes[user] = rest; len(rest) == 0 {
		delete(h.wakes, user)
	}
}

// wake makes the streams of a user look for what is new; all, for the zero id.
func (h *hub) wake(user uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user != uuid.Nil {
		wakeEach(h.wakes[user]...)
		return
	}
	for _, streams := range h.wakes {
		wakeEach(streams...)
	}
}

// wakeEach never waits: a stream that is at work and woken already will look
// once more anyway.
func wakeEach(streams ...chan struct{}) {
	for _, woken := range streams {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
}

// events is one stream.
type events struct {
	hub   *hub
	user  uuid.UUID
	woken chan struct{}
	// after is the number of the last notification that was sent.
	after int64
}

// open begins a stream, to be closed. What is newer than after is sent first; nil,
// or a number that was never given, means to begin with what arises from now on. It joins before it looks for the
// first time, so that nothing can arise in between and wake nobody.
func (h *hub) open(ctx context.Context, user uuid.UUID, after *int64) (*events, error) {
	woken, err := h.join(user)
	if err != nil {
		return nil, err
	}
	e := &events{hub: h, user: user, woken: woken}
	if e.after, err = h.queries.NotificationLast(ctx, user); err != nil {
		e.close()
		return nil, err
	}
	if after != nil && *after < e.after {
		e.after = *after
		wakeEach(woken)
	}
	return e, nil
}

func (e *events) close() { e.hub.leave(e.user, e.woken) }

// beginEvents is the head of the answer. The last field keeps proxies from
// holding events back.
func beginEvents(w http.ResponseWriter) {
	header := w.Header()
	header.Set(echo.HeaderContentType, "text/event-stream")
	header.Set(echo.HeaderCacheControl, noStore)
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
}

// comment is what a client sees of a stream that has nothing to say.
var comment = []byte(": \n\n")

// serve writes the stream until the session, the server or the client ends it, or
// the database fails. It says at once where it begins, which takes the head of the
// answer with it, and then sends whatever there is whenever it is woken. What it keeps
// on the stack, it keeps for hours.
func (e *events) serve(ctx context.Context, w http.ResponseWriter) error {
	beginEvents(w)
	beat := time.NewTicker(e.hub.beat)
	defer beat.Stop()
	for err := send(w, e.beginning()); ; {
		if ctx.Err() != nil || errors.Is(err, errNotRead) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-e.woken:
			err = e.catchUp(ctx, w)
		case <-beat.C:
			err = send(w, comment)
		}
	}
}

// beginning is an id without an event: who is cut off before the first event connects
// again with it, and misses nothing.
func (e *events) beginning() []byte { return fmt.Appendf(nil, "id: %d\n\n", e.after) }

// catchUp sends all that there is. Numbers become visible in their order, so
// what is greater than the last one is all that is new.
func (e *events) catchUp(ctx context.Context, w http.ResponseWriter) error {
	for {
		rows, err := e.read(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		text, err := eventsOf(rows)
		if err != nil {
			return err
		}
		if err := send(w, text); err != nil {
			return err
		}
		e.after = rows[len(rows)-1].Number
		if len(rows) < eventBatch {
			return nil
		}
	}
}

func (e *events) read(ctx context.Context) ([]db.Notification, error) {
	leave, err := e.hub.readers.Enter(ctx, "")
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, eventReadTimeout)
	defer cancel()
	return e.hub.queries.NotificationsAfter(ctx, db.NotificationsAfterParams{UserID: e.user, After: e.after, Max: eventBatch})
}

// eventsOf writes notifications as events.
func eventsOf(rows []db.Notification) ([]byte, error) {
	var text bytes.Buffer
	for _, row := range rows {
		data, err := json.Marshal(notificationOf(row))
		if err != nil {
			return nil, fmt.Errorf("encoding a notification: %w", err)
		}
		fmt.Fprintf(&text, "id: %d\nevent: notification\ndata: %s\n\n", row.Number, data)
	}
	return text.Bytes(), nil
}

// send returns errNotRead where the client does not take it.
func send(w http.ResponseWriter, text []byte) error {
	if _, err := w.Write(text); err != nil {
		return errors.Join(errNotRead, err)
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		return errors.Join(errNotRead, err)
	}
	return nil
}

// notificationsOf wakes the streams of a user, whose id is a notification's.
func (s *Server) notificationsOf(user string) {
	if id, err := uuid.Parse(user); err == nil && id != uuid.Nil {
		s.hub.wake(id)
	}
}
