package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

// everyCommand gives the root and all commands below it, in the order of the help.
func everyCommand() []*cobra.Command {
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, c)
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRoot(command{out: &output{}, err: &output{}}, nil))
	return all
}

// reference is the second half of docs/cli.md: the exit codes, and all commands.
func reference() string {
	var page strings.Builder
	page.WriteString("## Exit status\n\n| status | when |\n|---|---|\n")
	for _, row := range exitCodes {
		fmt.Fprintf(&page, "| %d | %s |\n", row.code, row.when)
	}
	page.WriteString("\n## Commands\n")
	for _, c := range everyCommand() {
		if c.Name() == "help" || c.HasParent() && c.Parent().Name() == "completion" { // cobra's own words
			continue
		}
		// until-init {
		if c.Name() == "init" {
			continue // this page outlives it
		}
		// until-init }
		about := c.Short + "."
		if c.Long != "" && c.Name() != "completion" {
			about = c.Long
		}
		use := c.UseLine()
		if flags := strings.TrimRight(c.LocalFlags().FlagUsages(), "\n"); flags != "" {
			use += "\n\n" + flags
		}
		fmt.Fprintf(&page, "\n### %s\n\n%s\n\n```text\n%s\n```\n\n```sh\n%s\n```\n", c.CommandPath(), about, use, trimmed(c.Example))
	}
	return page.String()
}

func trimmed(example string) string {
	lines := strings.Split(example, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

func TestReference(t *testing.T) {
	t.Parallel()
	const name, begin = "../../docs/cli.md", "## Exit status\n"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, have, _ := strings.Cut(string(page), begin)
	want := reference()
	if *update {
		if err := os.WriteFile(name, []byte(head+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if begin+have != want {
		t.Errorf("docs/cli.md says something else from %q on: go test ./cmd/accord -run TestReference -update writes it", begin)
	}
}
