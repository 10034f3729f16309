package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/accord-api/accord/pg"
)

// adminConns clone and drop at once. More would only queue for the processors.
const adminConns = 4

// templateLock is an advisory lock, of one server and all who test on it.
const templateLock = 4173530294

// server is where the databases of the tests are made.
type server struct {
	base  url.URL
	admin *pgxpool.Pool
	stop  func(context.Context) error

	// clone is what follows CREATE DATABASE x TEMPLATE y. Copying the files is
	// ten times quicker than logging every page, but each copy waits for all to
	// be on disk, so it is for a server that does not care (fsync=off).
	clone string

	once         sync.Once
	templateName string
	templateErr  error
}

func newServer(ctx context.Context, base string, stop func(context.Context) error) (*server, error) {
	parsed, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL", urlEnv) // err would quote the password
	}
	settings, err := pgxpool.ParseConfig(base)
	if err != nil {
		return nil, err
	}
	settings.MaxConns = adminConns
	admin, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, err
	}
	s := &server{base: *parsed, admin: admin, stop: stop}
	const canCopy = "SELECT current_setting('fsync') = 'off' AND current_setting('server_version_num')::int >= 150000"
	var copies bool
	if err := admin.QueryRow(ctx, canCopy).Scan(&copies); err != nil {
		return nil, err
	}
	if copies {
		s.clone = " STRATEGY file_copy"
	}
	return s, nil
}

func (s *server) close() error {
	s.admin.Close()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return s.stop(ctx)
}

func (s *server) url(database string) string {
	u := s.base
	u.Path = "/" + database
	return u.String()
}

// create makes a database from a template.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text()[:16])
	if _, err := s.admin.Exec(t.Context(), s.createDatabase(name, template)); err != nil {
		t.Fatalf("pgtest: creating database: %v", err)
	}
	t.Cleanup(func() {
		// t's own context has ended by now.
		_, err := s.admin.Exec(context.Background(), "DROP DATABASE "+quote(name)+" WITH (FORCE)")
		if err != nil {
			t.Errorf("pgtest: dropping database: %v", err)
		}
	})
	return s.url(name)
}

func (s *server) createDatabase(name, template string) string {
	return "CREATE DATABASE " + quote(name) + " TEMPLATE " + quote(template) + s.clone
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// template gives the name of the migrated database, which is made once.
func (s *server) template(ctx context.Context) (string, error) {
	s.once.Do(func() {
		s.templateName, s.templateErr = s.makeTemplate(context.WithoutCancel(ctx))
	})
	return s.templateName, s.templateErr
}

// makeTemplate is safe for several test binaries on one server: one makes it,
// the others wait and find it.
func (s *server) makeTemplate(ctx context.Context) (string, error) {
	name, err := Template("")
	if err != nil {
		return "", err
	}
	change := os.Getenv(ChangeEnv)
	changed, err := Template(change)
	if err != nil {
		return "", err
	}
	conn, err := s.common(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }() // which gives the lock back
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", err
	}
	err = s.ensureTemplate(ctx, conn, name, "template0", func(url string) error {
		_, err := pg.Migrate(ctx, url, pg.Up)
		return err
	})
	if err != nil || change == "" {
		return name, err
	}
	return changed, s.ensureTemplate(ctx, conn, changed, name, func(url string) error { return execute(ctx, url, change) })
}

// common connects to the database that all who test on a server share: advisory locks
// are of one database, and TEST_DATABASE_URL may name any.
func (s *server) common(ctx context.Context) (*pgx.Conn, error) {
	if conn, err := pgx.Connect(ctx, s.url("postgres")); err == nil {
		return conn, nil
	}
	return pgx.Connect(ctx, s.base.String())
}

// Template is the name of the migrated database that all are cloned from, when
// its schema is changed by some SQL; "" is nothing.
func Template(change string) (string, error) {
	hash, err := pg.SchemaHash()
	if err != nil {
		return "", err
	}
	name := "accord_template_" + hash[:16]
	if change == "" {
		return name, nil
	}
	sum := sha256.Sum256([]byte(change))
	return name + "_" + hex.EncodeToString(sum[:8]), nil
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("changing the schema (%s): %w", ChangeEnv, err)
	}
	return nil
}

// ensureTemplate makes a database of another, which is then filled. It is marked
// as a template last: one without the mark was cut short.
func (s *server) ensureTemplate(ctx context.Context, conn *pgx.Conn, name, from string, fill func(url string) error) error {
	var whole bool
	err := conn.QueryRow(ctx, "SELECT coalesce(bool_or(datistemplate), false) FROM pg_database WHERE datname = $1", name).Scan(&whole)
	if err != nil || whole {
		return err
	}
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + quote(name) + " WITH (FORCE)",
		s.createDatabase(name, from),
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := fill(s.url(name)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quote(name)+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
	return err
}
