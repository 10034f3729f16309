// Command changes compares the published document (gen/api/openapi.json) with
// the last released one (docs/api/released.json).
//
//	changes check    lists what has changed, and fails on a breaking change that
//	                 docs/api/breaking.yaml does not acknowledge with a reason
//	changes release  writes the changes into docs/api/changelog.md, makes the
//	                 document the released one, and empties the acknowledgements
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "changes:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer, now time.Time) error {
	flags := flag.NewFlagSet("changes", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", "../..", "folder that holds gen/ and docs/")
	if err := flags.Parse(args); err != nil {
		return err
	}
	at := repository{*root}
	switch flags.Arg(0) {
	case "check":
		return at.check(stdout)
	case "release":
		return at.release(stdout, now)
	}
	return errors.New("say check or release")
}

// repository is a folder with the documents to compare.
type repository struct{ root string }

const (
	publishedName    = "gen/api/openapi.json"
	releasedName     = "docs/api/released.json"
	acknowledgedName = "docs/api/breaking.yaml"
	changelogName    = "docs/api/changelog.md"
)

func (r repository) path(name string) string {
	return filepath.Join(r.root, filepath.FromSlash(name))
}

func (r repository) read(name string) ([]byte, error) {
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return text, nil
}

// write replaces a file whole, or leaves it as it is.
func (r repository) write(name string, text []byte) error {
	aside := r.path(name) + ".new"
	err := os.WriteFile(aside, text, 0o644)
	if err == nil {
		err = os.Rename(aside, r.path(name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", name, err), os.RemoveAll(aside))
	}
	return nil
}

// comparison is what has changed since the last release, and what of it is
// acknowledged. Before the first release no client can notice anything.
type comparison struct {
	released, published document
	changes             []change
	first               bool
}

// compare fails when a file cannot be read, or when changes and
// acknowledgements do not fit each other.
func (r repository) compare() (comparison, error) {
	published, err := r.document(publishedName)
	if err != nil {
		return comparison{}, err
	}
	var changes []change
	released, err := r.document(releasedName)
	first := errors.Is(err, fs.ErrNotExist)
	if !first {
		if err != nil {
			return comparison{}, err
		}
		if changes, err = changesBetween(released, published); err != nil {
			return comparison{}, err
		}
	}
	text, err := r.read(acknowledgedName)
	if err != nil {
		return comparison{}, err
	}
	acknowledged, err := readAcknowledged(text)
	if err != nil {
		return comparison{}, err
	}
	return comparison{released, published, changes, first}, acknowledge(changes, acknowledged)
}

// check lists all changes, whatever becomes of them.
func (r repository) check(stdout io.Writer) error {
	c, err := r.compare()
	if c.first {
		fmt.Fprintf(stdout, "Nothing is released yet (%s): no change breaks anybody.\n", releasedName)
	}
	if len(c.changes) > 0 {
		fmt.Fprintf(stdout, "Since %s:\n\n%s", c.released.Info.Version, listing(c.changes))
	}
	return err
}

// release writes three files that git has; one that was broken off is taken back
// by git checkout docs/api.
func (r repository) release(stdout io.Writer, now time.Time) error {
	c, err := r.compare()
	if err != nil {
		return err
	}
	version := c.published.Info.Version
	if version == c.released.Info.Version {
		return fmt.Errorf("%s is released: raise info.version in openapi.yaml and run make gen first", version)
	}
	log, err := r.read(changelogName)
	if err != nil {
		return err
	}
	log, err = prepend(log, version, now, c)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{changelogName, log}, {acknowledgedName, []byte(acknowledgedHead)}, {releasedName, c.published.text}} {
		if err := r.write(f.name, f.text); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "%s is the released document now; its changes are in %s.\n", version, changelogName)
	return nil
}
