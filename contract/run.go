package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Target is the server that is held to a document.
type Target struct {
	// URL is what the document's paths are joined to: scheme, host, and what
	// stands before the paths. Without any path, that is the one of the document's
	// first server.
	URL string
	// Logins are people who may sign in by the document's OAuth2 password flow.
	// Several with the same scopes share the load of a limit by user.
	Logins []Login
	// Credentials are such as were got elsewhere.
	Credentials []Credential
	// Expired is a token that was good once; "" for none.
	Expired string
	// ClientIPHeader is a header, such as X-Forwarded-For, that the server takes
	// clients' addresses from; each case then has one of its own. Without it, Run tries
	// rate limits last, one after the other, and Mutate none.
	ClientIPHeader string
	// Values gives what no answer of the API shows, such as a token that comes by
	// mail, by "operationId.member". Each is asked for each time that it is sent.
	Values map[string]func(context.Context) (any, error)
	// Recorded are answers that came elsewhere.
	Recorded []Recorded
	// ReadOnly sends GET, HEAD and OPTIONS only, but for the sign-in of Logins.
	ReadOnly bool
	// Keep leaves what cases have made, which Run deletes else as far as the document
	// has operations for that; so does Mutate.
	Keep bool
	// Every takes each n-th mutant as a sample, and keeps their documents; 0 means all.
	Every int
	// Timeout bounds each request; 0 means 30 s.
	Timeout time.Duration
	// Patience is how long a rate limit that is in the way is waited for, and all
	// that are tried last together; 0 means 2 minutes.
	Patience time.Duration
	// Parallel is how many cases run at once; 0 means 4.
	Parallel int
	// HTTP sends the requests; nil means a client that follows no redirect.
	HTTP *http.Client
}

// Login is a user name and password, under a name for reports.
type Login struct{ Name, User, Password string }

// exchange is a request that was sent, and its answer.
type exchange struct {
	operation  string
	method     string
	url        string
	header     http.Header
	body       []piece
	size       int // of the body as a whole
	value      any // what the body was encoded from
	parameters map[string]any

	status   int
	answer   http.Header
	received []byte
	cut      bool // received is not the whole of it
	recorded bool // it came elsewhere
	elapsed  time.Duration
	after    []*exchange // what was made, read back

	once     sync.Once
	read     any // what was received, decoded
	readFail error
}

// decoded is what was received, as JSON. What is in it may not be changed.
func (e *exchange) decoded() (any, error) {
	e.once.Do(func() { e.read, e.readFail = decode(e.received) })
	return e.read, e.readFail
}

// session is one run against one server.
type session struct {
	*deriver
	target  Target
	redact  *redactor
	http    *http.Client
	nonce   uint64
	counter atomic.Uint64

	mu         sync.Mutex
	identities []*identity
	shared     map[string]*scope
	memory     map[string][]*exchange
	makings    []*making
	makes      map[string]bool // makers
	sent       int             // exchanges that cases have sent
	hurried    bool            // no limit is waited for that lasts
	alone      bool            // nothing else is asked meanwhile
	patience   time.Duration   // that is left for limits
}

// scope is what cases share that run one after the other as one person.
type scope struct {
	mu       sync.Mutex
	identity *identity
	made     map[string]*exchange
	uses     int
}

const (
	defaultTimeout  = 30 * time.Second
	defaultParallel = 4
	// maxReceived is how much of an answer is kept.
	maxReceived = 1 << 20
	// streamTime is how long a stream is listened to.
	streamTime = 300 * time.Millisecond
	// maxUses is how often a person asks before another one does, so that no
	// limit by user is met but by the case that looks for it.
	maxUses = 80
)

func newSession(d *deriver, target Target) *session {
	s := &session{deriver: d, target: target, redact: newRedactor(d.Document, target), makes: d.makers(), http: target.HTTP, nonce: uint64(time.Now().UnixNano()) / 1000, shared: map[string]*scope{}, memory: map[string][]*exchange{}}
	if s.target.Timeout == 0 {
		s.target.Timeout = defaultTimeout
	}
	if s.target.Patience == 0 {
		s.target.Patience = defaultPatience
	}
	if s.target.Parallel == 0 {
		s.target.Parallel = defaultParallel
	}
	if s.http == nil {
		s.http = &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 2 * s.target.Parallel, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return s
}

func (s *session) next() uint64 { return s.nonce + s.counter.Add(1) }

// passwordScheme is the security scheme with a password flow, "" for none.
func (d *Document) passwordScheme() string {
	schemes, _ := d.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		scheme, at := d.resolve("/components/securitySchemes/" + escape(name))
		if address, ok := d.at(at + "/flows/password/tokenUrl").(string); ok && scheme["type"] == "oauth2" && address != "" {
			return name
		}
	}
	return ""
}

