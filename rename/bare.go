package rename

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// bareFiles are the files that only the demo's resources need, by the beginnings of their
// paths. What others hold of it is marked there.
var bareFiles = []string{
	"deploy/notifications_test.go",
	"demo/demo", "demo/examples.go", "demo/notifications.go", "demo/orders.go", "demo/people.go", "demo/products.go",
	"demo/reports.go", "demo/seed.go", "demo/words.go", "cmd/accord/exports_test.go", "cmd/accord/files_test.go", "cmd/accord/reports_test.go", "cmd/accord/seed",
	"files/", "table/",
	"pg/stream_test.go",
	"jobs/files", "jobs/report", "jobs/sales.html", "jobs/storage_owner.go",
	"queries/files.sql", "queries/notifications.sql", "queries/orders.sql", "queries/products.sql", "queries/reports.sql",
	"schema/00004_", "schema/00005_", "schema/00006_", "schema/00007_", "schema/00008_", "schema/00009_", "schema/00010_", "schema/00012_",
	"server/dashboard", "server/exports", "server/file", "server/notification", "server/orders", "server/products",
	"server/ranges.go", "server/reports", "server/search_bench_test.go",
	"sdk/python/tests/consumer_shop.py", "sdk/ts/src/notifications.ts",
}

// moved are files that are called otherwise in a bare repository: its migrations are
// numbered without a gap (00002 is River's).
var moved = map[string]string{"schema/00011_bound_columns.sql": "schema/00004_bound_columns.sql"}

// testName is a test as Markdown names it, beside others.
var testName = regexp.MustCompile("`(Test[A-Z]\\w*)`(, )?")

// endOfCell is where the last one of a cell went.
var endOfCell = regexp.MustCompile(`, +\|`)

// testFunc is where there is one.
var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// goneTests are those that go with the demo's resources.
func goneTests(before, after []file) map[string]bool {
	tests := map[string]bool{}
	for _, f := range before {
		for _, found := range testFunc.FindAllSubmatch(f.text, -1) {
			tests[string(found[1])] = true
		}
	}
	for _, f := range after {
		for _, found := range testFunc.FindAllSubmatch(f.text, -1) {
			delete(tests, string(found[1]))
		}
	}
	return tests
}

// withoutTests is a document that names none of the tests that are gone.
func withoutTests(text string, gone map[string]bool) string {
	text = testName.ReplaceAllStringFunc(text, func(found string) string {
		if gone[testName.FindStringSubmatch(found)[1]] {
			return ""
		}
		return found
	})
	return endOfCell.ReplaceAllString(text, " |")
}

// instead is the folder of files that stand in a bare repository in the place of those
// of the same path, where little of them would be left.
const instead = "rename/instead/"

// The marks of what stands in other files only for the demo's resources: a line that ends
// with the first, or the lines from the second to the third. A comment that begins with the
// fourth is what stands in a bare repository instead.
const (
	demoMark  = "bare-drops"
	demoBegin = demoMark + " {"
	demoEnd   = demoMark + " }"
	bareMark  = "bare-has:"
)

var (
	demoComment = regexp.MustCompile(`(\s*(//|#|--|<!--)\s*|; )` + demoMark + `.*`)
	bareComment = regexp.MustCompile(`^(\s*)(?://|#|--|<!--)\s*` + bareMark + ` ?(.*?)(?: ?-->)?(\n?)$`)
)

// dropped says that a file is not there in a bare repository.
func dropped(path string) bool {
	return slices.ContainsFunc(bareFiles, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// withoutDemo are the files without the marks of the demo's resources; bare, without what is
// theirs, and with what stands in its place.
func withoutDemo(files []file, bare bool) ([]file, error) {
	var err error
	all := files
	if bare {
		if files, err = kept(files); err != nil {
			return nil, err
		}
	}
	var out []file
	for _, f := range files {
		before := f.text
		if f, err = demoless(f, bare); err != nil {
			return nil, err
		}
		if bare {
			if f, err = mended(f, before); err != nil {
				return nil, err
			}
		}
		out = append(out, f)
	}
	if !bare {
		return out, nil
	}
	tests := goneTests(all, out)
	for i, f := range out {
		if strings.HasSuffix(f.path, ".md") {
			out[i].text = []byte(withoutTests(string(f.text), tests))
		}
	}
	return out, nil
}

// mended is a file that hangs together again after what was cut out of it.
func mended(f file, before []byte) (file, error) {
	for _, c := range changes {
		if c.path != f.path {
			continue
		}
		if !bytes.Contains(f.text, []byte(c.from)) {
			return f, fmt.Errorf("%s does not say any more: %s", f.path, c.from)
		}
		f.text = bytes.ReplaceAll(f.text, []byte(c.from), []byte(c.to))
	}
	for _, c := range cuts {
		if c.path != f.path {
			continue
		}
		if !c.text.Match(f.text) {
			return f, fmt.Errorf("%s does not have any more: %s", f.path, c.text)
		}
		f.text = c.text.ReplaceAll(f.text, nil)
	}
	switch {
	case f.path == document:
		f.text = []byte(pruned(string(f.text), string(before)))
	case strings.HasSuffix(f.path, ".go") && !bytes.Equal(f.text, before):
		return withoutImports(f, before)
	}
	return f, nil
}

func kept(files []file) ([]file, error) {
	var left []file
	replaced := map[string]file{}
	for _, f := range files {
		if path, ok := strings.CutPrefix(f.path, instead); ok {
			replaced[strings.TrimSuffix(path, ".txt")] = f
		}
	}
	for _, f := range files {
		if dropped(f.path) {
			continue
		}
		if path, ok := moved[f.path]; ok {
			f.path = path
		}
		if other, ok := replaced[f.path]; ok {
			f.text = other.text
			delete(replaced, f.path)
		}
		left = append(left, f)
	}
	for path := range replaced {
		return nil, fmt.Errorf("%s%s stands in the place of no file", instead, path)
	}
	return left, nil
}

// demoless is a text without the marks of the demo; bare, without what they mark as well.
func demoless(f file, bare bool) (file, error) {
	if strings.HasPrefix(f.path, instead) || bytes.IndexByte(f.text, 0) >= 0 || gone(f.path) || !bytes.Contains(f.text, []byte("bare-")) {
		return f, nil
	}
	var out strings.Builder
	began := 0
	for number, line := range strings.SplitAfter(string(f.text), "\n") {
		switch {
		case strings.Contains(line, demoBegin):
			if began > 0 {
				return f, fmt.Errorf("%s:%d: a mark within one of line %d", f.path, number+1, began)
			}
			began = number + 1
		case strings.Contains(line, demoEnd):
			if began == 0 {
				return f, fmt.Errorf("%s:%d: the end of a mark that never began", f.path, number+1)
			}
			began = 0
		case bareComment.MatchString(line):
			if bare {
				out.WriteString(bareComment.ReplaceAllString(line, "$1$2$3"))
			}
		case !bare:
			if strings.Contains(line, demoMark) {
				line = demoComment.ReplaceAllString(line, "")
			}
			out.WriteString(line)
		case began == 0 && !strings.Contains(line, demoMark):
			out.WriteString(line)
		}
	}
	if began > 0 {
		return f, fmt.Errorf("%s:%d: a mark without an end", f.path, began)
	}
	f.text = []byte(out.String())
	return f, nil
}
