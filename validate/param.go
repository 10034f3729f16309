package validate

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"
)

// FaultsKey is where a generated wrapper leaves the Violations of parameters
// that could not be read, for the generated handler to join with the rest.
const FaultsKey = "accord.param-faults"

// Params reads the parameters of one request and collects those that cannot be
// read. Make it with ReadParams.
type Params struct {
	query   url.Values
	header  http.Header
	escaped bool // path parameters still have their percent escapes
	check   Check
}

// ReadParams begins with a request's parameters. It returns a *SyntaxError
// where path or query cannot be decoded, which net/http and Echo pass over.
func ReadParams(r *http.Request) (*Params, error) {
	p := &Params{header: r.Header, escaped: r.URL.RawPath != ""}
	if !utf8.ValidString(r.URL.Path) {
		return nil, &SyntaxError{Offset: -1, Reason: "invalid UTF-8 in the path"}
	}
	if r.URL.RawQuery == "" {
		return p, nil
	}

	var err error
	if p.query, err = ParseQuery(r.URL.RawQuery); err != nil {
		return nil, &SyntaxError{Offset: -1, Reason: "the query string is malformed"}
	}
	for name, all := range p.query {
		for _, value := range append(all, name) {
			if !utf8.ValidString(value) {
				return nil, &SyntaxError{Offset: -1, Reason: "invalid UTF-8 in the query string"}
			}
		}
	}

	return p, nil
}

// ParseQuery takes a query string or a form apart. A semicolon is a character like
// any other, as the URL standard has it; url.ParseQuery refuses one, since some
// read it as an ampersand. Whoever stands before the server and does so sees other
// parameters than it.
func ParseQuery(raw string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
}

// Found returns the faults so far; nil when every parameter could be read.
func (p *Params) Found() Violations { return p.check.found }

func (p *Params) fault(order int, name, code, message string) {
	p.check.Param(order, name)
	p.check.Add(code, message)
	p.check.found[len(p.check.found)-1].blank = true
	p.check.End()
}

// Parse reads a parameter's text. The message says what the parameter must be
// when ok is false.
type Parse[T any] func(raw string) (value T, message string, ok bool)

// Path reads a path parameter.
func Path[T any](p *Params, order int, name, raw string, parse Parse[T]) T {
	var zero T
	if p.escaped {
		var err error
		if raw, err = url.PathUnescape(raw); err != nil {
			p.fault(order, name, CodeFormat, "must be percent-encoded")

			return zero
		}
	}

	return read(p, order, name, raw, parse)
}

func read[T any](p *Params, order int, name, raw string, parse Parse[T]) T {
	value, message, ok := parse(raw)
	if !ok {
		code := CodeFormat
		switch message {
		case messageIntRange, messageFloatSize:
			code = rangeCode([]byte(raw))
		case messageWhole, messageBool, messageNumber:
			code = CodeType
		}
		p.fault(order, name, code, message)
	}

	return value
}

// one returns the only value of a parameter; there is false when it is absent or repeated.
func (p *Params) one(order int, name string, all []string) (raw string, there bool) {
	if len(all) > 1 {
		p.fault(order, name, CodeRepeated, messageRepeated)
	}
	if len(all) != 1 {
		return "", false
	}

	return all[0], true
}

// Query reads an optional query parameter; nil when it is absent.
func Query[T any](p *Params, order int, name string, parse Parse[T]) *T {
	return optional(p, order, name, p.query[name], parse)
}

// RequiredQuery reads a query parameter that must be there.
func RequiredQuery[T any](p *Params, order int, name string, parse Parse[T]) T {
	return required(p, order, name, p.query[name], parse)
}

// Header reads an optional header parameter; nil when it is absent.
func Header[T any](p *Params, order int, name string, parse Parse[T]) *T {
	return optional(p, order, name, p.header.Values(name), parse)
}

// RequiredHeader reads a header parameter that must be there.
func RequiredHeader[T any](p *Params, order int, name string, parse Parse[T]) T {
	return required(p, order, name, p.header.Values(name), parse)
}

