package pg_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

const objects = `
	SELECT coalesce(string_agg(relkind::text || ' ' || relname, ', ' ORDER BY relname), '')
	FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'goose%'`

func text(t *testing.T, pool *pg.Pool, sql string) (result string) {
	t.Helper()
	must(t, pool.QueryRow(t.Context(), sql).Scan(&result))
	return result
}

// Ten instances that start at once on an empty database.
func TestMigrateTenAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	var ran []int64
	for range 10 {
		all.Go(func() {
			migrations, err := pg.Migrate(t.Context(), url, pg.Up)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, migration := range migrations {
				ran = append(ran, migration.Version)
			}
		})
	}
	all.Wait()

	pool := open(t, pg.Config{URL: url})
	have, want, err := pg.SchemaVersion(t.Context(), pool)
	if err != nil || have != want || want < 2 {
		t.Errorf("version %d, want %d, error %v", have, want, err)
	}
	slices.Sort(ran)
	if unique := slices.Compact(slices.Clone(ran)); !slices.Equal(ran, unique) || int64(len(ran)) != want {
		t.Errorf("migrations %v ran, want each once", ran)
	}
}

func TestMigrateDownAndUpAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pool := open(t, pg.Config{URL: url})
	before := text(t, pool, objects)

	one, err := pg.Migrate(t.Context(), url, pg.DownOne)
	must(t, err)
	have, want, err := pg.SchemaVersion(t.Context(), pool)
	must(t, err)
	if len(one) != 1 || one[0].Version != want || have != want-1 {
		t.Errorf("one down: ran %v, now at %d of %d", one, have, want)
	}
	_, err = pg.Migrate(t.Context(), url, pg.DownAll)
	must(t, err)
	if left := text(t, pool, objects); left != "" {
		t.Errorf("left behind: %s", left)
	}
	nothing, err := pg.Migrate(t.Context(), url, pg.DownOne)
	if err != nil || nothing != nil {
		t.Errorf("down from nothing: ran %v, error %v", nothing, err)
	}
	_, err = pg.Migrate(t.Context(), url, pg.Up)
	must(t, err)
	if after := text(t, pool, objects); after != before {
		t.Errorf("after down and up:\n%s\nbefore:\n%s", after, before)
	}
}

func TestMigrationStatus(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	pool := open(t, pg.Config{URL: url})
	have, want, err := pg.SchemaVersion(t.Context(), pool)
	if err != nil || have != 0 || want == 0 {
		t.Errorf("empty database: version %d of %d, error %v", have, want, err)
	}
	for _, applied := range []bool{false, true} {
		all, err := pg.MigrationStatus(t.Context(), url)
		must(t, err)
		if int64(len(all)) != want {
			t.Errorf("%d migrations, want %d", len(all), want)
		}
		for i, migration := range all {
			if migration.Version != int64(i+1) || migration.Name == "" || migration.AppliedAt.IsZero() == applied {
				t.Errorf("migration %d is %+v, applied should be %t", i+1, migration, applied)
			}
		}
		_, err = pg.Migrate(t.Context(), url, pg.Up)
		must(t, err)
	}
}

// A database that a newer program has migrated is left as it is.
func TestMigrateAcceptsNewerSchema(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	pool := open(t, pg.Config{URL: url})
	_, err := pool.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	must(t, err)
	ran, err := pg.Migrate(t.Context(), url, pg.Up)
	if err != nil || ran != nil {
		t.Errorf("ran %v, error %v", ran, err)
	}
	have, want, err := pg.SchemaVersion(t.Context(), pool)
	if err != nil || have != 99999 || want >= have {
		t.Errorf("version %d of %d, error %v", have, want, err)
	}
}

func TestMigrateWaitsNoLongerThanContext(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(t.Context(), "SELECT pg_advisory_lock($1)", pg.LockID)
	must(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = pg.Migrate(ctx, url, pg.Up)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error = %v, want the deadline's", err)
	}
}

// A River release with new migrations needs a line in riverSteps.
func TestEveryRiverMigrationIsCovered(t *testing.T) {
	t.Parallel()
	linked, covered, err := pg.RiverVersions()
	must(t, err)
	if !slices.Equal(linked, covered) {
		t.Fatalf("River has migrations %v, pg/river.go runs %v", linked, covered)
	}
}

func TestRiverAcceptsItsTables(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.New(t)})
	migrator, err := pg.RiverMigrator(pool)
	must(t, err)
	result, err := migrator.Validate(t.Context(), nil)
	must(t, err)
	if !result.OK {
		t.Error(result.Messages)
	}
}

func TestSchemaHash(t *testing.T) {
	t.Parallel()
	first, err := pg.SchemaHash()
	must(t, err)
	second, err := pg.SchemaHash()
	if err != nil || first != second || len(first) != 64 {
		t.Errorf("hashes %s and %s, error %v", first, second, err)
	}
}
