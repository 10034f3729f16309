package auth

import "crypto/subtle"

// Refresh makes refresh tokens: opaque, 256 bits. Only their hashes are stored.
// The successor of a token is derived from it, so that a client that never got
// the answer can be given the same one once more, although it was not kept.
type Refresh struct {
	keys []Key
}

// NewRefresh returns the maker of refresh tokens with the keyring's keys.
func NewRefresh(keyring *Keyring) *Refresh {
	return &Refresh{keys: keyring.Derive(UseRefresh)}
}

// New returns the first token of a session and its hash.
func (r *Refresh) New() (token string, hash []byte) { return NewSecret() }

// Hash returns the hash under which a token is stored, or ErrMalformed if it
// cannot be one of New or Child.
func (r *Refresh) Hash(token string) ([]byte, error) { return HashSecret(token) }

// Child returns the successor of a token and the hash of that; the same token
// has the same child for as long as the secret is the same. It returns
// ErrMalformed for what cannot be a token.
func (r *Refresh) Child(token string) (child string, hash []byte, err error) {
	raw, err := parseSecret(token)
	if err != nil {
		return "", nil, err
	}
	child = childOf(r.keys[0], raw)
	return child, hashOf(child), nil
}

// Replay returns the child of a token that was given out before, known by its
// stored hash. Unlike Child it finds those of before a rotation of the secret,
// too. ok is false if no key leads from the token to that child.
func (r *Refresh) Replay(token string, childHash []byte) (child string, ok bool) {
	raw, err := parseSecret(token)
	if err != nil {
		return "", false
	}
	for _, key := range r.keys {
		child := childOf(key, raw)
		if subtle.ConstantTimeCompare(hashOf(child), childHash) == 1 {
			return child, true
		}
	}
	return "", false
}

func childOf(key Key, raw []byte) string {
	return strict.EncodeToString(key.mac([]byte("child"), raw))
}
