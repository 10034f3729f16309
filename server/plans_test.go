package server_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

// seeded fills every table that grows, far enough that reading all of it is
// never the best plan.
var seeded = []string{
	`INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		SELECT gen_random_uuid(), 'p' || n || '@example.com', 'p' || n, 'Person ' || n, 'x', 'user', now(), now() FROM generate_series(1, 20000) n`,
	`INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent)
		SELECT gen_random_uuid(), id, now(), now(), now() + interval '7 days' * random(), '', '' FROM users`,
	`INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) SELECT sha256(id::text::bytea), id, now(), expires_at FROM sessions`,
	`INSERT INTO mail_tokens (hash, user_id, purpose, created_at, expires_at)
		SELECT sha256(id::text::bytea), id, 'verify', now(), now() + interval '1 day' * random() FROM users`,
	`INSERT INTO audit_events (id, created_at, action, outcome, actor_id, subject_id, detail, ip, user_agent, request_id)
		SELECT gen_random_uuid(), now(), 'a.' || length(username), 'succeeded', id, id, '', '', '', '' FROM users`,
	`INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
		SELECT gen_random_uuid(), 'sku-' || n, 'name' || n, 'word' || n % 5000, n, 'EUR', 5, now(), now() FROM generate_series(1, 20000) n`,
	`INSERT INTO orders (id, user_id, status, currency, total, items, created_at, updated_at)
		SELECT gen_random_uuid(), id, 'paid', 'EUR', 1, 1, now() - interval '90 days' * random(), now() FROM users`,
	`INSERT INTO order_lines (order_id, position, product_id, quantity, sku, name, price)
		SELECT o.id, 1, p.id, 1, '', '', 1 FROM (SELECT id, row_number() OVER () AS n FROM orders) o
		JOIN (SELECT id, row_number() OVER () AS n FROM products) p USING (n)`,
	`INSERT INTO idempotency_keys (user_id, operation, key, request_hash, expires_at)
		SELECT id, 'x', 'x', sha256(''), now() + interval '1 day' * random() FROM users`,
	`INSERT INTO notification_counters (user_id, last) SELECT id, 1 FROM users`,
	`INSERT INTO notifications (id, user_id, number, kind, title, link, created_at)
		SELECT gen_random_uuid(), id, 1, '', '', '', now() - interval '90 days' * random() FROM users`,
	`INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
		SELECT gen_random_uuid(), id, '', '', 1, sha256(''), id::text, now() FROM users`,
	`INSERT INTO reports (id, user_id, kind, format, days, status, created_at, finished_at)
		SELECT gen_random_uuid(), id, 'orders', 'csv', 30, 'succeeded', now(), now() FROM users`,
	`INSERT INTO storage_owner (id, sweeps) VALUES (gen_random_uuid(), 1)`,
}

// readWhole are the queries whose purpose is to read a whole table.
var readWhole = map[string]string{
	"StorageSwept": "the table has one row",
	"UserCount":    "how many rows a report will have, in a job",
	"StatsDays":    "reads 30 days, which may be all that there is; kept for a minute",
	"StatsCount":   "counts whole tables; at most once a minute for each administrator, two at once",
}

// No query of the product reads a table that grows from its first to its last
// row. The plans are the generic ones: those of prepared statements, whatever
// their arguments.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	run := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, sql := range seeded {
		run(sql)
	}
	for _, table := range emptyTables(t, conn) {
		fill(t, conn, table)
	}
	run("ANALYZE")
	run("SET plan_cache_mode = force_generic_plan")

	queries := queriesOf(t)
	for name, sql := range queries {
		for _, table := range seqScans(t, plan(t, conn, name, sql)) {
			if readWhole[name] == "" {
				t.Errorf("%s reads the whole of %s", name, table)
			}
		}
	}
	for name := range readWhole {
		if queries[name] == "" {
			t.Errorf("%s is excepted, and there is no such query", name)
		}
	}
}

