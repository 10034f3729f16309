package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/server"
)

func newMigrate(c command) *cobra.Command {
	migrate := &cobra.Command{
		Use:     "migrate",
		Short:   "Change the database schema, or show its state",
		Example: "  accord migrate status\n  accord migrate up\n  accord migrate down",
		Args:    knownCommand,
		RunE:    needsCommand,
	}
	var all bool
	down := databaseCommand("down", "Take back the last migration, or all (--all)", c, func(ctx context.Context, url string) error {
		direction := pg.DownOne
		if all {
			direction = pg.DownAll
		}
		return runMigrations(ctx, url, direction, c.out)
	})
	down.Flags().BoolVar(&all, "all", false, "take back every migration: the database is empty afterwards")
	migrate.AddCommand(
		databaseCommand("up", "Apply all migrations that are pending", c, func(ctx context.Context, url string) error {
			return runMigrations(ctx, url, pg.Up, c.out)
		}),
		down,
		databaseCommand("status", "List all migrations and when they were applied", c, func(ctx context.Context, url string) error {
			return migrationStatus(ctx, url, c.out)
		}),
	)
	return migrate
}

// databaseCommand is a command on the configured database; in development it
// starts the private one where none is configured.
func databaseCommand(use, short string, c command, work func(ctx context.Context, url string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), c, func(config server.Config) error {
				return work(cmd.Context(), config.DatabaseDirectURL.Reveal())
			})
		},
	}
}

// withDatabase runs work with settings that name a database.
func withDatabase(ctx context.Context, c command, work func(server.Config) error) (err error) {
	config, _, err := c.settings()
	if err != nil {
		return err
	}
	config, closeDatabase, err := c.privateDatabase(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDatabase()) }()
	return work(config)
}

func runMigrations(ctx context.Context, url string, direction pg.Direction, out io.Writer) error {
	ran, err := pg.Migrate(ctx, url, direction)
	if err != nil {
		return err
	}
	for _, m := range ran {
		fmt.Fprintf(out, "%05d %s\n", m.Version, m.Name)
	}
	noun := "migrations"
	if len(ran) == 1 {
		noun = "migration"
	}
	fmt.Fprintf(out, "%d %s\n", len(ran), noun)
	return nil
}

func migrationStatus(ctx context.Context, url string, out io.Writer) error {
	all, err := pg.MigrationStatus(ctx, url)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range all {
		applied := "pending"
		if !m.AppliedAt.IsZero() {
			applied = m.AppliedAt.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		fmt.Fprintf(table, "%05d\t%s\t%s\n", m.Version, m.Name, applied)
	}
	return table.Flush()
}
