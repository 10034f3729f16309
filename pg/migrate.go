package pg

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/accord-api/accord/schema"
)

// Direction is what Migrate does.
type Direction int

const (
	// Up applies all that is pending.
	Up Direction = iota
	// DownOne takes back the last migration.
	DownOne
	// DownAll takes back every migration.
	DownAll
)

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string

	// AppliedAt is zero when the migration is not applied.
	AppliedAt time.Time
}

// Migrate changes the schema of the database at url and returns the migrations
// that it ran. Any number of processes may call it at once: one works, the
// others wait, as long as ctx lets them. The url has to lead to PostgreSQL
// itself, not to a PgBouncer, since the lock belongs to the session.
func Migrate(ctx context.Context, url string, direction Direction) (ran []Migration, err error) {
	err = withProvider(url, func(p *goose.Provider) error {
		ran, err = migrate(ctx, p, direction)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("migrating the database: %w", err)
	}
	return ran, nil
}

// MigrationStatus lists all migrations, oldest first.
func MigrationStatus(ctx context.Context, url string) (all []Migration, err error) {
	err = withProvider(url, func(p *goose.Provider) error {
		statuses, err := p.Status(ctx)
		for _, s := range statuses {
			all = append(all, Migration{Version: s.Source.Version, Name: migrationName(s.Source), AppliedAt: s.AppliedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the state of migrations: %w", err)
	}
	return all, nil
}

// SchemaVersion compares the database with the program: have is the newest
// migration that was applied (0 for none), want the newest that there is.
func SchemaVersion(ctx context.Context, pool *Pool) (have, want int64, err error) {
	want, err = newestVersion()
	if err != nil {
		return 0, 0, err
	}
	err = pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+goose.DefaultTablename+" WHERE is_applied").Scan(&have)
	if sqlState(err) == codeUndefinedTable {
		return 0, want, nil
	}
	if err != nil {
		return 0, want, fmt.Errorf("reading the version of the schema: %w", err)
	}
	return have, want, nil
}

// SchemaHash names the schema that Migrate makes: it changes with any migration.
func SchemaHash() (string, error) {
	migrator, err := newRiverMigrator(nil)
	if err != nil {
		return "", fmt.Errorf("reading River's migrations: %w", err)
	}
	hash := sha256.New()
	for _, migration := range migrator.AllVersions() {
		_, _ = fmt.Fprintf(hash, "%d\n%s\n", migration.Version, migration.SQLUp)
	}
	err = fs.WalkDir(schema.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := schema.FS.ReadFile(name)
		_, _ = fmt.Fprintf(hash, "%s\n%s\n", name, content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading migrations: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func migrate(ctx context.Context, p *goose.Provider, direction Direction) ([]Migration, error) {
	// Up looks for pending migrations before it takes the lock, and makes
	// goose's own table for that. This makes the table under the lock: ten
	// instances on an empty database would trip over one another.
	if _, err := p.GetDBVersion(ctx); err != nil {
		return nil, err
	}
	switch direction {
	case Up:
		results, err := p.Up(ctx)
		return ranMigrations(results), err
	case DownAll:
		results, err := p.DownTo(ctx, 0)
		return ranMigrations(results), err
	case DownOne:
		result, err := p.Down(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return ranMigrations([]*goose.MigrationResult{result}), nil
	}
	return nil, fmt.Errorf("unknown direction %d", direction)
}

func ranMigrations(results []*goose.MigrationResult) []Migration {
	var ran []Migration
	for _, r := range results {
		ran = append(ran, Migration{Version: r.Source.Version, Name: migrationName(r.Source)})
	}
	return ran
}

func migrationName(source *goose.Source) string {
	if source.Type == goose.TypeGo {
		return fmt.Sprintf("%05d_create_jobs (River)", source.Version)
	}
	return path.Base(source.Path)
}

// withProvider connects for as long as fn runs. Migrations are rare: they keep
// no connections open.
func withProvider(url string, fn func(*goose.Provider) error) error {
	settings, err := parseURL(url)
	if err != nil {
		return err
	}
	nameApplication(settings.ConnConfig, "accord migrate")
	database := stdlib.OpenDB(*settings.ConnConfig)
	provider, err := newProvider(database, settings)
	if err != nil {
		return errors.Join(err, database.Close())
	}
	return errors.Join(fn(provider), provider.Close())
}

func newProvider(database *sql.DB, settings *pgxpool.Config) (*goose.Provider, error) {
	migrations := make([]*goose.Migration, len(riverSteps))
	for i, step := range riverSteps {
		migrations[i] = step.migration(settings)
	}
	return goose.NewProvider(goose.DialectPostgres, database, schema.FS,
		goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(migrations...),
		goose.WithSessionLocker(sessionLock{}))
}

func newestVersion() (int64, error) {
	newest := int64(0)
	for _, step := range riverSteps {
		newest = max(newest, step.version)
	}
	files, err := fs.Glob(schema.FS, "*.sql")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return 0, fmt.Errorf("reading migration %s: %w", file, err)
		}
		newest = max(newest, version)
	}
	return newest, nil
}

const (
	// lockID is goose's own, so that its command line waits for us as well.
	lockID    = 4097083626
	lockRetry = 25 * time.Millisecond
)

// sessionLock is an advisory lock of the session that migrates. Goose's own asks
// again only after whole seconds. It asks rather than waits in the database,
// because a waiting query would hold up CREATE INDEX CONCURRENTLY.
type sessionLock struct{}

func (sessionLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	for {
		var locked bool
		err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", lockID).Scan(&locked)
		if err != nil {
			return fmt.Errorf("taking the migration lock: %w", err)
		}
		if locked {
			return nil
		}
		if !sleep(ctx, jitter(lockRetry)) {
			return fmt.Errorf("waiting for the migration lock: %w", ctx.Err())
		}
	}
}

func (sessionLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lockID)
	if err != nil {
		return fmt.Errorf("giving the migration lock back: %w", err)
	}
	return nil
}
