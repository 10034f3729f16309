//go:build scenarios

package accord_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	accord "github.com/accord-api/accord/sdk/go"
)

// scenarios are those of sdk/scenarios.json, tried on the server at ACCORD_URL.
var scenarios = map[string]func(*testing.T){
	"sign in": func(t *testing.T) {
		p := register(t)
		if me := must(p.client.GetMe(t.Context())); me.Username != p.name {
			t.Errorf("signed in as %s, not %s", me.Username, p.name)
		}
		must(p.client.GetMe(t.Context()))
		if got := p.count("/auth/login"); got != 1 {
			t.Errorf("%d sign-ins", got)
		}
	},
	"token store": func(t *testing.T) {
		p := register(t)
		must(p.client.GetMe(t.Context()))
		second := client(t, accord.WithTokenStore(p.store))
		if me := must(second.client.GetMe(t.Context())); me.Username != p.name {
			t.Errorf("signed in as %s, not %s", me.Username, p.name)
		}
		if got := second.count("/auth/login"); got != 0 {
			t.Errorf("%d sign-ins", got)
		}
	},
	"refresh": func(t *testing.T) {
		p := register(t)
		must(p.client.GetMe(t.Context()))
		before := p.spoil()
		again := client(t, accord.WithTokenStore(p.store))
		if me := must(again.client.GetMe(t.Context())); me.Username != p.name {
			t.Errorf("signed in as %s, not %s", me.Username, p.name)
		}
		if got := again.count("/auth/refresh"); got != 1 {
			t.Errorf("%d refreshes", got)
		}
		if now := p.store.tokens; now.Refresh == before.Refresh || now.Access == before.Access || now.Access == spoilt {
			t.Error("the new tokens are not stored")
		}
	},
	"one refresh": func(t *testing.T) {
		p := register(t)
		must(p.client.GetMe(t.Context()))
		p.spoil()
		again := client(t, accord.WithTokenStore(p.store))
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if me, err := again.client.GetMe(t.Context()); err != nil || me.Username != p.name {
					t.Errorf("%v, %v", me, err)
				}
			})
		}
		group.Wait()
		if got := again.count("/auth/refresh"); got != 1 {
			t.Errorf("%d refreshes", got)
		}
	},
	"ended session": func(t *testing.T) {
		p := register(t)
		must(p.client.GetMe(t.Context()))
		ended := &store{tokens: p.store.tokens}
		if err := client(t, accord.WithTokenStore(ended)).client.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if me, err := p.client.GetMe(t.Context()); err != nil || me.Username != p.name {
					t.Errorf("%v, %v", me, err)
				}
			})
		}
		group.Wait()
		if got := p.count("/auth/login"); got != 2 {
			t.Errorf("%d sign-ins", got)
		}
	},
	"sign out": func(t *testing.T) {
		p := register(t)
		must(p.client.GetMe(t.Context()))
		access := p.store.tokens
		if err := p.client.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.store.tokens != (accord.Tokens{}) {
			t.Error("the store is not empty")
		}
		_, err := p.client.GetMe(t.Context())
		_ = wantProblem(t, err, http.StatusUnauthorized, accord.CodeUnauthenticated)
		p.store.tokens = access
		_, err = client(t, accord.WithTokenStore(p.store)).client.GetMe(t.Context())
		_ = wantProblem(t, err, http.StatusUnauthorized, accord.CodeUnauthenticated)
	},
	"problem": func(t *testing.T) {
		p := register(t)
		other := register(t)
		_, err := p.client.GetUser(t.Context(), must(other.client.GetMe(t.Context())).ID)
		problem := wantProblem(t, err, http.StatusNotFound, accord.CodeNotFound)
		if problem.RequestID == "" || problem.RequestID != problem.Header.Get("X-Request-Id") || problem.Detail == "" {
			t.Errorf("%+v", problem)
		}
	},
	"validation": func(t *testing.T) {
		_, err := client(t).client.RegisterUser(t.Context(), accord.UserCreate{Email: "none", Username: "a", Password: "short", FullName: ""})
		problem := wantProblem(t, err, http.StatusUnprocessableEntity, accord.CodeValidation)
		var fields []string
		for _, e := range problem.Errors {
			if fields = append(fields, e.Field); e.Code == "" || e.Message == "" {
				t.Errorf("%+v", e)
			}
		}
		for _, want := range []string{"email", "username", "password", "full_name"} {
			if !slices.Contains(fields, want) {
				t.Errorf("%s is not among %v", want, fields)
			}
		}
	},
	"pages": func(t *testing.T) {
		c := register(t)
		for range 6 { // more sessions of the same person
			must(client(t, accord.WithPassword(c.name, password)).client.GetMe(t.Context()))
		}
		seen := map[string]bool{}
		for session, err := range c.client.ListSessionsAll(t.Context(), accord.ListSessionsParams{Limit: new(int32(2))}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[session.ID.String()] {
				t.Errorf("%s comes twice", session.ID)
			}
			if seen[session.ID.String()] = true; len(seen) == 3 {
				break
			}
		}
		if got := c.count("/sessions"); len(seen) != 3 || got != 2 {
			t.Errorf("%d sessions of %d pages", len(seen), got)
		}
		all := 0
		for _, err := range c.client.ListSessionsAll(t.Context(), accord.ListSessionsParams{Limit: new(int32(3))}) {
			if all++; err != nil {
				t.Fatal(err)
			}
		}
		if all != 7 || c.count("/sessions") != 5 {
			t.Errorf("%d sessions in all of %d pages", all, c.count("/sessions"))
		}
	},
	"retry": func(t *testing.T) {
		c := client(t)
		began := time.Now()
		if health := must(c.client.GetHealth(t.Context(), fault("unavailable"))); health.Status != accord.HealthStatusHealthy {
			t.Error(health.Status)
		}
		if took := time.Since(began); took < time.Second || c.count("/health") != 2 {
			t.Errorf("%d requests in %s", c.count("/health"), took)
		}
		_, err := client(t, accord.WithRetries(0)).client.GetHealth(t.Context(), fault("unavailable"))
		problem := wantProblem(t, err, http.StatusServiceUnavailable, "")
		if wait, said := problem.RetryAfter(); !said || wait != time.Second {
			t.Errorf("%s, %t", wait, said)
		}
	},
	// bare-drops {
	"idempotency": func(t *testing.T) {
		p := register(t)
		product := stocked(t, p)
		var header http.Header
		order := must(p.client.CreateOrder(t.Context(), accord.OrderCreate{Lines: []accord.OrderLineCreate{{ProductID: product, Quantity: 1}}},
			fault("lost"), accord.AnswerHeader(&header)))
		if header.Get("Idempotency-Replayed") != "true" { // by the client, or by net/http, which knows the header too
			t.Error("the answer is not that of a second request")
		}
		if page := must(p.client.ListOrders(t.Context(), accord.ListOrdersParams{})); len(page.Items) != 1 || page.Items[0].ID != order.ID {
			t.Errorf("%d orders", len(page.Items))
		}
	},
	// bare-drops }
	"lost write": func(t *testing.T) {
		p := register(t)
		_, err := p.client.UpdateMe(t.Context(), accord.UserUpdate{FullName: new("Grace Hopper")}, fault("lost"))
		lost := (*accord.Error)(nil)
		if !errors.As(err, &lost) || !lost.Sent || lost.Operation != "updateMe" || p.count("/users/me") != 1 {
			t.Errorf("%d requests: %v", p.count("/users/me"), err)
		}
		if me := must(p.client.GetMe(t.Context(), fault("lost"))); me.FullName != "Grace Hopper" { // a read is sent again
			t.Error(me.FullName)
		}
	},
	// bare-drops {
	"upload and download": func(t *testing.T) {
		p := register(t)
		content := bytes.Repeat([]byte("0123456789abcdef\n"), 100_000)
		file := must(p.client.UploadFile(t.Context(), accord.Upload{Name: "größe.txt", Content: io.MultiReader(bytes.NewReader(content))}))
		if file.Name != "größe.txt" || file.Size != int64(len(content)) {
			t.Errorf("%+v", file)
		}
		download := must(p.client.DownloadFile(t.Context(), file.ID))
		if got := must(io.ReadAll(download)); !bytes.Equal(got, content) || download.Size != file.Size || download.Name != file.Name || !strings.HasPrefix(download.ContentType, "text/plain") {
			t.Errorf("%d bytes, %d, %q, %s", len(got), download.Size, download.Name, download.ContentType)
		}
		if err := download.Close(); err != nil {
			t.Error(err)
		}
		broken := must(p.client.DownloadFile(t.Context(), file.ID))
		if err := broken.Close(); err != nil {
			t.Error(err)
		}
		if _, err := broken.Read(make([]byte, 1)); err == nil {
			t.Error("a closed download is read")
		}
	},
	// bare-drops }
	// bare-drops {
	"notifications": func(t *testing.T) {
		p := register(t)
		must(p.client.GetMe(t.Context()))
		product := stocked(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		place := func() {
			must(p.client.CreateOrder(t.Context(), accord.OrderCreate{Lines: []accord.OrderLineCreate{{ProductID: product, Quantity: 1}}}))
		}
		place()
		place()
		var numbers []int64
		for n, err := range p.client.StreamNotifications(ctx, accord.WithLastEventID("0"), fault("cut")) {
			if len(numbers) == 4 {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("ended with %v", err)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch numbers = append(numbers, n.Number); len(numbers) {
			case 2:
				place()
				place()
			case 4:
				cancel()
			}
		}
		if !slices.Equal(numbers, []int64{1, 2, 3, 4}) || p.count("/notifications/stream") != 2 {
			t.Errorf("%v of %d streams", numbers, p.count("/notifications/stream"))
		}

		// One that is cut before its first event goes on from where it began.
		p.before = func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/notifications/stream") && p.count("/notifications/stream") == 4 {
				place() // while there is no stream
			}
		}
		newest := must(p.client.ListNotifications(t.Context(), accord.ListNotificationsParams{})).Items[0].Number
		for n, err := range p.client.StreamNotifications(t.Context(), fault("begun")) {
			after := p.last("/notifications/stream").Header.Get("Last-Event-ID")
			if err != nil || n.Number != newest+1 || after != strconv.FormatInt(newest, 10) {
				t.Errorf("%v (%v) after %s, want what comes after %d", n, err, after, newest)
			}
			break
		}
	},
	// bare-drops }
	"timeout and cancellation": func(t *testing.T) {
		c := client(t, accord.WithTimeout(200*time.Millisecond), accord.WithRetries(0))
		_, err := c.client.GetHealth(t.Context(), fault("slow"))
		if !errors.Is(err, accord.ErrTimeout) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("the window was closed")
		time.AfterFunc(100*time.Millisecond, func() { cancel(gone) })
		began := time.Now()
		if _, err = client(t).client.GetHealth(ctx, fault("slow")); !errors.Is(err, gone) || errors.Is(err, accord.ErrTimeout) {
			t.Error(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	},
	// bare-drops {
	"concurrent change": func(t *testing.T) {
		a := client(t, accord.WithPassword(os.Getenv("ACCORD_ADMIN"), os.Getenv("ACCORD_ADMIN_PASSWORD")))
		product := must(a.client.CreateProduct(t.Context(), accord.ProductCreate{
			Sku: fmt.Sprintf("SDK-GO-%d", rand.Uint32()), Name: "A lamp", Price: 100, Currency: "EUR", Stock: 1,
		}))
		var header http.Header
		must(a.client.GetProduct(t.Context(), product.ID, accord.AnswerHeader(&header)))
		changed := must(a.client.UpdateProduct(t.Context(), product.ID, accord.ProductUpdate{Name: new("Lamp")}, accord.WithIfMatch(header.Get("ETag"))))
		if changed.Name != "Lamp" {
			t.Error(changed.Name)
		}
		_, err := a.client.UpdateProduct(t.Context(), product.ID, accord.ProductUpdate{Name: new("Light")}, accord.WithIfMatch(header.Get("ETag")))
		_ = wantProblem(t, err, http.StatusPreconditionFailed, accord.CodePreconditionFailed)
		must(a.client.GetProduct(t.Context(), product.ID, accord.AnswerHeader(&header)))
		if _, err := a.client.GetProduct(t.Context(), product.ID, accord.WithIfNoneMatch(header.Get("ETag"))); !errors.Is(err, accord.ErrNotModified) {
			t.Error(err)
		}
	},
	// bare-drops }
	"user agent": func(t *testing.T) {
		c := client(t, accord.WithUserAgent("shop/1.2"), accord.WithHeader("X-Shop", "lamps"))
		must(c.client.GetHealth(t.Context()))
		sent := c.requests[0].Header
		if sent.Get("User-Agent") != "shop/1.2 accord-go/"+accord.Version || sent.Get("X-Shop") != "lamps" {
			t.Error(sent)
		}
	},
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../scenarios.json")
	if err != nil {
		t.Fatal(err)
	}
	var listed []struct{ Name string }
	if err := json.Unmarshal(text, &listed); err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(listed))
	for i, s := range listed {
		names[i] = s.Name
		if scenarios[s.Name] == nil {
			t.Errorf("%s is not tried", s.Name)
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			scenarios[s.Name](t)
		})
	}
	for name := range maps.Keys(scenarios) {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not in the list", name)
		}
	}
}

