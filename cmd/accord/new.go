package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/scaffold"
)

func newNew(c command) *cobra.Command {
	command := &cobra.Command{
		Use:     "new",
		Short:   "Write the first version of what a team adds",
		Example: "  accord new resource invoices 'number:text(20)' total:int 'due:date?'",
		Args:    knownCommand,
		RunE:    needsCommand,
	}
	command.AddCommand(newResource(c))
	return command
}

func newResource(c command) *cobra.Command {
	var only bool
	command := &cobra.Command{
		Use:   "resource NAME [FIELD:KIND ...]",
		Short: "Write a resource: contract, migration, queries, methods, tests",
		Long: `Writes the five files that a resource has, as one would by hand, and makes gen/ anew.
NAME is in the plural; the kinds of fields are ` + scaffold.Kinds + `.
Without fields it asks for them. People have each their own: they list, make,
read, change and delete them; If-Match keeps two changes apart.

It runs in the folder with openapi.yaml, and writes nothing if a file is there.`,
		Example:           "  accord new resource invoices 'number:text(20)' total:int 'due:date?' 'status:draft|sent|paid'\n  accord new resource invoice-lines",
		ValidArgsFunction: fieldKinds,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("say the resource's name: accord new resource invoices")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			fields := args[1:]
			if len(fields) == 0 {
				var err error
				if fields, err = askForFields(c); err != nil {
					return err
				}
			}
			r, err := scaffold.Parse(args[0], fields)
			if err != nil {
				return usagef("%v", err)
			}
			paths, err := r.Write(c.dir)
			if err != nil {
				return err
			}
			for _, path := range paths {
				fmt.Fprintln(c.out, "wrote", path)
			}
			if only {
				return nil
			}
			return generated(cmd.Context(), c, r)
		},
	}
	command.Flags().BoolVar(&only, "no-gen", false, "leave gen/ as it is")
	return command
}

// nullable tells null from absent in a merge patch.
const nullable = "github.com/oapi-codegen/nullable@v1.2.0"

// generated makes what follows from the new files, and says what to do then.
func generated(ctx context.Context, c command, r scaffold.Resource) error {
	steps := [][]string{{"make", "gen"}, {"go", "vet", "./server"}, {"go", "-C", "sdk/go", "vet", "."}}
	if len(r.Nullable()) > 0 { // a member that may be null needs a package that no other one may need
		steps = append([][]string{{"go", "get", nullable}, {"go", "-C", "sdk/go", "get", nullable}}, steps...)
		steps = append(steps, []string{"go", "mod", "tidy"}, []string{"go", "-C", "sdk/go", "mod", "tidy"})
	}
	for _, args := range steps {
		step := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the commands are those above, nobody's input
		step.Dir, step.Stdout, step.Stderr = c.dir, c.out, c.err
		if err := step.Run(); err != nil {
			return fmt.Errorf("%s: %w; the files are written: mend what it names, and go on from there", strings.Join(args, " "), err)
		}
	}
	_, err := fmt.Fprintf(c.out, `made gen/ anew; now try it:
  go test ./server -run '%s'
  make run
and then:
  make sdk   (Node, Python) gives the TypeScript and Python clients its methods
  demo/      makes what "Try it out" asks for: until it makes %s, it answers 404
`, r.Type(), r.AWords())
	return err
}

// askForFields reads a field a line, until one is empty.
func askForFields(c command) ([]string, error) {
	fmt.Fprintf(c.err, "Fields, one a line, as due_date:date. Kinds: %s.\nAn empty line ends.\n", scaffold.Kinds)
	var fields []string
	for lines := bufio.NewScanner(c.in); ; {
		fmt.Fprint(c.err, "> ")
		if !lines.Scan() || strings.TrimSpace(lines.Text()) == "" {
			return fields, lines.Err()
		}
		if _, err := scaffold.ParseField(strings.TrimSpace(lines.Text())); err != nil {
			fmt.Fprintln(c.err, err)
			continue
		}
		fields = append(fields, strings.TrimSpace(lines.Text()))
	}
}
