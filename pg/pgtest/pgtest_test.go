package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestNewGivesEachItsOwn(t *testing.T) {
	t.Parallel()
	for range 10 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			conn, err := pgx.Connect(t.Context(), pgtest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close(t.Context()) })
			if _, err := conn.Exec(t.Context(), "CREATE TABLE mine (id int)"); err != nil {
				t.Fatal(err)
			}
			var users, jobs int
			err = conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM river_job)").Scan(&users, &jobs)
			if err != nil || users != 0 || jobs != 0 {
				t.Fatalf("users %d, jobs %d, error %v, want an empty schema", users, jobs, err)
			}
		})
	}
}
