package main

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the streams that are wanted anew")

const wantedStreams = "testdata/streams/stream.gen.go.txt"

// sqlced is a root with queries and what sqlc made of them.
func sqlced(t *testing.T) fstest.MapFS {
	t.Helper()

	root := fstest.MapFS{}
	for pattern, folder := range map[string]string{"testdata/streams/[pt]*.sql": "queries", "testdata/streams/*.go.txt": "gen/db"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(paths, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if path != wantedStreams {
				root[folder+"/"+strings.TrimSuffix(filepath.Base(path), ".txt")] = &fstest.MapFile{Data: text}
			}
		}
	}

	return root
}

func TestStreams(t *testing.T) {
	t.Parallel()

	got, err := generateStreams(sqlced(t))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(wantedStreams, got.text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(wantedStreams)
	if err != nil {
		t.Fatal(err)
	}
	if got.path != "gen/db/stream.gen.go" || string(got.text) != string(want) {
		t.Errorf("%s is not %s (go test -run TestStreams -update writes it):\n%s", got.path, wantedStreams, got.text)
	}
}

// TestStreamsCompile puts them, and what sqlc made, in the place of gen/db.
func TestStreamsCompile(t *testing.T) {
	t.Parallel()

	files := sqlced(t)
	streams, err := generateStreams(files)
	if err != nil {
		t.Fatal(err)
	}
	files[streams.path] = &fstest.MapFile{Data: streams.text}
	texts := map[string]string{}
	for path, f := range files {
		if strings.HasPrefix(path, "gen/db/") {
			texts[path] = string(f.Data)
		}
	}
	root, file := overlay(t, "gen/db", texts)
	command := exec.Command("go", "vet", "-overlay="+file, "./gen/db")
	command.Dir = root
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go vet: %v\n%s", err, output)
	}
}

func TestNoStreams(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	streams, err := generateStreams(os.DirFS(root))
	if err != nil || streams.text != nil {
		t.Fatalf("%q, error %v", streams.text, err)
	}
	if err := write(root, []file{streams}); err != nil {
		t.Errorf("nothing to remove: %v", err)
	}
	if err := write(root, []file{{streamsPath, []byte("former")}, streams}); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(os.DirFS(root), streamsPath); err == nil {
		t.Error("former streams are still there")
	}
}

// Each fault is put into what is right, and has to be named with its line.
func TestStreamRefusals(t *testing.T) {
	t.Parallel()

	for _, c := range []struct{ name, path, old, with, want string }{
		{"not many", "queries/things.sql", "ThingGet :one\n", "ThingGet :one\n-- stream\n",
			"queries/things.sql:2: `-- stream` is for :many, and ThingGet is :one"},
		{"no query", "queries/parts.sql", "ORDER BY parts.id;", "ORDER BY parts.id; -- in their order\n-- stream",
			"queries/parts.sql:7: `-- stream` belongs to no query"},
		{"before sqlc", "queries/things.sql", "ThingExport :many", "ThingAll :many",
			"queries/things.sql:6: gen/db has no method ThingAll for many rows: sqlc has to run first"},
		{"another sqlc", "gen/db/things.sql.go", "rows.Scan(&name)", "rows.Scan(pointer)",
			"queries/things.sql:14: gen/db: the stream of ThingNames cannot be made: it scans into pointer"},
		{"no scan", "gen/db/things.sql.go", "rows.Scan(&name)", "rows.Read(&name)",
			"the stream of ThingNames cannot be made: it scans no row"},
		{"no query in it", "gen/db/things.sql.go", "q.db.Query(ctx, thingNames, since, ownerID)", "q.db.Ask(ctx, thingNames)",
			"the stream of ThingNames cannot be made: it runs no query"},
		{"unknown package", "gen/db/things.sql.go", `"github.com/google/uuid"`, `other "github.com/google/uuid"`,
			"the stream of ThingNames cannot be made: no import is called uuid"},
		{"not Go", "gen/db/parts.sql.go", "package db", "packet db", "reading what sqlc wrote: gen/db/parts.sql.go:6:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()

			root := sqlced(t)
			text := string(root[c.path].Data)
			if !strings.Contains(text, c.old) {
				t.Fatalf("%s has no %q", c.path, c.old)
			}
			root[c.path].Data = []byte(strings.Replace(text, c.old, c.with, 1))
			_, err := generateStreams(root)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAllStreamFaultsAtOnce(t *testing.T) {
	t.Parallel()

	root := sqlced(t)
	for _, path := range []string{"queries/things.sql", "queries/parts.sql"} {
		root[path].Data = append(root[path].Data, "\n-- stream\n"...)
	}
	_, err := generateStreams(root)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"queries/things.sql:31:", "queries/parts.sql:8:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}
