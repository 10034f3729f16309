package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/accord-api/accord/limit"
)

// ErrBusy is returned by Hasher when its queue is full: the caller should try
// again in a moment.
var ErrBusy = errors.New("too many passwords are being hashed")

const (
	// scheme begins each stored hash: $hmac-sha256-bcrypt$<key id>$2a$12$...
	scheme = "$hmac-sha256-bcrypt$"

	defaultCost  = 12
	defaultQueue = 64
	bcryptLength = 60
)

// HasherConfig says how passwords are hashed.
type HasherConfig struct {
	// Keyring gives the keys for passwords. Required.
	Keyring *Keyring
	// Cost is bcrypt's; 0 means 12, which is a quarter of a second.
	Cost int
	// Parallel is how many hashes run at once; 0 means one for each CPU of the
	// machine. More make none faster and starve everything else.
	Parallel int
	// Queue is how many more may wait for their turn; 0 means 64.
	Queue int
}

// Hasher hashes and verifies passwords: bcrypt over a keyed hash of the
// password, so that all of its characters count (bcrypt alone reads 72 bytes)
// and a stolen table of hashes is of no use without the key. It is safe for
// concurrent use.
type Hasher struct {
	keys    []Key
	cost    int
	gate    *limit.Gate
	dummy   []byte
	compare func(hash, password []byte) error
}

// NewHasher returns a hasher, or an error if the cost is not one of bcrypt's.
func NewHasher(c HasherConfig) (*Hasher, error) {
	if c.Cost == 0 {
		c.Cost = defaultCost
	}
	if c.Cost < bcrypt.MinCost || c.Cost > bcrypt.MaxCost {
		return nil, bcrypt.InvalidCostError(c.Cost)
	}
	if c.Parallel == 0 {
		c.Parallel = runtime.NumCPU()
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	return &Hasher{
		keys:    c.Keyring.Derive(UsePassword),
		cost:    c.Cost,
		gate:    limit.NewGate(c.Parallel, c.Queue, 0),
		dummy:   dummyHash(c.Cost),
		compare: bcrypt.CompareHashAndPassword,
	}, nil
}

// dummyHash is well-formed and nobody's: comparing with it costs what any other
// comparison of that cost does, and making it costs nothing.
func dummyHash(cost int) []byte {
	const saltAndSum = bcryptLength - len("$2a$12$")
	return fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", saltAndSum))
}

// Hash returns what is to be stored for a password. It returns ErrBusy when too
// many are waiting, or the context's error if that ends before its turn.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()

	hash, err := bcrypt.GenerateFromPassword(prehash(h.keys[0], password), h.cost)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return scheme + h.keys[0].ID + string(hash), nil
}

// Verify says whether password is the one that stored was made of, and if so,
// whether it should be hashed anew: because the cost was raised or the key
// rotated. What was stored under a key that the keyring does not have, or in
// another form, is no password's; finding that out takes as long. Errors are
// those of Hash.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	key, hash, known := h.parse(stored)

	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()

	matches, err := h.matches(hash, prehash(key, password))
	if err != nil || !matches || !known {
		return false, false, err
	}
	return true, h.outdated(key, hash), nil
}

// VerifyUnknown takes the time of Verify, for a user who does not exist. The
// two differ in time only for hashes whose cost is not the present one.
func (h *Hasher) VerifyUnknown(ctx context.Context, password string) error {
	_, _, err := h.Verify(ctx, "", password)
	return err
}

// parse takes a stored hash apart. known is false for what cannot be verified;
// then the key and the hash are a stand-in that costs the same.
func (h *Hasher) parse(stored string) (key Key, hash []byte, known bool) {
	rest, ours := strings.CutPrefix(stored, scheme)
	id, _, _ := strings.Cut(rest, "$")
	hash = []byte(rest[len(id):])
	if ours && len(hash) == bcryptLength {
		for _, key := range h.keys {
			if key.ID == id {
				return key, hash, true
			}
		}
	}
	return h.keys[0], h.dummy, false
}

func (h *Hasher) matches(hash, password []byte) (bool, error) {
	err := h.compare(hash, password)
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("comparing a password: %w", err)
	}
	return true, nil
}

func (h *Hasher) outdated(key Key, hash []byte) bool {
	cost, err := bcrypt.Cost(hash)
	return err != nil || cost < h.cost || key.ID != h.keys[0].ID
}

// Load is how many hashes are made and how many wait for their turn right now, for
// metrics.
func (h *Hasher) Load() (running, waiting int) { return h.gate.Inside(), h.gate.Waiting() }

func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	leave, err = h.gate.Enter(ctx, "")
	if errors.Is(err, limit.ErrFull) {
		return nil, ErrBusy
	}
	return leave, err
}

// prehash makes a password of any length into 44 characters without a NUL, all
// of which bcrypt reads.
func prehash(key Key, password string) []byte {
	return base64.StdEncoding.AppendEncode(nil, key.mac([]byte(password)))
}
