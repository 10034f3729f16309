// Package rename makes a clone of this repository somebody's own: it gives everything
// their names, and takes back the history that is not theirs. It is gone afterwards,
// as is each line that was there only for it.
package rename

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// file is one that git tracks.
type file struct {
	path string
	text []byte
	mode os.FileMode
}

// Write gives the repository in a folder its names, and says what it did, a line each.
// Bare, it takes the demo's resources out as well.
// It refuses a repository that is somebody's own already, one with changes that are not
// committed, and names that something else in it has. It commits nothing.
func (n Names) Write(ctx context.Context, root string, bare bool) (did []string, err error) {
	commit, err := clean(ctx, root)
	if err != nil {
		return nil, err
	}
	before, err := tracked(ctx, root)
	if err != nil {
		return nil, err
	}
	if err := n.collisions(before); err != nil {
		return nil, err
	}
	after, err := withoutDemo(before, bare)
	if err != nil {
		return nil, err
	}
	after, err = n.renamed(after, commit)
	if err != nil {
		return nil, err
	}
	if err := replace(root, before, after); err != nil {
		return nil, fmt.Errorf("%w; git restore . and git clean -d bring back what was", err)
	}
	return n.told(before, after), nil
}

// clean gives the commit that a clone of the origin is at, and refuses all else.
func clean(ctx context.Context, root string) (commit string, err error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod")) //nolint:gosec // the repository that the caller works in
	if err != nil {
		return "", errors.New("this is no clone: run it in the folder with go.mod and openapi.yaml")
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	if module := strings.TrimPrefix(first, "module "); module != originModule {
		return "", fmt.Errorf("this repository is %s already", module)
	}
	status, err := git(ctx, root, "status", "--porcelain")
	if err != nil {
		return "", err
	}
	if status != "" {
		return "", errors.New("there are changes that are not committed: commit or stash them first, so that what is changed here can be told from them")
	}
	return git(ctx, root, "rev-parse", "--short", "HEAD")
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the words are those of this package
	command.Dir = root
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("git %s: %s", args[0], bytes.TrimSpace(failed.Stderr))
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// tracked reads all files that git knows.
func tracked(ctx context.Context, root string) ([]file, error) {
	names, err := git(ctx, root, "ls-files", "-z")
	if err != nil {
		return nil, err
	}
	var files []file
	for name := range strings.SplitSeq(strings.Trim(names, "\x00"), "\x00") {
		at := filepath.Join(root, filepath.FromSlash(name))
		info, err := os.Lstat(at)
		if err != nil {
			return nil, fmt.Errorf("reading the repository: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(at) //nolint:gosec // a file of the repository
		if err != nil {
			return nil, fmt.Errorf("reading the repository: %w", err)
		}
		files = append(files, file{name, text, info.Mode().Perm()})
	}
	return files, nil
}

// collisions names what is called so already where the old name stands: a package, a
// type, a file.
func (n Names) collisions(files []file) error {
	words := []struct {
		is       string
		old, new *regexp.Regexp
	}{
		{n.Name, identifier(originName), identifier(n.Name)},
		{strings.ToLower(n.Name), identifier(strings.ToLower(originName)), identifier(strings.ToLower(n.Name))},
	}
	paths := map[string]bool{}
	for _, f := range files {
		for at := f.path; at != "."; at = path.Dir(at) {
			paths[at] = true
		}
	}
	var found []error
	for _, f := range files {
		for at := f.path; at != "."; at = path.Dir(at) {
			if renamed := n.In(at); renamed != at && paths[renamed] {
				found = append(found, fmt.Errorf("%s is there already", renamed))
			}
		}
		if gone(f.path) || !slices.Contains([]string{".go", ".py", ".ts", ".mjs"}, path.Ext(f.path)) {
			continue
		}
		for _, word := range words {
			if !bytes.Contains(f.text, []byte(word.is)) {
				continue
			}
			if text := withoutComments(f); word.old.Match(text) && word.new.Match(text) {
				found = append(found, fmt.Errorf("%s has something that is called %s", f.path, word.is))
			}
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("the name %s is taken: %w; choose another", n.Name, found[0])
	}
	return nil
}

// identifier is a word by itself, and neither a part of a path nor of text.
func identifier(word string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^\w/."'-])` + word + `($|[^\w/"'-])`)
}

// comments are those of a line, in Python and in the others.
var pythonComment, comment = regexp.MustCompile(`(?m)#.*$`), regexp.MustCompile(`(?m)(^|\s)(//|\*).*$`)

func withoutComments(f file) []byte {
	if path.Ext(f.path) == ".py" {
		return pythonComment.ReplaceAll(f.text, nil)
	}
	return comment.ReplaceAll(f.text, nil)
}

// renamed are the files as they are to be.
func (n Names) renamed(files []file, commit string) ([]file, error) {
	var after []file
	for _, f := range files {
		if gone(f.path) {
			continue
		}
		if bytes.IndexByte(f.text, 0) >= 0 {
			after = append(after, file{n.In(f.path), f.text, f.mode})
			continue
		}
		text, err := unmarked(f)
		if err != nil {
			return nil, err
		}
		text = n.inLines(n.begun(f.path, text))
		switch {
		case f.path == changelog:
			text += fmt.Sprintf("- Begun from [%s](https://%s) at %s.\n", originName, originModule, commit)
		case path.Base(f.path) == "LICENSE":
			text = n.licence(string(f.text))
		case f.path == metricsList:
			lines := strings.SplitAfter(text, "\n")
			slices.Sort(lines)
			text = strings.Join(lines, "")
		case path.Ext(f.path) == ".go":
			formatted, err := format.Source([]byte(text))
			if err != nil {
				return nil, fmt.Errorf("formatting %s: %w", f.path, err)
			}
			text = string(formatted)
		}
		after = append(after, file{n.In(f.path), []byte(text), f.mode})
	}
	return after, nil
}

// replace writes what has changed, and removes what is gone with the folders that are
// empty then.
func replace(root string, before, after []file) error {
	was := map[string][]byte{}
	for _, f := range before {
		was[f.path] = f.text
	}
	kept := map[string]bool{}
	for _, f := range after {
		kept[f.path] = true
		if text, there := was[f.path]; there && bytes.Equal(text, f.text) {
			continue
		}
		at := filepath.Join(root, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil { //nolint:gosec // a folder of sources, as those beside it
			return fmt.Errorf("making a folder: %w", err)
		}
		if err := os.WriteFile(at, f.text, f.mode); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	for _, f := range before {
		if kept[f.path] {
			continue
		}
		if err := os.Remove(filepath.Join(root, filepath.FromSlash(f.path))); err != nil {
			return fmt.Errorf("removing: %w", err)
		}
		for at := path.Dir(f.path); at != "."; at = path.Dir(at) {
			if os.Remove(filepath.Join(root, filepath.FromSlash(at))) != nil {
				break // something else is in it
			}
		}
	}
	return nil
}

// told says what was done.
func (n Names) told(before, after []file) []string {
	lower := strings.ToLower(n.Name)
	return []string{
		fmt.Sprintf("%d files are of %s (%s); the command is %s, its folder cmd/%s", len(after), n.Name, n.Module, lower, lower),
		fmt.Sprintf("the clients are %s/sdk/go (package %s), @%s-api/%s and %s-api, imported as %s_api", n.Module, lower, lower, lower, lower, lower),
		"the copyright is of " + n.Holder + "; the notice of what it was made from stays in LICENSE, as MIT asks for",
		"the changelogs are empty, the version is 0.1.0, and no document is released: no change breaks anybody yet",
		fmt.Sprintf("what did it is gone (%d files)", len(before)-len(after)),
	}
}
