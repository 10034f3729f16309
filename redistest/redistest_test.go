package redistest_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/redistest"
)

func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestKillAndRestart(t *testing.T) {
	t.Parallel()

	server := redistest.Start(t)
	c := client(t, server.URL())
	for _, key := range []string{"saved", "lost"} {
		if err := c.Set(t.Context(), key, "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if key == "saved" {
			if err := c.Save(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	server.Kill()
	server.Kill()
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Error("a killed server answers")
	}
	server.Restart()
	if n := c.Exists(t.Context(), "saved", "lost").Val(); n != 1 {
		t.Errorf("%d keys are there after the restart, want only the one that was saved", n)
	}
}

func TestURLAnswers(t *testing.T) {
	t.Parallel()

	if err := client(t, redistest.URL(t)).Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}
