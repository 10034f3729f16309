package devpg

import (
	"context"
	"path/filepath"
)

// Isolate makes options find binaries in places only, and fetch others from
// repository to cache.
func Isolate(options Options, places []string, repository, cache string) Options {
	options.places = func(context.Context) []string { return places }
	options.repository = repository
	options.cache = cache
	return options
}

// FindBinaries gives the folder and the version that Start would use.
func FindBinaries(ctx context.Context, options Options) (dir, version string, err error) {
	who, err := accountFor("")
	if err != nil {
		return "", "", err
	}
	found, err := findBinaries(ctx, options, who, 0)
	return found.dir, found.version, err
}

// PID is the main process of the server in a folder; 0 when none runs.
func PID(dir string) int {
	data := filepath.Join(dir, dataName)
	master, err := readPostmaster(data)
	if err != nil || !serves(master.pid, data) {
		return 0
	}
	return master.pid
}

// Serves tells whether a process is the server of a folder.
func Serves(pid int, dir string) bool { return serves(pid, filepath.Join(dir, dataName)) }

var (
	MemoryFolder = memoryFolder
	NewestFirst  = newestFirst
	ParseVersion = parseVersion
)
