package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
	"golang.org/x/mod/module"
)

// enough is how much of a file has to be a licence's text, in percent: the rest are
// names and years.
const enough = 75

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.(md|txt))?$`)

// licences are the SPDX identifiers of what the file LICENSE in a folder says; there
// are none where it is no text that is known.
func licences(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		coverage := licensecheck.Scan(text)
		if coverage.Percent < enough {
			continue
		}
		for _, match := range coverage.Match {
			found = append(found, match.ID)
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// sources are where the go command keeps sources: those of Go itself and of modules.
type sources struct{ root, cache string }

func findSources(ctx context.Context) (sources, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		return sources{}, fmt.Errorf("go env: %w", err)
	}
	folders := strings.Fields(string(out))
	if len(folders) != 2 {
		return sources{}, fmt.Errorf("go env told %q", out)
	}
	return sources{root: folders[0], cache: folders[1]}, nil
}

// folder is the one of a module's source; std is Go's own library.
func (s sources) folder(path, version string) (string, error) {
	if path == "std" {
		return s.root, nil
	}
	escapedPath, err := module.EscapePath(path)
	if err != nil {
		return "", err
	}
	escapedVersion, err := module.EscapeVersion(version)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(s.cache, filepath.FromSlash(escapedPath)+"@"+escapedVersion)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the source of %s %s is not there: go mod download", path, version)
	}
	return folder, nil
}
