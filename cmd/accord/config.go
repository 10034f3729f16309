package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/server"
)

func newConfig(c command) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:     "config",
		Short:   "Show all settings, their sources and meanings; secrets are hidden",
		Example: "  accord config\n  accord config --json",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			config, sources, err := c.settings()
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.out, config.Settings(sources))
			}
			return printSettings(c.out, config.Settings(sources))
		},
	}
	jsonFlag(command, &asJSON, "print JSON")
	return command
}

func printSettings(out io.Writer, settings []server.Setting) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, setting := range settings {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", setting.Name, setting.Value, setting.Source, setting.Help)
	}
	return table.Flush()
}
