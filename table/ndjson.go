package table

import (
	"encoding/json"
	"io"
	"unicode/utf8"
)

// NewNDJSON returns a writer of one JSON object a line, its members in the order
// of the columns. Values are exact: nothing is defused, and HTML is not escaped.
// Nil is null.
func NewNDJSON(out io.Writer, columns ...string) *Writer {
	w := newWriter(out, columns)
	w.json, w.first, w.last = true, "{", "}\n"
	for i, name := range columns {
		w.lead[i] = string(appendJSON([]byte(w.lead[i]), name)) + ":"
	}
	return w
}

// appendJSON writes a string. encoding/json can do it without escaping HTML only
// through an Encoder, which would allocate each. What is not UTF-8 becomes
// U+FFFD.
func appendJSON(buf []byte, s string) []byte {
	buf = append(buf, '"')
	done := 0
	for i := 0; i < len(s); {
		size := plain(s[i:])
		if size == 0 {
			buf = append(buf, s[done:i]...)
			buf = appendEscape(buf, s[i])
			done, size = i+1, 1
		}
		i += size
	}
	buf = append(buf, s[done:]...)
	return append(buf, '"')
}

// plain is the size of the character that s begins with, or 0 if it has to be
// escaped.
func plain(s string) int {
	switch c := s[0]; {
	case c < ' ', c == '"', c == '\\':
		return 0
	case c < utf8.RuneSelf:
		return 1
	}
	if r, size := utf8.DecodeRuneInString(s); r != utf8.RuneError || size > 1 {
		return size
	}
	return 0
}

func appendEscape(buf []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch {
	case c == '"', c == '\\':
		return append(buf, '\\', c)
	case c == '\n':
		return append(buf, `\n`...)
	case c == '\r':
		return append(buf, `\r`...)
	case c == '\t':
		return append(buf, `\t`...)
	case c < ' ':
		return append(buf, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
	return utf8.AppendRune(buf, utf8.RuneError)
}

// appendLine writes JSON without leaving the line. Line ends can stand in it only
// where a space may.
func appendLine(buf []byte, v json.RawMessage) []byte {
	for _, c := range v {
		if c == '\n' || c == '\r' {
			c = ' '
		}
		buf = append(buf, c)
	}
	return buf
}
