package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

const streamsPath = "gen/db/stream.gen.go"

// streamMark, alone in a line of a query's comment, asks for a stream beside it.
const streamMark = "-- stream"

// generateStreams makes, for each marked query below root/queries, a method
// that gives its rows one by one. Types, arguments and the order of columns are
// those of the method that sqlc wrote into root/gen/db.
func generateStreams(root fs.FS) (file, error) {
	written, err := readRowsMethods(root)
	if err != nil {
		return file{}, err
	}
	paths, err := fs.Glob(root, "queries/*.sql")
	if err != nil {
		return file{}, fmt.Errorf("looking for queries: %w", err)
	}

	var streams []*rowsMethod
	var wrong []error
	for _, name := range paths {
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return file{}, fmt.Errorf("reading queries: %w", err)
		}
		faults := &faults{file: name}
		streams = append(streams, streamsOf(string(source), written, faults)...)
		wrong = append(wrong, faults.err())
	}
	if err := errors.Join(wrong...); err != nil || len(streams) == 0 {
		return file{path: streamsPath}, err
	}

	text, err := format(streamSource(streams))
	if err != nil {
		return file{}, fmt.Errorf("formatting %s: %w", path.Base(streamsPath), err)
	}

	return file{streamsPath, text}, nil
}

// streamsOf finds the methods of the marked queries of one file.
func streamsOf(source string, written map[string]*rowsMethod, faults *faults) []*rowsMethod {
	var found []*rowsMethod
	for _, q := range readQueries(source) {
		method := written[q.name]
		switch {
		case q.mark == 0:
		case q.name == "":
			faults.addLine(q.mark, "`%s` belongs to no query", streamMark)
		case q.command != "many":
			faults.addLine(q.mark, "`%s` is for :many, and %s is :%s", streamMark, q.name, q.command)
		case method == nil:
			faults.addLine(q.mark, "gen/db has no method %s for many rows: sqlc has to run first", q.name)
		case method.problem != "":
			faults.addLine(q.mark, "gen/db: the stream of %s cannot be made: %s", q.name, method.problem)
		default:
			found = append(found, method)
		}
	}

	return found
}

// query is a statement and what its comments say of it, with the lines of its
// name, of the marks and of the first of its SQL; 0 where there is none.
type query struct {
	name, command   string
	line, mark, sql int
	personal        int
	text            string // without comments that stand alone
	unheard         bool   // a comment says why nobody asks how many rows it was
}

var queryName = regexp.MustCompile(`^--\s*name:\s*(\w+)\s+:(\w+)`)

// readQueries gives the statements of a file. As sqlc does, it counts a comment
// that stands above the name to the statement below it.
func readQueries(source string) []query {
	var list []query
	var current query
	for i, line := range strings.Split(source, "\n") {
		line = strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(line, "--")
		if m := queryName.FindStringSubmatch(line); m != nil {
			current.name, current.command, current.line = m[1], m[2], i+1
		} else if isComment && unheard.MatchString(line) {
			current.unheard = true
		} else if isComment && strings.TrimSpace(comment) == "stream" {
			current.mark = i + 1
		} else if isComment && line == personalMark {
			current.personal = i + 1
		}
		if !isComment && line != "" {
			current.sql = cmp.Or(current.sql, i+1)
			current.text += line + "\n"
		}
		if !isComment && (strings.HasSuffix(line, ";") || strings.Contains(line, "; --")) {
			list = append(list, current)
			current = query{}
		}
	}

	return append(list, current)
}
