package main

import (
	"strings"
	"testing"
)

// linted is what the generator has to say against a document.
func linted(t *testing.T, source string) string {
	t.Helper()

	doc, err := parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	c := readContract(doc)
	publish(c)
	c.checkLists()
	c.checkAnswerExamples()
	c.checkRequestLimits()
	if err := doc.faults.err(); err != nil {
		return err.Error()
	}

	return ""
}

// Each fault is put into the contract of notes, and has to be named with its line.
func TestLintRefusals(t *testing.T) {
	t.Parallel()

	right := string(notes(t)[contractName].Data)
	if faults := linted(t, right); faults != "" {
		t.Fatal(faults)
	}
	const problem = "{description: e, content: {application/problem+json: {schema: {type: object}}}}"
	for name, c := range map[string]struct{ old, with, at, want string }{
		"no summary":                     {"      summary: Create\n", "", "    post:", "operation createNote: it has no summary"},
		"no tag":                         {"      operationId: createNote\n      tags: [notes]\n", "      operationId: createNote\n", "    post:", "operation createNote: it has no tags"},
		"no policy":                      {"x-policy:\n", "x-policies:\n", "openapi: 3.1.0", "the document has no x-policy with the defaults"},
		"a list without limit":           {"name: limit,", "name: count,", "    get:", "operation listNotes: it answers with a page, so it needs the parameter limit"},
		"a list without cursor":          {"name: cursor,", "name: after,", "    get:", "operation listNotes: it answers with a page, so it needs the parameter cursor"},
		"a cursor in a header":           {"name: cursor, in: query,", "name: cursor, in: header,", "    get:", "operation listNotes: it answers with a page, so it needs the parameter cursor"},
		"a text without an end":          {"name: q, in: query, x-column: none, schema: {type: string, maxLength: 50}", "name: q, in: query, x-column: none, schema: {type: string}", "{type: string}}", "operation listNotes: q: what a request carries needs maxLength"},
		"a number without an end":        {"minimum: 1, maximum: 5", "minimum: 1", "name: stars", "operation listNotes: stars: what a request carries needs maximum"},
		"a number without a beginning":   {"minimum: 1, maximum: 100", "maximum: 100", "name: limit", "operation listNotes: limit: what a request carries needs minimum"},
		"an answer without an example":   {"              example: {items: [], next_cursor: null}\n", "", "            application/json:\n              schema: {$ref: '#/components/schemas/NotePage'}", "operation listNotes: 200: application/json: the answer has no example"},
		"a derived answer without one":   {"TooManyRequests: {description: e}", "TooManyRequests: " + problem, "TooManyRequests:", "components.responses.TooManyRequests: application/problem+json: the answer has no example"},
		"an answer of one's own without": {"'204': {description: made}", "'204': {description: made}, '409': " + problem, "'409':", "operation createNote: 409: application/problem+json: the answer has no example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			source := strings.Replace(right, c.old, c.with, 1)
			before, _, found := strings.Cut(source, c.at)
			if source == right || !found {
				t.Fatalf("there is no %q, or then no %q", c.old, c.at)
			}
			want := contractName + ":" + text(number(1+strings.Count(before, "\n"))) + ": " + c.want
			if got := linted(t, source); !strings.Contains(got, want) {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
}

// Several examples are examples, too.
func TestExamplesOfAnswers(t *testing.T) {
	t.Parallel()

	source := strings.Replace(string(notes(t)[contractName].Data), "example: {items: [], next_cursor: null}", "examples: {empty: {value: {items: [], next_cursor: null}}}", 1)
	if faults := linted(t, source); faults != "" {
		t.Error(faults)
	}
}