// person is a client and what it sends.
type person struct {
	t        *testing.T
	client   *accord.Client
	store    *store
	name     string
	mu       sync.Mutex
	requests []*http.Request
	before   func(*http.Request) // is told of each
}

// RoundTrip sends a request and keeps it.
func (p *person) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.requests = append(p.requests, r)
	p.mu.Unlock()
	if p.before != nil {
		p.before(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (p *person) count(path string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if strings.HasSuffix(r.URL.Path, path) {
			n++
		}
	}
	return n
}

// last is the last request for a path.
func (p *person) last(path string) *http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range slices.Backward(p.requests) {
		if strings.HasSuffix(r.URL.Path, path) {
			return r
		}
	}
	return nil
}

// spoilt is no access token.
const spoilt = "spoilt"

// spoil has the server refuse the stored access token, and gives the good ones.
func (p *person) spoil() accord.Tokens {
	before := p.store.tokens
	p.store.tokens.Access = spoilt
	return before
}

// store keeps tokens in memory, where a test can see them.
type store struct{ tokens accord.Tokens }

func (s *store) Load(context.Context) (accord.Tokens, error) { return s.tokens, nil }

func (s *store) Save(_ context.Context, tokens accord.Tokens) error {
	s.tokens = tokens
	return nil
}

func (s *store) Clear(context.Context) error {
	s.tokens = accord.Tokens{}
	return nil
}

