package server_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each module that is required directly, and each program that is built with the tools, has
// a row in docs/decisions.md, which names nothing else.
func TestDependenciesHaveRows(t *testing.T) {
	t.Parallel()
	rows, required := libraryRows(t), directRequirements(t)
	covers := func(name, path string) bool {
		return path == name || strings.HasPrefix(path, name+"/")
	}
	for path, by := range required {
		found := false
		for name := range rows {
			found = found || covers(name, path)
		}
		if !found {
			t.Errorf("%s, of %s, has no row in the table of docs/decisions.md", path, by)
		}
	}
	for name := range rows {
		found := name == "oapi-codegen/nullable" // the first resource with a member that may be null requires it
		for path := range required {
			found = found || covers(name, path)
		}
		if !found {
			t.Errorf("docs/decisions.md has a row for %s, which no go.mod requires directly", name)
		}
	}
}

// libraryRows gives the modules that the table of docs/decisions.md names, without the host
// where that is GitHub. What is no Go module has no slash there.
func libraryRows(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "decisions.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| for | library | licence | why |\n|---|---|---|---|\n")
	if !ok {
		t.Fatal("docs/decisions.md has no table of libraries")
	}
	path := regexp.MustCompile(`[\w.-]+(/[\w.-]+)+`)
	rows := map[string]bool{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.TrimSpace(cells[1]) == "" || strings.TrimSpace(cells[3]) == "" {
			t.Errorf("not what for, library, licence and why: %s", line)
			continue
		}
		for _, name := range path.FindAllString(cells[2], -1) {
			rows[name] = true
		}
	}
	return rows
}

// directRequirements gives what each go.mod requires directly or builds as a tool, as the
// table names it, and the file that does.
func directRequirements(t *testing.T) map[string]string {
	t.Helper()
	required, files := map[string]string{}, 0
	major := regexp.MustCompile(`/v\d+$`)
	add := func(path, by string) {
		required[major.ReplaceAllString(strings.TrimPrefix(path, "github.com/"), "")] = by
	}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "node_modules" || strings.HasPrefix(name, ".") && name != "..") {
			return filepath.SkipDir
		}
		if name != "go.mod" {
			return nil
		}
		out, err := exec.Command("go", "mod", "edit", "-json", path).Output()
		if err != nil {
			return err
		}
		var file struct {
			Require []struct {
				Path     string
				Indirect bool
			}
			Tool []struct{ Path string }
		}
		if err := json.Unmarshal(out, &file); err != nil {
			return err
		}
		files++
		for _, module := range file.Require {
			if !module.Indirect {
				add(module.Path, path)
			}
		}
		for _, tool := range file.Tool {
			add(tool.Path, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 2 {
		t.Fatalf("%d files go.mod", files)
	}
	return required
}
