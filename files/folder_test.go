package files_test

import (
	"bufio"
	"context"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/files"
)

// asWriter makes the test binary write into the folder that it names, until it
// is killed.
const asWriter = "ACCORD_TEST_AS_WRITER"

func folder(t *testing.T) (dir string, s storage) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "files")
	store, err := files.OpenFolder(dir)
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	return dir, storage{Store: store, all: func() []string { return filesBelow(t, dir) }}
}

func TestFolderIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "files")
	s := storage{Store: open(t, "file://"+dir)}
	s.write(t, "a/b/c", []byte("x"))
	for name, want := range map[string]os.FileMode{"..": 0o700, ".": 0o700, "a": 0o700, "a/b": 0o700, "a/b/c": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	s.Store = open(t, "file://"+dir) // It is there already.
	if got := s.read(t, "a/b/c"); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

// A link that somebody put into the folder leads nowhere.
func TestLinksStayInside(t *testing.T) {
	t.Parallel()
	dir, s := folder(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(dir, "link")))
	must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "leaf")))
	for _, key := range []string{"link/secret", "leaf"} {
		if _, err := s.Open(t.Context(), key); err == nil {
			t.Errorf("%s is read", key)
		}
	}
	if _, err := s.Write(t.Context(), "link/new", strings.NewReader("x"), 1); err == nil {
		t.Error("link/new is written")
	}
	if err := s.Delete(t.Context(), "link/secret"); err == nil {
		t.Error("link/secret is deleted")
	}
	s.write(t, "leaf", []byte("x")) // in the place of the link
	if got, err := s.older(t.Context(), ""); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}
	if content, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(content) != "secret" || len(filesBelow(t, outside)) != 1 {
		t.Errorf("got %q, %v", content, err)
	}
}

// Only files under keys are listed, whatever else lies there.
func TestOlderKnowsItsOwn(t *testing.T) {
	t.Parallel()
	dir, s := folder(t)
	then := time.Now().Add(past)
	for _, name := range []string{"key", "README", ".hidden", "a b"} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		must(t, os.Chtimes(filepath.Join(dir, name), then, then))
	}
	if got, err := s.older(t.Context(), ""); err != nil || len(got) != 1 || got[0] != "key" {
		t.Errorf("got %q, %v", got, err)
	}
	s.holds(t, ".hidden", "README", "a b", "key")
}

func TestFolderThatIsGone(t *testing.T) {
	t.Parallel()
	dir, s := folder(t)
	must(t, os.RemoveAll(dir))
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	must(t, s.Close())
	if _, err := s.Open(t.Context(), "key"); err == nil {
		t.Error("a closed storage reads")
	}
}

func TestKeyThatIsAFolder(t *testing.T) {
	t.Parallel()
	_, s := folder(t)
	s.write(t, "a/b", []byte("x"))
	for _, key := range []string{"a", "a/b/c"} {
		if _, err := s.Write(t.Context(), key, strings.NewReader("x"), 1); err == nil {
			t.Errorf("%s is written", key)
		}
	}
	s.holds(t, "a/b")
}

// A process that is killed amid a write leaves nothing under the key, and what
// it leaves beside it is swept.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	dir, s := folder(t)
	program, err := os.Executable()
	must(t, err)
	writer := exec.CommandContext(t.Context(), program)
	writer.Env = append(os.Environ(), asWriter+"="+dir)
	output, err := writer.StdoutPipe()
	must(t, err)
	must(t, writer.Start())
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		t.Errorf("the writer said nothing: %v", err)
	}
	must(t, writer.Process.Kill())
	_ = writer.Wait()

	s.isMissing(t, "up/key")
	left := s.all()
	if len(left) != 1 || !strings.HasPrefix(left[0], "up/.new-") {
		t.Fatalf("left are %q", left)
	}
	then := time.Now().Add(past)
	must(t, os.Chtimes(filepath.Join(dir, left[0]), then, then))
	if got, err := s.older(t.Context(), ""); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}
	s.holds(t)
}

// writeUntilKilled says when a part is written, and never comes to an end.
func writeUntilKilled() {
	store, err := files.OpenFolder(os.Getenv(asWriter))
	if err != nil {
		panic(err)
	}
	endless := &brokenAt{mib, func() (int, error) {
		_, _ = os.Stdout.WriteString("written\n")
		select {}
	}}
	_, _ = store.Write(context.Background(), "up/key", io.Reader(endless), math.MaxInt64)
}
