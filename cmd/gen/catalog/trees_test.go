package catalog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/accord-api/accord/cmd/gen/catalog"
)

// Tests that set catalog.Trees are alone: parallel ones wait for them.
func TestTreesAreKept(t *testing.T) { //nolint:paralleltest // as said
	catalog.Trees = filepath.Join(t.TempDir(), "made", "when needed")
	t.Cleanup(func() { catalog.Trees = "" })
	lengthIs := func(want string) {
		t.Helper()
		if got := told(read(t), "things", "name"); got != want {
			t.Errorf("things.name is %q, want %q", got, want)
		}
	}
	const whole = "text, not null, length 20 at schema/00001_a.sql:7"
	lengthIs(whole)
	kept, err := filepath.Glob(filepath.Join(catalog.Trees, "*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept are %q (%v), want one tree", kept, err)
	}

	// What is kept is read, and nothing else.
	tree, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	put(t, kept[0], bytes.ReplaceAll(tree, []byte(`"ival":20`), []byte(`"ival":17`)))
	lengthIs("text, not null, length 17 at schema/00001_a.sql:7")

	// Half a tree is none, and an old one goes when another is kept.
	put(t, kept[0], tree[:len(tree)/2])
	old := filepath.Join(catalog.Trees, "old.json")
	put(t, old, []byte("{}"))
	long := time.Now().AddDate(0, -2, 0)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	lengthIs(whole)
	if again, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(again, tree) {
		t.Errorf("the tree was not kept again (%v)", err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("a tree of two months is still there (%v)", err)
	}

	// Where nothing can be kept, it is read all the same.
	catalog.Trees = filepath.Join(kept[0], "no folder")
	lengthIs(whole)
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
