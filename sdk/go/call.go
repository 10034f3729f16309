package accord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// call is one call of an operation, which may take several requests.
type call struct {
	operation string
	method    string
	path      string
	query     url.Values
	header    http.Header
	public    bool // nobody has to be signed in
	keyed     bool // it takes an Idempotency-Key
	body      func() (io.Reader, error)
	once      bool // the body cannot be read again
	streamed  bool // the answer is read for as long as that takes

	answerHeader *http.Header
	sent         bool // the last request may have reached the server
	unknown      bool // one did, and nobody knows what has become of it
}

func newCall(operation, method, path string, options []CallOption) *call {
	r := &call{operation: operation, method: method, path: path, query: url.Values{}, header: http.Header{}}
	for _, option := range options {
		option(r)
	}
	return r
}

// accept names the content types of the answer, unless the caller has named one.
func (r *call) accept(mediaType string) {
	if r.header.Get("Accept") == "" {
		r.header.Set("Accept", mediaType)
	}
}

// safe says that doing it twice is as good as doing it once (RFC 9110, section 9.2.2).
func (r *call) safe() bool {
	return r.keyed || slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete}, r.method)
}

// unsure says that the server may have done what is asked for. It is another question
// whether it may be sent again: what is safe may.
func (r *call) unsure() bool {
	return r.unknown && r.method != http.MethodGet && r.method != http.MethodHead
}

// decode makes the call and reads its answer as JSON.
func decode[T any](ctx context.Context, c *Client, r *call) (*T, error) {
	r.accept("application/json")
	answer, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer answer.close()
	value := new(T)
	if err := json.NewDecoder(answer.Body).Decode(value); err != nil {
		r.unknown = true
		return nil, &Error{Operation: r.operation, Sent: r.unsure(), Err: fmt.Errorf("reading the answer: %w", answer.cause(err))}
	}
	return value, nil
}

// done makes a call whose answer has no content.
func done(ctx context.Context, c *Client, r *call) error {
	r.accept("application/json")
	answer, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	answer.close()
	return nil
}

// answer is an answer whose body is still to be read, and then to be closed.
type answer struct {
	*http.Response

	ctx    context.Context //nolint:containedctx // the attempt's, which ends with the body
	cancel context.CancelCauseFunc
}

func (a *answer) close() {
	_, _ = io.CopyN(io.Discard, a.Body, 4<<10) // so that the connection can be used again
	_ = a.Body.Close()
	a.cancel(nil)
}

// cause is why reading ended, where that was a timeout or the caller's wish.
func (a *answer) cause(err error) error {
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	return err
}

// maxWait is the longest wait that Retry-After is given; a longer one is the caller's.
const maxWait = time.Minute

// send makes requests until one succeeds, or another one would not help.
func (c *Client) send(ctx context.Context, r *call) (*answer, error) {
	if r.keyed && r.header.Get("Idempotency-Key") == "" {
		r.header.Set("Idempotency-Key", uuid.NewString())
	}
	refused := "" // the access token that was
	for attempt := 0; ; {
		access, err := c.accessFor(ctx, r, refused)
		if err != nil {
			return nil, err
		}
		got, err := c.attempt(ctx, r, access)
		if err == nil {
			c.warn(r.operation, got.Header)
			if r.answerHeader != nil {
				*r.answerHeader = got.Header
			}
			return got, nil
		}
		if ctx.Err() != nil || r.spent() {
			return nil, err
		}
		if isCode(err, CodeUnauthenticated) && access != "" && refused == "" {
			refused = access
			continue // it costs no retry
		}
		wait := waitAfter(err, attempt)
		if attempt == c.retries || !r.worthwhile(err) || wait > maxWait {
			return nil, err
		}
		attempt++
		if fault := c.pause(ctx, wait); fault != nil {
			return nil, &Error{Operation: r.operation, Sent: r.unsure(), Err: fault}
		}
	}
}

func (c *Client) accessFor(ctx context.Context, r *call, refused string) (string, error) {
	if r.public {
		return "", nil
	}
	access, err := c.access(ctx, refused)
	if ctx.Err() != nil && err != nil {
		return "", &Error{Operation: r.operation, Sent: r.unsure(), Err: context.Cause(ctx)}
	}
	if e := (*Error)(nil); errors.As(err, &e) { // what is not known of a sign-in says nothing of the call
		return "", &Error{Operation: e.Operation, Sent: r.unsure(), Err: e.Err}
	}
	return access, err
}

