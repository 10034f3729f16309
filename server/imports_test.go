package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/accord-api/accord/"

// allowed says what each package may import of this module: leaves know neither
// server nor gen/api, and only server sees the contract.
var allowed = map[string][]string{
	"auth":             {"limit", "memory"}, // bounds the hashes at once, known tokens
	"cache":            {"memory"},
	"contract/format":  {},                                                                                          // values of formats, and near misses
	"contract/pattern": {},                                                                                          // strings for patterns, and near misses
	"contract/conform": {"contract/format"},                                                                         // one answer against a document
	"contract/redact":  {},                                                                                          // takes secrets out of texts
	"contract":         {"contract/format", "contract/pattern", "contract/redact"},                                  // knows nothing of this server
	"cmd/accord":       {"contract", "contract/conform", "demo", "inspect", "pg", "pg/devpg", "scaffold", "server"}, // joins what is run
	"demo":             {"files", "gen/db", "jobs", "pg"},                                                           // COPY, a report, and word that products came // bare-drops
	// bare-has: "demo":             {"pg"}, // accounts
	"files":   {},                                           // bare-drops
	"gen/api": {"policy", "validate"},                       // the generated server
	"gen/db":  {},                                           // stands alone
	"inspect": {"contract/redact"},                          // requests, as development shows them
	"jobs":    {"auth", "files", "gen/db", "mail", "table"}, // tokens of mails, rows, sending, reports // bare-drops
	// bare-has: "jobs":             {"auth", "gen/db", "mail"}, // tokens of mails, rows, sending
	"limit":         {},
	"mail":          {},
	"memory":        {},         // bounded stores
	"pg":            {"schema"}, // migrates it
	"pg/devpg":      {},
	"pg/pgtest":     {"pg", "pg/devpg", "schema"},              // migrated databases for tests
	"pg/sqlmutants": {"pg", "pg/devpg", "pg/pgtest", "schema"}, // drops constraints one by one
	"policy":        {},
	"redistest":     {}, // a real Redis for tests
	"rename":        {}, // gives a clone another's names; until-init
	"scaffold":      {}, // writes the first version of a resource
	"schema":        {},
	"server":        {"auth", "cache", "files", "gen/api", "gen/db", "inspect", "jobs", "limit", "mail", "memory", "pg", "policy", "table", "tracing", "validate"}, // and no schemas' library // bare-drops
	// bare-has: "server":           {"auth", "cache", "gen/api", "gen/db", "inspect", "jobs", "limit", "mail", "memory", "pg", "policy", "tracing", "validate"}, // and no schemas' library
	"servertest": {"contract/conform", "gen/api", "inspect", "mail", "pg/pgtest", "server"},
	"table":      {},        // bare-drops
	"tracing":    {"limit"}, // bounds what callers have traced
	"validate":   {},
}

func TestDirectionOfImports(t *testing.T) {
	t.Parallel()
	allowed["cmd/accord"] = append(allowed["cmd/accord"], "rename") // until-init
	command := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder, seen := json.NewDecoder(strings.NewReader(string(out))), 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		name := strings.TrimPrefix(p.ImportPath, module)
		may, known := allowed[name]
		if !known {
			t.Errorf("%s has no row: say what it may import", name)
		}
		for _, imported := range p.Imports {
			if own, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(may, own) {
				t.Errorf("%s must not import %s", name, own)
			}
		}
	}
	deps, err := exec.Command("go", "list", "-deps", module+"server").Output()
	if err != nil || strings.Contains(string(deps), "jsonschema") || !strings.Contains(string(deps), module+"inspect") {
		t.Errorf("the library of schemas is for commands and tests, and server reaches it: %v", err)
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, %d rows", seen, len(allowed))
	}
}
