package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/server"
)

func newWorker(c command) *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: "Work on jobs, apart from the server",
		Long: "Works on jobs (mails, reports, sweeping) until it is told to stop (SIGINT or\nSIGTERM). `accord serve` does so too, unless JOBS=false. Any number of both\n" + // bare-drops
			// bare-has: Long: "Works on jobs (mails, sweeping) until it is told to stop (SIGINT or\nSIGTERM). `accord serve` does so too, unless JOBS=false. Any number of both\n" +
			"may run; each job is done by one. What is not done at the stop is handed back.\n" +
			"Its metrics are on ADMIN_HOST and ADMIN_PORT, which beside a server on the same\nmachine has to be another one.",
		Example: "  accord worker\n  ADMIN_PORT=8082 accord worker",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := c.settings()
			if err != nil {
				return err
			}
			return work(cmd.Context(), config, c)
		},
	}
}

func work(ctx context.Context, config server.Config, c command) (err error) {
	if config.PublicURL == "" { // PORT=0
		return usagef("set PUBLIC_URL or PORT: that is where links in mails lead")
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
	api, closeServer, err := c.newServer(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeServer()) }()
	if err := api.CheckSchema(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s works on jobs\n", config.ProjectName)
	return api.Work(ctx, admin)
}
