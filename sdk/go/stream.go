package accord

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// event is one event of a stream.
type event struct {
	name string
	data []byte
}

// reached is what a stream has said of itself.
type reached struct {
	id    string        // the last, also one without an event
	retry time.Duration // how long to wait before one connects again
}

// maxEvent is how long a line of a stream may be, in bytes.
const maxEvent = 1 << 20

// readEvents reads a stream as the HTML standard has it
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), until it ends, is
// cut, or nobody wants more.
func readEvents(stream io.Reader, at *reached, yield func(event) bool) {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxEvent)
	lines.Split(splitLines)
	e, id := event{}, at.id
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		if first {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line == "" {
			at.id = id
			if len(e.data) > 0 {
				e.data = bytes.TrimSuffix(e.data, []byte("\n"))
				if !yield(e) {
					return
				}
			}
			e = event{}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.name = value
		case "data":
			e.data = append(append(e.data, value...), '\n')
		case "id":
			if !strings.ContainsRune(value, 0) {
				id = value
			}
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil && ms >= 0 {
				at.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}

// splitLines ends lines at CR LF, LF or CR.
func splitLines(data []byte, end bool) (int, []byte, error) {
	at := bytes.IndexAny(data, "\r\n")
	switch {
	case at < 0 && end && len(data) > 0:
		return len(data), data, nil
	case at < 0:
		return 0, nil, nil
	case data[at] == '\n':
		return at + 1, data[:at], nil
	case at+1 < len(data) && data[at+1] == '\n':
		return at + 2, data[:at], nil
	case at+1 < len(data) || end:
		return at + 1, data[:at], nil
	}
	return 0, nil, nil // the next byte says whether it is one line end or two
}

// quiet is how long a stream may say nothing: the server says something every 20 s.
const quiet = time.Minute

var errQuiet = errors.New("the stream has fallen silent")

// stream makes a call whose answer is a stream of events, and makes it again after
// the last event seen for as long as somebody reads. It ends with an error: that of
// the context, what the first connection meets, or later what waiting does not mend.
func stream[T any](ctx context.Context, c *Client, name string, begin func() *call) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		at, failures, connected, wanted := reached{}, 0, false, true
		for {
			r := begin()
			r.accept("text/event-stream")
			r.streamed = true
			if at.id != "" {
				r.header.Set("Last-Event-ID", at.id)
			}
			answer, err := c.send(ctx, r)
			at.retry = waitAfter(err, failures)
			if err != nil && (!connected || ctx.Err() != nil || !passes(err)) {
				yield(nil, err)
				return
			}
			if err == nil {
				connected = true
				readEvents(answer.heard(), &at, func(e event) bool {
					if ctx.Err() != nil {
						return false
					}
					failures = 0
					if e.name != name {
						return true
					}
					value := new(T)
					if err := json.Unmarshal(e.data, value); err != nil {
						wanted = yield(nil, &Error{Operation: r.operation, Err: fmt.Errorf("reading an event: %w", err)})
					} else {
						wanted = yield(value, nil)
					}
					return wanted
				})
				_ = answer.Body.Close()
				answer.cancel(nil)
			}
			if !wanted {
				return
			}
			failures++
			if err := c.pause(ctx, at.retry); err != nil {
				yield(nil, &Error{Operation: r.operation, Err: err})
				return
			}
		}
	}
}

// passes says that a stream is worth another connection: the network failed, or the
// server cannot answer now.
func passes(err error) bool {
	if p := (*ProblemError)(nil); errors.As(err, &p) {
		return p.Status == http.StatusTooManyRequests || p.Status >= http.StatusInternalServerError
	}
	unanswered := (*Error)(nil)
	return errors.As(err, &unanswered)
}

// heard gives the body, whose reading ends when nothing has come for too long.
func (a *answer) heard() io.Reader {
	timer := time.AfterFunc(quiet, func() { a.cancel(errQuiet) })
	context.AfterFunc(a.ctx, func() { timer.Stop() })
	return readerFunc(func(p []byte) (int, error) {
		n, err := a.Body.Read(p)
		timer.Reset(quiet)
		return n, err
	})
}

// pages reads page after page, from the cursor on.
func pages[T any](cursor *Cursor, next func(*Cursor) ([]T, *NextCursor, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for at := cursor; ; {
			items, after, err := next(at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if after == nil {
				return
			}
			at = after
		}
	}
}
