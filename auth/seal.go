package auth

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ErrSeal is returned by Sealer.Open for what was not sealed here for this
// purpose.
var ErrSeal = errors.New("broken seal")

const (
	// sealSize is what of the MAC is kept: 128 bits, which nobody guesses.
	sealSize = 16
	// maxSealed bounds what is decoded at all; cursors are some 60 characters.
	maxSealed = 2048
)

// Sealer makes short values that a client hands back unchanged, such as the
// cursors of lists, into opaque text that nobody else can make. The value is
// not hidden from a reader who takes pains.
type Sealer struct {
	keys []Key
}

// NewSealer returns a sealer with the keyring's keys for cursors.
func NewSealer(keyring *Keyring) *Sealer {
	return &Sealer{keys: keyring.Derive(UseCursor)}
}

// Seal returns payload as text, valid for this purpose alone: what was sealed
// for one list opens no other.
func (s *Sealer) Seal(purpose string, payload []byte) string {
	return strict.EncodeToString(append(seal(s.keys[0], purpose, payload), payload...))
}

// Open returns the payload of a sealed text, or ErrSeal.
func (s *Sealer) Open(purpose, sealed string) ([]byte, error) {
	if len(sealed) > maxSealed {
		return nil, ErrSeal
	}
	raw, err := decode(sealed)
	if err != nil || len(raw) < sealSize {
		return nil, ErrSeal
	}
	mac, payload := raw[:sealSize], raw[sealSize:]
	for _, key := range s.keys {
		if subtle.ConstantTimeCompare(mac, seal(key, purpose, payload)) == 1 {
			return payload, nil
		}
	}
	return nil, ErrSeal
}

// seal authenticates the purpose with its length before it, so that no part of
// it can pass for payload or the other way round.
func seal(key Key, purpose string, payload []byte) []byte {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(purpose)))
	return key.mac(length[:], []byte(purpose), payload)[:sealSize]
}
