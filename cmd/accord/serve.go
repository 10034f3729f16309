package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/server"
)

func newServe(c command) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the API",
		Long:  "Serves the API on HOST and PORT until it is told to stop (SIGINT or SIGTERM).\nIn development it starts a private PostgreSQL when DATABASE_URL is unset,\nmigrates it, and fills it with demo data once.", // bare-drops
		// bare-has: Long:    "Serves the API on HOST and PORT until it is told to stop (SIGINT or SIGTERM).\nIn development it starts a private PostgreSQL when DATABASE_URL is unset,\nmigrates it, and makes two accounts once.",
		Example: "  accord serve\n  PORT=9000 accord serve",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := c.settings()
			if err != nil {
				return err
			}
			return serve(cmd.Context(), config, c)
		},
	}
}

// serve listens, prepares the database, and serves until ctx ends. What was
// started is ended in the reverse order, whatever failed in between.
func serve(ctx context.Context, config server.Config, c command) (err error) {
	listener, err := listen(ctx, config.Address(), "PORT")
	if err != nil {
		return err
	}
	defer listener.Close()
	if config.PublicURL == "" {
		config.PublicURL = config.ListenURL(listener.Addr().String())
	}
	admin, err := c.listenAdmin(ctx, config)
	if err != nil {
		return err
	}
	if admin != nil {
		defer admin.Close()
	}

	config, closeDatabase, err := c.privateDatabase(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDatabase()) }()
	if config.Development() || config.MigrateOnStart {
		if _, err := pg.Migrate(ctx, config.DatabaseDirectURL.Reveal(), pg.Up); err != nil {
			return err
		}
	}
	return serveOn(ctx, config, listener, admin, c)
}

// serveOn makes the server and runs it on what is listened on.
func serveOn(ctx context.Context, config server.Config, listener, admin net.Listener, c command) (err error) {
	api, closeServer, err := c.newServer(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeServer()) }()

	if err := api.CheckSchema(ctx); err != nil {
		return err
	}
	if err := api.Start(ctx); err != nil {
		return err
	}
	url := config.ListenURL(listener.Addr().String())
	if config.Development() {
		accounts, err := fill(ctx, config, api)
		if err != nil {
			return err
		}
		welcome(c.out, config, url, accounts)
	} else {
		fmt.Fprintf(c.out, "%s is ready on %s\n", config.ProjectName, url)
	}
	return api.Run(ctx, listener, admin)
}

// newServer makes a server that keeps in the state folder what production keeps
// elsewhere.
func (c command) newServer(ctx context.Context, config server.Config) (*server.Server, func() error, error) {
	options := server.Options{Log: newLog(config, c.err), Cores: spread()}
	if !config.Production() {
		dir, err := c.stateDir()
		if err != nil {
			return nil, nil, err
		}
		options.Judge = judge
		options.OutboxDir = filepath.Join(dir, "mail")
		options.FilesDir = filepath.Join(dir, "files") // bare-drops
	}
	api, err := server.New(ctx, config, options)
	if err != nil {
		return nil, nil, err
	}
	return api, func() error {
		stopping, cancel := stopContext(ctx, config.ShutdownTimeout)
		defer cancel()
		return api.Close(stopping)
	}, nil
}

// spread lets twice as many threads run as there are cores, and gives the
// cores: password hashes are bounded to those, and then a rush of sign-ins
// leaves threads for everything else (docs/decisions.md has the figures).
//
// It is for the process as a whole: tests run many servers in one.
var spread = sync.OnceValue(func() (cores int) {
	cores = runtime.GOMAXPROCS(0)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * cores)
	}
	return cores
})

// listen takes an address; setting is the one that its port comes from.
func listen(ctx context.Context, address, setting string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listening on %s: the port is taken: end what listens there, or choose another with %s=", address, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", address, err)
	}
	return listener, nil
}

// listenAdmin takes the address of the private listener, and says what is there; it
// gives nil where that is turned off.
func (c command) listenAdmin(ctx context.Context, config server.Config) (net.Listener, error) {
	if config.AdminAddress() == "" {
		return nil, nil
	}
	admin, err := listen(ctx, config.AdminAddress(), "ADMIN_PORT")
	if err != nil {
		return nil, err
	}
	at := "http://" + admin.Addr().String()
	newLog(config, c.err).InfoContext(ctx, "profiles, metrics and the page about jobs are served",
		"profiles", at+"/debug/pprof/", "metrics", at+server.MetricsPath, "jobs", at+server.JobsPath)
	return admin, nil
}