// spent says that the body was read, and cannot be read again.
func (r *call) spent() bool { return r.once && r.sent }

// worthwhile says that the same request may succeed now: the server has not begun
// with it, or what it may have done is done once for all attempts. What took too long
// once is not made to take that three times.
func (r *call) worthwhile(err error) bool {
	p := (*ProblemError)(nil)
	if !errors.As(err, &p) {
		return !errors.Is(err, ErrTimeout) && (r.safe() || !r.sent)
	}
	if p.Code() == CodeRequestInProgress { // an earlier attempt is still at work
		return true
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	}
	return p.lost() && r.safe()
}

// waitAfter is what the server asks for, or else 0.5 s, doubled with each attempt,
// less a random part of up to a half, which spreads clients.
func waitAfter(err error, attempt int) time.Duration {
	if p := (*ProblemError)(nil); errors.As(err, &p) {
		if wait, said := p.RetryAfter(); said {
			return wait
		}
	}
	d := 500 * time.Millisecond << min(attempt, 4)
	return d - rand.N(d/2)
}

// attempt sends one request and gives its answer, if it is a success.
func (c *Client) attempt(ctx context.Context, r *call, access string) (*answer, error) {
	if r.sent = false; ctx.Err() != nil {
		return nil, &Error{Operation: r.operation, Sent: r.unsure(), Err: context.Cause(ctx)}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	at := new(progress)
	request, err := c.request(httptrace.WithClientTrace(ctx, at.trace()), r, access)
	if err != nil {
		cancel(nil)
		return nil, &Error{Operation: r.operation, Err: err}
	}
	if c.timeout > 0 {
		timer := time.AfterFunc(c.timeout, func() { cancel(ErrTimeout) })
		context.AfterFunc(ctx, func() { timer.Stop() })
		if r.streamed {
			defer timer.Stop()
		}
	}
	response, err := c.http.Do(request) //nolint:bodyclose // whoever reads the answer closes it
	r.sent = at.sent()
	if err != nil {
		r.unknown = r.unknown || r.sent
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		cancel(nil)
		if address := (*url.Error)(nil); errors.As(err, &address) {
			err = address.Err // what is asked for may be a secret
		}
		return nil, &Error{Operation: r.operation, Sent: r.unsure(), Err: err}
	}
	got := &answer{response, ctx, cancel}
	if response.StatusCode < http.StatusMultipleChoices {
		return got, nil
	}
	defer got.close()
	if response.StatusCode == http.StatusNotModified {
		return nil, ErrNotModified
	}
	problem := readProblem(response)
	if problem.lost() || problem.Code() == CodeRequestInProgress {
		r.unknown = true
	}
	return nil, problem
}

// progress is how far a request has come, as the transport tells.
type progress struct{ atomic.Int32 }

const (
	connecting = iota + 1 // before, nobody has told anything
	written
)

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		// net/http may connect again for what it has written to a connection that was closed.
		GetConn:      func(string) { p.CompareAndSwap(0, connecting) },
		WroteHeaders: func() { p.Store(written) },
	}
}

// sent says that the request may have reached the server; a transport that tells
// nothing may have sent it.
func (p *progress) sent() bool { return p.Load() != connecting }

func (c *Client) request(ctx context.Context, r *call, access string) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		var err error
		if body, err = r.body(); err != nil {
			return nil, fmt.Errorf("making the body: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+r.path, body)
	if err != nil {
		return nil, err
	}
	request.URL.RawQuery = r.query.Encode()
	maps.Copy(request.Header, c.header)
	maps.Copy(request.Header, r.header)
	if access != "" {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	return request, nil
}

// warn tells once of each operation that is deprecated (RFC 9745), with the day on
// which it ends (RFC 8594).
func (c *Client) warn(operation string, header http.Header) {
	if header.Get("Deprecation") == "" {
		return
	}
	if _, told := c.warned.LoadOrStore(operation, true); !told {
		c.logger.Warn("accord: a deprecated operation is called", "operation", operation, "sunset", header.Get("Sunset"))
	}
}
