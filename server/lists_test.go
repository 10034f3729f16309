package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// growing is a person whose lists grow.
type growing struct {
	*servertest.Person
	conn   *pgx.Conn
	makers []operation
	n      int
}

func grow(t *testing.T, p *servertest.Person) *growing {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	g := &growing{Person: p, conn: conn, makers: makers(t)}
	for range 4 {
		g.more()
		for _, o := range g.makers {
			o.make(t, p)
		}
	}
	return g
}

// more adds a row to each list.
func (g *growing) more() {
	g.T.Helper()
	g.n++
	id := textsOf(g.T.(*testing.T), g.conn, "SELECT 'ffff0000-0000-7000-8000-' || lpad($1::int::text, 12, '0')", g.n)[0]
	for _, sql := range listed(func(n noun) []string { return n.newer }) {
		if _, err := g.conn.Exec(g.T.Context(), sql, pgx.QueryExecModeExec, pgx.NamedArgs{"id": id, "user": g.User.ID, "n": g.n}); err != nil {
			g.T.Fatalf("%s: %v", sql, err)
		}
	}
}

// makers are the operations that add to a list of which no noun's newer says anything: those of
// a resource that came later, for which the document's example does.
func makers(t *testing.T) (all []operation) {
	t.Helper()
	lists := map[string]bool{}
	for _, o := range document(t) {
		lists[o.Path] = lists[o.Path] || slices.Contains(api.Policies[o.ID].Query, "cursor")
	}
	for _, o := range document(t) {
		table := strings.ReplaceAll(path.Base(o.Path), "-", "_")
		known := slices.ContainsFunc(listed(func(n noun) []string { return n.newer }), func(sql string) bool { return strings.HasPrefix(sql, "INSERT INTO "+table+" ") })
		if o.Method == http.MethodPost && o.declares("201") && lists[o.Path] && !known {
			all = append(all, o)
		}
	}
	return all
}

// make adds to a list as the document shows.
func (o operation) make(t *testing.T, p *servertest.Person) {
	t.Helper()
	p.Do(o.Method, o.Path, o.contentType(), o.example(t, nil)).Expect(http.StatusCreated)
}

// listing is a list in the document.
type listing struct {
	operation
	path string
}

// listings are all that turn pages.
func listings(t *testing.T, of *servertest.Person) (all []listing) {
	t.Helper()
	for _, o := range document(t) {
		if slices.Contains(api.Policies[o.ID].Query, "cursor") {
			all = append(all, listing{o, pathParameter.ReplaceAllString(o.Path, of.User.ID.String())})
		}
	}
	if len(all) < 10 { // bare-drops
		// bare-has: if len(all) < 3 {
		t.Fatalf("only %d lists", len(all))
	}
	return all
}

// pageOf gives the ids of a page and its cursor, "" on the last one.
func pageOf(a *servertest.Answer) (ids []string, next string) {
	var page struct {
		Items      []map[string]json.RawMessage `json:"items"`
		NextCursor *string                      `json:"next_cursor"`
	}
	a.Expect(http.StatusOK).Into(&page)
	for _, item := range page.Items {
		id := item["id"]
		if id == nil {
			id = item["job_id"]
		}
		ids = append(ids, string(id))
	}
	if page.NextCursor != nil {
		next = *page.NextCursor
	}
	return ids, next
}

// Whoever turns the pages of a list meets each item that was there at the
// beginning once, in the same order, whatever is added meanwhile.
func TestListsAreWalkedWhole(t *testing.T) {
	t.Parallel()
	g := grow(t, servertest.New(t).Admin())
	for _, l := range listings(t, g.Person) {
		all, _ := pageOf(g.GET(l.path + "?limit=100"))
		if len(all) < 4 {
			t.Errorf("%s: only %d items", l.ID, len(all))
		}
		var walked []string
		for at := "?limit=3"; at != ""; {
			page, next := pageOf(g.GET(l.path + at))
			if len(walked) == 0 {
				g.more()
				for _, o := range g.makers {
					if o.Path == l.path {
						o.make(t, g.Person)
					}
				}
			}
			walked = append(walked, page...)
			if at = ""; next != "" {
				at = "?limit=3&cursor=" + next
			}
		}
		if !slices.Equal(walked, all) {
			t.Errorf("%s: walked %v, want %v", l.ID, walked, all)
		}
	}
}

// A cursor opens the list that it was made for and no other: not with another
// filter or order, not for somebody else, and no other operation.
func TestCursorsAreBoundToTheirList(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	g, other := grow(t, s.Admin()), s.Admin()
	lists := listings(t, g.Person)
	filters := mapped(func(n noun) map[string]string { return n.filters })
	for i, l := range lists {
		refused := func(p *servertest.Person, path string) {
			t.Helper()
			if got := p.GET(path).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
				t.Errorf("%s is answered with fields %v", path, got)
			}
		}
		_, cursor := pageOf(g.GET(l.path + "?limit=2"))
		cursor = "?cursor=" + cursor
		g.GET(l.path + cursor + "&limit=1").Expect(http.StatusOK)
		for _, name := range api.Policies[l.ID].Query {
			if name == "cursor" || name == "limit" {
				continue
			}
			if filters[name] == "" {
				t.Errorf("%s: say a value for %s in filters", l.ID, name)
			}
			refused(g.Person, l.path+cursor+"&"+name+"="+url.QueryEscape(filters[name]))
		}
		if !l.public() {
			refused(other, l.path+cursor)
		}
		if strings.Contains(l.Path, "{") {
			refused(g.Person, strings.ReplaceAll(l.path, g.User.ID.String(), other.User.ID.String())+cursor)
		}
		refused(g.Person, lists[(i+1)%len(lists)].path+cursor)
	}
}
