package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing may change before what changed is looked at: an editor
// writes a file in several steps, and a checkout many files.
const quiet = 50 * time.Millisecond

// passed are the folders in which nothing is watched, wherever they are, and passedBelow
// those below the root: what is made, and what is no part of the server.
var (
	passed      = map[string]bool{".git": true, ".accord": true, ".gen-before": true, "node_modules": true, "testdata": true}
	passedBelow = map[string]bool{"bin": true, "gen": true, "sdk": true, "tools": true, "docs": true}
)

// watch tells of changes below root, and whether gen/ has to be made anew for them.
// Changes that come together are told once; none is lost while nobody listens.
func watch(ctx context.Context, root string, stderr io.Writer) (<-chan bool, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching files: %w", err)
	}
	if err := addFolders(watcher, root, root); err != nil {
		return nil, err
	}
	changes := make(chan bool)
	go func() {
		defer func() { _ = watcher.Close() }()
		var due <-chan time.Time
		var out chan bool
		generate := false
		for {
			select {
			case <-ctx.Done():
				return
			case event := <-watcher.Events:
				if event.Has(fsnotify.Create) {
					if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
						_ = addFolders(watcher, root, event.Name) // it may be gone again
					}
				}
				matters, contract := kindOf(root, event.Name)
				if !matters || event.Op == fsnotify.Chmod {
					continue
				}
				generate = generate || contract
				due, out = time.After(quiet), nil
			case err := <-watcher.Errors:
				fmt.Fprintln(stderr, "dev: watching files:", err)
			case <-due:
				due, out = nil, changes
			case out <- generate:
				out, generate = nil, false
			}
		}
	}()
	return changes, nil
}

func addFolders(watcher *fsnotify.Watcher, root, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case passed[entry.Name()], passedBelow[entry.Name()] && filepath.Dir(path) == root:
			return filepath.SkipDir
		}
		if err := watcher.Add(path); err != nil {
			return fmt.Errorf("watching %s: %w", path, err)
		}
		return nil
	})
}

// kindOf tells whether a file is a part of the server, and whether one that gen/
// follows from.
func kindOf(root, path string) (matters, contract bool) {
	name, err := filepath.Rel(root, path)
	if err != nil || strings.HasPrefix(filepath.Base(name), ".") && filepath.Base(name) != ".env" {
		return false, false
	}
	folder, _, _ := strings.Cut(filepath.ToSlash(name), "/")
	switch {
	case name == "openapi.yaml", name == "sqlc.yaml", (folder == "schema" || folder == "queries") && filepath.Ext(name) == ".sql", strings.HasPrefix(filepath.ToSlash(name), "cmd/gen/"):
		return true, true
	case strings.HasSuffix(name, "_test.go"):
		return false, false
	}
	switch filepath.Ext(name) {
	case ".go", ".html", ".css", ".js", ".svg", ".txt", ".lua", ".tmpl", ".mod", ".sum", ".env":
		return true, false
	}
	return name == ".env", false
}
