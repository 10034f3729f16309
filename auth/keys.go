// Package auth makes and checks what proves who somebody is: password hashes,
// access tokens, refresh tokens, the single-use secrets of mails, and the seal
// of cursors; and names for what others must not read. It stores nothing and knows nothing of HTTP; every key that it
// uses is derived from one secret, which can be rotated.
package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// Use says what a key is for. Keys of different uses are independent: knowing
// one tells nothing about another.
type Use string

// The uses of this package. Their names are part of the derivation: changing
// one makes everything that was made with its keys worthless.
const (
	UseJWT      Use = "jwt"
	UseCursor   Use = "cursor"
	UseRefresh  Use = "refresh"
	UsePassword Use = "password"
	UseBlind    Use = "blind"
)

const (
	keySize   = sha256.Size
	keyIDSize = 8
	// derivation names the scheme, so that a later one cannot meet its keys. It is the
	// scheme's name and not the product's.
	derivation = "accord/v1/" // init-keeps
)

// ErrNoSecret is returned by NewKeyring when there is no secret to derive from.
var ErrNoSecret = errors.New("the secret is empty")

// Key is a symmetric key. It never prints its secret.
type Key struct {
	// ID names the key where a reader must know which one was used. It is
	// stable for a secret and a use, and tells nothing about the secret.
	ID     string
	secret secret
}

// secret gives its bytes only to who calls it. Were it the bytes or a pointer to
// them, fmt would find them in any struct around it: it does not ask the Format
// methods of unexported fields.
type secret func() []byte

func hide(bytes []byte) secret { return func() []byte { return bytes } }

// Format implements fmt.Formatter: all verbs print the ID alone.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "key "+k.ID) }

func (k Key) mac(parts ...[]byte) []byte {
	m := hmac.New(sha256.New, k.secret())
	for _, part := range parts {
		m.Write(part)
	}
	return m.Sum(nil)
}

// Keyring derives the keys of each use from the current secret and, during a
// rotation, from the previous one.
//
// To rotate: make the old secret the previous one and start with a new secret.
// What was made with the old is accepted from then on, and nothing is made with
// it. Where several instances are restarted one by one, give all of them the new
// secret as the previous one first, or those not yet restarted refuse what the
// others make.
type Keyring struct {
	secrets []secret // HKDF's pseudorandom keys, current first
}

// NewKeyring returns the keyring of a secret and of the previous one, which is
// empty when no rotation is under way (and counts as such when it equals
// secret). It returns ErrNoSecret if secret is empty. How long a secret must be
// is the caller's to check: HKDF makes a good secret into good keys, not a weak
// one into a strong one.
func NewKeyring(secret, previous string) (*Keyring, error) {
	if secret == "" {
		return nil, ErrNoSecret
	}
	secrets := []string{secret}
	if previous != "" && previous != secret {
		secrets = append(secrets, previous)
	}
	r := new(Keyring)
	for _, s := range secrets {
		prk, err := hkdf.Extract(sha256.New, []byte(s), nil)
		if err != nil {
			return nil, fmt.Errorf("extracting a key: %w", err)
		}
		r.secrets = append(r.secrets, hide(prk))
	}
	return r, nil
}

// Format implements fmt.Formatter: nothing of the secrets is printed.
func (r *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "keyring") }

// Derive returns the keys of a use: the current one, with which everything is
// made, and during a rotation the previous one, which is accepted as well.
func (r *Keyring) Derive(use Use) []Key {
	keys := make([]Key, 0, len(r.secrets))
	for _, secret := range r.secrets {
		keys = append(keys, Key{
			ID:     keyID(expand(secret, derivation+string(use)+"/id")),
			secret: hide(expand(secret, derivation+string(use))),
		})
	}
	return keys
}

// expand cannot fail: its only error is a length beyond 255 hashes.
func expand(secret secret, info string) []byte {
	key, err := hkdf.Expand(sha256.New, secret(), info, keySize)
	if err != nil {
		panic("auth: expanding a key: " + err.Error())
	}
	return key
}

// keyID hashes a value derived for this alone, so that no public ID is computed
// from a key in use.
func keyID(derived []byte) string {
	sum := sha256.Sum256(derived)
	return base64.RawURLEncoding.EncodeToString(sum[:])[:keyIDSize]
}
