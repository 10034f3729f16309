package devpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// fetchable are the versions that can be had, by major. The default is the one
// that new data gets.
var fetchable = map[int]embedded.PostgresVersion{
	14: embedded.V14,
	15: embedded.V15,
	16: embedded.V16,
	17: embedded.V17,
	18: embedded.V18,
}

const defaultFetch = 17

// fetch gives binaries from the cache, where they are put once.
func fetch(ctx context.Context, options Options, who account, major int) (binaries, error) {
	if major == 0 {
		major = defaultFetch
	}
	version, ok := fetchable[major]
	if !ok {
		return binaries{}, fmt.Errorf("the data was made by PostgreSQL %d: install that, or set %s to where it is", major, binEnv)
	}
	cache, err := cacheFolder(options)
	if err != nil {
		return binaries{}, fmt.Errorf("making the cache of PostgreSQL: %w", err)
	}
	target := filepath.Join(cache, "postgres-"+string(version))
	lock, err := lockFile(ctx, target+".lock")
	if err != nil {
		return binaries{}, err
	}
	defer lock.release()

	if found, err := inspect(ctx, filepath.Join(target, "bin"), who); err == nil {
		return found, nil
	}
	options.Log("fetching PostgreSQL %s for %s/%s, once (some 10 MB, to %s)", version, runtime.GOOS, runtime.GOARCH, target)
	if err := fetchTo(ctx, target, version, options.repository); err != nil {
		return binaries{}, fmt.Errorf("no PostgreSQL %d or newer is installed, and fetching one: %w"+
			" (install your system's PostgreSQL, or set DATABASE_URL to a running one)", minMajor, err)
	}
	return inspect(ctx, filepath.Join(target, "bin"), who)
}

// fetchTo puts the whole in place in one step: what is there is complete.
func fetchTo(ctx context.Context, target string, version embedded.PostgresVersion, repository string) error {
	scratch, err := os.MkdirTemp(filepath.Dir(target), "fetching-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	unpacked := filepath.Join(scratch, "postgres")
	if err := unpack(ctx, scratch, unpacked, version, repository); err != nil {
		return err
	}
	if err := openToAll(unpacked); err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.Rename(unpacked, target)
}

// unpack has the library fetch and unpack. It has no call for that alone, only
// one that goes on to run a server its own way, which root cannot. A data folder
// that cannot be is where it stops, so its error says nothing: what counts is
// what it has unpacked.
func unpack(ctx context.Context, scratch, target string, version embedded.PostgresVersion, repository string) error {
	port, err := freePort(ctx, 0)
	if err != nil {
		return err
	}
	config := embedded.DefaultConfig().
		Version(version).
		Port(uint32(port)). //nolint:gosec // a port
		CachePath(filepath.Join(scratch, "archive")).
		RuntimePath(filepath.Join(scratch, "run")).
		BinariesPath(target).
		DataPath("/dev/null/data").
		Logger(io.Discard)
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}

	defer removeLogs(libraryLogs())
	stopped := make(chan error, 1)
	go func() { stopped <- embedded.NewDatabase(config).Start() }()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err = <-stopped:
	}
	for _, name := range []string{"initdb", "postgres"} {
		if _, missing := os.Stat(filepath.Join(target, "bin", name)); missing != nil {
			return errors.Join(err, missing)
		}
	}
	return nil
}

// libraryLogs are the files that the library makes for its server's output, and
// does not remove.
func libraryLogs() []string {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "embedded_postgres_log*"))
	if err != nil {
		return nil
	}
	return found
}

// removeLogs removes the empty ones that were not there before: ours is, since no
// server ran.
func removeLogs(before []string) {
	for _, path := range libraryLogs() {
		info, err := os.Stat(path)
		if err == nil && info.Size() == 0 && !slices.Contains(before, path) {
			_ = os.Remove(path)
		}
	}
}

// openToAll undoes the umask: as root, another user runs what was unpacked.
func openToAll(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if entry.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

// cacheFolder is the user's, but for root one that other users can come to.
func cacheFolder(options Options) (string, error) {
	dir := options.cache
	if dir == "" {
		dir = defaultCache()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // nothing secret is in it
		return "", err
	}
	return dir, nil
}

func defaultCache() string {
	if os.Geteuid() == 0 {
		return "/var/cache/accord"
	}
	if user, err := os.UserCacheDir(); err == nil {
		return filepath.Join(user, "accord")
	}
	return fmt.Sprintf("/var/tmp/accord-cache-%d", os.Geteuid())
}
