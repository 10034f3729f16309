package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two binaries report the same block: it counts once, and as covered if either
// ran it.
const (
	first = `mode: atomic
example.org/m/a/a.go:1.1,2.2 3 0
example.org/m/a/a.go:3.1,4.2 1 7
example.org/m/b/b.go:1.1,2.2 4 0
`
	second = `mode: atomic
example.org/m/a/a.go:1.1,2.2 3 1
example.org/m/b/b.go:1.1,2.2 4 0
`
)

func TestProfilesAreMerged(t *testing.T) {
	t.Parallel()

	var out strings.Builder
	if err := run(&out, "example.org/m", 50, profiles(t, first, second)); err != nil {
		t.Fatal(err)
	}

	for _, want := range []string{"a 100.0 % of 4", "b 0.0 % of 4", "total 50.0 % of 8"} {
		if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

func TestTooLittleFails(t *testing.T) {
	t.Parallel()

	err := run(&strings.Builder{}, "example.org/m", 50.1, profiles(t, first, second))
	if err == nil {
		t.Error("50 % passed a minimum of 50.1 %")
	}
}

func TestUnreadableProfilesFail(t *testing.T) {
	t.Parallel()

	for name, profile := range map[string]string{
		"nothing in it":  "mode: atomic\n",
		"a field short":  "a.go:1.1,2.2 3\n",
		"no number":      "a.go:1.1,2.2 x 1\n",
		"no whole count": "a.go:1.1,2.2 3 -1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if err := run(&strings.Builder{}, "", 0, profiles(t, profile)); err == nil {
				t.Error("it passed")
			}
		})
	}
	if err := run(&strings.Builder{}, "", 0, []string{filepath.Join(t.TempDir(), "missing")}); err == nil {
		t.Error("a missing profile passed")
	}
}

func profiles(t *testing.T, contents ...string) []string {
	t.Helper()

	dir := t.TempDir()
	names := make([]string, len(contents))
	for i, content := range contents {
		names[i] = filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(names[i], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return names
}
