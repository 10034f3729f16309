package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/rename"
)

func newInit(c command) *cobra.Command {
	var module, name, holder string
	var only, bare bool
	command := &cobra.Command{
		Use:   "init --module PATH --name NAME",
		Short: "Make this clone a repository of your own, with your names",
		Long: `Gives the clone that it runs in your names: Go modules and imports, the
command, the title of the API and its issuer, User-Agent, metrics, settings, the
clients' packages and types, documents and scripts. The changelogs begin anew, no
document counts as released, and this command is gone. Then gen/ is made anew, and
the clients where Node and Python are there.

With --bare the resources of the demo go as well: products, orders, reports, files,
exports, notifications and the dashboard, with all that only they need. Accounts, sessions, roles, the
audit trail, statistics and health stay.

It refuses to where anything is not committed, and commits nothing itself.`,
		Example: "  accord init --module example.com/shop --name Shop\n  accord init --module github.com/acme/storefront --name Shop --holder 'Acme Ltd.' --bare",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if module == "" || name == "" {
				return usagef("--module and --name are needed, as example.com/shop and Shop")
			}
			names, err := rename.Parse(module, name, holder)
			if err != nil {
				return usagef("%v", err)
			}
			did, err := names.Write(cmd.Context(), c.dir, bare)
			if err != nil {
				return err
			}
			for _, line := range did {
				fmt.Fprintln(c.out, line)
			}
			if !only {
				if err := regenerated(cmd.Context(), c, bare); err != nil {
					return err
				}
			}
			fmt.Fprintf(c.out, `
Look through it (git diff --stat), try it, and keep it:
  make lint test
  git add -A && git commit -m 'Begin %s'
Then remove what was built and served under the old name: rm -rf bin .accord
And say where it is pushed to from now on: git remote set-url origin URL
`, name)
			return nil
		},
	}
	command.Flags().StringVar(&module, "module", "", "the Go module path, as example.com/shop")
	command.Flags().StringVar(&name, "name", "", "the product's name, one word as Shop")
	command.Flags().StringVar(&holder, "holder", "", "who holds the copyright (default: The NAME authors)")
	command.Flags().BoolVar(&bare, "bare", false, "without the demo's resources: accounts, their administration and health stay")
	command.Flags().BoolVar(&only, "no-gen", false, "rename only: make gen, make sdk and the format of sdk/python are left to you")
	return command
}

// regenerated makes what follows from the names anew.
func regenerated(ctx context.Context, c command, bare bool) error {
	steps := [][]string{{"make", "gen"}}
	if bare {
		steps = append(steps, []string{"go", "mod", "tidy"})
	}
	if missing := missingTool("node", "npm", "python3"); missing == "" {
		// Names stand in an order, and in lines of a length.
		ruff := "sdk/python/.tools/bin/ruff"
		steps = append(steps, []string{"make", "sdk"},
			[]string{ruff, "check", "--quiet", "--fix", "--select", "I,RUF022,F401", "sdk/python"}, []string{ruff, "format", "--quiet", "sdk/python"})
	} else {
		fmt.Fprintf(c.out, "NOT MADE: the clients for TypeScript and Python, since %s is missing; run make sdk where it is there\n", missing)
	}
	for i, args := range steps {
		step := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the commands are those above, nobody's input
		step.Dir, step.Stdout, step.Stderr = c.dir, c.err, c.err
		if err := step.Run(); err != nil {
			return fmt.Errorf("%s: %w; all is renamed: mend what it names, and run what is left by hand:%s", strings.Join(args, " "), err, left(steps[i:]))
		}
		fmt.Fprintln(c.out, "ran "+strings.Join(args, " "))
	}
	return nil
}

// left lists commands, a line each.
func left(steps [][]string) string {
	var out strings.Builder
	for _, args := range steps {
		out.WriteString("\n  " + strings.Join(args, " "))
	}
	return out.String()
}

func missingTool(names ...string) string {
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}
