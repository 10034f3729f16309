package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// temporaryPrefix begins the names of files that are being written; no
	// key's element begins with a dot.
	temporaryPrefix = ".new-"
	// pageSize is how many entries of a folder are read at once.
	pageSize = 1000
)

// folder keeps each key as a file of that path. Nothing outside of it can be
// reached, not even through a symbolic link.
type folder struct {
	root *os.Root
}

func openFolder(dir string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

// makeFolder makes a folder and those above it where they are missing, so that
// they outlast a power cut.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch parent := filepath.Dir(dir); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist) && parent != dir:
		if err := makeFolder(parent); err != nil {
			return err
		}
		return makeFolder(dir)
	case err != nil:
		return err
	default:
		return syncFolder(os.Open(parent))
	}
}

func (f *folder) write(ctx context.Context, key string, m *meter) error {
	dir := path.Dir(key)
	if err := f.root.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// Beside its place, so that renaming it is one step on one file system.
	temporary := path.Join(dir, temporaryPrefix+rand.Text())
	// Deferred, for reading may panic. After the rename nothing has that name.
	defer func() { _ = f.root.Remove(temporary) }()
	if err := f.writeFile(temporary, m); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.root.Rename(temporary, key); err != nil {
		return err
	}
	if err := f.syncFolders(dir); err != nil {
		return errors.Join(err, f.root.Remove(key))
	}
	return nil
}

// writeFile makes a file, and returns when its bytes are on the disk.
func (f *folder) writeFile(name string, r io.Reader) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // in vain but for an error or a panic
	if _, err := io.Copy(file, r); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// syncFolders makes the name of a new file outlast a power cut, and those of
// the folders above it, which may be as new.
func (f *folder) syncFolders(dir string) error {
	for {
		if err := syncFolder(f.root.Open(dir)); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
		dir = path.Dir(dir)
	}
}

// syncFolder takes what opening the folder gave. File systems that cannot sync
// one, such as some of the network, see to it themselves.
func syncFolder(dir *os.File, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

func (f *folder) open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	file, err := f.root.Open(key)
	if isMissing(err) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotExist
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	// The file itself and no reader around it: net/http then has the system
	// send it.
	return file, nil
}

// isMissing tells whether a path, or a folder on its way, does not exist.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func (f *folder) delete(_ context.Context, key string) error {
	info, err := f.root.Lstat(key)
	if err == nil && !info.IsDir() {
		err = f.root.Remove(key)
	}
	if isMissing(err) {
		return nil
	}
	return err
}

func (f *folder) older(ctx context.Context, prefix string, than time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		w := walk{root: f.root, prefix: prefix, than: than, yield: yield}
		dir, _ := path.Split(prefix)
		w.folder(ctx, path.Clean(dir))
	}
}

// walk goes through the files below a folder for older.
type walk struct {
	root   *os.Root
	prefix string
	than   time.Time
	yield  func(string, error) bool
}

// folder tells whether to go on after it.
func (w *walk) folder(ctx context.Context, dir string) bool {
	file, err := w.root.Open(dir)
	if isMissing(err) {
		return true // or removed meanwhile
	}
	if err != nil {
		return w.fail(err)
	}
	defer func() { _ = file.Close() }()
	for {
		entries, err := file.ReadDir(pageSize) // ENOTDIR where the prefix leads to a file
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return w.fail(err)
			}
			if !w.entry(ctx, path.Join(dir, entry.Name()), entry) {
				return false
			}
		}
		if errors.Is(err, io.EOF) || isMissing(err) {
			return true
		}
		if err != nil {
			return w.fail(err)
		}
	}
}

func (w *walk) fail(err error) bool {
	w.yield("", err)
	return false
}

func (w *walk) entry(ctx context.Context, name string, entry fs.DirEntry) bool {
	switch {
	case entry.IsDir():
		below := name + "/"
		if strings.HasPrefix(below, w.prefix) || strings.HasPrefix(w.prefix, below) {
			return w.folder(ctx, name)
		}
		return true
	case strings.HasPrefix(entry.Name(), temporaryPrefix):
		return w.leftover(name)
	case strings.HasPrefix(name, w.prefix) && checkKey(name) == nil:
		return w.file(name)
	}
	return true
}

func (w *walk) file(name string) bool {
	old, err := w.isOld(name)
	if err != nil {
		return w.fail(err)
	}
	return !old || w.yield(name, nil)
}

// leftover removes what a crash has left of a write.
func (w *walk) leftover(name string) bool {
	old, err := w.isOld(name)
	if old {
		err = w.root.Remove(name)
	}
	if err != nil && !isMissing(err) {
		return w.fail(fmt.Errorf("removing what is left of a write: %w", err))
	}
	return true
}

// isOld is false for what is removed meanwhile.
func (w *walk) isOld(name string) (bool, error) {
	info, err := w.root.Lstat(name)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return info.Mode().IsRegular() && info.ModTime().Before(w.than), nil
}

func (f *folder) close() error { return f.root.Close() }
