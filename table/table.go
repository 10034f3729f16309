// Package table writes rows as CSV or as NDJSON while they come, in constant
// memory.
package table

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// bufferSize is how many bytes are gathered before they are written.
const bufferSize = 32 << 10

// Writer writes the rows of one table. It is not safe for concurrent use.
//
// It is one type for both formats rather than an interface, so that Row does
// not make its caller allocate the values.
type Writer struct {
	out     io.Writer
	columns []string
	json    bool
	first   string   // before a row
	lead    []string // before each value
	last    string   // after a row
	buf     []byte
	err     error
}

func newWriter(out io.Writer, columns []string) *Writer {
	w := &Writer{out: out, columns: columns, lead: make([]string, len(columns)), buf: make([]byte, 0, bufferSize+bufferSize/8)}
	for i := 1; i < len(columns); i++ {
		w.lead[i] = ","
	}
	return w
}

// Row writes one row, a value for each column: nil, a string, bool, int, int16,
// int32, int64, float64, uuid.UUID, time.Time or json.RawMessage, or a pointer
// to one of these, where a nil pointer is nil. Times are RFC 3339 in UTC.
//
// A row that cannot be written (another type, another number of values, NaN, a
// year past 9999) is an error that leaves nothing of it behind, and others may
// follow. After an error of the io.Writer there is only that error.
func (w *Writer) Row(values ...any) error {
	if w.err != nil {
		return w.err
	}
	if len(values) != len(w.columns) {
		return fmt.Errorf("a row of %d values for %d columns", len(values), len(w.columns))
	}

	start := len(w.buf)
	w.buf = append(w.buf, w.first...)
	for i, v := range values {
		w.buf = append(w.buf, w.lead[i]...)
		if err := w.value(v); err != nil {
			w.buf = w.buf[:start]
			return fmt.Errorf("writing column %s: %w", w.columns[i], err)
		}
	}
	w.endRow(start)

	if len(w.buf) < bufferSize {
		return nil
	}
	return w.Flush()
}

func (w *Writer) endRow(start int) {
	if !w.json && len(w.buf) == start {
		w.buf = append(w.buf, `""`...) // readers skip an empty line
	}
	w.buf = append(w.buf, w.last...)
}

// Flush hands to the io.Writer what is gathered. It has to follow the last row.
// Before the first one it sends a CSV's header, so that the reader sees that
// something comes.
func (w *Writer) Flush() error {
	if len(w.buf) == 0 {
		return w.err
	}
	_, err := w.out.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		w.err = fmt.Errorf("writing rows: %w", err)
	}
	return w.err
}

// value writes what v is or points to.
func (w *Writer) value(v any) error {
	switch v := v.(type) {
	case *string:
		return present(w, v)
	case *bool:
		return present(w, v)
	case *int:
		return present(w, v)
	case *int16:
		return present(w, v)
	case *int32:
		return present(w, v)
	case *int64:
		return present(w, v)
	case *float64:
		return present(w, v)
	case *uuid.UUID:
		return present(w, v)
	case *time.Time:
		return present(w, v)
	case *json.RawMessage:
		return present(w, v)
	}
	return w.scalar(v)
}

func present[T any](w *Writer, p *T) error {
	if p == nil {
		return w.scalar(nil)
	}
	return w.scalar(*p)
}

// scalar calls no method of v by an interface and does not hand v to fmt: either
// would have each value allocated by Row's caller.
func (w *Writer) scalar(v any) error {
	switch v := v.(type) {
	case nil:
		w.null()
	case string:
		w.text(v)
	case bool:
		w.buf = strconv.AppendBool(w.buf, v)
	case int:
		w.integer(int64(v))
	case int16:
		w.integer(int64(v))
	case int32:
		w.integer(int64(v))
	case int64:
		w.integer(v)
	case float64:
		return w.float(v)
	case uuid.UUID:
		w.id(v)
	case time.Time:
		return w.time(v)
	case json.RawMessage:
		return w.raw(v)
	default:
		return errors.New("it cannot hold a " + reflect.TypeOf(v).String())
	}
	return nil
}

func (w *Writer) null() {
	if w.json {
		w.buf = append(w.buf, "null"...)
	}
}

func (w *Writer) text(s string) {
	if w.json {
		w.buf = appendJSON(w.buf, s)
	} else {
		w.buf = appendCell(w.buf, s)
	}
}

func (w *Writer) integer(n int64) { w.buf = strconv.AppendInt(w.buf, n, 10) }

func (w *Writer) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("it cannot hold the number %g", f)
	}
	form := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) { // as encoding/json does
		form = 'e'
	}
	w.buf = strconv.AppendFloat(w.buf, f, form, -1, 64)
	return nil
}

func (w *Writer) id(id uuid.UUID) {
	w.quote()
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			w.buf = append(w.buf, '-')
		}
		w.buf = hex.AppendEncode(w.buf, part)
	}
	w.quote()
}

func (w *Writer) time(t time.Time) error {
	w.quote()
	buf, err := t.UTC().AppendText(w.buf)
	if err != nil {
		return err
	}
	w.buf = buf
	w.quote()
	return nil
}

// quote stands around what is a string in JSON and harmless in a cell.
func (w *Writer) quote() {
	if w.json {
		w.buf = append(w.buf, '"')
	}
}

// raw is JSON within JSON, and else a text. A number is one in a cell as well.
func (w *Writer) raw(v json.RawMessage) error {
	switch {
	case v == nil:
		w.null()
	case !json.Valid(v):
		return errors.New("it cannot hold what is not JSON")
	case !w.json && v[0] != '-':
		w.buf = appendCell(w.buf, string(v))
	default:
		w.buf = appendLine(w.buf, v)
	}
	return nil
}
