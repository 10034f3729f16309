package server_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// partly are the operations that answer with those of their parts that can be had.
var partly = []string{
	"getDashboard", // bare-drops
}

// declares says whether the operation has an answer of its own for a status.
func (o operation) declares(status string) bool {
	return o.Responses[status] != nil
}

// callerOf an operation is the person, or a stranger where it is public.
func callerOf(p *servertest.Person, o operation) *servertest.Person {
	if o.public() {
		return p.Somebody()
	}
	return p
}

// show sends what the document shows of the operation.
func show(t *testing.T, p *servertest.Person, o operation) *servertest.Answer {
	t.Helper()
	return callerOf(p, o).Do(o.Method, o.url(), o.sentType(), o.example(t, nil))
}

// A query that cannot be read is a 400 of each operation that has parameters, and
// a body that cannot be is one of those that take one.
func TestUnreadableRequests(t *testing.T) {
	t.Parallel()
	admin := servertest.New(t).Admin()
	for _, o := range document(t) {
		p := callerOf(admin, o)
		switch {
		case o.Body != nil:
			p.Do(o.Method, o.url(), o.contentType(), []byte("\xff")).Expect(http.StatusBadRequest).Problem(unreadable)
		case o.declares("400"):
			p.Do(o.Method, o.url()+"?%zz", "", nil).Expect(http.StatusBadRequest).Problem(unreadable)
		}
	}
}

// A flaw of the server, such as a table that it does not find, is a 500 that
// tells nothing, of each operation that asks the database.
func TestFlawsOfTheServer(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	admin.GET("/api/v1/users/me").Expect(http.StatusOK) // from here on the session is remembered
	execute(t, s, "ALTER SCHEMA public RENAME TO elsewhere")
	for _, o := range document(t) {
		switch answer := show(t, admin, o); {
		case !o.declares("503"), slices.Contains(partly, o.ID):
			answer.Expect(http.StatusOK)
		case o.ID == "getReadiness": // it looks for the schema, and says so when there is none
			busy(t, answer, "unavailable")
		default:
			answer.Expect(http.StatusInternalServerError).Problem("internal")
		}
	}
}

// In development a name that is not the loopback's is refused for every operation.
func TestDevelopmentRefusesOtherNames(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"ENVIRONMENT": "development", "BCRYPT_COST": "12"}})
	for _, o := range document(t) {
		r, err := http.NewRequestWithContext(t.Context(), o.Method, s.URL+o.url(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "rebound.example"
		s.Somebody().Send(r).Expect(http.StatusMisdirectedRequest).Problem("misdirected-request")
	}
}

// A request whose twin is at work on another instance, which the database alone
// knows, is a 409 before its own time is over, of each operation that takes keys.
func TestTwinsOfOtherInstances(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	lock(t, s, "idempotency_keys")
	var answers sync.WaitGroup
	for _, o := range document(t) {
		if !o.Policy.Idempotent {
			continue
		}
		p := signedIn(s, o)
		p.Header.Set("Idempotency-Key", "one")
		answers.Go(func() {
			answer := show(t, p, o)
			if answer.Status != http.StatusConflict || answer.Header.Get("Retry-After") == "" {
				t.Errorf("%s: status %d, %v", o.ID, answer.Status, answer.Header)
			}
		})
	}
	answers.Wait()
}

// Of each operation with a bound of concurrency one caller gets a quarter of the
// places, and for one call more there is none. What is cached takes a place only
// to be loaded, for all that ask for the same.
func TestNoFreePlace(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	admin.GET("/api/v1/users/me").Expect(http.StatusOK)
	release := hold(t, s, `DO $$ BEGIN
		EXECUTE (SELECT 'LOCK TABLE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public');
	END $$`)
	defer release()
	var inside sync.WaitGroup
	n, bounded := 0, []operation{}
	for _, o := range document(t) {
		if o.Policy.Concurrency == 0 || o.Policy.Cache != nil {
			continue
		}
		bounded = append(bounded, o)
		for range max(1, o.Policy.Concurrency/4) {
			n++
			inside.Go(func() { show(t, admin, o) })
		}
	}
	waiting(t, s, n)
	refused := make(chan *servertest.Answer, len(bounded))
	for _, o := range bounded {
		go func() { refused <- show(t, admin, o) }()
	}
	for range bounded {
		busy(t, <-refused, "unavailable")
	}
	release()
	inside.Wait()
}

// While the database is away each operation that asks it is a 503 that says when
// to come back, and so is each sign-in.
func TestEveryOperationWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	gateway := newGateway(t, servertest.New(t).DatabaseURL)
	s := servertest.New(t, servertest.Options{DatabaseURL: gateway.url})
	admin := s.Admin()
	admin.GET("/api/v1/users/me").Expect(http.StatusOK)
	gateway.shut()
	for _, o := range document(t) {
		if answer := show(t, admin, o); !o.declares("503") || slices.Contains(partly, o.ID) {
			answer.Expect(http.StatusOK)
		} else {
			busy(t, answer, "unavailable")
		}
	}
	s.Clock.Advance(time.Second) // the session is asked for anew
	for _, o := range document(t) {
		if !o.public() {
			busy(t, show(t, admin, o), "unavailable")
		}
	}
}
