package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

// No query of the product reads a table that grows from its first to its last
// row: neither as a whole, nor along an index and past rows that a filter drops,
// nor with the words of a search as a filter. This holds for the plan that a
// prepared statement has for any arguments, and for one made for the arguments.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	queries := queriesOf(t)
	readWhole := mapped(func(n noun) map[string]string { return n.readWhole })
	sortsFew := mapped(func(n noun) map[string]string { return n.sortsFew })
	used := map[string]bool{}
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		execOn(t, conn, "SET plan_cache_mode = "+mode)
		for name, sql := range queries {
			explained := plan(t, conn, name, sql)
			for _, fault := range faultsOf(explained) {
				used[name] = true
				if readWhole[name] == "" {
					t.Errorf("%s, %s: %s", name, mode, fault)
				}
			}
			if mode == "force_generic_plan" && sortsAll(sql, explained) && sortsFew[name] == "" {
				t.Errorf("%s: it sorts, and no index is in its order", name)
			}
		}
	}
	for name := range readWhole {
		if !used[name] {
			t.Errorf("%s is excepted and need not be, or there is no such query", name)
		}
	}
	wantServed(t, conn, queries)
	noticeWhatIsSlow(t, conn, queries)
}

// sortsAll says whether a query that is cut at a limit sorts all that there is
// first. A plan made for its arguments may, where it expects few.
func sortsAll(sql string, plan any) bool {
	return strings.Contains(sql, "LIMIT") && slices.ContainsFunc(nodes(plan), func(node string) bool { return strings.HasSuffix(node, "Sort") })
}

// wantServed wants the queries to use their indexes wherever they can, once the
// tables have been in use for long.
func wantServed(t *testing.T, conn *pgx.Conn, queries map[string]string) {
	t.Helper()
	execOn(t, conn, "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off")
	defer execOn(t, conn, "ROLLBACK")
	for _, sql := range listed(func(n noun) []string { return n.worn }) {
		execOn(t, conn, sql)
	}
	for name, want := range mapped(func(n noun) map[string][]string { return n.servedBy }) {
		indexes := valuesOf(plan(t, conn, name+" served", queries[name]), "Index Name")
		for _, index := range want {
			if !slices.Contains(indexes, index) {
				t.Errorf("%s: by %v and not by %s", name, indexes, index)
			}
		}
	}
}

// Each reference has an index that begins with it: whoever deletes what is
// referred to would read the whole table otherwise.
func TestReferencesHaveAnIndex(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, reference := range textsOf(t, conn, `SELECT conrelid::regclass || ' (' || pg_get_constraintdef(oid) || ')' FROM pg_constraint
		WHERE contype = 'f' AND conrelid::regclass::text !~ '^(goose|river)_' AND NOT EXISTS (SELECT FROM pg_index
			WHERE indrelid = conrelid AND indpred IS NULL AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)`) {
		t.Errorf("%s has no index", reference)
	}
}

// connected is a connection to a database of its own.
func connected(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// planned is a connection to a database with many rows in each table.
func planned(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := connected(t)
	for _, sql := range listed(func(n noun) []string { return n.seeded }) {
		execOn(t, conn, sql)
	}
	for _, table := range emptyTables(t, conn) {
		fill(t, conn, table)
	}
	execOn(t, conn, "VACUUM ANALYZE")
	return conn
}

func execOn(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// nodes gives the types of the nodes of a plan.
func nodes(plan any) []string { return valuesOf(plan, "Node Type") }

// valuesOf gives what the nodes of a plan say of one thing.
func valuesOf(node any, key string) (values []string) {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			values = append(values, valuesOf(child, key)...)
		}
	case map[string]any:
		if value, ok := n[key].(string); ok {
			values = append(values, value)
		}
		for _, child := range n {
			values = append(values, valuesOf(child, key)...)
		}
	}
	return values
}

