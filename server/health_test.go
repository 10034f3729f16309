package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/servertest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for _, path := range []string{"/health", "/livez", "/readyz"} {
		if body := s.Somebody().GET(path).Expect(http.StatusOK).Body; strings.TrimSpace(string(body)) != `{"status":"healthy"}` {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// execute changes the database behind the server's back.
func execute(t *testing.T, s *servertest.Server, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestOldSchemaIsNotReady(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	execute(t, s, "DELETE FROM goose_db_version WHERE version_id > 1")
	s.Somebody().GET("/readyz").Expect(http.StatusServiceUnavailable).Problem("unavailable")
	if err := s.API.CheckSchema(t.Context()); err == nil || !strings.Contains(err.Error(), "version 1") || !strings.Contains(err.Error(), "needs") {
		t.Errorf("error %v", err)
	}
	execute(t, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)") // a newer one is fine
	s.Somebody().GET("/readyz").Expect(http.StatusOK)
}

// hold runs a statement in a transaction that stays open, with its locks, until
// the returned function is called.
func hold(t *testing.T, s *servertest.Server, sql string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
}
