package accord

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// event is one event of a stream.
type event struct {
	id, name string
	data     []byte
}

// maxEvent is how long a line of a stream may be, in bytes.
const maxEvent = 1 << 20

// readEvents reads a stream as the HTML standard has it
// (https://html.spec.whatwg.org/multipage/server-sent-events.html), until it ends, is
// cut, or nobody wants more. Of its `retry` it tells the last.
func readEvents(stream io.Reader, retry *time.Duration, yield func(event) bool) {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxEvent)
	lines.Split(splitLines)
	e, id := event{}, ""
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		if first {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line == "" {
			if len(e.data) > 0 {
				e.id, e.data = id, bytes.TrimSuffix(e.data, []byte("\n"))
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
				*retry = time.Duration(ms) * time.Millisecond
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

// stream makes a call whose answer is a stream of events, and makes it again after
// the last event seen for as long as somebody reads. It ends with an error: that of
// the context, a Problem, or what keeps it from connecting again.
func stream[T any](ctx context.Context, c *Client, name string, begin func() *call) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		last, failures, wanted := "", 0, true
		for {
			r := begin()
			r.accept("text/event-stream")
			r.streamed = true
			if last != "" {
				r.header.Set("Last-Event-ID", last)
			}
			answer, err := c.send(ctx, r)
			if err != nil {
				yield(nil, err)
				return
			}
			wait := waitAfter(nil, failures)
			readEvents(answer.Body, &wait, func(e event) bool {
				if ctx.Err() != nil {
					return false
				}
				failures, last = 0, e.id
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
			if !wanted {
				return
			}
			failures++
			if err := c.pause(ctx, wait); err != nil {
				yield(nil, &Error{Operation: r.operation, Err: err})
				return
			}
		}
	}
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
