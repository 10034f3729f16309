package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/server"
)

// usageError is what the person at the command line can mend.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// stoppedError says what is left of what was interrupted.
type stoppedError string

func (e stoppedError) Error() string { return string(e) }

// Is makes it an interruption.
func (stoppedError) Is(target error) bool { return target == context.Canceled }

// errHelped is a wrong command line that help was given for.
var errHelped = errors.New("a command is missing")

// command is what the program is given from outside.
type command struct {
	// dir is the folder with .env and .accord, environ as os.Environ has it.
	dir      string
	environ  []string
	in       io.Reader
	out, err io.Writer
}

func newRoot(c command, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "accord",
		Short:         "A spec-first API server",
		Long:          "Accord serves the API that openapi.yaml and the SQL files describe.\nSettings come from the environment, and in development from .env: see `accord config`.",
		Example:       "  accord serve\n  accord migrate status\n  accord user create --email ada@example.com --username ada --role admin",
		Version:       version(),
		Args:          knownCommand,
		RunE:          needsCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(append([]string{}, args...)) // nil would be those of the process
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newServe(c), newWorker(c), newMigrate(c), newUser(c), newConfig(c), newHealth(c), newContract(c), newNew(c))
	root.AddCommand(newSeed(c)) // bare-drops
	root.AddCommand(newInit(c)) // until-init
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	for _, added := range root.Commands() {
		switch added.Name() {
		case "help":
			added.Args = knownTopic
		case "completion":
			added.Args, added.RunE = knownCommand, needsCommand
			added.Example = "  source <(accord completion bash)\n  accord completion fish > ~/.config/fish/completions/accord.fish"
		}
	}
	return root
}

// knownTopic refuses help about what is no command.
func knownTopic(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err == nil && len(rest) == 0 {
		return nil
	}
	if err != nil {
		return knownCommand(cmd.Root(), args)
	}
	return knownCommand(found, rest)
}

// takes is for a command with these arguments and no others.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch path := cmd.CommandPath(); {
		case len(args) == len(names):
			return nil
		case len(args) < len(names):
			return usagef("%s wants %s; see %s --help", path, strings.Join(names[len(args):], " and "), path)
		case len(names) == 0:
			return usagef("%s takes no arguments, and got %q", path, args[0])
		default:
			return usagef("%s takes %s and nothing else, and got %q", path, strings.Join(names, " and "), args[len(names)])
		}
	}
}

// knownCommand refuses what is none, with those that it may have been meant for.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 1 // letters that differ
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		return usagef("unknown command %q for %q; did you mean %s?", args[0], cmd.CommandPath(), strings.Join(meant, " or "))
	}
	return usagef("unknown command %q for %q; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
}

// unknownFlag names the flags that it may have been meant for, by the measure of
// commands.
func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return usagef("%s has no flag -%s; see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
	}
	known := &cobra.Command{SuggestionsMinimumDistance: 2} // letters that differ
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		known.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if meant := known.SuggestionsFor(name); len(meant) > 0 {
		return usagef("%s has no flag --%s; did you mean --%s?", cmd.CommandPath(), name, strings.Join(meant, " or --"))
	}
	return usagef("%s has no flag --%s; see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
}

// flagError says in words what a value should be. A word before the flag that is no
// command is told instead: the flag may be one of the command that was meant.
func flagError(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
		return knownCommand(cmd, words)
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	wrong, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	kinds := map[string]string{"int": "a whole number", "uint64": "a whole number from 0 on", "bool": "true or false"}
	kind, known := kinds[wrong.GetFlag().Value.Type()]
	if !known {
		return err
	}
	return usagef("--%s takes %s, not %q", wrong.GetFlag().Name, kind, wrong.GetValue())
}

// inWords is an error as it is told last. Where no connection to the database was
// had, it names the setting, and says once what was tried with and without TLS.
func (c command) inWords(err error) string {
	if !pg.IsUnreachable(err) {
		return err.Error()
	}
	setting := "DATABASE_URL"
	if config, _, err := c.settings(); err != nil || !config.DatabaseURL.IsSet() {
		setting = "the private PostgreSQL" // of development
	} else if config.DatabaseDirectURL.Reveal() != config.DatabaseURL.Reveal() {
		setting += " or DATABASE_DIRECT_URL"
	}
	lines := slices.Compact(strings.Split(err.Error(), "\n"))
	if len(lines) == 2 {
		lines = []string{lines[0] + " " + strings.TrimSpace(lines[1])}
	}
	return setting + ": " + strings.Join(lines, "\n")
}

// needsCommand is what a command does that only groups others: its help says
// all there is to say.
func needsCommand(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	return errors.Join(errHelped, cmd.Help())
}

// jsonFlag is --json of a command that a script reads the output of.
func jsonFlag(command *cobra.Command, asJSON *bool, help string) {
	command.Flags().BoolVar(asJSON, "json", false, help)
}

// writeJSON writes one value as --json shows it.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// watched tells whether somebody looks on who is shown progress in place.
func (c command) watched() bool {
	return isTerminal(c.err) && !slices.Contains(c.environ, "TERM=dumb")
}

// isTerminal tells whether somebody reads what is written.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// version is the module's version and the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	words := []string{info.Main.Version}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			words = append(words, setting.Value)
		}
	}
	return strings.Join(words, " ")
}

// settings reads the configuration of the folder that the command runs in.
func (c command) settings() (config server.Config, sources map[string]string, err error) {
	environ, sources, err := server.Environ(c.dir, c.environ)
	if err != nil {
		return config, nil, usageError{err}
	}
	config, err = server.LoadConfig(environ)
	return config, sources, err
}

// newLog writes JSON, and in development text.
func newLog(config server.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.LogLevel}
	if config.Development() {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// stateDir is where development keeps its database, its mails and its files. // bare-drops
// bare-has: // stateDir is where development keeps its database and its mails.
func (c command) stateDir() (string, error) {
	dir := filepath.Join(c.dir, ".accord")
	if err := os.MkdirAll(dir, 0o755); err != nil { // the database's own user passes through it
		return "", fmt.Errorf("making %s: %w", dir, err)
	}
	return dir, nil
}
