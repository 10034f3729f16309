package devpg_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/accord-api/accord/pg/devpg"
)

const needsRoot = "only root has another user to run PostgreSQL as"

// As root, a folder that the server's user cannot enter has a stand-in.
func TestRootWithClosedFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip(needsRoot)
	}
	closed := filepath.Join(t.TempDir(), ".accord") // under a folder of mode 0700
	stand := standIn(t, closed)
	t.Cleanup(func() { _ = os.RemoveAll(stand) })

	var said []string
	log := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	server, err := devpg.Start(t.Context(), devpg.Options{Dir: closed, Log: log})
	must(t, err)
	if len(said) != 1 || !strings.Contains(said[0], stand) {
		t.Errorf("said %q, want one line with %s", said, stand)
	}
	if server.Dir() != stand {
		t.Errorf("dir = %s, want %s", server.Dir(), stand)
	}
	named, err := os.ReadFile(filepath.Join(stand, "folder"))
	if must(t, err); string(named) != closed+"\n" {
		t.Errorf("it stands for %q, want %s", named, closed)
	}
	query(t, server.URL("postgres"), "SELECT 'there'")
	must(t, server.Close(t.Context()))

	again := start(t, closed)
	must(t, again.Close(t.Context()))
}

// Who removes the folder wants to begin again, wherever the data is in truth,
// and though a run that was killed has left its server behind. What others are
// at work on is not taken from them.
func TestRootBeginsAnewWhenFolderIsRemoved(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip(needsRoot)
	}
	closed := filepath.Join(t.TempDir(), ".accord")
	stand := standIn(t, closed)
	t.Cleanup(func() { _ = os.RemoveAll(stand) })
	const note, kept = "CREATE TABLE notes (note text)", "SELECT (to_regclass('notes') IS NOT NULL)::text"

	first := start(t, closed)
	query(t, first.URL("postgres"), note)
	must(t, first.Close(t.Context()))
	must(t, start(t, closed).Close(t.Context()))
	again := start(t, closed)
	if query(t, again.URL("postgres"), kept) != "true" {
		t.Error("the data is gone though the folder is there")
	}
	must(t, os.RemoveAll(closed))
	beside := start(t, closed)
	if query(t, beside.URL("postgres"), kept) != "true" {
		t.Error("the data is gone though somebody works on it")
	}
	must(t, again.Close(t.Context()))
	must(t, beside.Close(t.Context()))

	must(t, os.RemoveAll(closed))
	fresh := start(t, closed)
	if query(t, fresh.URL("postgres"), kept) != "false" {
		t.Error("the data outlives its folder")
	}
	query(t, fresh.URL("postgres"), note)
	must(t, fresh.Close(t.Context()))
	startHolder(t, self(t), closed, nil).kill(t)
	must(t, os.RemoveAll(closed))
	last := start(t, closed)
	if query(t, last.URL("postgres"), kept) != "false" {
		t.Error("the data of a killed run outlives its folder")
	}
	must(t, last.Close(t.Context()))
}

// Anybody may write to /var/tmp, and so prepare what we are about to use.
func TestRootRefusesPreparedFolder(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip(needsRoot)
	}
	for name, prepare := range map[string]func(path string) error{
		"link":          func(path string) error { return os.Symlink("/tmp", path) },
		"another's":     func(path string) error { return makeFolder(path, 0o755, 65534) },
		"open to write": func(path string) error { return makeFolder(path, 0o777, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := filepath.Join(t.TempDir(), ".accord")
			stand := standIn(t, closed)
			must(t, prepare(stand))
			t.Cleanup(func() { _ = os.RemoveAll(stand) })
			server, err := devpg.Start(t.Context(), devpg.Options{Dir: closed})
			if err == nil {
				_ = server.Close(t.Context())
				t.Fatal("it was used")
			}
			if !strings.Contains(err.Error(), stand) {
				t.Errorf("error = %v, want the path", err)
			}
		})
	}
}

func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the other tests run as one")
	}
	nobody, err := user.Lookup("nobody")
	must(t, err)
	uid, err := strconv.Atoi(nobody.Uid)
	must(t, err)
	dir := folder(t)
	must(t, makeFolder(dir, 0o700, uid))

	binary := executableFolder(t) // go test's own is closed to others
	copyBinary(t, self(t), binary)
	other := startHolder(t, binary, dir, func(cmd *exec.Cmd) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
		cmd.Env = append(cmd.Env, "HOME=/nonexistent")
		cmd.Dir = "/"
	})
	query(t, other.url, "SELECT 'there'")
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	must(t, err)
	if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != uid {
		t.Errorf("the data is user %d's", owner)
	}
	must(t, other.stdin.Close())
	must(t, other.cmd.Wait())
	if devpg.PID(dir) != 0 {
		t.Error("the server runs after Close")
	}

	// What the user began, root goes on with, as that user.
	must(t, os.Chmod(dir, 0o711))
	server := start(t, dir)
	query(t, server.URL("postgres"), "SELECT 'there'")
}

func standIn(t *testing.T, dir string) string {
	t.Helper()
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	must(t, err)
	sum := sha256.Sum256([]byte(filepath.Join(parent, filepath.Base(dir))))
	return "/var/tmp/accord-" + hex.EncodeToString(sum[:8])
}

func makeFolder(path string, mode os.FileMode, uid int) error {
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	return os.Chown(path, uid, uid)
}

// copyBinary leaves the writing to another process: what one of ours writes may
// be held open by a child that is starting at that moment, and then cannot run.
func copyBinary(t *testing.T, from, to string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "cp", from, to).CombinedOutput()
	if err != nil {
		t.Fatalf("copying: %v: %s", err, output)
	}
	must(t, os.Chmod(to, 0o755))
}
