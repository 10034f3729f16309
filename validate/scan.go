package validate

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Scan reads JSON once against a shape. It returns a *SyntaxError when the
// bytes are not one JSON value in UTF-8 with each member at most once, and
// otherwise every violation that decoding would hide. The returned bytes are
// data, or, after a violation, a copy in which json.Unmarshal finds null, or
// a date that it can read, for what cannot be decoded and nothing that it would match in another letter case.
func Scan(data []byte, shape *Shape) ([]byte, Violations, error) {
	s := scanner{data: data}
	if err := s.document(shape); err != nil {
		return nil, nil, err
	}

	return s.apply(), s.found, nil
}

type scanner struct {
	data  []byte
	pos   int
	depth int
	path  path
	found Violations
	edits []edit
}

// edit replaces data[from:to]. Edits never overlap but may be nested; the outer wins.
type edit struct {
	from, to int
	with     string
}

func (s *scanner) document(shape *Shape) error {
	s.space()
	if s.pos == len(s.data) {
		return &SyntaxError{Offset: s.pos, Reason: "unexpected end of input"}
	}
	if err := s.value(shape); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.data) {
		return s.fail("unexpected text after the value")
	}

	return nil
}

func (s *scanner) fail(reason string) error {
	return &SyntaxError{Offset: s.pos, Reason: reason}
}

func (s *scanner) add(code, message string, blank bool) {
	if len(s.found) < maxViolations {
		v := s.path.violation(code, message)
		v.blank = blank
		s.found = append(s.found, v)
	}
}

// refuse records that the value from here to there cannot be decoded. A date is the
// one type that json.Unmarshal cannot make of null.
func (s *scanner) refuse(shape *Shape, from int, code, message string) {
	s.add(code, message, true)
	with := "null"
	if shape.Format == Date {
		with = `"0001-01-01"`
	}
	s.edits = append(s.edits, edit{from, s.pos, with})
}

// apply returns the data with its edits.
func (s *scanner) apply() []byte {
	if len(s.edits) == 0 {
		return s.data
	}

	out := make([]byte, 0, len(s.data)+4*len(s.edits))
	done := 0
	for _, e := range outermost(s.edits) {
		out = append(append(out, s.data[done:e.from]...), e.with...)
		done = e.to
	}

	return append(out, s.data[done:]...)
}

// outermost drops edits that lie inside another one. An edit is appended when
// its value ends, so an outer one comes after those inside it.
func outermost(edits []edit) []edit {
	kept := edits[:0]
	for _, e := range edits {
		for len(kept) > 0 && kept[len(kept)-1].from >= e.from {
			kept = kept[:len(kept)-1]
		}
		kept = append(kept, e)
	}

	return kept
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// value reads one value. A nil shape takes anything without looking into it.
func (s *scanner) value(shape *Shape) error {
	if s.pos == len(s.data) {
		return s.fail("unexpected end of input")
	}

	from := s.pos
	kind, err := s.read(shape)
	if err != nil || shape == nil {
		return err
	}

	switch {
	case kind == null && shape.Nullable, shape.Kind == Any && kind != null:
	case kind == null && shape.Kind == Any:
	case kind == null:
		s.refuse(shape, from, CodeNull, messageNull)
	case kind == Number && (shape.Kind == Integer || shape.Kind == Number):
		s.number(from, shape)
	case kind == String && shape.Kind == String:
		s.text(from, shape)
	case kind != shape.Kind:
		s.refuse(shape, from, CodeType, "must be "+shape.article())
	}

	return nil
}

// null is the kind of a null, which no shape has.
const null Kind = 255

// read consumes one value and tells its kind; it descends with the shape only
// where the kinds agree.
func (s *scanner) read(shape *Shape) (Kind, error) {
	switch c := s.data[s.pos]; {
	case c == '{':
		if shape != nil && shape.Kind != Object {
			shape = nil
		}

		return Object, s.object(shape)
	case c == '[':
		if shape != nil && shape.Kind != Array {
			shape = nil
		}

		return Array, s.array(shape)
	case c == '"':
		_, err := s.str()

		return String, err
	case c == '-' || c >= '0' && c <= '9':
		return Number, s.digits()
	case c == 't':
		return Boolean, s.literal("true")
	case c == 'f':
		return Boolean, s.literal("false")
	case c == 'n':
		return null, s.literal("null")
	}

	return 0, s.fail("unexpected character")
}

func (s *scanner) literal(word string) error {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return s.fail("unexpected character")
	}
	s.pos += len(word)

	return nil
}