// tokenPath is where the document's password flow gets its tokens, as the paths of
// operations are; "" for nowhere. A password goes to no other server than the one
// that is held to the document.
func (d *Document) tokenPath() string {
	_, at := d.resolve("/components/securitySchemes/" + escape(d.passwordScheme()))
	said, _ := d.at(at + "/flows/password/tokenUrl").(string)
	address, err := url.Parse(said)
	if err != nil || said == "" {
		return ""
	}
	path := "/" + strings.TrimPrefix(strings.TrimPrefix(address.Path, "."), "/")
	base := d.Base()
	if below, found := strings.CutPrefix(path, base); found && d.at("/paths/"+escape(path)) == nil {
		return below
	}
	return path
}

func first(text string, n int) string {
	if len(text) > n {
		return text[:n] + "..."
	}
	return text
}

// errReadOnly keeps what would write from being sent.
var errReadOnly = errors.New("it writes, or needs something that is written first")

// scopeFor gives the scope of a request: one of its own where something may be
// changed, else one that is shared for a while.
func (s *session) scopeFor(ctx context.Context, r request, own bool) (*scope, error) {
	if own || r.As.Alone {
		who, err := s.identityFor(ctx, r.As)
		return newScope(who), err
	}
	key := r.Operation + " " + fmt.Sprint(r.As)
	s.mu.Lock()
	shared := s.shared[key]
	if shared != nil && shared.uses < maxUses/2 && (shared.identity == nil || !shared.identity.gone) {
		shared.uses++
		s.mu.Unlock()
		return shared, nil
	}
	s.mu.Unlock()
	who, err := s.identityFor(ctx, r.As)
	if err != nil {
		return nil, err
	}
	shared = newScope(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared[key] = shared
	return shared, nil
}

func newScope(who *identity) *scope {
	sc := &scope{identity: who, made: map[string]*exchange{}}
	if who != nil {
		maps.Copy(sc.made, who.made)
	}
	return sc
}

// made gives the exchange with another operation that a request builds upon.
func (s *session) made(ctx context.Context, id string, sc *scope) (*exchange, error) {
	if e := sc.made[id]; e != nil {
		return e, nil
	}
	o := s.operation(id)
	if o == nil {
		return nil, fmt.Errorf("a link comes from %s, which is no operation", id)
	}
	r := s.valid(o)
	below := sc
	switch {
	case o.public():
		below = &scope{made: sc.made}
	case sc.identity == nil || !sc.identity.holds(r.As.Scopes) || !sc.identity.has(r.As.Schemes):
		r.As.Alone = false
		who, err := s.identityFor(ctx, r.As)
		if err != nil {
			return nil, err
		}
		below = &scope{identity: who, made: sc.made}
	}
	e, err := s.patiently(ctx, func() (*exchange, error) {
		return s.signedInStill(ctx, below.identity, func() (*exchange, error) { return s.exchange(ctx, r, below, "", false) })
	})
	if err != nil {
		return nil, err
	}
	if e.status >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("making what is needed: %s %s: %d %s", e.method, e.url, e.status, first(string(e.received), 300))
	}
	sc.made[id] = e
	return e, nil
}

