package check

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// manifests are the files by which Dependabot knows a folder of each kind.
var manifests = map[string]string{
	"go.mod": "gomod", "package.json": "npm", "requirements.txt": "pip", "pyproject.toml": "pip",
	"Dockerfile": "docker", "compose.yaml": "docker-compose",
}

// Whatever depends on others is looked after, and nothing else is.
func TestDependabotKnowsEveryFolder(t *testing.T) {
	t.Parallel()
	var config struct {
		Version int
		Updates []struct {
			Ecosystem   string `json:"package-ecosystem"`
			Directory   string
			Directories []string
			Schedule    struct{ Interval string }
			Groups      map[string]struct{ Patterns []string }
			Ignore      []struct {
				Name  string   `json:"dependency-name"`
				Types []string `json:"update-types"`
			}
		}
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, repository+"/.github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	known := []string{"github-actions /"}
	for name, ecosystem := range manifests {
		for _, folder := range foldersWith(t, name) {
			known = append(known, ecosystem+" "+folder)
		}
	}
	slices.Sort(known)
	var watched []string
	for _, update := range config.Updates {
		for _, folder := range append(update.Directories, update.Directory) {
			if folder != "" {
				watched = append(watched, update.Ecosystem+" "+folder)
			}
		}
	}
	slices.Sort(watched)
	if known = slices.Compact(known); !slices.Equal(known, watched) {
		t.Errorf("there are\n%s\nand Dependabot looks after\n%s", strings.Join(known, "\n"), strings.Join(watched, "\n"))
	}
}

// foldersWith gives the folders, from / on, that hold a file of that name.
func foldersWith(t *testing.T, name string) (folders []string) {
	t.Helper()
	err := filepath.WalkDir(repository, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || at != repository && strings.HasPrefix(entry.Name(), ".")) {
			return filepath.SkipDir
		}
		if entry.Name() == name {
			below, err := filepath.Rel(repository, filepath.Dir(at))
			folders = append(folders, path.Join("/", filepath.ToSlash(below)))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}
