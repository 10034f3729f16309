// Package accord calls the API: a method of Client for each operation of its contract.
// It signs in by itself, sends again what may be sent again, and gives refusals as
// errors that one switches on.
package accord

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client calls the API. It may be used by any number of goroutines.
type Client struct {
	base    *url.URL
	http    *http.Client
	header  http.Header
	logger  *slog.Logger
	timeout time.Duration
	retries int
	pause   func(context.Context, time.Duration) error
	session session
	warned  sync.Map // operations that are deprecated
}

// Option is a setting of a Client.
type Option func(*Client)

// The settings that New gives a Client which is told no others.
const (
	DefaultTimeout = 30 * time.Second
	DefaultRetries = 2
)

// New makes a Client of the server at baseURL, such as https://api.example.com. It
// sends nothing; whom it signs in, it signs in with the first call that needs it.
func New(baseURL string, options ...Option) (*Client, error) {
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("accord: reading the server's address: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("accord: %q is no address of a server: want https://host", baseURL)
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	c := &Client{
		base: base, http: http.DefaultClient, header: http.Header{}, logger: slog.Default(),
		timeout: DefaultTimeout, retries: DefaultRetries, pause: pause,
		session: session{turn: make(chan struct{}, 1), store: new(memory)},
	}
	c.header.Set("User-Agent", "accord-go/"+Version)
	for _, option := range options {
		option(c)
	}
	return c, nil
}

// WithPassword signs in by a user name, or an e-mail address, and a password. Without
// it a Client calls what is public, or as whom the store of WithTokenStore has.
func WithPassword(username, password string) Option {
	return func(c *Client) { c.session.form = &LoginForm{Username: username, Password: password} }
}

// WithTokenStore keeps the tokens in a store instead of in memory.
func WithTokenStore(store TokenStore) Option {
	return func(c *Client) { c.session.store = store }
}

// WithHTTPClient sends requests by another client than http.DefaultClient. Its
// Timeout would end downloads and streams that take longer: leave it 0.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) { c.http = client }
}

// WithTimeout bounds each attempt of a call, and of a download or a stream the time
// until it begins; 0 means no bound.
func WithTimeout(timeout time.Duration) Option {
	return func(c *Client) { c.timeout = timeout }
}

// WithRetries sends a call again up to so many times, where that is safe.
func WithRetries(retries int) Option {
	return func(c *Client) { c.retries = max(0, retries) }
}

// WithHeader sends a header with every request.
func WithHeader(name, value string) Option {
	return func(c *Client) { c.header.Set(name, value) }
}

// WithUserAgent puts a product, such as shop/1.2, before the Client's own name.
func WithUserAgent(product string) Option {
	return func(c *Client) { c.header.Set("User-Agent", product+" accord-go/"+Version) }
}

// WithLogger tells of calls of deprecated operations elsewhere than slog.Default.
func WithLogger(logger *slog.Logger) Option {
	return func(c *Client) { c.logger = logger }
}

// CallOption is a setting of one call.
type CallOption func(*call)

// Header sends a header with the call.
func Header(name, value string) CallOption {
	return func(r *call) { r.header.Set(name, value) }
}

// Accept asks for one of the content types in which an operation answers; the first
// that the document lists is the default.
func Accept(mediaType string) CallOption { return Header("Accept", mediaType) }

// AnswerHeader puts the header of the answer, such as its ETag, into header.
func AnswerHeader(header *http.Header) CallOption {
	return func(r *call) { r.answerHeader = header }
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ErrTimeout is in the Error of a call whose answer did not begin in time.
var ErrTimeout = errors.New("no answer in time")

// ErrNotModified is the answer to WithIfNoneMatch when nothing has changed (304).
var ErrNotModified = errors.New("accord: not modified")

// Error is a call that got no answer, or none that can be read. A call that was
// cancelled wraps its context's error; one that timed out, ErrTimeout.
type Error struct {
	// Operation is the operationId.
	Operation string
	// Sent says that the server may have changed what was asked for, also where it was
	// safe to ask again. It is false of reads, and where nothing but connecting failed.
	Sent bool
	Err  error
}

func (e *Error) Error() string {
	if e.Sent {
		return fmt.Sprintf("accord: %s: %v; the server may have done it", e.Operation, e.Err)
	}
	return fmt.Sprintf("accord: %s: %v", e.Operation, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }
