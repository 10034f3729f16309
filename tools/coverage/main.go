// Command coverage adds up Go coverage profiles, prints the share of covered
// statements by package, and fails when the total is below -min.
//
// `go tool cover` cannot do this: it reads one profile of one module, and does
// not merge the blocks that several test binaries report for the same package.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

func main() {
	minimum := flag.Float64("min", 0, "the lowest total that passes, in percent")
	module := flag.String("module", "", "import path that is left out of the package names")
	flag.Parse()

	if err := run(os.Stdout, *module, *minimum, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, module string, minimum float64, profiles []string) error {
	blocks := blocks{}
	for _, name := range profiles {
		if err := blocks.readFile(name); err != nil {
			return err
		}
	}
	if len(blocks) == 0 {
		return fmt.Errorf("no statements in %s", strings.Join(profiles, ", "))
	}

	return report(out, module, minimum, blocks)
}

// blocks holds each block once, however many test binaries reported it.
type blocks map[block]bool

// block is a stretch of statements; position is "import/path/file.go:1.2,3.4".
type block struct {
	position   string
	statements int
}

func (b blocks) readFile(name string) error {
	profile, err := os.ReadFile(name)
	if err != nil {
		return err
	}

	return b.read(name, bytes.NewReader(profile))
}

// read takes in one profile. Its lines are "position statements count".
func (b blocks) read(name string, profile io.Reader) error {
	lines := bufio.NewScanner(profile)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "mode: ") {
			continue
		}
		block, covered, err := parse(lines.Text())
		if err != nil {
			return fmt.Errorf("reading %s, line %d: %w", name, n, err)
		}
		b[block] = b[block] || covered
	}

	return lines.Err()
}

func parse(line string) (block, bool, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return block{}, false, fmt.Errorf("%q has not three fields", line)
	}
	statements, err := strconv.Atoi(fields[1])
	if err != nil {
		return block{}, false, err
	}
	count, err := strconv.ParseUint(fields[2], 10, 64)
	if err != nil {
		return block{}, false, err
	}

	return block{position: fields[0], statements: statements}, count > 0, nil
}

type share struct{ covered, statements int }

func (s share) percent() float64 {
	if s.statements == 0 {
		return 100
	}

	return 100 * float64(s.covered) / float64(s.statements)
}

func report(out io.Writer, module string, minimum float64, blocks blocks) error {
	packages, total := map[string]share{}, share{}
	for block, covered := range blocks {
		name := packageOf(module, block.position)
		packages[name] = packages[name].with(block, covered)
		total = total.with(block, covered)
	}

	fmt.Fprintln(out, "Coverage of hand-written code, by statements:")
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		fmt.Fprintf(out, "  %-20s %5.1f %%  of %5d\n", name, packages[name].percent(), packages[name].statements)
	}
	fmt.Fprintf(out, "  %-20s %5.1f %%  of %5d\n", "total", total.percent(), total.statements)
	if total.percent() < minimum {
		return fmt.Errorf("%.1f %% is below the minimum of %g %%", total.percent(), minimum)
	}

	return nil
}

func (s share) with(block block, covered bool) share {
	s.statements += block.statements
	if covered {
		s.covered += block.statements
	}

	return s
}

func packageOf(module, position string) string {
	file, _, _ := strings.Cut(position, ".go:")
	name := strings.TrimPrefix(strings.TrimPrefix(path.Dir(file), module), "/")
	if name == "" {
		return "."
	}

	return name
}
