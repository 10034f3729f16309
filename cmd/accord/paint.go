package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// paints are the colours of words that a line of a report begins with (ECMA-48, SGR).
var paints = map[string]string{
	"FAILED":      "\033[31m", // red
	"SURVIVED":    "\033[31m",
	"INTERRUPTED": "\033[33m", // yellow
	"EQUIVALENT":  "\033[2m",  // faint
}

// colours gives those words their colours where a person reads on a terminal that has
// them, and has not asked for none (https://no-color.org).
func (c command) colours(w io.Writer) io.Writer {
	if !isTerminal(w) || slices.ContainsFunc(c.environ, refusesColours) {
		return w
	}
	return &painter{out: w}
}

func refusesColours(setting string) bool {
	return setting == "TERM=dumb" || strings.HasPrefix(setting, "NO_COLOR=") && setting != "NO_COLOR="
}

type painter struct {
	out    io.Writer
	inside bool // a line that has begun
}

// Write paints what begins a line.
func (p *painter) Write(text []byte) (int, error) {
	var painted bytes.Buffer
	for line := range bytes.Lines(text) {
		word, _, _ := bytes.Cut(line, []byte(" "))
		word = bytes.TrimSuffix(word, []byte(":"))
		if colour := paints[string(word)]; colour != "" && !p.inside {
			painted.WriteString(colour + string(word) + "\033[0m")
			line = line[len(word):]
		}
		painted.Write(line)
		p.inside = !bytes.HasSuffix(line, []byte("\n"))
	}
	if _, err := p.out.Write(painted.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}
