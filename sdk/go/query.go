package accord

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"
	"sync"
)

// set adds a parameter that was given: a pointer that is not nil, or a list that is
// not empty. A list is one parameter with commas, unless it is exploded.
func set(query url.Values, name string, value any, explode bool) { //nolint:unparam // generated calls give what the contract says; every list of today's is exploded
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			query.Add(name, text(v.Elem().Interface()))
		}
	case reflect.Slice:
		var texts []string
		for i := range v.Len() {
			texts = append(texts, text(v.Index(i).Interface()))
		}
		if explode {
			query[name] = texts
		} else if len(texts) > 0 {
			query.Set(name, strings.Join(texts, ","))
		}
	default:
		query.Set(name, text(value))
	}
}

// text is a value as it stands in an address.
func text(value any) string {
	if m, ok := value.(encoding.TextMarshaler); ok {
		if t, err := m.MarshalText(); err == nil {
			return string(t)
		}
	}
	return fmt.Sprint(value)
}

// segment is a value as a part of a path.
func segment(value any) string { return url.PathEscape(text(value)) }

// json gives the call a JSON body.
func (r *call) json(contentType string, value any) {
	r.header.Set("Content-Type", contentType)
	r.body = func() (io.Reader, error) {
		encoded, err := json.Marshal(value)
		return strings.NewReader(string(encoded)), err
	}
}

// form gives the call a form with the members of an object.
func (r *call) form(value any) {
	r.header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.body = func() (io.Reader, error) {
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		var members map[string]any
		if err := json.Unmarshal(encoded, &members); err != nil {
			return nil, err
		}
		values := url.Values{}
		for name, member := range members {
			values.Set(name, fmt.Sprint(member))
		}
		return strings.NewReader(values.Encode()), nil
	}
}

// raw gives the call a body that is sent as it is. Where it is an io.Seeker, a refused
// request is sent again.
func (r *call) raw(contentType string, body io.Reader) { //nolint:unused // generated calls use it; no operation of today's contract takes such a body
	r.header.Set("Content-Type", contentType)
	r.body = r.rewind(body)
}

// rewind gives what reads the content, for each request anew from where it stands now.
// Only the last one reads: a request that is answered early is still being sent while
// the next one begins.
func (r *call) rewind(content io.Reader) func() (io.Reader, error) {
	seeker, seeks := content.(io.Seeker)
	var begin int64
	if seeks {
		var err error
		begin, err = seeker.Seek(0, io.SeekCurrent)
		seeks = err == nil // a pipe says that it seeks, and cannot
	}
	r.once = !seeks
	var turn sync.Mutex
	requests := 0
	return func() (io.Reader, error) {
		turn.Lock()
		defer turn.Unlock()
		requests++
		mine := requests
		if seeks {
			if _, err := seeker.Seek(begin, io.SeekStart); err != nil {
				return nil, fmt.Errorf("reading it again: %w", err)
			}
		}
		return readerFunc(func(p []byte) (int, error) {
			turn.Lock()
			defer turn.Unlock()
			if mine != requests {
				return 0, errors.New("another request reads it now")
			}
			return content.Read(p)
		}), nil
	}
}

// readerFunc is a Read as an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
