package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/scaffold"
)

// completes offers the values of a flag that takes no others.
func completes(command *cobra.Command, flag string, values ...string) {
	mustComplete(command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

// names offers files of these kinds for a flag, or folders where there is none.
func names(command *cobra.Command, flag string, kinds []string) {
	if kinds == nil {
		mustComplete(command.MarkFlagDirname(flag))
		return
	}
	mustComplete(command.MarkFlagFilename(flag, kinds...))
}

// mustComplete stops what is wrong for everybody from the first day.
func mustComplete(err error) {
	if err != nil {
		panic(err)
	}
}

// second offers the values of a second argument; the first is of the caller's own
// data, which is not asked for at a key.
func second(values ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

// fieldKinds offers the kinds of a field once it has its name.
func fieldKinds(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	name, _, named := strings.Cut(typed, ":")
	if len(args) == 0 || !named {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var fields []string
	for _, kind := range scaffold.KindNames() {
		fields = append(fields, name+":"+kind, name+":"+kind+"?")
	}
	return fields, cobra.ShellCompDirectiveNoFileComp
}
