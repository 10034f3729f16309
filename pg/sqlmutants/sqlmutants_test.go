package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const source = `-- name: NoteList :many
-- One's own: user_id = @user_id.
SELECT * FROM notes
WHERE (user_id = @viewer_id OR @sees_all::boolean)
  AND id < @before;

-- name: NoteMerge :exec
WITH gone AS (
    DELETE FROM notes WHERE user_id = @id
)
UPDATE notes SET lease_token = sqlc.arg('token')::uuid, n = 1
FROM users
WHERE users.id = notes.user_id AND notes.user_id = sqlc.narg('id')::uuid AND user_id = @id;
`

var texts = map[string]string{
	"NoteList":  "SELECT id, user_id FROM notes\nWHERE (user_id = $1 OR $2::boolean)\n  AND id < $3\n",
	"NoteMerge": "DELETE FROM notes WHERE user_id = $1\n)\nUPDATE notes SET lease_token = $2::uuid, n = 1\nFROM users\nWHERE users.id = notes.user_id AND notes.user_id = $1::uuid AND user_id = $1",
}

func TestConditionsOfOwnershipAreFound(t *testing.T) {
	t.Parallel()
	mutants, err := conditions("notes.sql", source, texts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mutants {
		at := strings.Index(m.query, " OR true)")
		got = append(got, m.String()+" -> "+m.query[strings.LastIndex(m.query[:at], "(")-5:at+9])
	}
	want := []string{
		"queries/notes.sql:4: ownership: NoteList without user_id = @viewer_id -> ERE ((user_id = $1 OR true)",
		"queries/notes.sql:9: ownership: NoteMerge without user_id = @id -> HERE (user_id = $1 OR true)",
		"queries/notes.sql:13: ownership: NoteMerge without notes.user_id = sqlc.narg('id')::uuid ->  AND (notes.user_id = $1::uuid OR true)",
		"queries/notes.sql:13: ownership: NoteMerge without user_id = @id ->  AND (user_id = $1 OR true)",
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestAConditionThatIsGoneIsAnError(t *testing.T) {
	t.Parallel()
	_, err := conditions("notes.sql", source, map[string]string{"NoteList": "SELECT", "NoteMerge": "SELECT"})
	if err == nil || !strings.Contains(err.Error(), "queries/notes.sql:4: NoteList") {
		t.Errorf("%v", err)
	}
}

// The house's own queries: each file that knows users has some.
func TestOwnQueriesHaveConditions(t *testing.T) {
	t.Parallel()
	mutants, err := ownershipMutants("../..")
	least := 30 // bare-drops
	// bare-has: least := 10
	if err != nil || len(mutants) < least {
		t.Fatalf("%d mutants, %v", len(mutants), err)
	}
	for _, m := range mutants {
		if !strings.Contains(m.query, " OR true)") || !strings.HasPrefix(m.query, "-- name: ") {
			t.Errorf("%s: %s", m, m.query)
		}
	}
}

// Each mutant of the schema can be applied, drops something, and is found in the
// migration that made it.
func TestSchemaMutants(t *testing.T) {
	t.Parallel()
	mutants, err := schemaMutants(t.Context(), pgtest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, m := range mutants {
		counts[m.kind]++
		text, err := os.ReadFile(filepath.Join("../..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(text), "\n")[m.line-1]
		word := map[string]string{
			kindIndex: "INDEX", kindNotNull: "NOT NULL", kindCheck: "CHECK", kindUnique: "UNIQUE", kindForeign: "REFERENCES",
		}[m.kind]
		if !strings.Contains(line, word) {
			t.Errorf("%s is said to be in %q", m, line)
		}
	}
	least := 5 // bare-drops
	// bare-has: least := 3
	for _, kind := range kinds[1:] {
		if counts[kind] < least {
			t.Errorf("only %d of %s", counts[kind], kind)
		}
	}
}

func TestOverlayLetsQueriesBeChanged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	list, err := overlay("../..", folder)
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(folder, "users.sql.go"))
	if err != nil || !strings.Contains(string(code), "var userGet = mutated(`-- name: UserGet :one") {
		t.Errorf("%v: %.300s", err, code)
	}
	replaced, err := os.ReadFile(list)
	if err != nil || !strings.Contains(string(replaced), "/gen/db/mutated.go") {
		t.Errorf("%v: %s", err, replaced)
	}
}

func TestFailuresAreRead(t *testing.T) {
	t.Parallel()
	for out, want := range map[string][]string{
		"--- FAIL: TestA (0.00s)\n    a_test.go:1: no\n    --- FAIL: TestA/b (0.00s)\nFAIL\n":  {"TestA"},
		"panic: test timed out after 1s\n\trunning tests:\n\t\tTestB (1s)\n\t\tTestC/d (1s)\n": {"TestB", "TestC"},
		"panic: no\n\ngoroutine 1 [running]:\nexample.org/m.TestD(0x1)\n":                      {"TestD"},
		"ok\n": nil,
	} {
		if got := failedNames([]byte(out)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", out, got, want)
		}
	}
}

func TestLikelyTestsComeFirst(t *testing.T) {
	t.Parallel()
	one, other := &binary{folder: "server"}, &binary{folder: "jobs"}
	s := &suite{queries: map[string]string{"orders": "SELECT * FROM order_lines", "users": "SELECT * FROM users"}, tests: []test{
		{"TestUsers", "users", one}, {"TestPlans", "plans", one}, {"TestOrders", "orders", one}, {"TestMail", "mail", one}, {"TestJobs", "jobs", other},
	}}
	var order []string
	for _, tests := range s.stages(mutant{kind: kindIndex, about: "order_lines"}) {
		for _, t := range tests {
			order = append(order, t.name)
		}
		order = append(order, "|")
	}
	if got := strings.Join(order, " "); got != "TestPlans | TestOrders | TestUsers TestMail | TestJobs |" {
		t.Error(got)
	}
}

func TestScore(t *testing.T) {
	t.Parallel()
	var s score
	s.add(verdict{mutant: mutant{kind: kindIndex, file: "schema/1.sql", line: 3, what: "a_idx"}})
	s.add(verdict{mutant: mutant{kind: kindIndex}, killer: "server.TestA"})
	want := "survived: schema/1.sql:3: index: a_idx\nindex          1 of   2 killed,  50.0 %\n"
	if s.String() != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

// Each condition of ownership has to be noticed, and 95 % of all else.
func TestGoals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        string
		killed, all int
		want        string
	}{
		{kindOwnership, 20, 20, ""}, {kindOwnership, 99, 100, "of ownership 99 of 100 are noticed, want 100 %"},
		{kindIndex, 19, 20, ""}, {kindIndex, 18, 20, "of all else 18 of 20 are noticed, want 95 %"},
	} {
		s := score{killed: map[string]int{c.kind: c.killed}, all: map[string]int{c.kind: c.all}}
		if err := s.missed(); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d of %d of %s: %v, want %q", c.killed, c.all, c.kind, err, c.want)
		}
	}
}
