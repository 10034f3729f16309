package auth

// blindSize is what of the MAC is kept: 128 bits, which never meet by chance.
const blindSize = 16

// Blind gives names that stand for values which others must not learn: what is
// kept in Redis for an address must not tell the address, and whoever reads it
// cannot find out by trying all there are.
type Blind struct {
	key Key
}

// NewBlind returns a Blind with the keyring's current key: the names are the same
// wherever the secret is, and others when it changes.
func NewBlind(keyring *Keyring) *Blind {
	return &Blind{key: keyring.Derive(UseBlind)[0]}
}

// Name returns the name of a value, 22 letters, digits, - and _.
func (b *Blind) Name(value string) string {
	return strict.EncodeToString(b.key.mac([]byte(value))[:blindSize])
}
