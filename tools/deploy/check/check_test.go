// Package check holds what deploy/ says against the server that `make image` has built:
// every setting exists and is accepted, and ports, probes and commands are the
// server's own. None of it needs an engine or a cluster.
package check

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const (
	repository = "../../.."
	deploy     = repository + "/deploy"
	// key is random enough for production, and nobody's.
	key = "p7Q-x9Lm2v_R4tW8yB1nK6cZ0sD3fG5h"
)

// setting is one of `accord config --json`.
type setting struct{ Name, Value, Source string }

// accord runs the binary of the image with nothing in its environment but environ.
func accord(t *testing.T, environ map[string]string, args ...string) (out string, err error) {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join(repository, "bin", "image", "accord"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("make image: %v", err)
	}
	command := exec.Command(binary, args...)
	command.Dir, command.Env = t.TempDir(), []string{}
	for name, value := range environ {
		command.Env = append(command.Env, name+"="+value)
	}
	told, err := command.CombinedOutput()
	return string(told), err
}

// settings gives the settings that are in force under environ, which has to hold
// nothing else and to be what the server starts with.
func settings(t *testing.T, who string, environ map[string]string) map[string]string {
	t.Helper()
	out, err := accord(t, environ, "config", "--json")
	if err != nil {
		t.Fatalf("%s: accord config: %v\n%s", who, err, out)
	}
	var all []setting
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	known := map[string]string{}
	for _, s := range all {
		known[s.Name] = s.Value
	}
	for _, name := range slices.Sorted(maps.Keys(environ)) {
		// The credentials of a bucket are found the AWS way (docs/configuration.md).
		if _, ok := known[name]; !ok && !strings.HasPrefix(name, "AWS_") {
			t.Errorf("%s sets %s, which is no setting", who, name)
		}
	}
	return known
}

// inImage is the environment that the image brings, with more.
func inImage(t *testing.T, more map[string]string) map[string]string {
	t.Helper()
	image, err := tarball.ImageFromPath(filepath.Join(repository, "bin", "image", "accord.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{}
	for _, variable := range config.Config.Env {
		name, value, _ := strings.Cut(variable, "=")
		environ[name] = value
	}
	maps.Copy(environ, more)
	return environ
}

// isCommand fails unless args are a command of the server's.
func isCommand(t *testing.T, who string, args []string) {
	t.Helper()
	out, err := accord(t, nil, append(slices.Clone(args), "--help")...)
	if err != nil || len(args) == 0 || !strings.Contains(out, "accord "+strings.Join(args, " ")) {
		t.Errorf("%s runs %q: %v\n%s", who, args, err, out)
	}
}

// isProbe fails unless the contract answers the path to anybody.
func isProbe(t *testing.T, who, path string) {
	t.Helper()
	var document struct {
		Paths map[string]struct {
			Get *struct{ Security *[]any }
		}
	}
	if err := json.Unmarshal([]byte(read(t, repository+"/gen/api/openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	get := document.Paths[path].Get
	if get == nil || get.Security == nil || len(*get.Security) != 0 {
		t.Errorf("%s asks %s, which the contract does not answer to anybody", who, path)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// environmentFile reads NAME=value lines, the value perhaps in quotes; those behind a #
// are read as well if commented is true.
func environmentFile(t *testing.T, name string, commented bool) map[string]string {
	t.Helper()
	environ := map[string]string{}
	for line := range strings.Lines(read(t, name)) {
		line = strings.TrimSpace(line)
		if commented {
			line = strings.TrimPrefix(line, "#")
		}
		name, value, ok := strings.Cut(line, "=")
		if ok && !strings.ContainsAny(name, " #") {
			environ[name] = strings.Trim(value, `"`)
		}
	}
	return environ
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
