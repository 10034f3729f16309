package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/server"
)

// errUsage marks what the person at the command line can mend.
var errUsage = errors.New("usage")

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
		Args:          cobra.NoArgs,
		RunE:          needsCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.AddCommand(newServe(c), newWorker(c), newMigrate(c), newUser(c), newSeed(c), newConfig(c))
	return root
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
		return config, nil, fmt.Errorf("%w: %w", errUsage, err)
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
