package pg_test

import (
	"context"
	"testing"

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
	go func() {
		ended <- pg.Listen(ctx, url, []string{"news", "Odd Name"},
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

func TestListenRefusesBadURL(t *testing.T) {
	t.Parallel()
	if err := pg.Listen(t.Context(), "postgres://h:port/x", nil, nil, nil); err == nil {
		t.Error("no error")
	}
}
