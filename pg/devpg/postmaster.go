package devpg

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const pidName = "postmaster.pid"

var errHalfWritten = errors.New("postmaster.pid is not complete")

// postmaster is what a running server says of itself in its data folder.
type postmaster struct {
	pid   int
	port  int
	ready bool
}

// readPostmaster reads postmaster.pid: pid, data folder, start time, port,
// socket folder, address, shared memory and state, a line each. A server that
// is starting has not written all of them yet.
func readPostmaster(data string) (postmaster, error) {
	content, err := os.ReadFile(filepath.Join(data, pidName))
	if err != nil {
		return postmaster{}, err
	}
	lines := strings.Split(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return postmaster{}, errHalfWritten
	}
	master := postmaster{pid: pid}
	if len(lines) > 3 {
		master.port, _ = strconv.Atoi(strings.TrimSpace(lines[3]))
	}
	master.ready = len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready" && master.port > 0
	return master, nil
}