// exchange sends a request within a scope, from a client's address, or from a new
// one where that is "".
func (s *session) exchange(ctx context.Context, r request, sc *scope, address string, brief bool) (*exchange, error) {
	o := r.on
	parameters, err := s.settle(ctx, r.Parameters, sc)
	if err != nil {
		return nil, err
	}
	body, err := s.settle(ctx, r.Body, sc)
	if err != nil {
		return nil, err
	}
	given, _ := parameters.(map[string]any)
	path, header := o.address(given)
	for name, value := range r.Header {
		header.Set(name, value)
	}
	path = s.authorize(header, path, r.As, sc.identity)
	s.setAddress(header, address)
	contentType, encoded, err := r.encoded(body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	method := o.method
	if r.Method != "" {
		method = r.Method
	}
	e, err := s.send(ctx, method, s.root(o), path, header, encoded, brief || o.policy.stream)
	if err != nil {
		return nil, err
	}
	e.operation, e.value, e.parameters = o.id, body, given
	s.note(e, sc.identity)
	return e, nil
}

// setAddress gives a request a client's address, where the target reads one.
func (s *session) setAddress(header http.Header, address string) {
	if s.target.ClientIPHeader == "" {
		return
	}
	if address == "" {
		address = s.newAddress()
	}
	header.Set(s.target.ClientIPHeader, address)
}

// newAddress is one of 10.0.0.0/8 that nothing has asked from for a while.
func (s *session) newAddress() string {
	n := s.next()
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// settle replaces what stands for values of other exchanges.
func (s *session) settle(ctx context.Context, value any, sc *scope) (any, error) {
	switch value := value.(type) {
	case linked:
		e, err := s.made(ctx, value.From, sc)
		if err == nil && value.Otherwise != nil {
			if found, err := e.evaluate(value.Expression); err == nil {
				return found, nil
			}
		}
		if value.Otherwise != nil && ctx.Err() == nil {
			return value.Otherwise, nil
		}
		if err != nil {
			return nil, err
		}
		return e.evaluate(value.Expression)
	case fresh:
		return s.fresh(value), nil
	case filler:
		return strings.Repeat("a", value.Bytes), nil
	case given:
		return s.redact.giving(ctx, s.target.Values[value.Key])
	case []any:
		list := make([]any, len(value))
		for i := range value {
			settled, err := s.settle(ctx, value[i], sc)
			if err != nil {
				return nil, err
			}
			list[i] = settled
		}
		return list, nil
	case map[string]any:
		object := make(map[string]any, len(value))
		for _, name := range sorted(value) {
			settled, err := s.settle(ctx, value[name], sc)
			if err != nil {
				return nil, err
			}
			object[name] = settled
		}
		return object, nil
	}
	return value, nil
}

func (s *session) fresh(f fresh) any {
	shape := s.shape(f.Schema)
	if name := shape.format(); name == "email" {
		return fmt.Sprintf("c%s@example.com", strconv.FormatUint(s.next(), 36))
	}
	for n := f.Length; n <= f.Length+12; n++ {
		if text, ok := s.text(shape, n, s.next()); ok {
			return text
		}
	}
	return s.base(f.Schema, true, 0)
}

// evaluate reads a runtime expression.
func (e *exchange) evaluate(expression string) (any, error) {
	source, pointer, _ := strings.Cut(expression, "#")
	var value any
	switch {
	case source == "$response.body":
		decoded, err := e.decoded()
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", expression, e.operation, err)
		}
		value = valueAt(decoded, pointer)
	case source == "$request.body":
		value = valueAt(e.value, pointer)
	case strings.HasPrefix(source, "$response.header."):
		value = e.answer.Get(strings.TrimPrefix(source, "$response.header."))
	case strings.HasPrefix(source, "$request."):
		in, name, _ := strings.Cut(strings.TrimPrefix(source, "$request."), ".")
		value = e.parameters[in+":"+name]
	}
	if value == nil {
		return nil, fmt.Errorf("%s of %s is not there: %d %s", expression, e.operation, e.status, first(string(e.received), 200))
	}
	return value, nil
}

func decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

type signInKey struct{}

// signingIn marks what is done with a context as the sign-in of a login, which is sent by
// those who only read as well.
func signingIn(ctx context.Context) context.Context {
	return context.WithValue(ctx, signInKey{}, true)
}

func signsIn(ctx context.Context) bool { return ctx.Value(signInKey{}) != nil }

// send does one HTTP exchange. A brief one is left as soon as the head of the
// answer and something of its body are there.
func (s *session) send(ctx context.Context, method, root, path string, header http.Header, body []byte, brief bool) (*exchange, error) {
	if s.target.ReadOnly && !safe(method) && !signsIn(ctx) {
		return nil, errReadOnly
	}
	ctx, cancel := context.WithTimeout(ctx, s.target.Timeout)
	defer cancel()
	address := root + path
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = header
	began := time.Now()
	response, err := s.http.Do(r)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) { // it may have closed a connection that was kept
		r.Body, _ = r.GetBody() // of a bytes.Reader, which has no error
		response, err = s.http.Do(r)
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	e := &exchange{method: method, url: address, header: header, body: pieces(body), size: len(body), status: response.StatusCode, answer: response.Header, cut: brief}
	if brief {
		stop := time.AfterFunc(streamTime, cancel)
		defer stop.Stop()
		e.received = make([]byte, 4096)
		n, _ := response.Body.Read(e.received) // what is there is enough
		e.received = e.received[:n]
	} else if e.received, err = io.ReadAll(io.LimitReader(response.Body, maxReceived+1)); err != nil {
		return nil, fmt.Errorf("%s %s: reading the answer: %w", method, address, err)
	}
	e.cut = e.cut || len(e.received) > maxReceived
	s.redact.AddTokens(e.received)
	e.elapsed = time.Since(began)
	return e, nil
}
