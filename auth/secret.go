package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// ErrMalformed is returned for an opaque token that was certainly not made
// here: it has another length or alphabet.
var ErrMalformed = errors.New("malformed token")

const (
	secretSize = 32
	// secretLength is the length of secretSize bytes in base64url.
	secretLength = 43
)

var strict = base64.RawURLEncoding.Strict()

// decode decodes base64url of which each value has one spelling: no unused bits
// in the last character (strict sees to that), and no line breaks, which Go's
// decoder skips.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, ErrMalformed
	}
	return strict.DecodeString(text)
}

// NewSecret returns a single-use token of 256 random bits, as mails carry it,
// and the hash under which it is stored.
func NewSecret() (token string, hash []byte) {
	var raw [secretSize]byte
	// Never fails: the runtime ends the program when there is no randomness.
	_, _ = rand.Read(raw[:])
	token = strict.EncodeToString(raw[:])
	return token, hashOf(token)
}

// HashSecret returns the hash under which a token of NewSecret is stored, or
// ErrMalformed if token cannot be one. A plain hash is enough, and can be
// looked up: 256 random bits cannot be guessed.
func HashSecret(token string) ([]byte, error) {
	if _, err := parseSecret(token); err != nil {
		return nil, err
	}
	return hashOf(token), nil
}

func parseSecret(token string) ([]byte, error) {
	if len(token) != secretLength {
		return nil, ErrMalformed
	}
	raw, err := decode(token)
	if err != nil {
		return nil, ErrMalformed
	}
	return raw, nil
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
