// Command accord is the server and what goes with it: migrations, the first
// administrator, the settings.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/server"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	// exitInterrupted is as shells have it for Ctrl-C.
	exitInterrupted = 130
)

// exitCodes says what each of them means, for docs/cli.md.
var exitCodes = []struct {
	code int
	when string
}{
	{exitOK, "All was done. `serve` and `worker` end so when they are told to stop (SIGINT or SIGTERM)."},
	{exitFailed, "Something failed, or `contract` found something: stderr or the report says what."},
	{exitUsage, "The command line or a setting is wrong; nothing was done."},
	{exitInterrupted, "SIGINT or SIGTERM came before all was done. What was done until then stays, and is told."},
}

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // before anything stops, so that the second signal ends the process at once
		stop()
	}()
	code := run(ctx, os.Args[1:], command{dir: ".", environ: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run is the whole command with its exit code, for main and for tests.
func run(ctx context.Context, args []string, c command) int {
	ctx, forget := noteStop(ctx)
	defer forget()
	root := newRoot(c, args)
	understood := false
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errHelped):
		return exitUsage
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // nothing has failed: the caller knows why it ended
		if stopped, ok := errors.AsType[stoppedError](err); ok {
			fmt.Fprintln(c.err, "accord:", stopped)
		}
		return exitInterrupted
	}
	fmt.Fprintln(c.err, "accord:", c.inWords(err))
	_, settings := errors.AsType[*server.ConfigError](err)
	_, usage := errors.AsType[usageError](err)
	if !understood || settings || usage {
		return exitUsage
	}
	return exitFailed
}
