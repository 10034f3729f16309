package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// listing is Markdown: what breaks clients with its reasons, and all the rest. A
// change of several operations stands there once.
func listing(changes []change) string {
	var b strings.Builder
	section(&b, "### Breaking\n\n", changes, true)
	section(&b, "### Changed\n\n", changes, false)
	return b.String()
}

func section(b *strings.Builder, head string, changes []change, breaking bool) {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return c.breaking != breaking })
	if len(changes) == 0 {
		return
	}
	b.WriteString(head)
	for len(changes) > 0 {
		first, names := changes[0], []string{}
		same := func(c change) bool { return c.rule == first.rule && c.text == first.text && c.reason == first.reason }
		for _, c := range changes {
			if same(c) {
				names = append(names, "`"+c.operation+"`")
			}
		}
		changes = slices.DeleteFunc(changes, same)
		fmt.Fprintf(b, "- %s: %s (%s).", strings.Join(slices.Compact(names), ", "), first.text, first.rule)
		if first.reason != "" {
			fmt.Fprintf(b, " %s", strings.TrimSpace(first.reason))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// prepend writes the section of a version above the former ones. It refuses a
// version that has one, and a first release where there are former ones.
func prepend(log []byte, version string, day time.Time, c comparison) ([]byte, error) {
	text := listing(c.changes)
	at := bytes.Index(log, []byte("\n## "))
	switch {
	case c.first && at < 0:
		text, at = "The first released document: [released.json](released.json).\n\n", len(log)
	case c.first:
		return nil, fmt.Errorf("%s has a former version, but there is no %s", changelogName, releasedName)
	case bytes.Contains(log, []byte("\n## "+version+" ")):
		return nil, fmt.Errorf("%s has a section %s already", changelogName, version)
	case at < 0:
		return nil, fmt.Errorf("%s has no section of a former version", changelogName)
	case text == "":
		text = "Nothing that a client could notice.\n\n"
	}
	made := fmt.Sprintf("\n## %s (%s)\n\n%s", version, day.Format(time.DateOnly), strings.TrimSuffix(text, "\n"))
	return slices.Concat(log[:at], []byte(made), log[at:]), nil
}
