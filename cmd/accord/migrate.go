package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

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
	migrate.AddCommand(newMigrateUp(c), newMigrateDown(c), newMigrateStatus(c))
	return migrate
}

func newMigrateUp(c command) *cobra.Command {
	var asJSON bool
	command := databaseCommand("up", "Apply all migrations that are pending", c, func(ctx context.Context, url string) error {
		return runMigrations(ctx, c, url, pg.Up, asJSON)
	})
	command.Example = "  accord migrate up"
	jsonFlag(command, &asJSON, "print JSON of what was applied")
	return command
}

func newMigrateDown(c command) *cobra.Command {
	var all, asJSON bool
	command := databaseCommand("down", "Take back the last migration, or all (--all)", c, func(ctx context.Context, url string) error {
		direction := pg.DownOne
		if all {
			direction = pg.DownAll
		}
		return runMigrations(ctx, c, url, direction, asJSON)
	})
	command.Example = "  accord migrate down\n  accord migrate down --all"
	command.Flags().BoolVar(&all, "all", false, "take back every migration: the database is empty afterwards")
	jsonFlag(command, &asJSON, "print JSON of what was taken back")
	return command
}

func newMigrateStatus(c command) *cobra.Command {
	var asJSON bool
	command := databaseCommand("status", "List all migrations and when they were applied", c, func(ctx context.Context, url string) error {
		return migrationStatus(ctx, url, c.out, asJSON)
	})
	command.Example = "  accord migrate status\n  accord migrate status --json"
	jsonFlag(command, &asJSON, "print JSON; applied_at is null where one is pending")
	return command
}

// databaseCommand is a command on the configured database; in development it
// starts the private one where none is configured.
func databaseCommand(use, short string, c command, work func(ctx context.Context, url string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: takes(),
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

// migration is one as --json shows it.
type migration struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	AppliedAt *time.Time `json:"applied_at"` // nil: not applied
}

// runMigrations shows for how long they have run: one may rewrite a table.
func runMigrations(ctx context.Context, c command, url string, direction pg.Direction, asJSON bool) error {
	shown := newCounter(c.err, c.watched(), countEach, "migrating the database")
	ran, err := pg.Migrate(ctx, url, direction)
	shown.end()
	if err != nil {
		return err
	}
	if asJSON {
		return writeMigrations(c.out, ran)
	}
	for _, m := range ran {
		fmt.Fprintf(c.out, "%05d %s\n", m.Version, m.Name)
	}
	noun := "migrations"
	if len(ran) == 1 {
		noun = "migration"
	}
	fmt.Fprintf(c.out, "%d %s\n", len(ran), noun)
	return nil
}

func writeMigrations(out io.Writer, all []pg.Migration) error {
	told := []migration{} // none are [], not null
	for _, m := range all {
		one := migration{Version: m.Version, Name: m.Name}
		if !m.AppliedAt.IsZero() {
			one.AppliedAt = new(m.AppliedAt.UTC())
		}
		told = append(told, one)
	}
	return writeJSON(out, told)
}

func migrationStatus(ctx context.Context, url string, out io.Writer, asJSON bool) error {
	all, err := pg.MigrationStatus(ctx, url)
	if err != nil {
		return err
	}
	if asJSON {
		return writeMigrations(out, all)
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
