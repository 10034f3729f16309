package main

import (
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

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/server"
)

// usageError is what the person at the command line can mend.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

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
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.AddCommand(newServe(c), newWorker(c), newMigrate(c), newUser(c), newSeed(c), newConfig(c), newContract(c), newNew(c))
	root.AddCommand(newInit(c)) // until-init
	return root
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

// flagError says in words what a value should be.
func flagError(err error) error {
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

// stateDir is where development keeps its database, its mails and its files.
func (c command) stateDir() (string, error) {
	dir := filepath.Join(c.dir, ".accord")
	if err := os.MkdirAll(dir, 0o755); err != nil { // the database's own user passes through it
		return "", fmt.Errorf("making %s: %w", dir, err)
	}
	return dir, nil
}
