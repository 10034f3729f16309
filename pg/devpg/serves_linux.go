package devpg

import (
	"fmt"
	"os"
)

// serves tells whether a process lives and is the server of a data folder, which
// is where servers work. A number in a stale file may be anybody's by now; for a
// dead process that nobody has waited for, the link cannot be read.
func serves(pid int, data string) bool {
	folder, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && folder == data
}
