package validate

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"
)

// JSON reads a JSON body into a generated body struct. It returns a
// *SyntaxError when the bytes cannot be read at all (one that unwraps to io.EOF
// when there is none), and otherwise what the decoded struct can no longer
// show: missing, null, unknown and wrongly typed members.
func JSON(data []byte, into Shaped) (Violations, error) {
	if len(data) == 0 {
		return nil, errEmpty
	}
	clean, found, err := Scan(data, into.Shape())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(clean, into); err != nil {
		// The scan is stricter than Unmarshal; a difference is a fault in this package.
		return nil, fmt.Errorf("decoding a scanned body: %w", err)
	}

	return found, nil
}

var errEmpty = &SyntaxError{Offset: -1, Reason: "the body is empty", cause: io.EOF}

// Form reads a URL-encoded form into a generated body struct. A member that is
// given twice makes it malformed, unless it is an array; an empty one counts as
// absent (RFC 6749, section 3.1); undeclared ones are passed over unless the
// schema is closed.
func Form(data []byte, into Shaped) (Violations, error) {
	values, err := ParseQuery(string(data))
	if err != nil {
		return nil, &SyntaxError{Offset: -1, Reason: "the form is malformed"}
	}
	if err := checkForm(values, into.Shape()); err != nil {
		return nil, err
	}
	text, err := json.Marshal(formValues(values, into.Shape()))
	if err != nil {
		return nil, fmt.Errorf("rewriting a form: %w", err)
	}

	return JSON(text, into)
}

func checkForm(values url.Values, shape *Shape) error {
	for name, all := range values {
		i := shape.find([]byte(name), 0)
		if len(all) > 1 && (i < 0 || shape.Members[i].Shape.Kind != Array) {
			return twice(-1, []byte(name))
		}
		for _, value := range append(all, name) {
			if !utf8.ValidString(value) {
				return &SyntaxError{Offset: -1, Reason: "invalid UTF-8 in the form"}
			}
		}
	}

	return nil
}

// formValues gives each value the JSON type that its member has, so that one
// scan serves forms and JSON. A value that has not the form of its type stays a
// string, for the scan to refuse.
func formValues(values url.Values, shape *Shape) map[string]any {
	out := make(map[string]any, len(values))
	for name, all := range values {
		i := shape.find([]byte(name), 0)
		switch {
		case i < 0:
			out[name] = all[0]
		case shape.Members[i].Shape.Kind == Array:
			items := make([]any, len(all))
			for j, one := range all {
				items[j] = formValue(one, shape.Members[i].Shape.Items)
			}
			out[name] = items
		case all[0] != "":
			out[name] = formValue(all[0], shape.Members[i].Shape)
		}
	}

	return out
}

func formValue(text string, shape *Shape) any {
	switch shape.Kind {
	case Integer, Number:
		s := scanner{data: []byte(text)}
		if s.digits() == nil && s.pos == len(text) {
			return json.Number(text)
		}
	case Boolean:
		if text == "true" || text == "false" {
			return text == "true"
		}
	}

	return text
}

// MediaType is the media type of a Content-Type header in lower case without
// parameters, "" where the header is absent or malformed.
func MediaType(header string) string {
	if header == "application/json" { // the commonest, without the parser's allocations
		return header
	}
	mediaType, _, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}

	return strings.ToLower(mediaType)
}
