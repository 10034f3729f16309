// Command sqlmutants drops one thing of the SQL at a time (an index, a NOT NULL,
// a CHECK, a UNIQUE, a foreign key; or the condition of a query that keeps what
// belongs to one person from another) and sees which test notices:
//
//	go run ./pg/sqlmutants [-kind index] [-match orders] [-list]
//
// It ends with 1 where a condition of ownership, or more than 5 % of all else, can
// be dropped and no test notices.
//
// Nothing in the work tree is changed. It runs in the folder of the module, and
// needs what the tests need.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/accord-api/accord/pg/devpg"
)

// closeTimeout is how long the PostgreSQL may take to stop.
const closeTimeout = 15 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "sqlmutants:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	kind     string
	match    *regexp.Regexp
	packages []string
	workers  int
	list     bool
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("sqlmutants", flag.ContinueOnError)
	flags.StringVar(&o.kind, "kind", "", "only mutants of this kind: "+strings.Join(kinds, ", "))
	match := flags.String("match", "", "only mutants whose line matches this regular expression")
	packages := flags.String("packages", "./server,./jobs,./demo,./cmd/accord", "the packages whose tests are run, in this order")
	flags.IntVar(&o.workers, "workers", 2, "how many mutants are tried at once")
	flags.BoolVar(&o.list, "list", false, "list the mutants and run no test")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.packages = strings.Split(*packages, ",")
	o.match, err = regexp.Compile(*match)
	return o, err
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	postgres, err := devpg.Start(ctx, devpg.Options{Volatile: true})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = postgres.Close(ctx)
	}()
	mutants, err := mutantsOf(ctx, postgres, o)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range mutants {
			_, _ = fmt.Fprintln(out, m)
		}
		return nil
	}

	return try(ctx, postgres.URL("postgres"), o, mutants, out)
}

// mutantsOf gives those that are asked for.
func mutantsOf(ctx context.Context, postgres *devpg.Server, o options) (chosen []mutant, err error) {
	const database = "catalog"
	if err := postgres.EnsureDatabase(ctx, database); err != nil {
		return nil, err
	}
	all, err := schemaMutants(ctx, postgres.URL(database))
	if err != nil {
		return nil, err
	}
	ownership, err := ownershipMutants(".")
	if err != nil {
		return nil, err
	}
	for _, m := range append(ownership, all...) {
		if (o.kind == "" || o.kind == m.kind) && o.match.MatchString(m.String()) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

// try runs the tests against each mutant.
func try(ctx context.Context, url string, o options, mutants []mutant, out io.Writer) error {
	folder, err := os.MkdirTemp("", "accord-sqlmutants.")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	began := time.Now()
	suite, err := build(ctx, folder, o.packages)
	if err != nil {
		return err
	}
	suite.url = url
	_, _ = fmt.Fprintf(out, "%d mutants, %d tests\n", len(mutants), len(suite.tests))
	var s score
	for v := range suite.verdicts(ctx, mutants, o.workers) {
		if v.err != nil {
			return fmt.Errorf("%s: %w", v.mutant, v.err)
		}
		s.add(v)
		_, _ = fmt.Fprintln(out, v)
	}
	_, _ = fmt.Fprintf(out, "\n%s%s\n", s, time.Since(began).Round(time.Second))
	suite.sound.Range(func(t, sound any) bool {
		if sound == false {
			_, _ = fmt.Fprintln(out, "fails without a mutant, too:", t)
		}
		return true
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.missed()
}
