package pg_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

// A listener hears what is sent, again after its connection was lost, and stops
// with its context.
func TestListen(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	pool := open(t, pg.Config{URL: url, Size: 1})
	heard := make(chan string, 10)
	subscribed := make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	listener := pg.NewListener(url)
	go func() {
		ended <- listener.Run(ctx, []string{"news", "Odd Name"},
			func(channel, payload string) { heard <- channel + ": " + payload },
			func() { subscribed <- struct{}{} })
	}()
	expect := func(want string) {
		t.Helper()
		if got := <-heard; got != want {
			t.Fatalf("heard %q, want %q", got, want)
		}
	}
	send := func(sql string) {
		t.Helper()
		_, err := pool.Exec(t.Context(), sql)
		must(t, err)
	}

	<-subscribed
	send("SELECT pg_notify('news', 'one'), pg_notify('Odd Name', 'two')")
	expect("news: one")
	expect("Odd Name: two")

	send("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'accord listen' AND datname = current_database()")
	<-subscribed
	send("SELECT pg_notify('news', 'three')")
	expect("news: three")

	cancel()
	must(t, <-ended)
}

// A listener knows that it has heard everything until a moment ago, and knows
// nothing while it has no connection.
func TestListenerKnowsWhatItHeard(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	pool := open(t, pg.Config{URL: url, Size: 1})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	listener := pg.NewListener(url)
	if !listener.CompleteUntil().IsZero() {
		t.Error("it knows something before it listens")
	}
	heard := make(chan time.Time, 1)
	go func() {
		ended <- listener.Run(ctx, []string{"news"}, func(string, string) { heard <- time.Now() }, func() {})
	}()

	began := time.Now()
	for listener.CompleteUntil().Before(began) { // a connection, and then a sign of life
		runtime.Gosched()
	}
	_, err := pool.Exec(t.Context(), "SELECT pg_notify('news', 'one')")
	must(t, err)
	committed := time.Now()
	for listener.CompleteUntil().Before(committed) {
		runtime.Gosched()
	}
	select {
	case <-heard:
	default:
		t.Error("it claims to have heard what it has not passed on")
	}

	cancel()
	must(t, <-ended)
	if !listener.CompleteUntil().IsZero() {
		t.Error("it knows something without a connection")
	}
}

func TestListenRefusesBadURL(t *testing.T) {
	t.Parallel()
	if err := pg.NewListener("postgres://h:port/x").Run(t.Context(), nil, nil, nil); err == nil {
		t.Error("no error")
	}
}
