package rename_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accord-api/accord/rename"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ module, name, want string }{
		"both":             {"example.com/shop", "Shop", ""},
		"another word":     {"github.com/acme/storefront.v-2~", "ShopFloor2", ""},
		"no host":          {"shop", "Shop", `"shop" is no module path: it begins with a host`},
		"capitals":         {"Example.com/shop", "Shop", "begins with a host"},
		"an empty part":    {"example.com//shop", "Shop", "its parts are of letters"},
		"a space":          {"example.com/my shop", "Shop", "its parts are of letters"},
		"a dot at the end": {"example.com/shop.", "Shop", "its parts are of letters"},
		"a version":        {"example.com/shop/v2", "Shop", "leave out the version"},
		"the same":         {"github.com/accord-api/accord", "Shop", "that it has now"},
		"no name":          {"example.com/shop", "", "is no name"},
		"two words":        {"example.com/shop", "My Shop", "is no name: it is one word"},
		"a long one":       {"example.com/shop", "Abcdefghijklmnopqrstu", "of at most 20 letters"},
		"no capital":       {"example.com/shop", "shop", "begins with a capital"},
		"its own":          {"example.com/shop", "ACCORD", "is what it is called now"},
		"a word of Go":     {"example.com/shop", "Range", "range is a word of a programming language"},
		"a type of Go":     {"example.com/shop", "String", "string is a word of a programming language"},
		"a word of Python": {"example.com/shop", "Lambda", "lambda is a word of a programming language"},
		"both wrong":       {"shop", "shop", "is no name"}, // all faults at once
	} {
		_, err := rename.Parse(c.module, c.name, "")
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := rename.Parse("example.com/shop", "Shop", "Shop\nLtd."); err == nil {
		t.Error("a holder of two lines is taken")
	}
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	names, err := rename.Parse("example.com/acme/store", "ShopFloor", "Acme Ltd.")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"github.com/accord-api/accord/pg":              "example.com/acme/store/pg",
		"@accord-api/accord":                           "@shopfloor-api/shopfloor",
		"accord_api.AccordError, createAccord(ACCORD)": "shopfloor_api.ShopFloorError, createShopFloor(SHOPFLOOR)",
		"AsyncAccord ACCORD_URL .accord accord:limit:": "AsyncShopFloor SHOPFLOOR_URL .shopfloor shopfloor:limit:",
		"The Accord authors":                           "Acme Ltd.",
		"according to accordance, Accordingly":         "according to accordance, Accordingly",
	} {
		if got := names.In(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

// origin is what a clone has, as far as it matters.
var origin = map[string]string{
	"go.mod":                   "module github.com/accord-api/accord\n\ngo 1.26\n",
	"openapi.yaml":             "openapi: 3.1.0\ninfo:\n  title: Accord\n  version: 2.3.4\npaths:\n  version: {}\n",
	"CHANGELOG.md":             "# Changelog\n\n## Unreleased\n\n- Accord sings.\n\n## 2.3.4 (2026-01-01)\n\n- It hums.\n",
	"LICENSE":                  "MIT License\n\nCopyright (c) 2026 The Accord authors\n",
	"docs/api/released.json":   "{}\n",
	"docs/api/changelog.md":    "# Changelog of the API\n\nWhat has changed.\n\n## 2.3.4 (2026-01-01)\n\nAll.\n",
	"docs/api/breaking.yaml":   "# With reasons.\n- rule: x\n",
	"rename/rename.go":         "package rename // until-init { is no mark here\n",
	"cmd/accord/init.go":       "package main\n",
	"cmd/accord/main.go":       "package main\n\nimport (\n\t\"github.com/accord-api/accord/pg\"\n)\n\nfunc main() {\n\tpg.Accord() // until we end\n\tinitialise() // until-init\n}\n",
	"cmd/accord/deep/run.sh":   "#!/bin/sh\n# until-init {\nexit 1\n# until-init }\nexec bin/accord\n",
	"auth/keys.sh":             "key=accord/v1 # init-keeps\nname=accord\n",
	"sdk/accord.bin":           "accord\x00accord",
	"sdk/python/accord_api.py": "class Accord:\n    shop = 1  # a Shop\n",
}

// clone is a repository of these files, committed.
func clone(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(at, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "-q")
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "-m", "Begin")
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name string) ([]string, error) {
	t.Helper()
	names, err := rename.Parse("example.com/acme/store", name, "")
	if err != nil {
		t.Fatal(err)
	}
	return names.Write(t.Context(), dir, false)
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := clone(t, origin)
	commit := strings.TrimSpace(git(t, dir, "rev-parse", "--short", "HEAD"))
	did, err := write(t, dir, "Shop")
	if err != nil || !strings.Contains(strings.Join(did, "\n"), "cmd/shop") {
		t.Fatal(did, err)
	}
	want := map[string]string{
		"go.mod":                 "module example.com/acme/store\n\ngo 1.26\n",
		"openapi.yaml":           "openapi: 3.1.0\ninfo:\n  title: Shop\n  version: 0.1.0\npaths:\n  version: {}\n",
		"CHANGELOG.md":           "# Changelog\n\n## Unreleased\n\n- Begun from [Accord](https://github.com/accord-api/accord) at " + commit + ".\n",
		"LICENSE":                "MIT License\n\nCopyright (c) 2026 The Shop authors\nCopyright (c) 2026 The Accord authors\n",
		"docs/api/changelog.md":  "# Changelog of the API\n\nWhat has changed.\n",
		"docs/api/breaking.yaml": "# With reasons.\n",
		"cmd/shop/main.go":       "package main\n\nimport (\n\t\"example.com/acme/store/pg\"\n)\n\nfunc main() {\n\tpg.Shop() // until we end\n}\n",
		"cmd/shop/deep/run.sh":   "#!/bin/sh\nexec bin/shop\n",
		"auth/keys.sh":           "key=accord/v1\nname=shop\n",
		"sdk/shop.bin":           "accord\x00accord",
		"sdk/python/shop_api.py": "class Shop:\n    shop = 1  # a Shop\n",
	}
	git(t, dir, "add", "-A")
	var left []string
	for name := range strings.Lines(git(t, dir, "ls-files")) {
		name = strings.TrimSpace(name)
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != want[name] {
			t.Errorf("%s is\n%swant\n%s", name, text, want[name])
		}
		left = append(left, name)
	}
	if len(left) != len(want) {
		t.Errorf("the files are %v", left)
	}
	if info, err := os.Stat(filepath.Join(dir, "cmd/shop/deep/run.sh")); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("the script cannot be run any more: %v", err)
	}
	for _, folder := range []string{"cmd/accord", "rename"} {
		if _, err := os.Stat(filepath.Join(dir, folder)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", folder, err)
		}
	}
	if _, err := write(t, dir, "Store"); err == nil || err.Error() != "this repository is example.com/acme/store already" {
		t.Errorf("a second time: %v", err)
	}
}

