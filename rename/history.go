package rename

import (
	"fmt"
	"regexp"
	"strings"
)

// The history of the repository, and what of it a new one begins with.
const (
	changelog        = "CHANGELOG.md"
	document         = "openapi.yaml"
	released         = "docs/api/released.json"
	releaseChangelog = "docs/api/changelog.md"
	acknowledged     = "docs/api/breaking.yaml"
	metricsList      = "deploy/prometheus/metrics.txt" // sorted, names first
)

var (
	firstHeading = regexp.MustCompile(`(?m)^## `)
	infoVersion  = regexp.MustCompile(`(?m)^  version: .*$`)
)

// begun is a file as it is where nothing has been released.
func (n Names) begun(path, text string) string {
	switch path {
	case changelog:
		return upToHeading(text) + "## Unreleased\n\n"
	case releaseChangelog:
		return strings.TrimRight(upToHeading(text), "\n") + "\n"
	case acknowledged:
		return leadingComments(text)
	case document:
		at := infoVersion.FindStringIndex(text)
		if at == nil {
			return text
		}
		return text[:at[0]] + "  version: 0.1.0" + text[at[1]:]
	}
	return text
}

func upToHeading(text string) string {
	if at := firstHeading.FindStringIndex(text); at != nil {
		return text[:at[0]]
	}
	return text
}

// leadingComments is what a file of YAML says of itself.
func leadingComments(text string) string {
	var head strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		head.WriteString(line)
	}
	return head.String()
}

// licence adds the new holder above the old notice: the licence asks that it stays in
// all copies.
func (n Names) licence(text string) string {
	notice := regexp.MustCompile(`(?m)^Copyright \(c\) ([0-9]+) .*$`)
	return notice.ReplaceAllStringFunc(text, func(line string) string {
		year := notice.FindStringSubmatch(line)[1]
		return fmt.Sprintf("Copyright (c) %s %s\n%s", year, n.Holder, line)
	})
}

// gone says that a file is not there any more afterwards.
func gone(path string) bool {
	return path == released || strings.HasPrefix(path, "rename/") ||
		path == "cmd/accord/init.go" || path == "cmd/accord/init_test.go"
}

// keep is the mark of a line that is of another thing which is called the same.
const keep = "init-keeps"

// keptLine is such a line with the comment that marks it.
var keptLine = regexp.MustCompile(`\s*(//|#)\s*` + keep + `.*`)

// inLines gives a text the new names, but for the lines that keep theirs.
func (n Names) inLines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, keep) {
			out.WriteString(keptLine.ReplaceAllString(line, ""))
			continue
		}
		out.WriteString(n.In(line))
	}
	return out.String()
}

// The marks of what stands in other files only for the sake of this package: a line that
// has the first, or the lines from the second to the third.
const (
	mark      = "until-init"
	markBegin = mark + " {"
	markEnd   = mark + " }"
)

// unmarked is a text without what is marked.
func unmarked(f file) (string, error) {
	var out strings.Builder
	began := 0
	for number, line := range strings.SplitAfter(string(f.text), "\n") {
		switch {
		case strings.Contains(line, markBegin):
			if began > 0 {
				return "", fmt.Errorf("%s:%d: a mark within one of line %d", f.path, number+1, began)
			}
			began = number + 1
		case strings.Contains(line, markEnd):
			if began == 0 {
				return "", fmt.Errorf("%s:%d: the end of a mark that never began", f.path, number+1)
			}
			began = 0
		case began == 0 && !strings.Contains(line, mark):
			out.WriteString(line)
		}
	}
	if began > 0 {
		return "", fmt.Errorf("%s:%d: a mark without an end", f.path, began)
	}
	return out.String(), nil
}
