package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// acknowledgement lets breaking changes pass.
type acknowledgement struct {
	line int

	Rule      string `yaml:"rule"`
	Operation string `yaml:"operation"`
	Reason    string `yaml:"reason"`
	// Text lets only the change with this text pass; "" all of the rule and the
	// operation.
	Text string `yaml:"text"`
}

// acknowledgedHead is the file without any.
const acknowledgedHead = `# Breaking changes since the last release that are meant, each with its reason.
# make lint names rule, operation and text of what is not acknowledged; without
# a text, all changes of the rule in the operation are. A release empties the file.
#
# - rule: response-property-became-optional
#   operation: GET /api/v1/products     # "document" where it is of no operation
#   text: the response property ...     # may be left out
#   reason: Products without a description came with the import, and no client shows one.
`

func readAcknowledged(text []byte) ([]acknowledgement, error) {
	var nodes []yaml.Node
	if err := yaml.Unmarshal(text, &nodes); err != nil {
		return nil, fmt.Errorf("reading %s: %w", acknowledgedName, err)
	}
	var list []acknowledgement
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", acknowledgedName, err)
	}
	for i := range list {
		list[i].line = nodes[i].Line
	}
	return list, nil
}

func (a acknowledgement) covers(c change) bool {
	return c.breaking && a.Rule == c.rule && a.Operation == c.operation && (a.Text == "" || a.Text == c.text)
}

// acknowledge writes the reasons into the changes. Its error has a line for each
// breaking change that has none, and for each acknowledgement that has no reason
// or covers nothing.
func acknowledge(changes []change, list []acknowledgement) error {
	var faults []error
	for _, a := range list {
		at := fmt.Sprintf("%s:%d: %s in %s", acknowledgedName, a.line, a.Rule, a.Operation)
		if strings.TrimSpace(a.Reason) == "" {
			faults = append(faults, fmt.Errorf("%s: it has no reason", at))
		}
		covered := false
		for i := range changes {
			if a.covers(changes[i]) {
				covered, changes[i].reason = true, a.Reason
			}
		}
		if !covered {
			faults = append(faults, fmt.Errorf("%s: there is no such breaking change (any more): take it out", at))
		}
	}
	for _, c := range changes {
		if c.breaking && c.reason == "" {
			faults = append(faults, fmt.Errorf("%s: breaks clients (%s): %s", c.operation, c.rule, c.text))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("a breaking change is taken back, or acknowledged in %s with a reason:\n%w", acknowledgedName, errors.Join(faults...))
}
