package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/accord-api/accord/contract/conform"
	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/inspect"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/devpg"
	"github.com/accord-api/accord/server"
)

// privateDatabase gives the configuration a database of its own in development
// when it has none. The returned close is never nil.
func (c command) privateDatabase(ctx context.Context, config server.Config) (server.Config, func() error, error) {
	if !config.Development() || config.DatabaseURL.IsSet() {
		return config, func() error { return nil }, nil
	}
	dir, err := c.stateDir()
	if err != nil {
		return config, nil, err
	}
	database, err := devpg.Start(ctx, devpg.Options{
		Dir: filepath.Join(dir, "postgres"),
		Log: func(format string, args ...any) { fmt.Fprintf(c.err, format+"\n", args...) },
	})
	if err != nil {
		return config, nil, fmt.Errorf("starting a private PostgreSQL (or set DATABASE_URL): %w", err)
	}
	stop := func() error {
		stopping, cancel := stopContext(ctx, config.ShutdownTimeout)
		defer cancel()
		return database.Close(stopping)
	}
	if err := database.EnsureDatabase(ctx, "accord"); err != nil {
		_ = stop() // the first error is the one that tells
		return config, nil, err
	}
	config.DatabaseURL = server.NewSecret(database.URL("accord"))
	config.DatabaseDirectURL = config.DatabaseURL
	return config, stop, nil
}

// judge makes what holds answers against the contract, for the page about requests.
func judge(document []byte) (inspect.Judge, error) {
	parsed, err := conform.Parse(document)
	if err != nil {
		return nil, err
	}
	return func(a inspect.Answer) []string { return parsed.Breaches(conform.Answer(a)) }, nil
}

// demoAccounts are the accounts of development. Their passwords are no secret:
// outside of development there are no such accounts, and development is loopback
// only.
var demoAccounts = []demo.Account{
	{Email: "admin@example.com", Username: "admin", FullName: "Demo Administrator", Password: "Admin-demo-1", Role: "admin"},
	{Email: "user@example.com", Username: "user", FullName: "Demo User", Password: "User-demo-1", Role: "user"},
}

// fill makes the demo accounts and the demo data, once, and gives those of the // bare-drops
// bare-has: // fill makes the demo accounts, once, and gives those of the
// accounts that are still there.
func fill(ctx context.Context, config server.Config, api *server.Server) ([]demo.Account, error) {
	pool, err := openDirect(ctx, config)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	err = demo.Fill(ctx, pool, demo.FillOptions{
		Accounts: demoAccounts, Hash: api.HashPassword, Now: time.Now(),
		Files: api.Files(), // bare-drops
	})
	if err != nil {
		return nil, fmt.Errorf("making demo data: %w", err)
	}
	return demo.Present(ctx, pool, demoAccounts)
}

// openDirect opens a few connections to PostgreSQL itself.
func openDirect(ctx context.Context, config server.Config) (*pg.Pool, error) {
	return pg.Open(ctx, pg.Config{URL: config.DatabaseDirectURL.Reveal(), Size: 2, ApplicationName: "accord demo"})
}

// welcome is what a newcomer reads last before the first request. It is written at once:
// who waits for its first line has all of it.
func welcome(w io.Writer, config server.Config, url string, accounts []demo.Account) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s is ready on %s (development: loopback only)\n\n", config.ProjectName, url)
	fmt.Fprintf(&b, "  start     %s/\n", url)
	if config.Docs {
		fmt.Fprintf(&b, "  docs      %s/api/docs\n", url)
	}
	fmt.Fprintf(&b, "  requests  %s/dev/requests\n", url)
	fmt.Fprintf(&b, "  mail      %s/dev/mail\n\n", url)
	for _, account := range accounts {
		fmt.Fprintf(&b, "  %-9s %s\n", account.Username, account.Password)
	}
	fmt.Fprintln(w, b.String())
}
