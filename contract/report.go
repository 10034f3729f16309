package contract

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/accord-api/accord/contract/redact"
)

// maxFailures is how many failures of one operation a report tells in full.
const maxFailures = 20

// Write tells what a run has come to: each failure with the sentence of the
// document that is broken and the request as a curl line, and then a table of
// the operations.
func (r *Result) Write(w io.Writer) error {
	if err := r.writeFailures(w); err != nil {
		return err
	}
	if err := r.writeTable(w); err != nil {
		return err
	}
	if r.Interrupted {
		if _, err := fmt.Fprintln(w, "\nINTERRUPTED: this is what had come until then"); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "\n%s, %d of them failed, %d skipped, in %s\n",
		counted(len(r.Outcomes), "case"), len(r.Failed()), r.skipped(), r.Elapsed.Round(100*time.Millisecond)); err != nil {
		return err
	}
	if len(r.Unproven) > 0 {
		if _, err := fmt.Fprintf(w, "the document has %s that nothing has shown\n", counted(len(r.Unproven), "claim")); err != nil {
			return err
		}
	}
	if err := r.writeSkipped(w); err != nil {
		return err
	}
	return r.writeLeft(w)
}

func (r *Result) writeFailures(w io.Writer) error {
	told := map[string]int{}
	failed := r.Failed()
	for i, o := range failed {
		alike := func(other Outcome) bool {
			return o.Operation == other.Operation && slices.Equal(o.Failures, other.Failures)
		}
		if slices.ContainsFunc(failed[:i], alike) {
			continue
		}
		if told[o.Operation]++; told[o.Operation] > maxFailures {
			continue
		}
		more := 0
		for _, other := range failed[i+1:] {
			if alike(other) {
				more++
			}
		}
		if err := r.writeFailure(w, o, more); err != nil {
			return err
		}
	}
	for _, row := range r.rows() {
		if more := told[row.operation] - maxFailures; more > 0 {
			if _, err := fmt.Fprintf(w, "and %s of %s\n\n", counted(more, "more failure"), row.operation); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeLeft tells what no case tried, what is not in the document and what the run leaves
// behind.
func (r *Result) writeLeft(w io.Writer) error {
	var text strings.Builder
	for _, c := range r.Untried {
		fmt.Fprintf(&text, "not tried: %s:%d %s: %s\n", r.Document, c.Line, c.Pointer, c.Text)
	}
	for _, stray := range r.Strays {
		fmt.Fprintf(&text, "recorded, and not in the document: %s\n", stray)
	}
	text.WriteString(r.leftBehind())
	_, err := io.WriteString(w, text.String())
	return err
}

// leftBehind tells what was made and could not be deleted.
func (r *Result) leftBehind() string {
	var text strings.Builder
	for _, id := range sorted(r.Left) {
		if n := r.Left[id]; n > 0 {
			fmt.Fprintf(&text, "left by %s: %d\n", id, n)
		}
	}
	return text.String()
}

// writeSkipped tells for what reasons cases were not run.
func (r *Result) writeSkipped(w io.Writer) error {
	reasons := map[string]int{}
	for _, o := range r.Outcomes {
		if o.Skipped != "" {
			reasons[o.Skipped]++
		}
	}
	for _, reason := range sorted(reasons) {
		if _, err := fmt.Fprintf(w, "skipped %s: %s\n", counted(reasons[reason], "case"), reason); err != nil {
			return err
		}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (r *Result) skipped() (n int) {
	for _, o := range r.Outcomes {
		if o.Skipped != "" {
			n++
		}
	}
	return n
}

// writeFailure tells one failure, and of how many more cases the same came.
func (r *Result) writeFailure(w io.Writer, o Outcome, more int) error {
	var text strings.Builder
	fmt.Fprintf(&text, "FAILED %s: %s\n", o.Operation, o.Name)
	if more > 0 {
		fmt.Fprintf(&text, "  (the same of %s more)\n", counted(more, "case"))
	}
	for i, f := range o.Failures {
		fmt.Fprintf(&text, "  %s\n  broken: %s:%d %s\n", visible(f.Text), r.Document, f.Line, f.Pointer)
		if i+1 < len(o.Failures) && slices.Equal(o.shown(i), o.shown(i+1)) {
			continue // both are about the same
		}
		for _, e := range o.shown(i) {
			fmt.Fprintf(&text, "  %s\n  answer: %d %s\n", e.curl(), e.status, visible(first(string(e.received), 500)))
		}
	}
	_, err := fmt.Fprintln(w, text.String())
	return err
}

// visible writes what is no character of a text as Go does: what a server has answered
// shall not command the terminal of whoever reads it.
func visible(text string) string {
	var shown strings.Builder
	for _, r := range text {
		switch {
		case r == '\n', r == '\t', unicode.IsPrint(r) && r != utf8.RuneError:
			shown.WriteRune(r)
		default:
			shown.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return shown.String()
}

// last is the last exchange that the first failure is about, nil for none.
func (o Outcome) last() *exchange {
	for _, e := range slices.Backward(o.shown(0)) {
		return e
	}
	return nil
}

// curl is a command that sends the request again. What is withheld stands in it as a
// variable.
func (e *exchange) curl() string {
	words := []string{"curl -i"}
	switch e.method {
	case http.MethodGet:
	case http.MethodHead: // else it waits for a body
		words = []string{"curl -I"}
	default:
		words = append(words, "-X "+e.method)
	}
	for _, name := range sorted(e.header) {
		for _, value := range e.header[name] {
			if method, found := strings.CutSuffix(value, " "+redact.Withheld); found && name == "Authorization" {
				words = append(words, fmt.Sprintf(`-H "Authorization: %s $TOKEN"`, method))
				continue
			}
			words = append(words, "-H "+quoted(name+": "+value))
		}
	}
	switch {
	case e.size == 0:
	case len(e.body) == 1 && e.body[0].times == 1:
		words = append(words, "--data-raw "+quoted(e.body[0].text))
	default:
		words[0] = "{ " + printed(e.body) + "; } | " + words[0]
		words = append(words, "--data-binary @-")
	}
	words = append(words, quoted(e.url))
	if length(e.body) < e.size {
		words = append(words, fmt.Sprintf("# cut: the body has %d bytes", e.size))
	}
	return strings.Join(words, " ")
}

// quoted is a word of a shell, in which only what is withheld is a variable.
func quoted(text string) string {
	word := "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	return strings.ReplaceAll(word, redact.Withheld, `'"`+redact.Withheld+`"'`)
}

func (r *Result) writeTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "operation\tcases\tfailed\ttime")
	for _, row := range r.rows() {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", row.operation, row.cases, row.failed, row.elapsed.Round(time.Millisecond))
	}
	return table.Flush()
}

type row struct {
	operation     string
	cases, failed int
	elapsed       time.Duration
}

// rows sums up by operation, in the document's order.
func (r *Result) rows() (rows []row) {
	for _, o := range r.Outcomes {
		i := slices.IndexFunc(rows, func(row row) bool { return row.operation == o.Operation })
		if i < 0 {
			rows, i = append(rows, row{operation: o.Operation}), len(rows)
		}
		rows[i].cases++
		rows[i].elapsed += o.Elapsed
		if len(o.Failures) > 0 {
			rows[i].failed++
		}
	}
	return rows
}

// Write tells what the unchanged document's cases failed of, lists the mutants that
// nothing has noticed and those that change nothing, and says how many were noticed.
func (s *Score) Write(w io.Writer) error {
	var text strings.Builder
	_ = s.Baseline.writeFailures(&text) // a Builder takes everything
	text.WriteString(s.Baseline.leftBehind())
	for _, m := range s.Equivalent {
		fmt.Fprintf(&text, "EQUIVALENT %s:%d %s: %s: %s\n", s.Baseline.Document, m.Line, m.Pointer, m.What, m.Why)
	}
	for _, v := range s.Survivors() {
		fmt.Fprintf(&text, "SURVIVED %s:%d %s: %s\n", s.Baseline.Document, v.Line, v.Pointer, v.What)
		if v.Untried != "" {
			fmt.Fprintf(&text, "  %s\n", v.Untried)
		}
	}
	fmt.Fprintf(&text, "%s, %d of them failed; %s of the document, %d more change nothing; %s, in %s\n",
		counted(len(s.Baseline.Outcomes), "case"), len(s.Baseline.Failed()), counted(len(s.Mutants), "change"), len(s.Equivalent),
		counted(s.Sent, "exchange"), s.Elapsed.Round(time.Second))
	tenths := 1000 * s.Killed() / max(1, len(s.Mutants)) // rounded down, so that 100 % are all
	fmt.Fprintf(&text, "contract mutation score: %d/%d killed (%d.%d %%)\n", s.Killed(), len(s.Mutants), tenths/10, tenths%10)
	_, err := io.WriteString(w, text.String())
	return err
}