// The first row of an export comes at once: nothing is sorted or gathered before
// it, whether the plan is made for its arguments or for any.
func TestExportsBeginAtOnce(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	for _, sql := range append(slices.Clone(seeded), "ANALYZE") {
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		if _, err := conn.Exec(t.Context(), "SET plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"UserExport", "OrderLineExport"} {
			for _, node := range nodes(plan(t, conn, name, queriesOf(t)[name])) {
				if !slices.Contains([]string{"Limit", "Result", "Nested Loop", "Memoize", "Index Scan"}, node) {
					t.Errorf("%s, %s: the plan has a node %s", name, mode, node)
				}
			}
		}
	}
}

// nodes gives the types of the nodes of a plan.
func nodes(node any) (types []string) {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			types = append(types, nodes(child)...)
		}
	case map[string]any:
		if kind, ok := n["Node Type"].(string); ok {
			types = append(types, kind)
		}
		for _, child := range n {
			types = append(types, nodes(child)...)
		}
	}
	return types
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
// anybody says in seeded what its rows are like. The constraints that they could
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

// A table without its index is noticed, also when its rows are made up.
func TestQueryPlansNoticeAMissingIndex(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	fill(t, conn, "users")
	fill(t, conn, "orders")
	for _, sql := range []string{"DROP INDEX users_email_key", "ANALYZE", "SET plan_cache_mode = force_generic_plan"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for name, whole := range map[string]bool{"UserGetByEmail": true, "UserGet": false, "OrderList": false} {
		if found := seqScans(t, plan(t, conn, name, queriesOf(t)[name])); len(found) > 0 != whole {
			t.Errorf("%s reads the whole of %v", name, found)
		}
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
	for _, sql := range []string{seeded[0], seeded[4], `UPDATE audit_events SET action = 'rare', outcome = 'limited'
		WHERE id IN (SELECT id FROM audit_events ORDER BY id LIMIT 3)`, "ANALYZE"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Prepare(t.Context(), "list", queriesOf(t)["AuditEventList"]); err != nil {
		t.Fatal(err)
	}
	for range 8 { // PostgreSQL makes up its mind about prepared statements after five
		for filter, index := range map[string]string{
			"NULL, NULL, NULL": "audit_events_pkey", "'rare', NULL, NULL": "audit_events_action_idx",
			"NULL, 'limited', NULL": "audit_events_outcome_idx", "NULL, NULL, '" + unknownID + "'": "audit_events_subject_idx",
		} {
			var text string
			explain := "EXPLAIN (FORMAT JSON) EXECUTE list (NULL, " + filter + ", 21)"
			if err := conn.QueryRow(t.Context(), explain, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text, index) {
				t.Errorf("%s: not by %s: %s", filter, index, text)
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

// plan explains a query as a prepared statement.
func plan(t *testing.T, conn *pgx.Conn, name, sql string) any {
	t.Helper()
	prepared, err := conn.Prepare(t.Context(), name, sql)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	arguments := ""
	if n := len(prepared.ParamOIDs); n > 0 {
		arguments = "(" + strings.TrimSuffix(strings.Repeat("NULL, ", n), ", ") + ")"
	}
	var text []byte
	explain := "EXPLAIN (FORMAT JSON) EXECUTE " + pgx.Identifier{name}.Sanitize() + arguments
	if err := conn.QueryRow(t.Context(), explain, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var plan any
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

// seqScans lists the tables that a plan reads from the first to the last row.
func seqScans(t *testing.T, node any) (tables []string) {
	t.Helper()
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			tables = append(tables, seqScans(t, child)...)
		}
	case map[string]any:
		if kind, _ := n["Node Type"].(string); strings.HasSuffix(kind, "Seq Scan") {
			tables = append(tables, n["Relation Name"].(string))
		}
		for _, child := range n {
			tables = append(tables, seqScans(t, child)...)
		}
	}
	return tables
}
