package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/accord-api/accord/server"
	"github.com/accord-api/accord/servertest"
)

// BenchmarkRequest is a whole request without the network: what is cheapest to answer,
// whose time is the chain's own, and what asks the database once.
func BenchmarkRequest(b *testing.B) {
	s := servertest.New(b)
	log := slog.New(slog.NewJSONHandler(io.Discard, nil)) //nolint:sloglint // lines are made as in production
	api, err := server.New(b.Context(), s.Config, server.Options{Log: log, Sender: s.Mailbox})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := api.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	})
	for _, path := range []string{"/livez", "/readyz"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, s.URL+path, nil)
				answer := httptest.NewRecorder()
				api.Handler().ServeHTTP(answer, r)
				if answer.Code != http.StatusOK {
					b.Fatalf("status %d: %s", answer.Code, answer.Body)
				}
			}
		})
	}
}
