//go:build deploy

package deploy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/accord-api/accord/pg/pgtest"
)

// One sign-in through the balancer is known to both servers, its end too, and what a
// client says about its own address counts for nothing.
func TestSessionIsKnownToBothServers(t *testing.T) {
	t.Parallel()
	d := deployed(t)
	token := d.login(t, "X-Forwarded-For", "203.0.113.9")
	for _, server := range d.direct {
		if me := server.want(t, http.StatusOK, http.MethodGet, "/api/v1/users/me", token, nil); me["username"] != "grace" {
			t.Errorf("%v", me)
		}
	}
	sessions := d.want(t, http.StatusOK, http.MethodGet, "/api/v1/auth/sessions", token, nil)
	if at := fmt.Sprint(sessions["items"]); !strings.Contains(at, "ip:127.0.0.1") || strings.Contains(at, "203.0.113.9") {
		t.Errorf("the session is from %s", at)
	}
	d.direct[0].want(t, http.StatusNoContent, http.MethodPost, "/api/v1/auth/logout", token, nil)
	eventually(t, "the other server knows of the end", func() bool {
		status, _, _, err := d.direct[1].ask(t.Context(), http.MethodGet, "/api/v1/users/me", token, nil)
		return err == nil && status == http.StatusUnauthorized
	})

	limitsAreShared(t, d)

	// Past the balancer nothing is said over plain HTTP but what it asks itself.
	plain := &client{base: d.direct[0].base, http: http.DefaultClient}
	plain.want(t, http.StatusForbidden, http.MethodGet, "/api/v1/users/me", "", nil)
	plain.want(t, http.StatusOK, http.MethodGet, "/readyz", "", nil)
}

// Five in a minute are allowed from one address, whichever server they come to.
func limitsAreShared(t *testing.T, d *deployment) {
	t.Helper()
	var statuses []int
	for i := range 6 {
		status, _, _, err := d.direct[i%2].ask(t.Context(), http.MethodPost, "/api/v1/auth/forgot-password", "",
			map[string]any{"email": fmt.Sprintf("nobody%d@example.com", i)}, "X-Forwarded-For", "198.51.100.7")
		if err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, status)
	}
	if last := statuses[5]; last != http.StatusTooManyRequests || statuses[4] == http.StatusTooManyRequests {
		t.Errorf("six attempts: %v", statuses)
	}
}

// traffic is what clients go on asking while servers come and go.
type traffic struct {
	asked    atomic.Int64
	mu       sync.Mutex
	failures []string
}

// send asks again and again until ctx ends, every times, and wants a 200 each time.
func (f *traffic) send(ctx context.Context, t *testing.T, c *client, path, token string, every time.Duration) {
	t.Helper()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// The end of the traffic is no failure of the server's.
		status, body, _, err := c.ask(t.Context(), http.MethodGet, path, token, nil)
		f.asked.Add(1)
		if err != nil || status != http.StatusOK {
			f.mu.Lock()
			f.failures = append(f.failures, fmt.Sprintf("%s: %d %s %v", path, status, body, err))
			f.mu.Unlock()
		}
	}
}

// Each server is stopped and started anew while requests come in, as an upgrade does,
// and not one request fails. When none is left, the balancer says so as the API would.
func TestServersAreReplacedUnderLoad(t *testing.T) {
	t.Parallel()
	d := deployed(t)
	token := d.login(t)
	d.order(t, token, "BLANKET-01") // bare-drops
	ctx, cancel := context.WithCancel(t.Context())
	var load traffic
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() { load.send(ctx, t, d.client, "/health", "", 5*time.Millisecond) })
	}
	senders.Go(func() { load.send(ctx, t, d.client, "/api/v1/users/me", token, 250*time.Millisecond) })
	// bare-drops {
	senders.Go(func() { load.send(ctx, t, d.client, "/api/v1/products", "", 250*time.Millisecond) })
	senders.Go(func() { load.send(ctx, t, d.client, "/api/v1/orders", token, 250*time.Millisecond) })
	// bare-drops }
	for i, server := range d.servers {
		before := load.asked.Load()
		server.stop(t)
		if n := load.asked.Load() - before; n < 100 {
			t.Errorf("only %d requests came while server %d stopped", n, i+1)
		}
		d.await(t, i, "DOWN")
		_, port, _ := strings.Cut(strings.TrimPrefix(d.direct[i].base, "http://"), ":")
		d.servers[i] = start(t, with(d.environ, "PORT", port), binary(t), "serve")
		d.servers[i].listening(t)
		d.await(t, i, "UP")
	}
	cancel()
	senders.Wait()
	if len(load.failures) > 0 {
		t.Errorf("%d of %d requests failed, first %s", len(load.failures), load.asked.Load(), load.failures[0])
	}
	t.Logf("%d requests, of which %d failed", load.asked.Load(), len(load.failures))

	for i, server := range d.servers {
		server.stop(t)
		d.await(t, i, "DOWN")
	}
	status, body, header, err := d.ask(t.Context(), http.MethodGet, "/health", "", nil)
	if err != nil || status != http.StatusServiceUnavailable || header.Get("Content-Type") != "application/problem+json" || header.Get("Retry-After") == "" {
		t.Errorf("without a server: %d %v %s %v", status, header, body, err)
	}
}

// A backup that is made while the server runs is a whole deployment elsewhere: people
// sign in, and find what is theirs. Without the SECRET_KEY nobody does.
func TestBackupIsRestored(t *testing.T) {
	t.Parallel()
	d := deployed(t)
	// bare-drops {
	token := d.login(t)
	order := d.order(t, token, "BLANKET-01")
	file := d.report(t, token)
	_, csv, _, err := d.ask(t.Context(), http.MethodGet, file, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	// bare-drops }
	backup := t.TempDir()
	run(t, d.environ, "", "sh", "backup.sh", backup)

	elsewhere := settings(t, pgtest.Empty(t), d.environ["REDIS_URL"])
	run(t, elsewhere, "", "sh", "restore.sh", backup)
	refused(t, elsewhere, "restore.sh", backup, "tables already")
	refused(t, elsewhere, "backup.sh", backup, "not empty")
	refused(t, elsewhere, "restore.sh", t.TempDir(), "no whole backup")

	server := start(t, elsewhere, binary(t), "serve")
	restored := &client{base: server.listening(t), http: &http.Client{Transport: asProxy{}}}
	// bare-has: restored.login(t)
	// bare-drops {
	token = restored.login(t)
	if found := restored.want(t, http.StatusOK, http.MethodGet, "/api/v1/orders/"+order, token, nil); found["status"] != "pending" {
		t.Errorf("the order is %v", found)
	}
	status, again, _, err := restored.ask(t.Context(), http.MethodGet, file, token, nil)
	if err != nil || status != http.StatusOK || string(again) != string(csv) {
		t.Errorf("the file: %d %s %v", status, again, err)
	}
	// bare-drops }

	other := start(t, with(elsewhere, "SECRET_KEY", "Vd8mTq2XyLw0ZrKc5HnJb7GfPa4SxEu9"), binary(t), "serve")
	without := &client{base: other.listening(t), http: &http.Client{Transport: asProxy{}}}
	form := url.Values{"grant_type": {"password"}, "username": {"grace"}, "password": {password}}
	without.want(t, http.StatusUnauthorized, http.MethodPost, "/api/v1/auth/login", "", form)
}