// emptyTables are those of ours that nothing was put into.
func emptyTables(t *testing.T, conn *pgx.Conn) (empty []string) {
	t.Helper()
	for _, table := range textsOf(t, conn, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
		AND relname !~ '^(goose|river)_' ORDER BY relname`) {
		if textsOf(t, conn, "SELECT (NOT EXISTS (SELECT FROM "+pgx.Identifier{table}.Sanitize()+"))::text")[0] == "true" {
			empty = append(empty, table)
		}
	}
	return empty
}

// madeUp gives the INSERT of a table's rows. The values follow from the types of
// its columns: ids are in their order, what may be null is so in every second
// row, and texts and numbers are many where there is an index and few elsewhere.
const madeUp = `SELECT format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 20000) n', $1::text,
		string_agg(quote_ident(attname), ', ' ORDER BY attnum),
		string_agg(CASE WHEN attnotnull THEN value ELSE 'CASE WHEN n % 2 = 0 THEN ' || value || ' END' END, ', ' ORDER BY attnum))
	FROM pg_attribute JOIN pg_type t ON t.oid = atttypid,
	LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND (attnum = ANY (indkey) OR 0 = ANY (indkey)))
		THEN 'n' ELSE 'n % 5' END AS number) m,
	LATERAL (SELECT CASE
		WHEN typname = 'uuid' THEN '(''0198c0de-0000-7000-8000-'' || lpad(to_hex(n), 12, ''0''))'
		WHEN typname = 'bool' THEN '(n % 2 = 0)'
		WHEN typname = 'bytea' THEN 'sha256(n::text::bytea)'
		WHEN typname IN ('json', 'jsonb') OR typcategory = 'A' THEN quote_literal('{}')
		WHEN typcategory = 'S' THEN 'md5((' || number || ')::text)'
		WHEN typcategory = 'N' THEN '(' || number || ')'
		WHEN typcategory = 'D' THEN '(now() - n * interval ''1 minute'')'
		WHEN typtype = 'e' THEN 'enum_first(NULL::' || format_type(t.oid, NULL) || ')'
		ELSE 'NULL' END || '::' || format_type(atttypid, atttypmod) AS value) v
	WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''`

// fill puts made-up rows into a table, so that a new one is judged before
// anybody says in a noun's seeded what its rows are like. The constraints that they could
// break are taken from it; its indexes stay.
func fill(t *testing.T, conn *pgx.Conn, table string) {
	t.Helper()
	statements := textsOf(t, conn, `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
		FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype IN ('c', 'f')`, table)
	for _, sql := range append(statements, textsOf(t, conn, madeUp, table)...) {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("no rows can be made up for the table %s; put some into it in seeded: %v\n%s", table, err, sql)
		}
	}
}

// textsOf gives the one text of each row.
func textsOf(t *testing.T, conn *pgx.Conn, sql string, arguments ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return texts
}

// noticeWhatIsSlow sees to it that a plan that must not be is noticed: a missing
// index, a search that its index does not serve, and a filter on the way.
func noticeWhatIsSlow(t *testing.T, conn *pgx.Conn, queries map[string]string) {
	t.Helper()
	execOn(t, conn, "SET plan_cache_mode = force_generic_plan")
	for name, sql := range map[string]string{
		"words":    "SELECT * FROM users WHERE id < $2 AND to_tsvector('english', full_name) @@ websearch_to_tsquery($1) ORDER BY id DESC LIMIT 5",
		"filter":   "SELECT * FROM users WHERE id < $1 AND password_hash = $2 ORDER BY id DESC LIMIT 5",
		"optional": "SELECT * FROM users WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT 5",
		"UserGet":  "",
	} {
		faulty := sql != ""
		if !faulty {
			sql = queries[name]
		}
		if found := faultsOf(plan(t, conn, name, sql)); len(found) > 0 != faulty {
			t.Errorf("%s: %v", name, found)
		}
	}
	execOn(t, conn, "DROP INDEX users_email_key")
	if found := faultsOf(plan(t, conn, "UserGetByEmail without", queries["UserGetByEmail"])); len(found) == 0 {
		t.Error("UserGetByEmail lacks its index, and nobody notices")
	}
}

// Whoever looks for what is rare in a long audit trail does not read all of it,
// however often others have read its first page with the same statement.
func TestRareAuditEventsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, sql := range []string{accountsNoun.seeded[0], accountsNoun.seeded[4], `UPDATE audit_events SET action = 'rare', outcome = 'limited'
		WHERE id IN (SELECT id FROM audit_events ORDER BY id LIMIT 3)`, "ANALYZE"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Prepare(t.Context(), "list", queriesOf(t)["AuditEventList"]); err != nil {
		t.Fatal(err)
	}
	for range 8 { // PostgreSQL makes up its mind about prepared statements after five
		for filter, indexes := range map[string]string{
			"NULL, NULL, NULL": "audit_events_pkey", "'rare', NULL, NULL": "audit_events_action_idx",
			"NULL, 'limited', NULL": "audit_events_outcome_idx", "NULL, NULL, '" + unknownID + "'": "audit_events_subject_idx audit_events_actor_idx",
		} {
			var text string
			explain := "EXPLAIN (FORMAT JSON) EXECUTE list ('ffffffff-ffff-ffff-ffff-ffffffffffff', " + filter + ", 21)"
			if err := conn.QueryRow(t.Context(), explain, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
				t.Fatal(err)
			}
			for index := range strings.FieldsSeq(indexes) {
				if !strings.Contains(text, index) {
					t.Errorf("%s: not by %s: %s", filter, index, text)
				}
			}
		}
	}
}

// queriesOf gives the SQL of each query, as sqlc has written it.
func queriesOf(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../gen/db/*.sql.go")
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, file := range files {
		tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != gotoken.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if name, ok := strings.CutPrefix(text, "-- name: "); err == nil && ok {
				name, _, _ = strings.Cut(name, " ")
				queries[name] = text
			}
			return true
		})
	}
	if len(queries) < 20 {
		t.Fatalf("only %d queries are found", len(queries))
	}
	return queries
}

// arguments are what plans are made for, by the type of the parameter: the first
// page of somebody's list, as much as there is.
const arguments = `SELECT coalesce('(' || string_agg(CASE
		WHEN typname = 'uuid' THEN quote_literal('ffffffff-ffff-ffff-ffff-ffffffffffff')
		WHEN typname = '_uuid' THEN quote_literal('{ffffffff-ffff-ffff-ffff-ffffffffffff}')
		WHEN typname = 'bool' THEN 'true'
		WHEN typname = 'bytea' THEN quote_literal('')
		WHEN typname IN ('json', 'jsonb') OR typcategory = 'A' THEN quote_literal('{}')
		WHEN typcategory = 'S' THEN quote_literal('rare')
		WHEN typcategory = 'N' THEN '20'
		WHEN typcategory = 'D' THEN 'now() - interval ''1 hour'''
		ELSE 'NULL' END, ', ' ORDER BY at) || ')', '')
	FROM unnest($1::oid[]) WITH ORDINALITY AS parameter (type, at) JOIN pg_type ON pg_type.oid = type`

// plan explains a query as a prepared statement.
func plan(t *testing.T, conn *pgx.Conn, name, sql string) any {
	t.Helper()
	prepared, err := conn.Prepare(t.Context(), name, sql)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var text []byte
	explain := "EXPLAIN (FORMAT JSON) EXECUTE " + pgx.Identifier{name}.Sanitize() + textsOf(t, conn, arguments, prepared.ParamOIDs)[0]
	if err := conn.QueryRow(t.Context(), explain, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var plan any
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

// equality is a condition of an index that leads to few entries; ranges alone
// may lead along all of them.
var equality = regexp.MustCompile(`[^<>]= |@@`)

// faultsOf says what in a plan reads a table from its first to its last row.
func faultsOf(node any) (faults []string) {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			faults = append(faults, faultsOf(child)...)
		}
	case map[string]any:
		if fault := faultOf(n); fault != "" {
			faults = append(faults, fault)
		}
		for _, child := range n {
			faults = append(faults, faultsOf(child)...)
		}
	}
	return faults
}

// faultOf judges one node; "" is well.
func faultOf(node map[string]any) string {
	kind, _ := node["Node Type"].(string)
	table, _ := node["Relation Name"].(string)
	condition, _ := node["Index Cond"].(string)
	filter, _ := node["Filter"].(string)
	switch {
	case strings.HasSuffix(kind, "Seq Scan"):
		return "it reads the whole of " + table
	case strings.Contains(filter, "@@"):
		return "it compares the words of one row of " + table + " after the other"
	case strings.HasPrefix(kind, "Index") && filter != "" && !equality.MatchString(condition):
		return fmt.Sprintf("it walks %v of %s under the filter %s", node["Index Name"], table, filter)
	}
	return ""
}
