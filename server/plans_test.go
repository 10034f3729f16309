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
		SELECT gen_random_uuid(), id, 1, 'order.placed', '', '', now() - interval '90 days' * random() FROM users`,
	`INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
		SELECT gen_random_uuid(), id, '', '', 1, sha256(''), id::text, now() FROM users`,
	`INSERT INTO reports (id, user_id, kind, format, days, status, created_at, finished_at)
		SELECT gen_random_uuid(), id, 'orders', 'csv', 30, 'succeeded', now(), now() FROM users`,
	`INSERT INTO storage_owner (id, sweeps) VALUES (gen_random_uuid(), 1)`,
}

// readWhole are the queries that may read a whole table, or walk an index and drop
// what a filter does not let through: because it is their purpose, or with what
// bounds it.
var readWhole = map[string]string{
	"StorageSwept":        "the table has one row",
	"SalesBetween":        "reads the orders of a day, few of which are cancelled, in a job",
	"UserExport":          "exports all accounts; twice at once at most",
	"UserCount":           "how many rows a report will have, in a job",
	"StatsDays":           "reads 30 days, which may be all that there is; kept for a minute",
	"StatsCount":          "counts whole tables; at most once a minute for each administrator, two at once",
	"ProductListNewest":   "currency and stock are filters; the number of products, 16 at once, kept for five minutes",
	"ProductListCheapest": "as ProductListNewest",
	"ProductListDearest":  "as ProductListNewest",
	"UserList":            "roles and parts of names are filters; for administrators, eight at once",
	"AuditEventList":      "in its generic plan, which is never the cheaper one: TestRareAuditEventsAreFoundByIndex",
	"AdminLock":           "an index of active administrators and nobody else",
}

// No query of the product reads a table that grows from its first to its last
// row: neither as a whole, nor along an index and past rows that a filter drops,
// nor with the words of a search as a filter. This holds for the plan that a
// prepared statement has for any arguments, and for one made for the arguments.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	queries := queriesOf(t)
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

// sortsFew are the queries that have a limit and sort, with what bounds what they
// sort. All others that have one come in the order of an index.
var sortsFew = map[string]string{
	"ProductSearch":   "the newest 10,000 that have the words",
	"OrderListLatest": "a few orders of each buyer on a page",
}

// servedBy are the indexes of queries that could do with another one, or with
// none, as long as tables are small or the rows that a filter drops are few.
var servedBy = map[string][]string{
	"AdminLock":               {"users_admin_idx"},
	"AdminIDs":                {"users_admin_idx"},
	"StatsDays":               {"users_created_idx", "orders_created_idx"},
	"ProductListNewest":       {"products_newest_idx"},
	"ProductListCheapest":     {"products_price_idx"},
	"ProductListDearest":      {"products_price_idx"},
	"NotificationListUnread":  {"notifications_unread_idx"},
	"NotificationCountUnread": {"notifications_unread_idx"},
	"ReportListAbandoned":     {"reports_lease_idx"},
	"ReportListWaiting":       {"reports_queued_idx"},
}

// wantServed wants these queries to use their indexes wherever they can, once most
// products are retired and most notifications are read.
func wantServed(t *testing.T, conn *pgx.Conn, queries map[string]string) {
	t.Helper()
	execOn(t, conn, `BEGIN;
		SET LOCAL plan_cache_mode = force_generic_plan;
		SET LOCAL enable_seqscan = off;
		ALTER TABLE products DISABLE TRIGGER USER;
		UPDATE products SET retired_at = now() WHERE price % 10 <> 0;
		UPDATE notifications SET read_at = now() WHERE get_byte(uuid_send(id), 0) > 25;
		ANALYZE products, notifications`)
	defer execOn(t, conn, "ROLLBACK")
	for name, want := range servedBy {
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
	for _, sql := range seeded {
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

// The first row of an export comes at once: nothing is sorted or gathered before
// it, whether the plan is made for its arguments or for any.
func TestExportsBeginAtOnce(t *testing.T) {
	t.Parallel()
	conn := planned(t)
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		execOn(t, conn, "SET plan_cache_mode = "+mode)
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

// noticeWhatIsSlow sees to it that a plan that must not be is noticed: a missing
// index, a search that its index does not serve, and a filter on the way.
func noticeWhatIsSlow(t *testing.T, conn *pgx.Conn, queries map[string]string) {
	t.Helper()
	execOn(t, conn, "SET plan_cache_mode = force_generic_plan")
	for name, sql := range map[string]string{
		"words": `SELECT * FROM products WHERE retired_at IS NULL AND price BETWEEN $2 AND $3
			AND to_tsvector('english', name) @@ websearch_to_tsquery($1) ORDER BY id DESC LIMIT 5`,
		"filter":        "SELECT * FROM orders WHERE id < $1 AND currency = $2 ORDER BY id DESC LIMIT 5",
		"optional":      "SELECT * FROM orders WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT 5",
		"UserGet":       "",
		"ProductSearch": "",
	} {
		faulty := sql != ""
		if !faulty {
			sql = queries[name]
		}
		if found := faultsOf(plan(t, conn, name, sql)); len(found) > 0 != faulty {
			t.Errorf("%s: %v", name, found)
		}
	}
	execOn(t, conn, "DROP INDEX users_email_key, product_searches_words_idx")
	for _, name := range []string{"UserGetByEmail", "ProductSearch"} {
		if found := faultsOf(plan(t, conn, name+" without", queries[name])); len(found) == 0 {
			t.Errorf("%s lacks its index, and nobody notices", name)
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
