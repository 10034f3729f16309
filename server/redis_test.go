package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/redistest"
	"github.com/accord-api/accord/servertest"
)

// patient makes a busy machine not be taken for an outage.
func patient(url string) string {
	if strings.Contains(url, "?") {
		return url + "&read_timeout=10s"
	}
	return url + "?read_timeout=10s"
}

// instances are two servers on one database, one clock and one Redis.
func instances(t *testing.T, redisURL string) (first, second *servertest.Server) {
	t.Helper()
	settings := map[string]string{"REDIS_URL": redisURL, "PUBLIC_URL": "http://api.example.com"}
	settings["FILES_URL"] = (&url.URL{Scheme: "file", Path: t.TempDir()}).String() // bare-drops
	first = servertest.New(t, servertest.Options{Settings: settings})
	return first, servertest.New(t, servertest.Options{Settings: settings, DatabaseURL: first.DatabaseURL, Now: first.Clock.Now})
}

// sameAt is the same person, at the same address, on another instance.
func sameAt(s *servertest.Server, p *servertest.Person) *servertest.Person {
	other := s.Somebody()
	other.IP, other.User, other.Password, other.Tokens = p.IP, p.User, p.Password, p.Tokens
	return other
}

func redisDecided(t *testing.T, servers ...*servertest.Server) {
	t.Helper()
	for _, s := range servers {
		if strings.Contains(s.Log.String(), "Redis") {
			t.Errorf("Redis has not always decided: %s", s.Log)
		}
	}
}

// Five sign-ins a minute are five over both instances.
func TestInstancesShareTheirRateLimits(t *testing.T) {
	t.Parallel()
	first, second := instances(t, patient(redistest.URL(t)))
	p := first.Register().Elsewhere()
	both := []*servertest.Person{p, sameAt(second, p)}
	for i, remaining := range []string{"r=4", "r=3", "r=2", "r=1", "r=0"} {
		answer := both[i%2].Login(p.User.Username, p.Password).Expect(http.StatusOK)
		if got := answer.Header.Get("RateLimit"); !strings.Contains(got, remaining) {
			t.Errorf("sign-in %d: RateLimit %s, want %s", i+1, got, remaining)
		}
		first.Clock.Advance(time.Second)
	}
	for _, one := range both {
		answer := one.Login(p.User.Username, p.Password).Expect(http.StatusTooManyRequests)
		if got := answer.Header.Get("Retry-After"); got != "55" {
			t.Errorf("Retry-After %s", got)
		}
		sameAt(second, p.Elsewhere()).Login(p.User.Username, p.Password).Expect(http.StatusOK)
	}
	first.Clock.Advance(55 * time.Second)
	both[1].Login(p.User.Username, p.Password).Expect(http.StatusOK)
	both[0].Login(p.User.Username, p.Password).Expect(http.StatusTooManyRequests)
	redisDecided(t, first, second)
}

// The other kinds of limits: for an address, a user, a field, and those who are
// not signed in.
func TestInstancesShareEveryKindOfLimit(t *testing.T) {
	t.Parallel()
	first, second := instances(t, patient(redistest.URL(t)))
	p := first.Register()
	p.Tokens.AccessToken = "" // so that the limits by address do not depend on it
	for name, ask := range map[string]func(p *servertest.Person) *servertest.Answer{
		"by field": func(p *servertest.Person) *servertest.Answer {
			return p.Elsewhere().POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email})
		},
		"anonymous": func(p *servertest.Person) *servertest.Answer { return p.GET("/api/v1/users/me") },
	} {
		left := ask(p).Header.Get("RateLimit")
		next := ask(sameAt(second, p)).Header.Get("RateLimit")
		if left == "" || next == "" || left == next {
			t.Errorf("%s: %s is followed by %s", name, left, next)
		}
	}
	p.SignIn()
	for i, want := range []string{`"user";r=299`, `"user";r=298`} {
		got := sameAt([]*servertest.Server{first, second}[i], p).GET("/api/v1/users/me").Expect(http.StatusOK).Header.Get("RateLimit")
		if !strings.HasPrefix(got, want) {
			t.Errorf("by user: RateLimit %s, want %s", got, want)
		}
	}
	redisDecided(t, first, second)
}

