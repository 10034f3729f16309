package server

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/joho/godotenv"
)

// Where a setting's value came from, as Environ and Config.Settings say it.
const (
	SourceDefault     = "default"
	SourceFile        = ".env"
	SourceEnvironment = "environment"
)

// Environ gives the environment of the process (pairs, as os.Environ has them)
// over the `.env` file in dir, and for each variable that is not empty its
// source. The file counts in development only, and never overrides the process:
// even a variable that is empty there hides the one in the file.
func Environ(dir string, pairs []string) (environ, sources map[string]string, err error) {
	process := processEnviron(pairs)
	file, err := readDotenv(dir, Environment(strings.TrimSpace(process["ENVIRONMENT"])))
	if err != nil {
		return nil, nil, err
	}
	environ = file
	sources = make(map[string]string)
	markSources(sources, file, SourceFile)
	for name := range process {
		delete(sources, name)
	}
	markSources(sources, process, SourceEnvironment)
	maps.Copy(environ, process)
	return environ, sources, nil
}

func markSources(sources, values map[string]string, source string) {
	for name, value := range values {
		if strings.TrimSpace(value) != "" {
			sources[name] = source
		}
	}
}

func processEnviron(pairs []string) map[string]string {
	environ := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		if name, value, ok := strings.Cut(pair, "="); ok {
			environ[name] = value
		}
	}
	return environ
}

// readDotenv reads dir's .env in development; elsewhere, and where there is no
// file, it gives an empty map.
func readDotenv(dir string, environment Environment) (map[string]string, error) {
	if environment != "" && environment != Development {
		return map[string]string{}, nil
	}
	path := filepath.Join(dir, ".env")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	values, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		// godotenv's own error quotes the file, secrets and all.
		return nil, fmt.Errorf("reading settings: %s: line %d is not of the form NAME=value", path, faultyLine(string(text)))
	}
	if named := Environment(strings.TrimSpace(values["ENVIRONMENT"])); named != "" && named != Development {
		return nil, fmt.Errorf("reading settings: %s: the file is for development and cannot set another ENVIRONMENT: set it in the environment of the process", path)
	}
	return values, nil
}

// faultyLine is the number of the first line that cannot be read: the one
// after the longest beginning of the file that can.
func faultyLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n], "")); err == nil {
			return n + 1
		}
	}
	return 1
}
