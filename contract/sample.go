package contract

import (
	"encoding/json"
	"fmt"
)

// Source is the mutated document as JSON. Score has it of a sample only.
func (m Mutant) Source() ([]byte, error) {
	source, err := json.Marshal(m.document.root)
	if err != nil {
		return nil, fmt.Errorf("writing the document in which %s: %w", m.What, err)
	}
	return source, nil
}

// Operations are those whose cases may notice the change.
func (m Mutant) Operations() []string { return m.operations }

// sampled takes each n-th mutant, all where n is 0.
func sampled(all []Mutant, n int) []Mutant {
	if n <= 1 {
		return all
	}
	var some []Mutant
	for i := n - 1; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}