// What is refused is left as it was.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		add  map[string]string
		name string
		want string
	}{
		"a type":     {map[string]string{"sdk/a.go": "package accord\n\ntype Order struct{}\n\nfunc New() Accord\n"}, "Order", "the name Order is taken: sdk/a.go has something that is called Order; choose another"},
		"a package":  {map[string]string{"sdk/a.go": "package accord\n\nvar x = server.New()\n"}, "Server", "the name Server is taken: sdk/a.go has something that is called server"},
		"a folder":   {map[string]string{"cmd/gen/main.go": "package main\n"}, "Gen", "the name Gen is taken: cmd/gen is there already"},
		"open mark":  {map[string]string{"a.sh": "\n# until-init {\n"}, "Shop", "a.sh:2: a mark without an end"},
		"end alone":  {map[string]string{"a.sh": "# until-init }\n"}, "Shop", "a.sh:1: the end of a mark that never began"},
		"mark twice": {map[string]string{"a.sh": "# until-init {\n# until-init {\n"}, "Shop", "a.sh:2: a mark within one of line 1"},
	} {
		files := maps.Clone(origin)
		maps.Copy(files, c.add)
		dir := clone(t, files)
		if _, err := write(t, dir, c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if status := git(t, dir, "status", "--porcelain"); status != "" {
			t.Errorf("%s: it has written: %s", name, status)
		}
	}

	dir := clone(t, origin)
	if err := os.WriteFile(filepath.Join(dir, "new.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := write(t, dir, "Shop"); err == nil || !strings.Contains(err.Error(), "changes that are not committed") {
		t.Errorf("with a new file: %v", err)
	}
	if _, err := write(t, t.TempDir(), "Shop"); err == nil || !strings.Contains(err.Error(), "this is no clone") {
		t.Errorf("elsewhere: %v", err)
	}
}
