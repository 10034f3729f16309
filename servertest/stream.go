package servertest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	eventStream = "text/event-stream"
	// patience is how long a test waits for what must come.
	patience = 15 * time.Second
)

// Stream is an open stream of server-sent events.
type Stream struct {
	*Answer
	events <-chan Event // closed at the end of the stream
	close  func()
}

// Event is one of a stream.
type Event struct {
	ID, Name string
	Data     []byte
	// Comment says that it is none, but a comment in between.
	Comment bool
}

// Stream opens a stream as this person. It returns when the stream has begun:
// with the first of what it says. The test's end closes it.
func (p *Person) Stream(path string, header http.Header) *Stream {
	p.T.Helper()
	ctx, cancel := context.WithCancel(p.T.Context())
	p.T.Cleanup(cancel)
	r := p.request(ctx, http.MethodGet, path, "", nil)
	maps.Copy(r.Header, header)
	response, err := p.HTTP.Do(r)
	if err != nil {
		p.T.Fatalf("GET %s: %v", r.URL, err)
	}
	reader := bufio.NewReader(response.Body)
	first, err := readBlock(reader)
	if err != nil || response.StatusCode != http.StatusOK {
		p.T.Fatalf("opening the stream %s: status %d: %v\n%s", r.URL, response.StatusCode, err, first)
	}

	events := make(chan Event)
	go func() {
		defer close(events)
		defer response.Body.Close()
		readEvents(ctx, reader, events)
	}()
	closed := func() {
		cancel()
		for range events { // until the reader has ended
		}
	}
	p.T.Cleanup(closed)
	return &Stream{Answer: p.answer(response, first), events: events, close: closed}
}

func readEvents(ctx context.Context, from *bufio.Reader, events chan<- Event) {
	for {
		block, err := readBlock(from)
		if err != nil {
			return
		}
		select {
		case events <- parseEvent(string(block)):
		case <-ctx.Done():
			return
		}
	}
}

// readAnswer reads a whole body, or the first block of one that has no end.
func readAnswer(response *http.Response) ([]byte, error) {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if mediaType == eventStream && response.Request.Method != http.MethodHead {
		return readBlock(bufio.NewReader(response.Body))
	}
	return io.ReadAll(response.Body)
}

// readBlock reads up to an empty line, as which events end.
func readBlock(from *bufio.Reader) ([]byte, error) {
	var block bytes.Buffer
	for {
		line, err := from.ReadBytes('\n')
		block.Write(line)
		if err != nil || len(line) == 1 {
			return block.Bytes(), err
		}
	}
}

func parseEvent(block string) Event {
	e := Event{Comment: true}
	for line := range strings.Lines(block) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			e.ID = value
		case "event":
			e.Name = value
		case "data":
			e.Data, e.Comment = append(e.Data, value...), false
		}
	}
	return e
}

// Next gives the next event, held against the contract.
func (s *Stream) Next() Event {
	s.person.T.Helper()
	e := s.Any()
	for _, breach := range published().EventBreaches(e.Name, e.Data) {
		s.person.T.Errorf("an event of %s is against the contract: %s\n%s", s.Request.URL, breach, e.Data)
	}
	return e
}

// Any gives the next event of a stream that is in no contract.
func (s *Stream) Any() Event {
	s.person.T.Helper()
	for {
		if e := s.next(); !e.Comment {
			return e
		}
	}
}

// Comment waits for the next comment; an event before it fails the test.
func (s *Stream) Comment() {
	s.person.T.Helper()
	if e := s.next(); !e.Comment {
		s.person.T.Fatalf("the stream %s sends %s", s.Request.URL, e.Data)
	}
}

func (s *Stream) next() Event {
	s.person.T.Helper()
	select {
	case e, open := <-s.events:
		if !open {
			s.person.T.Fatalf("the stream %s has ended", s.Request.URL)
		}
		return e
	case <-time.After(patience):
		s.person.T.Fatalf("the stream %s sends nothing", s.Request.URL)
	}
	return Event{}
}

// Ended waits for the end of the stream and gives what came until then. One
// that has not ended within the time fails the test.
func (s *Stream) Ended(within time.Duration) []Event {
	s.person.T.Helper()
	late := time.After(within)
	var last []Event
	for {
		select {
		case e, open := <-s.events:
			if !open {
				return last
			}
			if !e.Comment {
				last = append(last, e)
			}
		case <-late:
			s.person.T.Fatalf("the stream %s has not ended within %s", s.Request.URL, within)
		}
	}
}

// Close hangs up.
func (s *Stream) Close() { s.close() }

// String is for failures of tests.
func (e Event) String() string { return fmt.Sprintf("%s %s %s", e.ID, e.Name, e.Data) }
