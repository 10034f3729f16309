package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/server"
)

// seedPassword is what all people of a seed sign in with, outside production.
const seedPassword = "People-demo-1"

// seed is what the command line asks for.
type seed struct {
	demo.Sizes
	from         uint64
	inProduction bool
	asJSON       bool
}

func newSeed(c command) *cobra.Command {
	var s seed
	command := &cobra.Command{
		Use:   "seed",
		Short: "Add made-up people, products and orders, as many as wanted",
		Long: `Adds made-up people, products and orders of the last 90 days. Each run adds more.

Orders are placed by people that a seed has made, never by others, for any
product that is sold; no stock is taken. Outside production all of the people
sign in with ` + seedPassword + `; in production nobody can sign in as one of them.
Ctrl-C ends it; what was added until then stays.`,
		Example: "  accord seed --users 1000 --products 500 --orders 10000\n  accord seed --orders 1000000 --seed 7\n  accord seed --users 50 --json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.Users < 0 || s.Products < 0 || s.Orders < 0 || s.Sizes == (demo.Sizes{}) {
				return usagef("--users, --products and --orders say how many; at least one of them is needed")
			}
			return withDatabase(cmd.Context(), c, func(config server.Config) error { return s.run(cmd.Context(), config, c) })
		},
	}
	command.Flags().IntVar(&s.Users, "users", 0, "how many people to add")
	command.Flags().IntVar(&s.Products, "products", 0, "how many products to add")
	command.Flags().IntVar(&s.Orders, "orders", 0, "how many orders to add")
	command.Flags().Uint64Var(&s.from, "seed", 1, "the number that everything is drawn from")
	command.Flags().BoolVar(&s.inProduction, "in-production", false, "do so with ENVIRONMENT=production too")
	jsonFlag(command, &s.asJSON, "print JSON of what was added")
	return command
}

func (s seed) run(ctx context.Context, config server.Config, c command) error {
	if config.Production() && !s.inProduction {
		return usagef("made-up data in production needs --in-production")
	}
	hash, err := seedHash(ctx, config, c)
	if err != nil {
		return err
	}
	pool, err := openDirect(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()

	progress, began := newProgress(c.err, c.watched(), s.Sizes), time.Now()
	err = demo.Seed(ctx, pool, s.Sizes, demo.SeedOptions{
		Seed: s.from, Now: began, PasswordHash: hash, Added: progress.added,
	})
	progress.end()
	report := progress.report
	if s.asJSON {
		report = progress.reportJSON
	}
	told := report(c.out, time.Since(began))
	switch {
	case errors.Is(err, context.Canceled):
		return stoppedError("stopped before all was added; what was added stays")
	case err != nil:
		return fmt.Errorf("adding made-up data: %w", err)
	case told != nil:
		return told
	case hash != "" && s.Users > 0 && !s.asJSON:
		fmt.Fprintf(c.out, "The new people sign in with %s\n", seedPassword)
	}
	return nil
}

// seedHash hashes the password of all people once; there is none in production.
func seedHash(ctx context.Context, config server.Config, c command) (hash string, err error) {
	err = withServer(ctx, config, c, func(api *server.Server) error {
		if config.Production() {
			return nil
		}
		hash, err = api.HashPassword(ctx, seedPassword)
		return err
	})
	return hash, err
}

// progress shows how far a seed has come: a bar for who looks on, and else a
// line for each tenth.
type progress struct {
	out    io.Writer
	bar    *progressbar.ProgressBar // nil without a terminal
	want   map[string]int
	done   map[string]int
	tables []string // those that rows were added to
}

func newProgress(out io.Writer, terminal bool, sizes demo.Sizes) *progress {
	p := &progress{
		out: out, done: map[string]int{},
		want: map[string]int{"users": sizes.Users, "products": sizes.Products, "orders": sizes.Orders},
	}
	if terminal {
		p.bar = progressbar.NewOptions(sizes.Users+sizes.Products+sizes.Orders, progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return p
}

// added is told of rows that were added to a table. Those that only belong to
// others, such as the lines of orders, count in the report alone.
func (p *progress) added(table string, rows int) {
	before := p.done[table]
	if before == 0 {
		p.tables = append(p.tables, table)
	}
	p.done[table] += rows
	switch want := p.want[table]; {
	case want == 0:
	case p.bar != nil:
		p.bar.Describe(table)
		_ = p.bar.Add(rows) // a terminal that is gone
	case before*10/want != p.done[table]*10/want:
		fmt.Fprintf(p.out, "%s: %d of %d\n", table, p.done[table], want)
	}
}

// end leaves the bar where it is.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit() // a terminal that is gone
		fmt.Fprintln(p.out)
	}
}

// rows are those that were added to all tables.
func (p *progress) rows() (all int) {
	for _, rows := range p.done {
		all += rows
	}
	return all
}

// report says what was added, and how fast.
func (p *progress) report(out io.Writer, took time.Duration) error {
	for _, table := range p.tables {
		fmt.Fprintf(out, "%d %s\n", p.done[table], table)
	}
	_, err := fmt.Fprintf(out, "%d rows in %s, %.0f a second\n", p.rows(), took.Round(time.Millisecond), float64(p.rows())/took.Seconds())
	return err
}

// reportJSON says the same to a script.
func (p *progress) reportJSON(out io.Writer, took time.Duration) error {
	return writeJSON(out, struct {
		Added   map[string]int `json:"added"`
		Rows    int            `json:"rows"`
		Seconds float64        `json:"seconds"`
	}{p.done, p.rows(), took.Seconds()})
}
