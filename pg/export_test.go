package pg

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivermigrate"
)

// LockID is what Migrate holds while it works.
const LockID = lockID

// AskAtOnce has every idle connection checked before use, however short a time
// it was idle.
func AskAtOnce(config Config) Config {
	config.pingAfterIdle = time.Nanosecond
	return config
}

// NeverAsk has no idle connection checked before use.
func NeverAsk(config Config) Config {
	config.pingAfterIdle = time.Hour
	return config
}

// RiverVersions are the versions that the linked River has, and those that
// migrations of ours cover, in their order.
func RiverVersions() (linked, covered []int, err error) {
	migrator, err := newRiverMigrator(nil)
	if err != nil {
		return nil, nil, err
	}
	for _, migration := range migrator.AllVersions() {
		linked = append(linked, migration.Version)
	}
	for _, step := range riverSteps {
		for version := step.first; version <= step.last; version++ {
			covered = append(covered, version)
		}
	}
	return linked, covered, nil
}

// RiverMigrator is River's own, to judge what Migrate has done.
func RiverMigrator(pool *Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return newRiverMigrator(pool.pgx)
}
