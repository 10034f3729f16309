//go:build unix && !linux

package devpg

import (
	"os/exec"
	"strconv"
	"strings"
)

// serves tells whether a process lives and is the server of a data folder. A
// number in a stale file may be anybody's by now; a dead process that nobody
// has waited for has no arguments.
func serves(pid int, data string) bool {
	output, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(output), "-D "+data)
}
