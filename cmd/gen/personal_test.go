package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestPersonal(t *testing.T) {
	t.Parallel()
	const forget = "-- name: NoteForget :exec\n-- personal\nDELETE FROM notes\nWHERE user_id = @user_id;\n"
	for name, c := range map[string]struct{ queries, want, fault string }{
		"marked":         {forget, "q.NoteForget,", ""},
		"none":           {strings.Replace(forget, "-- personal\n", "", 1), "", ""},
		"two arguments":  {strings.Replace(forget, ";", " AND id = @id;", 1), "", "queries/notes.sql:2: `-- personal` is for an :exec query"},
		"no argument":    {strings.Replace(forget, "@user_id", "'1'", 1), "", "queries/notes.sql:2: `-- personal` is for an :exec query"},
		"another kind":   {strings.Replace(forget, ":exec", ":many", 1), "", "queries/notes.sql:2: `-- personal` is for an :exec query"},
		"another column": {strings.Replace(forget, "= @user_id", "= sqlc.arg('id')", 1), "", "queries/notes.sql:2: `-- personal` is for an :exec query"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := generatePersonal(fstest.MapFS{"queries/notes.sql": {Data: []byte(c.queries)}})
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil || got.path != "gen/db/personal.gen.go" || (got.text == nil) != (c.want == "") || !strings.Contains(string(got.text), c.want) {
				t.Errorf("%v %s", err, got.text)
			}
		})
	}
}
