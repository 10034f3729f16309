package pg

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverSteps are the goose migrations that are the job queue's. A River release
// with new migrations gets a line of its own here, with the next free number of
// schema/; those that have been released never change.
var riverSteps = []riverStep{
	{version: 2, first: 1, last: 8},
}

// riverStep runs River's migrations first to last as one goose migration.
type riverStep struct {
	version     int64
	first, last int
}

// migration runs outside goose's transaction: some of River's steps use what an
// earlier one has to have committed. Each is a transaction of its own, with its
// row in river_migration, so that one that was cut short goes on where it was.
func (s riverStep) migration(settings *pgxpool.Config) *goose.Migration {
	run := func(direction rivermigrate.Direction, target int) *goose.GoFunc {
		return &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error {
			return migrateRiver(ctx, settings, direction, target)
		}}
	}
	below := s.first - 1
	if below == 0 {
		below = -1 // River's word for nothing left
	}
	return goose.NewGoMigration(s.version, run(rivermigrate.DirectionUp, s.last), run(rivermigrate.DirectionDown, below))
}

// migrateRiver brings a pool of its own, since River's driver does not work on
// database/sql.
func migrateRiver(ctx context.Context, settings *pgxpool.Config, direction rivermigrate.Direction, target int) error {
	settings = settings.Copy()
	settings.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := newRiverMigrator(pool)
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, direction, &rivermigrate.MigrateOpts{TargetVersion: target})
	return err
}

func newRiverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}