func (s *scanner) enter() error {
	if s.depth++; s.depth > maxDepth {
		return s.fail("nesting deeper than " + strconv.Itoa(maxDepth) + " levels")
	}
	s.pos++
	s.space()

	return nil
}

func (s *scanner) array(shape *Shape) error {
	if err := s.enter(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if i == 0 && s.peek() == ']' {
			break
		}
		if err := s.item(i, shape); err != nil {
			return err
		}
		more, err := s.more(']')
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	s.pos++
	s.depth--

	return nil
}

func (s *scanner) item(i int, shape *Shape) error {
	if shape == nil || shape.Items == nil {
		return s.value(nil)
	}
	s.path.push(step{order: i})
	defer s.path.pop()

	return s.value(shape.Items)
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}

	return 0
}

// more says whether a comma follows; it leaves pos before the next element or at the closing bracket.
func (s *scanner) more(closing byte) (bool, error) {
	s.space()
	switch s.peek() {
	case ',':
		s.pos++
		s.space()

		return true, nil
	case closing:
		return false, nil
	}
	if s.pos == len(s.data) {
		return false, s.fail("unexpected end of input")
	}

	return false, s.fail("unexpected character")
}

// members is what has been seen of one object.
type members struct {
	shape   *Shape
	known   uint64
	unknown map[string]struct{}
	next    int // where the search for the next name starts
	n       int
}

func (s *scanner) object(shape *Shape) error {
	if err := s.enter(); err != nil {
		return err
	}
	seen := members{shape: shape}
	for first := true; ; first = false {
		if first && s.peek() == '}' {
			break
		}
		if err := s.member(&seen); err != nil {
			return err
		}
		more, err := s.more('}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	s.pos++
	s.depth--
	s.complete(&seen)

	return nil
}

func (s *scanner) member(seen *members) error {
	if s.peek() != '"' {
		if s.pos == len(s.data) {
			return s.fail("unexpected end of input")
		}

		return s.fail("unexpected character")
	}
	from := s.pos
	escaped, err := s.str()
	if err != nil {
		return err
	}
	name := s.data[from+1 : s.pos-1]
	if escaped {
		name = unquote(s.data[from:s.pos])
	}
	to := s.pos
	s.space()
	if s.peek() != ':' {
		return s.fail("expected a colon")
	}
	s.pos++
	s.space()

	return s.memberValue(seen, name, from, to)
}

func (s *scanner) memberValue(seen *members, name []byte, from, to int) error {
	seen.n++
	i := -1
	if seen.shape != nil {
		i = seen.shape.find(name, seen.next)
	}
	if i < 0 {
		return s.unknown(seen, name, from, to)
	}

	bit := uint64(1) << i
	if seen.known&bit != 0 {
		return twice(from, name)
	}
	seen.known |= bit
	seen.next = i + 1
	m := &seen.shape.Members[i]
	s.path.push(step{name: m.Name, order: i})
	defer s.path.pop()

	return s.value(m.Shape)
}

func twice(at int, name []byte) error {
	return &SyntaxError{Offset: at, Reason: "the member " + strconv.Quote(clip(string(name), 50)) + " is given twice"}
}

func (s *scanner) unknown(seen *members, name []byte, from, to int) error {
	if _, there := seen.unknown[string(name)]; there {
		return twice(from, name)
	}
	if seen.unknown == nil {
		seen.unknown = map[string]struct{}{}
	}
	seen.unknown[string(name)] = struct{}{}

	if seen.shape != nil {
		s.undeclared(seen, string(name), from, to)
	}

	return s.value(nil)
}

// undeclared reports a member of a closed object, and hides one that
// json.Unmarshal would take for a declared one since it ignores letter case.
func (s *scanner) undeclared(seen *members, name string, from, to int) {
	if seen.shape.Closed {
		s.path.push(step{name: clip(name, 50), order: len(seen.shape.Members) + seen.n})
		s.add(CodeUnknown, messageUnknown, false)
		s.path.pop()
	}
	for i := range seen.shape.Members {
		if strings.EqualFold(seen.shape.Members[i].Name, name) {
			s.edits = append(s.edits, edit{from, to, `"-"`})

			return
		}
	}
}

// complete reports what the object lacks.
func (s *scanner) complete(seen *members) {
	shape := seen.shape
	if shape == nil {
		return
	}
	if seen.n < shape.MinMembers {
		s.add(CodeMinMembers, "must have at least "+count(shape.MinMembers, "member"), false)
	}
	if shape.MaxMembers > 0 && seen.n > shape.MaxMembers {
		s.add(CodeMaxMembers, "must have at most "+count(shape.MaxMembers, "member"), false)
	}
	for i := range shape.Members {
		if m := &shape.Members[i]; m.Required && seen.known&(1<<i) == 0 {
			s.path.push(step{name: m.Name, order: i})
			s.add(CodeRequired, messageRequired, true)
			s.path.pop()
		}
	}
}

// str reads a string and says whether it has escapes.
func (s *scanner) str() (escaped bool, err error) {
	start := s.pos
	ascii := true
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			if !ascii && !utf8.Valid(s.data[start:s.pos]) {
				s.pos = start

				return false, s.fail("invalid UTF-8 in the string")
			}

			return escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return false, err
			}
		case c < ' ':
			return false, s.fail("unescaped control character")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}

	return false, s.fail("unexpected end of input")
}

