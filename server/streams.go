package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// streamCheck is how often every stream's session is looked at, whatever was
// notified: it is how a session that expires ends its streams.
const streamCheck = 30 * time.Second

var (
	errSessionEnded = errors.New("the session has ended")
	errStopping     = errors.New("the server stops")
)

// streams are the calls without a timeout that are being served. They end with
// their session, and when the server stops.
type streams struct {
	mu     sync.Mutex
	open   map[*stream]struct{}
	closed bool
}

type stream struct {
	who principal
	end context.CancelCauseFunc
}

func newStreams() *streams { return &streams{open: map[*stream]struct{}{}} }

// begin adds a stream; end takes it out.
func (s *streams) begin(who principal, end context.CancelCauseFunc) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := &stream{who: who, end: end}
	s.open[one] = struct{}{}
	if s.closed {
		end(errStopping)
	}
	return one
}

func (s *streams) finish(one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, one)
}

// count is how many are open.
func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// closeAll ends every stream, and each that begins from now on.
func (s *streams) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for one := range s.open {
		one.end(errStopping)
	}
}

// of lists the streams of one user, or of all for the zero id.
func (s *streams) of(user uuid.UUID) []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*stream
	for one := range s.open {
		if user == uuid.Nil || one.who.UserID == user {
			found = append(found, one)
		}
	}
	return found
}

// check ends the streams whose session is not live any more. Where the database
// does not answer they go on: the next check finds them.
func (s *streams) check(ctx context.Context, sessions *sessions, user uuid.UUID) {
	for _, one := range s.of(user) {
		if one.who.SessionID == uuid.Nil {
			continue // nobody is signed in on a public stream
		}
		if _, err := sessions.get(ctx, one.who.SessionID); errors.Is(err, pgx.ErrNoRows) {
			one.end(errSessionEnded)
		}
	}
}

// watch checks all of them now and then.
func (s *streams) watch(ctx context.Context, sessions *sessions) {
	ticker := time.NewTicker(streamCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.check(ctx, sessions, uuid.Nil)
		}
	}
}

// stallWriter bounds each write of an answer, so that a client that does not
// read cannot hold it for ever.
type stallWriter struct {
	http.ResponseWriter
	conn  *http.ResponseController
	stall time.Duration
	// last is when the answer has to be complete; zero where it need not be.
	last time.Time
}

func (w *stallWriter) extend() {
	_ = w.conn.SetWriteDeadline(stalled(w.stall, w.last)) // unsupported only by test recorders
}

// stalled is when a pause that begins now has lasted too long, but no later than
// last, if that is not zero.
func stalled(stall time.Duration, last time.Time) time.Time {
	deadline := time.Now().Add(stall)
	if !last.IsZero() && last.Before(deadline) {
		return last
	}
	return deadline
}

// Write waits no longer than the stall for the client.
func (w *stallWriter) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

// FlushError does so as well, for http.ResponseController.
func (w *stallWriter) FlushError() error {
	w.extend()
	return w.conn.Flush()
}

// Unwrap is for http.ResponseController.
func (w *stallWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// stallReader bounds each read of a body, so that a client that does not send
// cannot hold what the operation holds.
type stallReader struct {
	io.ReadCloser
	conn  *http.ResponseController
	stall time.Duration
	// last is when the body has to be complete; zero where it need not be.
	last time.Time
}

// Read waits no longer than the stall for the client.
func (r *stallReader) Read(p []byte) (int, error) {
	_ = r.conn.SetReadDeadline(stalled(r.stall, r.last)) // unsupported only by test recorders
	n, err := r.ReadCloser.Read(p)
	if err == io.EOF {
		// From here on the connection is only watched for the client's leaving.
		_ = r.conn.SetReadDeadline(r.last)
	}
	return n, err
}
