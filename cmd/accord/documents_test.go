package main

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const repository = "../.."

// document is a Markdown file: its lines without blocks of code, its headings' anchors,
// and the commands of its blocks of sh.
type document struct {
	name     string
	lines    []string
	anchors  []string
	commands []string
}

// documents are all Markdown files of the repository, by their path in it.
func documents(t *testing.T) map[string]*document {
	t.Helper()
	all := map[string]*document{}
	walk(t, ".md", func(name, text string) { all[name] = readDocument(name, text) })
	if len(all) < 10 {
		t.Fatalf("only %d documents were found", len(all))
	}
	return all
}

// walk reads each file of the repository that ends so.
func walk(t *testing.T, ending string, each func(name, text string)) {
	t.Helper()
	err := filepath.WalkDir(repository, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if at != repository && strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".github" || slices.Contains([]string{"node_modules", "bin", "dist"}, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(entry.Name(), ending) {
			return nil
		}
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repository, at)
		each(filepath.ToSlash(name), string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readDocument(name, text string) *document {
	d := &document{name: name}
	block, seen, command := "", map[string]int{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			if block != "" {
				block = ""
			} else if block = strings.TrimPrefix(trimmed, "```"); block == "" {
				block = "text"
			}
		case block == "sh":
			command += trimmed
			if rest, more := strings.CutSuffix(command, `\`); more {
				command = rest
				continue
			}
			d.commands = append(d.commands, command)
			command = ""
		case block != "":
		default:
			d.lines = append(d.lines, line)
			if heading := regexp.MustCompile(`^#{1,6} (.*)`).FindStringSubmatch(line); heading != nil {
				anchor := anchorOf(heading[1])
				if seen[anchor]++; seen[anchor] > 1 {
					anchor += "-" + string(rune('0'+seen[anchor]-1))
				}
				d.anchors = append(d.anchors, anchor)
			}
		}
	}
	return d
}

// anchorOf is the name that a heading has in links: letters and digits in lower case,
// and a hyphen for each space.
func anchorOf(heading string) string {
	return regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(heading), " ", "-"), "")
}

// Each link from one document to another, and to a heading, leads somewhere.
func TestLinksOfDocuments(t *testing.T) {
	t.Parallel()
	all, links := documents(t), 0
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	for _, d := range all {
		for _, found := range link.FindAllStringSubmatch(strings.Join(d.lines, "\n"), -1) {
			target, err := url.Parse(found[1])
			if err != nil {
				t.Errorf("%s: %s: %v", d.name, found[1], err)
				continue
			}
			if target.Scheme != "" {
				continue
			}
			links++
			name := d.name
			if target.Path != "" {
				name = filepath.ToSlash(filepath.Join(filepath.Dir(d.name), target.Path))
			}
			if _, err := os.Stat(filepath.Join(repository, name)); err != nil {
				t.Errorf("%s: %s leads nowhere", d.name, found[1])
			}
			if to := all[name]; target.Fragment != "" && (to == nil || !slices.Contains(to.anchors, target.Fragment)) {
				t.Errorf("%s: %s has no such heading", d.name, found[1])
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links were found", links)
	}
}

// A test that a document names is there.
func TestTestsOfDocuments(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	walk(t, "_test.go", func(_, text string) {
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(text, -1) {
			there[found[1]] = true
		}
	})
	named := 0
	for _, d := range documents(t) {
		for _, found := range regexp.MustCompile("`(Test[A-Z]\\w*)`").FindAllStringSubmatch(strings.Join(d.lines, "\n"), -1) {
			if named++; !there[found[1]] {
				t.Errorf("%s names %s, which is no test", d.name, found[1])
			}
		}
	}
	least := 90 // bare-drops
	// bare-has: least := 60
	if named < least {
		t.Errorf("only %d tests are named", named)
	}
}

// Documents and CI run targets of the Makefile, scripts and commands that exist.
func TestCommandsOfDocuments(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		targets[found[1]] = true
	}
	target := regexp.MustCompile("(?:`|^|run: |&& )(?:[A-Z]+=\\S+ )?make ([a-z-]+)")
	check := func(name, text string) {
		for line := range strings.Lines(text) {
			for _, found := range target.FindAllStringSubmatch(line, -1) {
				if !targets[found[1]] {
					t.Errorf("%s: there is no make %s", name, found[1])
				}
			}
		}
	}
	for _, d := range documents(t) {
		check(d.name, strings.Join(d.lines, "\n"))
		check(d.name, strings.Join(d.commands, "\n"))
		for _, command := range d.commands {
			for _, script := range regexp.MustCompile(`(?:deploy|tools)/[\w./-]+\.(?:sh|yaml|service|example|sysusers)\b`).FindAllString(command, -1) {
				if _, err := os.Stat(filepath.Join(repository, script)); err != nil {
					t.Errorf("%s: %v", d.name, err)
				}
			}
			checkCommand(t, d.name, plainWords(command))
		}
	}
	walk(t, ".yml", check)
}

var quoted = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// plainWords is a command without what its shell does: each quoted text is one word,
// and what comes from a file is none.
func plainWords(command string) string {
	command, _, _ = strings.Cut(command, " < ")
	return quoted.ReplaceAllStringFunc(command, func(text string) string { return strings.ReplaceAll(strings.Trim(text, `'"`), " ", "-") })
}

// checkCommand looks up what is asked of accord, by itself or as a service of
// compose.yaml, with its flags.
func checkCommand(t *testing.T, name, line string) {
	t.Helper()
	asked := regexp.MustCompile(`(?:^|\| |&& )(?:bin/|[A-Z_]+=\S+ )*accord ([^|>&]*)|run --rm (?:-T )?migrate +([^|>&]+)`).FindStringSubmatch(line)
	if asked == nil {
		return
	}
	args := strings.Fields(asked[1] + asked[2])
	found, rest, err := newRoot(command{out: &output{}, err: &output{}}, nil).Find(args)
	if err != nil || !found.HasParent() {
		t.Errorf("%s: %s: %v", name, line, err)
		return
	}
	if slices.Contains(rest, "--help") {
		return
	}
	if err := found.ParseFlags(rest); err != nil {
		t.Errorf("%s: %s: %v", name, line, err)
	} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
		t.Errorf("%s: %s: %v", name, line, err)
	}
}
