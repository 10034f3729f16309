package server

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a setting that never prints: not with fmt, not with slog, not as
// JSON. Only Reveal gives it away, so that a search for that word finds every
// use. The zero Secret is unset.
type Secret struct {
	// Behind a pointer, because fmt does not call the methods of what it finds
	// in an unexported field: there it prints the pointer instead of the text.
	text *string
}

// NewSecret keeps text as a secret; an empty text is the unset Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal is the secret itself, or "" when it is unset.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet tells whether there is a secret.
func (s Secret) IsSet() bool { return s.text != nil }

// String is "(hidden)", or "(unset)".
func (s Secret) String() string {
	if s.text == nil {
		return "(unset)"
	}
	return "(hidden)"
}

// Format writes String for every verb: %x and %#v would find a way round it.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, which keeps the secret out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText keeps text as the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// or is the secret, or other when it is unset.
func (s Secret) or(other Secret) Secret {
	if s.IsSet() {
		return s
	}
	return other
}
