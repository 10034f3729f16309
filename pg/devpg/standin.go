package devpg

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// folderName is a file in a stand-in that names the folder that it stands in for,
// so that what belongs to that one can be found (tools/elsewhere.sh).
const folderName = "folder"

// idName is a file in a stand-in and in the folder that it stands in for. As long
// as both say the same, the one holds the data of the other.
const idName = "id"

// standIn makes a folder where the account can come to, for one where it cannot.
func standIn(dir string, who account, log func(string, ...any)) (*cluster, error) {
	sum := sha256.Sum256([]byte(dir))
	other := "/var/tmp/accord-" + hex.EncodeToString(sum[:8])
	log("PostgreSQL runs as user %s, who cannot enter %s: its data is in %s", who.name, dir, other)
	if err := claimFolder(other); err != nil {
		return nil, err
	}
	other, err := filepath.EvalSymlinks(other)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(other, folderName), []byte(dir+"\n"), 0o644); err != nil { //nolint:gosec // no secret
		return nil, err
	}
	who, err = accountFor(filepath.Join(other, dataName))
	return &cluster{dir: other, who: who, asked: dir}, err
}

// renew empties a stand-in when the folder that it stands in for was removed, as
// whoever did that expects. Where others use the server it stays, and belongs to
// the new folder as well. The caller holds start.lock.
func (c *cluster) renew(ctx context.Context, use *fileLock, log func(string, ...any)) error {
	if c.asked == "" {
		return nil
	}
	id, theirs := readID(c.dir), readID(c.asked)
	if id != "" && id == theirs {
		return nil
	}
	if id != "" {
		alone, err := use.try(syscall.LOCK_EX)
		if err != nil {
			return err
		}
		if alone {
			log("%s was removed: its data is made anew", c.asked)
			id, err = "", c.empty(ctx)
		}
		if err != nil {
			return err
		}
	}
	if id == "" {
		id = rand.Text()
		if err := os.WriteFile(c.path(idName), []byte(id), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(c.asked, idName), []byte(id), 0o600)
}

func readID(dir string) string {
	content, err := os.ReadFile(filepath.Join(dir, idName))
	if err != nil {
		return "" // made before there were any, or not at all
	}
	return strings.TrimSpace(string(content))
}

// empty removes the data and its secrets, and ends a server that a killed run has left.
func (c *cluster) empty(ctx context.Context) error {
	if master, err := readPostmaster(c.data()); err == nil {
		gone := func() bool { return !serves(master.pid, c.data()) }
		if !stop(ctx, master.pid, syscall.SIGQUIT, gone) {
			return errors.New("the server that was left there does not end")
		}
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if slices.Contains([]string{startLock, useLock, folderName}, entry.Name()) {
			continue
		}
		if err := os.RemoveAll(c.path(entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