// escape reads from a backslash to the last byte of the escape.
func (s *scanner) escape() error {
	at := s.pos
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
	default:
		return s.fail("invalid escape")
	}

	unit, ok := s.hex4(s.pos + 1)
	if !ok {
		return s.fail("invalid escape")
	}
	s.pos += 4
	switch {
	case unit < 0xD800 || unit > 0xDFFF:
		return nil
	case unit < 0xDC00 && bytes.HasPrefix(s.data[s.pos+1:], []byte(`\u`)):
		if low, ok := s.hex4(s.pos + 3); ok && low >= 0xDC00 && low <= 0xDFFF {
			s.pos += 6

			return nil
		}
	}

	return &SyntaxError{Offset: at, Reason: "half of a surrogate pair"}
}

func (s *scanner) hex4(at int) (rune, bool) {
	if at+4 > len(s.data) {
		return 0, false
	}
	var r rune
	for _, c := range s.data[at : at+4] {
		if !isHex(c) {
			return 0, false
		}
		digit := rune(c | 0x20)
		if digit >= 'a' {
			digit -= 'a' - 10
		} else {
			digit -= '0'
		}
		r = r<<4 | digit
	}

	return r, true
}

// text checks a string that has been read for what its Go type cannot hold.
func (s *scanner) text(from int, shape *Shape) {
	raw := s.data[from+1 : s.pos-1]
	if bytes.IndexByte(raw, '\\') >= 0 {
		raw = unquote(s.data[from:s.pos])
		if bytes.IndexByte(raw, 0) >= 0 {
			s.refuse(shape, from, CodeCharacters, messageNUL)

			return
		}
	}
	if shape.Format != NoFormat && !holds(shape.Format, raw) {
		s.refuse(shape, from, CodeFormat, "must be "+strings.TrimSuffix(shape.article(), " in a string"))
	}
}

func holds(f Format, raw []byte) bool {
	switch f {
	case UUID:
		return IsUUID(string(raw))
	case Date:
		return IsDate(string(raw))
	case DateTime:
		return IsDateTime(string(raw))
	}

	return true
}

// unquote decodes a JSON string that has been read; the scan has checked it.
func unquote(quoted []byte) []byte {
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return nil
	}

	return []byte(text)
}
