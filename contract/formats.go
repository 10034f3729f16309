package contract

import (
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
)

// Formats are what WriteAs writes.
var Formats = []string{"text", "json", "junit", "html"}

// WriteAs tells what a run has come to in one of Formats.
func (r *Result) WriteAs(w io.Writer, format string) error {
	switch format {
	case "text":
		return r.Write(w)
	case "json":
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r.report())
	case "junit":
		return r.writeJUnit(w)
	case "html":
		return page.Execute(w, r.report())
	}
	return fmt.Errorf("%q is none of the formats %s", format, strings.Join(Formats, ", "))
}

// WriteJSON tells programs what Write tells: how many changes were noticed, and each
// that was not.
func (s *Score) WriteJSON(w io.Writer) error {
	told := struct {
		Baseline  report         `json:"baseline"`
		Killed    int            `json:"killed"`
		Mutants   int            `json:"mutants"`
		Survivors []mutantReport `json:"survivors"`
		// Equivalent change nothing, each for its reason.
		Equivalent []mutantReport `json:"equivalent"`
		Sent       int            `json:"sent"`
		Seconds    float64        `json:"seconds"`
	}{s.Baseline.report(), s.Killed(), len(s.Mutants), []mutantReport{}, []mutantReport{}, s.Sent, s.Elapsed.Seconds()}
	for _, v := range s.Survivors() {
		told.Survivors = append(told.Survivors, mutantReport{v.Line, v.Operations(), v.Pointer, v.What, v.Untried})
	}
	for _, m := range s.Equivalent {
		told.Equivalent = append(told.Equivalent, mutantReport{m.Line, m.Operations(), m.Pointer, m.What, m.Why})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(told)
}

// mutantReport is one change of the document that no case noticed.
type mutantReport struct {
	Line       int      `json:"line"`
	Operations []string `json:"operations"`
	Pointer    string   `json:"pointer"`
	What       string   `json:"what"`
	Why        string   `json:"why,omitempty"` // why nothing could notice it, where that is known
}

// report is a result as it is told to programs.
type report struct {
	Document   string            `json:"document"`
	URL        string            `json:"url"`
	Seconds    float64           `json:"seconds"`
	Cases      int               `json:"cases"`
	Failed     int               `json:"failed"`
	Skipped    int               `json:"skipped"`
	Operations []operationReport `json:"operations"`
	Failures   []failureReport   `json:"failures"`
	Unproven   []claimReport     `json:"unproven"`
	// Untried are what the document asks of requests and no case breaks.
	Untried []claimReport `json:"untried"`
	// Strays are requests that were answered and are not in the document, Left what was
	// made and not deleted, by operation.
	Strays []string       `json:"strays,omitempty"`
	Left   map[string]int `json:"left,omitempty"`
}

type operationReport struct {
	Operation string  `json:"operation"`
	Cases     int     `json:"cases"`
	Failed    int     `json:"failed"`
	Seconds   float64 `json:"seconds"`
}

type failureReport struct {
	Operation string       `json:"operation"`
	Case      string       `json:"case"`
	Broken    []brokenLine `json:"broken"`
	Request   string       `json:"request,omitempty"` // as a curl command
	Status    int          `json:"status,omitempty"`
	Answer    string       `json:"answer,omitempty"`
}

// brokenLine is a sentence of the document that is broken, and how.
type brokenLine struct {
	Pointer string `json:"pointer"`
	Line    int    `json:"line"`
	Text    string `json:"text"`
}

type claimReport struct {
	Pointer string `json:"pointer"`
	Line    int    `json:"line"`
	Text    string `json:"text"`
}

func (r *Result) report() report {
	told := report{
		Document: r.Document, URL: r.URL, Seconds: r.Elapsed.Seconds(),
		Cases: len(r.Outcomes), Failed: len(r.Failed()), Skipped: r.skipped(),
		Operations: []operationReport{}, Failures: []failureReport{}, Unproven: []claimReport{}, Untried: []claimReport{},
	}
	for _, row := range r.rows() {
		told.Operations = append(told.Operations, operationReport{row.operation, row.cases, row.failed, row.elapsed.Seconds()})
	}
	for _, o := range r.Failed() {
		told.Failures = append(told.Failures, o.report())
	}
	for _, c := range r.Unproven {
		told.Unproven = append(told.Unproven, claimReport(c))
	}
	for _, c := range r.Untried {
		told.Untried = append(told.Untried, claimReport(c))
	}
	told.Strays = r.Strays
	for id, n := range r.Left {
		if n > 0 {
			if told.Left == nil {
				told.Left = map[string]int{}
			}
			told.Left[id] = n
		}
	}
	return told
}

func (o Outcome) report() failureReport {
	told := failureReport{Operation: o.Operation, Case: o.Name}
	for _, f := range o.Failures {
		told.Broken = append(told.Broken, brokenLine(f))
	}
	if e := o.last(); e != nil {
		told.Request, told.Status, told.Answer = e.curl(), e.status, first(string(e.received), 2000)
	}
	return told
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit has a suite for each operation, as CI servers show it.
func (r *Result) writeJUnit(w io.Writer) error {
	var all junitSuites
	for _, row := range r.rows() {
		suite := junitSuite{Name: row.operation, Tests: row.cases, Failures: row.failed, Time: seconds(row.elapsed)}
		for _, o := range r.Outcomes {
			if o.Operation == row.operation {
				suite.add(o, r)
			}
		}
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(o Outcome, r *Result) {
	c := junitCase{Class: o.Operation, Name: o.Name, Time: seconds(o.Elapsed)}
	if o.Skipped != "" {
		s.Skipped++
		c.Skipped = &junitMessage{Message: o.Skipped}
	}
	if len(o.Failures) > 0 {
		var text strings.Builder
		_ = r.writeFailure(&text, o, 0) // a Builder takes everything
		c.Failure = &junitMessage{Message: o.Failures[0].Text, Text: text.String()}
	}
	s.Cases = append(s.Cases, c)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

//go:embed report.html
var pageSource string

// page is one page that loads nothing.
var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"of": func(failures []failureReport, operation string) []failureReport {
		return slices.DeleteFunc(slices.Clone(failures), func(f failureReport) bool { return f.Operation != operation })
	},
}).Parse(pageSource))
