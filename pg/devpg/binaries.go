package devpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	// binEnv names a folder with initdb and postgres, or is "fetch" to have
	// them fetched though the system has some.
	binEnv   = "ACCORD_POSTGRES_BIN"
	fetchBin = "fetch"

	minMajor = 14
)

// binaries are one installation of PostgreSQL.
type binaries struct {
	dir     string
	version string
	major   int
}

func (b binaries) path(name string) string { return filepath.Join(b.dir, name) }

// findBinaries takes the first installation that runs. An existing data folder
// needs its own major version; with major 0 any will do.
func findBinaries(ctx context.Context, options Options, who account, major int) (binaries, error) {
	chosen := os.Getenv(binEnv)
	if chosen != "" && chosen != fetchBin {
		return chosenBinaries(ctx, chosen, who, major)
	}
	if chosen != fetchBin {
		for _, dir := range options.places(ctx) {
			found, err := inspect(ctx, dir, who)
			if err == nil && (major == 0 || found.major == major) {
				return found, nil
			}
		}
	}
	return fetch(ctx, options, who, major)
}

func chosenBinaries(ctx context.Context, dir string, who account, major int) (binaries, error) {
	found, err := inspect(ctx, dir, who)
	if err != nil {
		return binaries{}, fmt.Errorf("%s: %w", binEnv, err)
	}
	if major != 0 && found.major != major {
		return binaries{}, fmt.Errorf("%s is PostgreSQL %d, the data was made by %d", binEnv, found.major, major)
	}
	return found, nil
}

// inspect checks that an installation is whole, new enough and can be run by
// the account.
func inspect(ctx context.Context, dir string, who account) (binaries, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return binaries{}, err
		}
	}
	output, err := askVersion(ctx, dir, who)
	if err != nil {
		return binaries{}, fmt.Errorf("running postgres --version in %s: %w: %s", dir, err, strings.TrimSpace(output))
	}
	version, major, err := parseVersion(output)
	if err != nil {
		return binaries{}, err
	}
	if major < minMajor {
		return binaries{}, fmt.Errorf("PostgreSQL %s in %s is older than %d", version, dir, minMajor)
	}
	return binaries{dir: dir, version: version, major: major}, nil
}

// askVersion asks again when the file is busy: one that was just fetched may be
// held open for a moment by a child that another goroutine was starting.
func askVersion(ctx context.Context, dir string, who account) (string, error) {
	for {
		output, err := who.command(ctx, filepath.Join(dir, "postgres"), "--version").CombinedOutput()
		if !errors.Is(err, syscall.ETXTBSY) || pause(ctx, pollPeriod) != nil {
			return string(output), err
		}
	}
}

// versionPattern fits "postgres (PostgreSQL) 17.5 (Debian 17.5-1)", 18beta1 too.
var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ((\d+)[.\w]*)`)

func parseVersion(output string) (version string, major int, err error) {
	match := versionPattern.FindStringSubmatch(output)
	if match == nil {
		return "", 0, fmt.Errorf("reading the version of postgres: %q", strings.TrimSpace(output))
	}
	major, err = strconv.Atoi(match[2])
	return match[1], major, err
}

// systemPlaces are where distributions keep the binaries, the best first.
func systemPlaces(ctx context.Context) []string {
	var places []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// Through the link, if it is one: postgres may have none beside it.
		if target, err := filepath.EvalSymlinks(initdb); err == nil {
			places = append(places, filepath.Dir(target))
		}
		places = append(places, filepath.Dir(initdb))
	}
	if output, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		places = append(places, strings.TrimSpace(string(output)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                                   // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                            // the project's own packages for Red Hat
		"/usr/libexec/postgresql*",                                    // Alpine
		"/usr/lib/postgresql*/bin",                                    // SUSE, Gentoo
		"/opt/homebrew/opt/postgresql@*/bin",                          // macOS
		"/usr/local/opt/postgresql@*/bin",                             // macOS on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",             //
		"/opt/local/lib/postgresql*/bin",                              // MacPorts
		"/Applications/Postgres.app/Contents/Versions/*/bin",          //
		"/usr/local/pgsql/bin",                                        // built from source
		"/usr/local/lib/postgresql/bin", "/usr/local/bin", "/usr/bin", // the BSDs; Arch
	} {
		places = append(places, newestFirst(pattern)...)
	}
	return places
}

var numberPattern = regexp.MustCompile(`\d+`)

// newestFirst orders by the last number in each path that a version can be.
func newestFirst(pattern string) []string {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	slices.SortFunc(found, func(a, b string) int { return lastNumber(b) - lastNumber(a) })
	return found
}

func lastNumber(path string) int {
	numbers := numberPattern.FindAllString(path, -1)
	if len(numbers) == 0 {
		return 0
	}
	number, err := strconv.Atoi(numbers[len(numbers)-1])
	if err != nil {
		return 0
	}
	return number
}

// dataMajor is the version that made a data folder; 0 when there is none.
func dataMajor(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("reading the version of %s: %w", data, err)
	}
	return major, nil
}