// Wrong passwords on one instance are waited for on the other.
func TestInstancesShareWrongPasswords(t *testing.T) {
	t.Parallel()
	first, second := instances(t, patient(redistest.URL(t)))
	p := first.Register()
	here := first.Somebody()
	there := sameAt(second, here)
	for _, wait := range []string{"1", "2", "4"} {
		here.Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
		if got := there.Login(p.User.Username, p.Password).Expect(http.StatusTooManyRequests).Header.Get("Retry-After"); got != wait {
			t.Errorf("Retry-After %s, want %s", got, wait)
		}
		first.Clock.Advance(time.Minute)
		here, there = there, here
	}
	there.Login(p.User.Username, p.Password).Expect(http.StatusOK)
	first.Clock.Advance(time.Minute)
	here.Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
	if got := there.Login(p.User.Username, p.Password).Expect(http.StatusTooManyRequests).Header.Get("Retry-After"); got != "1" {
		t.Errorf("after a success: Retry-After %s", got)
	}
	redisDecided(t, first, second)
}

// When Redis fails in the middle, each instance keeps the limits with what it
// has counted, and nobody waits for it.
func TestLimitsHoldWithoutRedis(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*redistest.Server){
		"killed": (*redistest.Server).Kill, "hangs": (*redistest.Server).Pause,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := redistest.Start(t)
			first, second := instances(t, store.URL())
			p := first.Register().Elsewhere()
			other := sameAt(second, p)
			for range 3 {
				p.Login(p.User.Username, p.Password).Expect(http.StatusOK)
			}

			fail(store)
			began := time.Now()
			for range 2 {
				p.Login(p.User.Username, p.Password).Expect(http.StatusOK)
			}
			p.Login(p.User.Username, p.Password).Expect(http.StatusTooManyRequests)
			for range 5 {
				other.Login(p.User.Username, p.Password).Expect(http.StatusOK)
			}
			other.Login(p.User.Username, p.Password).Expect(http.StatusTooManyRequests)
			// Nine requests, of which each instance has one wait for 50 ms in each second.
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
			for _, s := range []*servertest.Server{first, second} {
				if n := strings.Count(s.Log.String(), "Redis fails"); n != 1 {
					t.Errorf("%d warnings", n)
				}
			}
		})
	}
}

func TestStartWithoutRedisIsAWarning(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"REDIS_URL": "redis://canary:canary@127.0.0.1:1"}
	s := servertest.New(t, servertest.Options{Settings: settings, Start: true})
	if log := s.Log.String(); !strings.Contains(log, `"WARN","msg":"Redis is out of reach`) || strings.Contains(log, "canary") {
		t.Errorf("log %s", log)
	}
	s.Register().GET("/readyz").Expect(http.StatusOK)
}

// Whoever reads Redis learns nothing about people.
func TestRedisHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	url := redistest.URL(t)
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"REDIS_URL": patient(url)}})
	p := s.Register()
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	p.POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
	p.Login(p.User.Username, "Wrong-1843").Expect(http.StatusUnauthorized)
	admin := s.Admin()
	admin.GET("/api/v1/admin/stats").Expect(http.StatusOK)
	// bare-drops {
	p.GET("/api/v1/products?q=canary").Expect(http.StatusOK)
	p.GET("/api/v1/products/" + product(admin, "LAMP", nil).ID.String()).Expect(http.StatusOK)
	// bare-drops }
	redisDecided(t, s)

	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	s.Eventually("both answers are shared", func() bool { return len(entries(t, url)) == 2 }) // bare-drops
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) < 6 { // registering, signing in, failing, by user, forgetting by address and by field
		t.Errorf("keys %v", keys)
	}
	for _, key := range keys {
		text := key + client.Dump(t.Context(), key).Val() + client.Get(t.Context(), key).Val() // a dump may be compressed
		for _, personal := range []string{"canary", "active_users", admin.User.ID.String(), p.IP, "203.", p.User.ID.String(), p.User.Email, p.User.Username} {
			if strings.Contains(text, personal) {
				t.Errorf("%s is in %q", personal, text)
			}
		}
	}
}
