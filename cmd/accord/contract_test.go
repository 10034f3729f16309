package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/contract"
)

// What breaks the document is told with the place where it stands, and ends with 1;
// a wrong command line ends with 2.
func TestContractCommand(t *testing.T) {
	t.Parallel()
	empty := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(empty.Close)
	const spec = "../../contract/testdata/shop.yaml"
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/a":
			w.WriteHeader(http.StatusNotFound)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(shop.Close)
	folder := t.TempDir()
	seen := filepath.Join(folder, "seen.har")
	if err := os.WriteFile(seen, []byte(`{"log": {"entries": [{"request": {"method": "GET", "url": "/a"}, "response": {"status": 204}}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	document := func(name, paths string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("{openapi: 3.1.0, paths: {"+paths+"}}"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bare := document("bare.yaml", "")
	plain := document("plain.yaml", "/a: {get: {responses: {'204': {description: None.}}}}")
	deaf := document("deaf.yaml", "/a: {get: {responses: {'204': {description: None.}, '404': {description: Not there., headers: {X-A: {schema: {type: string}}}}}}}")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"contract", "--url", empty.URL, "--spec", spec}, 1, "FAILED listThings: valid"},
		{[]string{"contract", "--url", empty.URL, "--spec", spec, "--read-only"}, 1, "createThing"},
		{[]string{"contract", "mutate", "--url", empty.URL, "--spec", spec}, 1, "FAILED listThings: valid"},
		{[]string{"contract", "mutate", "--url", shop.URL, "--spec", deaf}, 1, "there are changes of the document that no case notices"},
		{[]string{"contract", "mutate", "--url", shop.URL, "--spec", plain, "--har", seen}, 0, "killed (100.0 %)"},
		{[]string{"contract", "--url", shop.URL, "--spec", plain}, 0, "0 of them failed"},
		{[]string{"contract", "--url", shop.URL, "--spec", plain, "--json"}, 0, `"failed": 0,`},
		{[]string{"contract", "mutate", "--url", shop.URL, "--spec", plain, "--har", seen, "--json"}, 0, `"survivors": [],`},
		{[]string{"contract", "mutate", "--url", shop.URL, "--spec", deaf, "--json"}, 1, `"what": "`},
		{[]string{"contract", "--url", empty.URL, "--spec", bare}, 1, "nothing was tried"},
		{[]string{"contract", "mutate", "--url", empty.URL, "--spec", bare}, 1, "nothing was tried"},
		{[]string{"contract", "mutate", "--url", empty.URL, "--spec", spec, "--every", "50", "--write", folder}, 1, "contract mutation score: "},
		{[]string{"contract", "--url", empty.URL}, 1, "/api/openapi.json answers 404"},
		{[]string{"contract", "--url", empty.URL, "--spec", spec, "--format", "junit"}, 1, `<testsuite name="listThings"`},
		{[]string{"contract", "--url", empty.URL, "--spec", spec, "--format", "junit"}, 1, "of them failed, 0 skipped"},
		{[]string{"contract", "--url", empty.URL, "--spec", spec, "--format", "pdf"}, 2, "--format is one of text, json, junit, html"},
		{[]string{"contract"}, 2, "--url is needed"},
		{[]string{"contract", "--url", empty.URL, "--login", "ada"}, 2, "--login is NAME=user:password"},
		{[]string{"contract", "--url", empty.URL, "--credential", "x"}, 2, "--credential is SCHEME=VALUE"},
		{[]string{"contract", "--url", empty.URL, "--spec", spec, "--credential", "key=secret-1"}, 1, "the document has no security scheme key"},
		{[]string{"contract", "--url", empty.URL, "--value", "x"}, 2, "--value is operationId.member=COMMAND"},
		{[]string{"contract", "--url", empty.URL, "--spec", spec, "--login", "ada=ada:secret-1"}, 1, "signing ada in: the document has no OAuth2 password flow"},
	} {
		out := &output{}
		code := run(t.Context(), c.args, command{dir: t.TempDir(), out: out, err: out})
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d, %s; want %d, %s", c.args, code, out, c.code, c.want)
		}
		if strings.Contains(out.String(), "secret-1") {
			t.Errorf("%s: the output holds a password", c.args)
		}
	}
	var told struct{ Mutants []struct{ File, What string } }
	list, err := os.ReadFile(filepath.Join(folder, "mutants.json"))
	if err := errors.Join(err, json.Unmarshal(list, &told)); err != nil || len(told.Mutants) < 2 {
		t.Fatalf("%v: %s", err, list)
	}
	for _, m := range told.Mutants {
		source, err := os.ReadFile(filepath.Join(folder, m.File))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := contract.Parse(m.File, source); err != nil {
			t.Errorf("%s: %v", m.What, err)
		}
	}
}

// A run that is interrupted writes its report, and ends as shells have it.
func TestContractInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { interrupt() }))
	t.Cleanup(server.Close)
	var out, errs output
	args := []string{"contract", "--url", server.URL, "--spec", "../../contract/testdata/shop.yaml"}
	if code := run(ctx, args, command{dir: t.TempDir(), out: &out, err: &errs}); code != exitInterrupted || !strings.Contains(out.String(), "INTERRUPTED: ") {
		t.Errorf("%d, %s, %s", code, &out, &errs)
	}
}

// Where nobody looks on, a line each while tells how far it has come.
func TestCountInALog(t *testing.T) {
	t.Parallel()
	lines, log := io.Pipe()
	shown := newCounter(log, false, time.Millisecond, "signing in")
	reader := bufio.NewScanner(lines)
	if !reader.Scan() || reader.Text() != "signing in" {
		t.Error(reader.Text())
	}
	progress := counting(shown)
	progress(contract.Outcome{Case: contract.Case{Operation: "a"}, Failures: []contract.Failure{{}}})
	progress(contract.Outcome{Case: contract.Case{Operation: "b"}})
	for reader.Text() != "2 cases, 1 failed: b" {
		if !reader.Scan() {
			t.Fatal(reader.Err())
		}
	}
	var rest sync.WaitGroup
	rest.Go(func() { _, _ = io.Copy(io.Discard, lines) }) // it ends with the log
	shown.end()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	rest.Wait()
}
