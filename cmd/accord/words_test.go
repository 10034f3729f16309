package main

import (
	"strings"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

// What a person at the command line can mend is said in their own words, once.
func TestErrorsInWords(t *testing.T) {
	t.Parallel()
	nobody := []string{"DATABASE_URL=postgres://nobody:canary@127.0.0.1:1/x", "PORT=0", "ADMIN_PORT=-1"}
	for name, c := range map[string]struct {
		environ []string
		args    string
		code    int
		want    string
	}{
		"a mistyped command":    {nil, "serv", exitUsage, "accord: unknown command \"serv\" for \"accord\"; did you mean serve?\n"},
		"a mistyped subcommand": {nil, "migrate stats", exitUsage, "accord: unknown command \"stats\" for \"accord migrate\"; did you mean status?\n"},
		"an unknown command":    {nil, "user sideways", exitUsage, "accord: unknown command \"sideways\" for \"accord user\"; see accord user --help\n"},
		"one with a flag":       {nil, "jobs --json", exitUsage, "accord: unknown command \"jobs\" for \"accord\"; see accord --help\n"},
		"one below, likewise":   {nil, "migrate stats --json", exitUsage, "accord: unknown command \"stats\" for \"accord migrate\"; did you mean status?\n"},
		"a flag of no command":  {nil, "--jsn", exitUsage, "accord: accord has no flag --jsn; see accord --help\n"},
		"help about none":       {nil, "help serv", exitUsage, "accord: unknown command \"serv\" for \"accord\"; did you mean serve?\n"},
		"help about none below": {nil, "help migrate stats", exitUsage, "accord: unknown command \"stats\" for \"accord migrate\"; did you mean status?\n"},
		"a mistyped flag":       {nil, "user create --emial x", exitUsage, "accord: accord user create has no flag --emial; did you mean --email?\n"},
		"an unknown flag":       {nil, "serve --sideways", exitUsage, "accord: accord serve has no flag --sideways; see accord serve --help\n"},
		"an unknown letter":     {nil, "serve -x", exitUsage, "accord: accord serve has no flag -x; see accord serve --help\n"},
		"too much":              {nil, "serve twice", exitUsage, "accord: accord serve takes no arguments, and got \"twice\"\n"},
		"too little":            {nil, "user set-role ada", exitUsage, "accord: accord user set-role wants ROLE; see accord user set-role --help\n"},
		"nothing at all":        {nil, "user set-role", exitUsage, "accord: accord user set-role wants NAME and ROLE; see accord user set-role --help\n"},
		"more than that":        {nil, "user set-password ada x", exitUsage, "accord: accord user set-password takes NAME and nothing else, and got \"x\"\n"},
		"no role":               {nil, "user create --email a@example.com --username a --role root", exitUsage, "accord: --role is user or admin, not \"root\"\n"},
		"no format":             {nil, "contract --url http://127.0.0.1:1 --format xml", exitUsage, "accord: --format is one of text, json, junit, html\n"},
		"nothing at once":       {nil, "contract --url http://127.0.0.1:1 --parallel 0", exitUsage, "accord: --parallel is 1 or more\n"},
		"two formats":           {nil, "contract --url http://127.0.0.1:1 --json --format junit", exitUsage, "accord: --json is --format json: say one of the two\n"},
		"no number":             {nil, "contract --parallel x", exitUsage, "accord: --parallel takes a whole number, not \"x\"\n"},
		"no database to serve": {nobody, "serve", exitFailed,
			"accord: DATABASE_URL: migrating the database: failed to connect to `user=nobody database=x`: 127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused\n"},
		"no database to read": {nobody, "user list", exitFailed,
			"accord: DATABASE_URL: reading the version of the schema: failed to connect to `user=nobody database=x`: 127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused\n"},
		"no direct way": {append(nobody, "DATABASE_DIRECT_URL=postgres://direct:canary@127.0.0.1:1/x"), "migrate up", exitFailed,
			"accord: DATABASE_URL or DATABASE_DIRECT_URL: migrating the database: failed to connect to `user=direct database=x`: 127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused\n"},
	} {
		code, _, errs := ran(t, c.environ, "", strings.Fields(c.args)...)
		if code != c.code || errs != c.want {
			t.Errorf("%s: exit %d: %swant %d: %s", name, code, errs, c.code, c.want)
		}
	}
}

// Who starts a server that works on no jobs is told what else to start.
func TestServeWithoutJobs(t *testing.T) {
	t.Parallel()
	_, out, _ := serving(t, t.TempDir(), onDatabase(pgtest.New(t), "JOBS=false", "PUBLIC_URL=http://localhost"))
	if !strings.Contains(out.String(), "JOBS is false") || !strings.Contains(out.String(), "accord worker") {
		t.Errorf("told %s", out)
	}
}
