package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestColours(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := &painter{out: &out}
	fmt.Fprint(p, "FAILED getMe: valid\n  FAILED is no first word\nFAILEDS neither\n\nINTERRUPTED: so far\nx ")
	fmt.Fprint(p, "SURVIVED nor is this\nSURVIVED openapi.yaml:1\n")
	want := "\033[31mFAILED\033[0m getMe: valid\n  FAILED is no first word\nFAILEDS neither\n\n\033[33mINTERRUPTED\033[0m: so far\nx " +
		"SURVIVED nor is this\n\033[31mSURVIVED\033[0m openapi.yaml:1\n"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
	for setting, want := range map[string]bool{"NO_COLOR=1": true, "NO_COLOR=": false, "TERM=dumb": true, "TERM=xterm": false, "NO_COLORS=1": false} {
		if refusesColours(setting) != want {
			t.Errorf("%s: %t", setting, !want)
		}
	}
}

// A file, and all that tests give, is no terminal.
func TestNoColoursInAFile(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "report"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if w := (command{}).colours(file); w != file {
		t.Errorf("a file is painted: %T", w)
	}
}
