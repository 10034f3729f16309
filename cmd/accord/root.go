package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/server"
)

// errUsage marks what the person at the command line can mend.
var errUsage = errors.New("usage")

// streams are where the command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func newRoot(s streams, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "accord",
		Short:         "A spec-first API server",
		Long:          "Accord serves the API that openapi.yaml and the SQL files describe.\nSettings come from the environment, and in development from .env: see `accord config`.",
		Example:       "  accord serve\n  accord migrate status\n  accord user create --email ada@example.com --username ada --role admin",
		Version:       version(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(newServe(s), newMigrate(s), newUser(s), newConfig(s))
	return root
}

// version is the module's version and the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			text += " " + setting.Value
		}
	}
	return text
}

// settings reads the configuration of the folder that the command runs in.
func settings() (config server.Config, sources map[string]string, err error) {
	environ, sources, err := server.Environ(".")
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

// stateDir is where development keeps its database and its mails.
func stateDir() (string, error) {
	dir := ".accord"
	if err := os.MkdirAll(dir, 0o755); err != nil { // the database's own user passes through it
		return "", fmt.Errorf("making %s: %w", dir, err)
	}
	return dir, nil
}
