package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// faults collects what is wrong with one file, the contract or a file of
// queries, so that its author sees all of it at once.
type faults struct {
	file string
	list []fault
}

type fault struct {
	line int
	text string
}

func (f *faults) add(at *yaml.Node, format string, args ...any) {
	line := 0
	if at != nil {
		line = at.Line
	}
	f.addLine(line, format, args...)
}

func (f *faults) addLine(line int, format string, args ...any) {
	one := fault{line, fmt.Sprintf(format, args...)}
	if !slices.Contains(f.list, one) {
		f.list = append(f.list, one)
	}
}

// err is nil when nothing is wrong, else one error with a line for each fault.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var b strings.Builder
	noun := "faults"
	if len(f.list) == 1 {
		noun = "fault"
	}
	fmt.Fprintf(&b, "%s has %d %s:", f.file, len(f.list), noun)
	for _, one := range f.list {
		fmt.Fprintf(&b, "\n%s:%d: %s", f.file, one.line, one.text)
	}

	return errors.New(b.String())
}