// QueryList reads a parameter that may be repeated (style form, explode); nil
// when it is absent.
func QueryList[T any](p *Params, order int, name string, parse Parse[T]) []T {
	all := p.query[name]
	if all == nil {
		return nil
	}
	list, before := make([]T, len(all)), len(p.check.found)
	for i, raw := range all {
		if list[i] = read(p, order, name, raw, parse); len(p.check.found) > before {
			return nil // one fault speaks for the list
		}
	}

	return list
}

// RequiredQueryList is QueryList for a parameter that must be there.
func RequiredQueryList[T any](p *Params, order int, name string, parse Parse[T]) []T {
	if p.query[name] == nil {
		p.fault(order, name, CodeRequired, messageRequired)
	}

	return QueryList(p, order, name, parse)
}

func optional[T any](p *Params, order int, name string, all []string, parse Parse[T]) *T {
	raw, there := p.one(order, name, all)
	if !there {
		return nil
	}
	value := read(p, order, name, raw, parse)

	return &value
}

func required[T any](p *Params, order int, name string, all []string, parse Parse[T]) T {
	raw, there := p.one(order, name, all)
	if !there {
		if len(all) == 0 {
			p.fault(order, name, CodeRequired, messageRequired)
		}
		var zero T

		return zero
	}

	return read(p, order, name, raw, parse)
}

const (
	messageBool   = "must be true or false"
	messageWhole  = "must be a whole number"
	messageNumber = "must be a number"
)

// Text takes any text.
func Text[T ~string](raw string) (T, string, bool) { return T(raw), "", true }

// Int32 takes a decimal integer in plain digits, perhaps after a minus.
func Int32[T ~int32](raw string) (T, string, bool) {
	n, message, ok := integer(raw, 32)

	return T(n), message, ok
}

// Int64 takes a decimal integer in plain digits, perhaps after a minus.
func Int64[T ~int64](raw string) (T, string, bool) {
	n, message, ok := integer(raw, 64)

	return T(n), message, ok
}

// Int takes a decimal integer in plain digits, perhaps after a minus.
func Int[T ~int](raw string) (T, string, bool) {
	n, message, ok := integer(raw, 64)

	return T(n), message, ok
}

func integer(raw string, bits int) (int64, string, bool) {
	// 1.0 and 1e2 are integers to JSON Schema; in an address nobody means them.
	s := scanner{data: []byte(raw)}
	if s.digits() != nil || s.pos != len(raw) || strings.ContainsAny(raw, ".eE") {
		return 0, messageWhole, false
	}
	n, err := strconv.ParseInt(raw, 10, bits)
	if err != nil {
		return 0, messageIntRange, false
	}

	return n, "", true
}

// Float64 takes a number as JSON writes it.
func Float64[T ~float64](raw string) (T, string, bool) {
	s := scanner{data: []byte(raw)}
	if s.digits() != nil || s.pos != len(raw) {
		return 0, messageNumber, false
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return 0, messageFloatSize, false
	}

	return T(f), "", true
}

// Bool takes true and false.
func Bool[T ~bool](raw string) (T, string, bool) {
	return raw == "true", messageBool, raw == "true" || raw == "false"
}

// UUIDText takes the form with four hyphens.
func UUIDText(raw string) (uuid.UUID, string, bool) {
	if !IsUUID(raw) {
		return uuid.UUID{}, "must be a UUID", false
	}

	return uuid.MustParse(raw), "", true
}

// DateText takes a full-date of RFC 3339.
func DateText(raw string) (types.Date, string, bool) {
	t, err := time.Parse(time.DateOnly, raw)
	if err != nil || !IsDate(raw) {
		return types.Date{}, "must be a date", false
	}

	return types.Date{Time: t}, "", true
}

// TimeText takes a date-time of RFC 3339.
func TimeText(raw string) (time.Time, string, bool) {
	var t time.Time
	if !IsDateTime(raw) || t.UnmarshalText([]byte(raw)) != nil {
		return time.Time{}, "must be a date and time", false
	}

	return t, "", true
}
