package devpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the user that PostgreSQL runs as: it refuses to run as root.
type account struct {
	name     string
	uid, gid int
	switched bool // from root to this one
}

// accountFor picks the owner of an existing data folder, so that root takes up
// what an ordinary user began, or else the first user there is that fits.
func accountFor(data string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if owner, ok := ownerOf(data); ok {
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			return accountOf(found)
		}
	}
	return account{}, fmt.Errorf("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func ownerOf(data string) (account, bool) {
	info, err := os.Stat(data)
	if err != nil {
		return account{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return account{}, false
	}
	return account{name: strconv.Itoa(int(stat.Uid)), uid: int(stat.Uid), gid: int(stat.Gid), switched: true}, true
}

func accountOf(found *user.User) (account, error) {
	uid, uidErr := strconv.Atoi(found.Uid)
	gid, gidErr := strconv.Atoi(found.Gid)
	if uidErr != nil || gidErr != nil {
		return account{}, fmt.Errorf("reading user %s: ids %q and %q", found.Username, found.Uid, found.Gid)
	}
	return account{name: found.Username, uid: uid, gid: gid, switched: true}, nil
}

// command runs in a session of its own, so that Ctrl-C in the terminal reaches
// only us, and without the caller's PG* settings and locale.
func (a account) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	cmd.Env = cleanEnvironment(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // ids of the system
	}
	return cmd
}

func cleanEnvironment(environ []string) []string {
	clean := []string{"LC_ALL=C", "LANG=C"}
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "LANG") || name == "TZ" {
			continue
		}
		clean = append(clean, entry)
	}
	return clean
}

// reaches tells whether the account can work in a folder. It tries, since modes
// alone do not tell: there are access lists and mounts as well.
func (a account) reaches(dir string) bool {
	if !a.switched {
		return true
	}
	cmd := a.command(context.Background(), "/bin/sh", "-c", ":")
	cmd.Dir = dir
	return cmd.Run() == nil
}

// own hands a file or folder of ours to the account.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// place makes the folder of a shared server. Root keeps the folder and its
// secrets and hands over the data alone; the account passes through.
func place(options Options) (*cluster, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, folderMode()); err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	who, err := accountFor(filepath.Join(dir, dataName))
	if err != nil {
		return nil, err
	}
	if who.reaches(dir) {
		return &cluster{dir: dir, who: who}, nil
	}
	return standIn(dir, who, options.Log)
}

func folderMode() os.FileMode {
	if os.Geteuid() == 0 {
		return 0o711
	}
	return 0o700
}

// claimFolder makes a folder where anybody may, or takes the one that we made
// before. One that another user has put in its place is refused.
func claimFolder(dir string) error {
	err := os.Mkdir(dir, folderMode())
	if err == nil {
		return os.Chmod(dir, folderMode()) // past the umask
	}
	if !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is in the way: it is not a folder that only this user can write to", dir)
	}
	return nil
}
