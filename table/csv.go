package table

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NewCSV returns a writer of CSV as RFC 4180 has it: CRLF at the end of each
// line, commas, quotes where they are needed; in UTF-8, without a byte order
// mark. The header is the first row, and waits in the buffer for it or for
// Flush. Nil is an empty cell, as an empty text is.
//
// A text that a spreadsheet would take for a formula gets a ' before it, at
// which the spreadsheet shows it as it is (OWASP, CSV injection). Whoever reads
// the file otherwise takes the first ' away from a cell that begins with one and
// goes on as a formula. This guards cells as the commas part them: a spreadsheet
// that is told to part at another character may find a formula within a text.
func NewCSV(out io.Writer, columns ...string) *Writer {
	w := newWriter(out, columns)
	w.last = "\r\n"
	for i, name := range columns {
		w.buf = append(w.buf, w.lead[i]...)
		w.buf = appendCell(w.buf, name)
	}
	w.endRow(0)
	return w
}

// appendCell writes a text. What is not UTF-8 becomes U+FFFD.
func appendCell(buf []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	defused := isFormula(s)
	if !needsQuotes(s) {
		if defused {
			buf = append(buf, '\'')
		}
		return append(buf, s...)
	}

	buf = append(buf, '"')
	if defused {
		buf = append(buf, '\'')
	}
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		buf = append(buf, s[:i]...)
		buf = append(buf, `""`...)
		s = s[i+1:]
	}
	buf = append(buf, s...)
	return append(buf, '"')
}

// needsQuotes says yes to more than RFC 4180 asks for: spaces at an end, which
// some readers would take away, and what other readers part cells at.
func needsQuotes(s string) bool {
	for i := range len(s) {
		if quoted[s[i]] {
			return true
		}
	}
	return s != "" && (s[0] == ' ' || s[len(s)-1] == ' ')
}

var quoted = [256]bool{'"': true, ',': true, '\r': true, '\n': true, ';': true, '\t': true}

// isFormula also looks behind what spreadsheets strip: spaces, quotes and what
// cannot be seen. It says the same of a text that has been given a ' as before,
// so that the ' can be taken away again.
func isFormula(s string) bool {
	for _, r := range s {
		if startsFormula(r) {
			return true
		}
		if !isStripped(r) {
			return false
		}
	}
	return false
}

// startsFormula knows a formula's first characters in all the forms that Unicode
// has of them (spreadsheets in East Asia take the wide ones), and the control
// characters behind which a spreadsheet looks for one.
func startsFormula(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '\t', '\r', '\n',
		'＝', '＋', '－', '＠',
		'﹦', '﹢', '﹣', '﹫':
		return true
	}
	return false
}

func isStripped(r rune) bool {
	return r == '"' || r == '\'' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}