var clients atomic.Uint32

// client is one with an address of its own, so that limits by address are its own too.
func client(t *testing.T, options ...accord.Option) *person {
	t.Helper()
	p := &person{t: t, store: &store{}}
	address := fmt.Sprintf("10.%d.%d.%d", rand.N(200), rand.N(250), clients.Add(1))
	c, err := accord.New(os.Getenv("ACCORD_URL"), slices.Concat([]accord.Option{
		accord.WithHTTPClient(&http.Client{Transport: p}), accord.WithTokenStore(p.store), accord.WithHeader("X-Forwarded-For", address),
	}, options)...)
	if err != nil {
		t.Fatal(err)
	}
	p.client = c
	return p
}

// password is everybody's.
const password = "Analytical-1843"

// register is a person who has just come, and is not signed in yet.
func register(t *testing.T) *person {
	t.Helper()
	name := fmt.Sprintf("go-%d", rand.Uint64())
	p := client(t, accord.WithPassword(name, password))
	p.name = name
	user, err := p.client.RegisterUser(t.Context(), accord.UserCreate{Email: name + "@example.com", Username: name, Password: password, FullName: "Ada Lovelace"})
	if err != nil || user.Username != name {
		t.Fatalf("registering %s: %v", name, err)
	}
	return p
}

// bare-drops {

// stocked is a product of which there are some.
func stocked(t *testing.T, p *person) accord.ProductID {
	t.Helper()
	for product, err := range p.client.ListProductsAll(t.Context(), accord.ListProductsParams{InStock: new(true)}) {
		if err != nil {
			t.Fatal(err)
		}
		if product.Stock > 100 {
			return product.ID
		}
	}
	t.Fatal("nothing is in stock")
	return accord.ProductID{}
}

// bare-drops }

// fault asks the proxy for one, once.
func fault(kind string) accord.CallOption {
	return accord.Header("X-Fault", fmt.Sprintf("%s;%d", kind, rand.Uint64()))
}

func wantProblem(t *testing.T, err error, status int32, code accord.ProblemCode) *accord.ProblemError {
	t.Helper()
	problem := (*accord.ProblemError)(nil)
	if !errors.As(err, &problem) || problem.Status != status || problem.Code() != code {
		t.Fatalf("want %d %s: %v", status, code, err)
	}
	return problem
}

// must gives a value; an error ends the test, as a panic with all that is known.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
