package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestOldSchemaIsNotReady(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	execute(t, s, "DELETE FROM goose_db_version WHERE version_id = 2")
	s.Somebody().GET("/readyz").Expect(http.StatusServiceUnavailable).Problem("unavailable")
	if err := s.API.CheckSchema(t.Context()); err == nil || !strings.Contains(err.Error(), "version 1") || !strings.Contains(err.Error(), "needs 2") {
		t.Errorf("error %v", err)
	}
	execute(t, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)") // a newer one is fine
	s.Somebody().GET("/readyz").Expect(http.StatusOK)
}

// A database that is out of reach is a 503 that says when to come back.
func TestDatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "postgres://nobody@" + listener.Addr().String() + "/none"
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := servertest.New(t, servertest.Options{DatabaseURL: nowhere})
	p := s.Somebody()
	p.GET("/livez").Expect(http.StatusOK)
	for _, answer := range []*servertest.Answer{p.GET("/readyz"), p.Login("ada", "x"), p.POST("/api/v1/users", registration(nil))} {
		answer.Expect(http.StatusServiceUnavailable).Problem("unavailable")
		if answer.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
}

// Requests in flight finish, and readiness says no, before the server is gone.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := s.Register()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE users"); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.API.Run(ctx, listener, nil) }()
	slow := *p.Server
	slow.URL = "http://" + listener.Addr().String()
	q := *p
	q.Server = &slow
	answered := make(chan int, 1)
	go func() { answered <- q.GET("/api/v1/users/me").Status }()
	s.Eventually("the request waits", func() bool {
		return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == "1"
	})
	stop()
	s.Eventually("readiness says no", func() bool { return p.GET("/readyz").Status == http.StatusServiceUnavailable })
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-answered; got != http.StatusOK {
		t.Errorf("the request in flight got %d", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A panic or an unexpected error is reported with its request id and nothing of
// the request.
func TestSentry(t *testing.T) {
	t.Parallel()
	events := make(chan string, 10)
	sentry := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		_ = r.Write(&body) // whatever came
		events <- body.String()
	}))
	t.Cleanup(sentry.Close)
	dsn := strings.Replace(sentry.URL, "http://", "http://publickey@", 1) + "/1"
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"SENTRY_DSN": dsn}})
	p := s.Register()
	p.GET("/api/v1/nothing").Expect(http.StatusNotFound)
	execute(t, s, "ALTER TABLE users RENAME COLUMN full_name TO gone")
	answer := p.GET("/api/v1/users/me").Expect(http.StatusInternalServerError)

	select {
	case event := <-events:
		if !strings.Contains(event, answer.Problem("internal").RequestID) || strings.Contains(event, p.Tokens.AccessToken) {
			t.Errorf("event %s", event)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was reported")
	}
	if len(events) != 0 {
		t.Error("a 404 was reported as well")
	}
}

// selfSigned makes a certificate for 127.0.0.1.
func selfSigned(t *testing.T) (certificate *x509.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, certFile, keyFile
}
