package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// document is a published document: its bytes for oasdiff, and the members that
// oasdiff does not compare.
type document struct {
	text []byte
	// operations are named as in "GET /api/v1/orders".
	operations map[string]operation

	Info     info                                  `json:"info"`
	Security []any                                 `json:"security"`
	Policy   policy                                `json:"x-policy"`
	Problems []problem                             `json:"x-problems"`
	Paths    map[string]map[string]json.RawMessage `json:"paths"`
}

type info struct {
	Version string `json:"version"`
}

type operation struct {
	Security *[]any `json:"security"` // nil: the document's
	Policy   policy `json:"x-policy"`
}

// policy is what clients feel of an x-policy.
type policy struct {
	RateLimit limits `json:"rate-limit"`
	BodyLimit size   `json:"body-limit"`
}

type problem struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
}

// limits are nil where the defaults hold, and empty where none does.
type limits []rateLimit

type rateLimit struct {
	Limit  int    `json:"limit"`
	Window window `json:"window"`
	By     string `json:"by"`
}

// size is in bytes; 0 where the default holds.
type size int64

type window struct{ time.Duration }

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (r repository) document(name string) (document, error) {
	text, err := r.read(name)
	if err != nil {
		return document{}, err
	}
	d := document{text: text, operations: map[string]operation{}}
	if err := json.Unmarshal(text, &d); err != nil {
		return document{}, fmt.Errorf("reading %s: %w", name, err)
	}
	for path, item := range d.Paths {
		for _, method := range methods {
			if item[method] == nil {
				continue
			}
			var o operation
			at := strings.ToUpper(method) + " " + path
			if err := json.Unmarshal(item[method], &o); err != nil {
				return document{}, fmt.Errorf("reading %s of %s: %w", at, name, err)
			}
			d.operations[at] = o
		}
	}
	return d, nil
}

// UnmarshalJSON takes one limit, a list of them, or the word none.
func (l *limits) UnmarshalJSON(text []byte) error {
	if string(text) == `"none"` {
		*l = limits{}
		return nil
	}
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]rateLimit)(l))
	}
	*l = limits{{}}
	return json.Unmarshal(text, &(*l)[0])
}

// UnmarshalJSON takes what time.ParseDuration does.
func (w *window) UnmarshalJSON(text []byte) error {
	var words string
	if err := json.Unmarshal(text, &words); err != nil {
		return err
	}
	var err error
	w.Duration, err = time.ParseDuration(words)
	return err
}

// UnmarshalJSON takes a number of B, KiB, MiB or GiB.
func (s *size) UnmarshalJSON(text []byte) error {
	var number int64
	var unit string
	if _, err := fmt.Sscanf(strings.Trim(string(text), `"`), "%d%s", &number, &unit); err != nil {
		return fmt.Errorf("%s is no size: %w", text, err)
	}
	power := strings.Index("BKMG", unit[:1])
	if power < 0 {
		return fmt.Errorf("%s has no known unit", text)
	}
	*s = size(number << (10 * power))
	return nil
}
