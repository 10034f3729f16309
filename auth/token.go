package auth

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/accord-api/accord/memory"
)

var (
	// ErrTokenExpired is returned by Verify for a token that was good once.
	ErrTokenExpired = errors.New("the token has expired")
	// ErrTokenInvalid is returned by Verify for everything else that is not a
	// valid access token; what it wraps says why and is for logs alone.
	ErrTokenInvalid = errors.New("the token is invalid")
)

const (
	// MaxTokenLength bounds what Verify looks at, in bytes; its own tokens have
	// some 600 with HS256 and 1000 with RSA.
	MaxTokenLength = 4096
	// leeway is how far the clocks of two instances may differ: a token may be
	// issued that much in the future. Expiry has none.
	leeway = 5 * time.Second

	tokenType      = "at+jwt"
	kindClaim      = "type"
	kindAccess     = "access"
	clientClaim    = "client_id"
	sessionClaim   = "sid"
	scopeClaim     = "scope"
	defaultTTL     = 15 * time.Minute
	rememberTokens = 16_384
)

// TokenConfig says how access tokens are made.
type TokenConfig struct {
	// Issuer, Audience and ClientID are the claims iss, aud and client_id of
	// all tokens. Required.
	Issuer, Audience, ClientID string
	// TTL is how long a token is valid, in whole seconds; 0 means 15 minutes.
	TTL time.Duration
	// Keyring gives the keys of HS256. Required where KeyFile is empty.
	Keyring *Keyring
	// KeyFile names a file of PEM blocks with asymmetric keys: the first one
	// signs, all verify, and those after the first may be public keys. With it
	// the keyring's keys are not accepted.
	KeyFile string
	// Now replaces time.Now, for tests.
	Now func() time.Time
}

// Claims is what an access token says. Claims that Verify returned share their
// Scope: do not change it.
type Claims struct {
	User, Session uuid.UUID
	// Scope is the roles.
	Scope []string
	// ID and Expires are set by Verify; Issue chooses them.
	ID      string
	Expires time.Time
}

// Tokens issues and verifies access tokens: JWTs in the form of RFC 9068. It is
// safe for concurrent use.
type Tokens struct {
	config TokenConfig
	signer *tokenKey
	keys   map[string]*tokenKey
	jwks   []byte
	// known holds the tokens verified before by their SHA-256: checking a
	// signature and decoding claims costs some twenty times the look-up.
	// Only genuine tokens get in, so that nobody can flood it with others.
	known  memory.Store[[sha256.Size]byte, Claims]
	counts *tokenCounts
}

// tokenCounts are how many tokens Verify has known from an earlier call, and how
// many it has not.
type tokenCounts struct{ hits, misses atomic.Int64 }

// NewTokens returns the maker of access tokens, or an error that names what is
// missing from the config or wrong with the key file.
func NewTokens(c TokenConfig) (*Tokens, error) {
	if c.TTL == 0 {
		c.TTL = defaultTTL
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	keys, err := loadTokenKeys(c)
	if err != nil {
		return nil, err
	}
	jwks, err := publicSet(keys)
	if err != nil {
		return nil, err
	}
	known := memory.New[[sha256.Size]byte, Claims](rememberTokens)
	t := &Tokens{config: c, signer: keys[0], keys: map[string]*tokenKey{}, jwks: jwks, known: known, counts: new(tokenCounts)}
	for _, key := range keys {
		t.keys[key.id] = key
	}
	return t, nil
}

func (c *TokenConfig) check() error {
	switch {
	case c.Issuer == "" || c.Audience == "" || c.ClientID == "":
		return errors.New("tokens need an issuer, an audience and a client id")
	case c.TTL < time.Second:
		return errors.New("tokens must live for a second at least")
	case c.Keyring == nil && c.KeyFile == "":
		return errors.New("tokens need a keyring or a key file")
	}
	return nil
}

// JWKS returns the JSON Web Key Set (RFC 7517) of the public keys; the set is
// empty with HS256, whose keys are secret.
func (t *Tokens) JWKS() []byte { return t.jwks }

// Issue returns a new token for the claims' User, Session and Scope, and when
// it expires.
func (t *Tokens) Issue(c Claims) (token string, expires time.Time, err error) {
	issued := t.config.Now().Truncate(time.Second)
	expires = issued.Add(t.config.TTL.Truncate(time.Second))
	signed, err := t.sign(c, issued, expires)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issuing a token: %w", err)
	}
	return string(signed), expires, nil
}

func (t *Tokens) sign(c Claims, issued, expires time.Time) ([]byte, error) {
	builder := jwt.NewBuilder().
		Issuer(t.config.Issuer).
		Audience([]string{t.config.Audience}).
		Subject(c.User.String()).
		JwtID(uuid.NewString()).
		IssuedAt(issued).
		Expiration(expires).
		Claim(sessionClaim, c.Session.String()).
		Claim(clientClaim, t.config.ClientID).
		Claim(kindClaim, kindAccess)
	if len(c.Scope) > 0 {
		builder = builder.Claim(scopeClaim, strings.Join(c.Scope, " "))
	}
	token, err := builder.Build()
	if err != nil {
		return nil, err
	}
	header := jws.NewHeaders()
	if err := header.Set(jws.TypeKey, tokenType); err != nil {
		return nil, err
	}
	return jwt.Sign(token, jwt.WithKey(t.signer.alg, t.signer.private, jws.WithProtectedHeaders(header)))
}

// Verify returns the claims of a token that Issue made, here or on another
// instance, and that has not expired. It does not know whether the session was
// ended since. It returns ErrTokenExpired or ErrTokenInvalid.
func (t *Tokens) Verify(token string) (Claims, error) {
	if len(token) > MaxTokenLength {
		return Claims{}, fmt.Errorf("%w: %d bytes long", ErrTokenInvalid, len(token))
	}
	sum := sha256.Sum256([]byte(token))
	claims, ok := t.known.GetIfPresent(sum)
	if ok {
		t.counts.hits.Add(1)
	} else {
		t.counts.misses.Add(1)
		var err error
		if claims, err = t.verify(token); err != nil {
			return Claims{}, fmt.Errorf("%w: %w", ErrTokenInvalid, err)
		}
	}
	if !t.config.Now().Before(claims.Expires) {
		t.known.Invalidate(sum)
		return Claims{}, ErrTokenExpired
	}
	if !ok {
		t.known.Set(sum, claims)
	}
	return claims, nil
}

// Remembered is how many tokens Verify has known from an earlier call, how many it has
// not, and how many it knows now, for metrics.
func (t *Tokens) Remembered() (hits, misses int64, known int) {
	return t.counts.hits.Load(), t.counts.misses.Load(), t.known.EstimatedSize()
}

// verify checks everything but the expiry.
func (t *Tokens) verify(token string) (Claims, error) {
	key, err := t.keyOf(token)
	if err != nil {
		return Claims{}, err
	}
	verified, err := jwt.Parse([]byte(token),
		jwt.WithKey(key.alg, key.public),
		jwt.WithStrictStringClaims(true),
		jwt.WithResetValidators(true), // the expiry is checked at each use, not here
		jwt.WithClock(jwt.ClockFunc(t.config.Now)),
		jwt.WithAcceptableSkew(leeway),
		jwt.WithValidator(jwt.IsIssuedAtValid()),
		jwt.WithValidator(jwt.IsNbfValid()),
		jwt.WithRequiredClaim(jwt.IssuedAtKey),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
		jwt.WithRequiredClaim(jwt.JwtIDKey),
		jwt.WithIssuer(t.config.Issuer),
		jwt.WithAudience(t.config.Audience),
		jwt.WithClaimValue(clientClaim, t.config.ClientID),
		jwt.WithClaimValue(kindClaim, kindAccess),
	)
	if err != nil {
		return Claims{}, err
	}
	return claimsOf(verified)
}

// keyOf chooses the key by the header, of which nothing else is used: each key
// has one algorithm, whatever the header would like. The header must be just as
// Issue writes it, so that crit, jku, jwk, x5u, x5c, b64 and whatever else can
// be said there is refused, not ignored.
func (t *Tokens) keyOf(token string) (*tokenKey, error) {
	header, err := compactHeader(token)
	if err != nil {
		return nil, err
	}
	var fields map[string]string
	if err := json.Unmarshal(header, &fields); err != nil {
		return nil, errors.New("its header is not an object of strings")
	}
	if len(fields) != 3 || fields["typ"] != tokenType {
		return nil, errors.New("its header is not that of an access token")
	}
	key, ok := t.keys[fields["kid"]]
	if !ok {
		return nil, errors.New("its key is unknown")
	}
	if fields["alg"] != key.alg.String() {
		return nil, errors.New("its algorithm is not its key's")
	}
	return key, nil
}

// compactHeader decodes the header of the compact serialisation and makes sure
// that the rest is well-formed: three parts in strict base64url.
func compactHeader(token string) ([]byte, error) {
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return nil, errors.New("it has not three parts")
	}
	var header []byte
	for i, part := range parts {
		decoded, err := decode(part)
		if err != nil {
			return nil, errors.New("it is not base64url")
		}
		if i == 0 {
			header = decoded
		}
	}
	return header, nil
}

func claimsOf(token jwt.Token) (c Claims, err error) {
	subject, _ := token.Subject()
	if c.User, err = uuid.Parse(subject); err != nil {
		return Claims{}, errors.New("its subject is not a user's id")
	}
	var session, scope string
	if err := token.Get(sessionClaim, &session); err != nil {
		return Claims{}, errors.New("it has no session")
	}
	if c.Session, err = uuid.Parse(session); err != nil {
		return Claims{}, errors.New("its session is not an id")
	}
	if token.Has(scopeClaim) {
		if err := token.Get(scopeClaim, &scope); err != nil {
			return Claims{}, errors.New("its scope is not a string")
		}
	}
	c.Scope = strings.Fields(scope)
	c.ID, _ = token.JwtID()
	c.Expires, _ = token.Expiration()
	return c, nil
}

// tokenKey is a key of exactly one algorithm. For HS256 private and public are
// the same.
type tokenKey struct {
	id              string
	alg             jwa.SignatureAlgorithm
	private, public jwk.Key
}

func loadTokenKeys(c TokenConfig) ([]*tokenKey, error) {
	if c.KeyFile != "" {
		return readTokenKeys(c.KeyFile)
	}
	var keys []*tokenKey
	for _, key := range c.Keyring.Derive(UseJWT) {
		imported, err := importKey(key.secret(), key.ID, jwa.HS256())
		if err != nil {
			return nil, err
		}
		keys = append(keys, &tokenKey{id: key.ID, alg: jwa.HS256(), private: imported, public: imported})
	}
	return keys, nil
}

func importKey(raw any, id string, alg jwa.SignatureAlgorithm) (jwk.Key, error) {
	key, err := jwk.Import(raw)
	if err != nil {
		return nil, fmt.Errorf("importing a key: %w", err)
	}
	for name, value := range map[string]any{
		jwk.KeyIDKey:     id,
		jwk.AlgorithmKey: alg,
		jwk.KeyUsageKey:  jwk.ForSignature,
	} {
		if err := key.Set(name, value); err != nil {
			return nil, fmt.Errorf("setting %s of a key: %w", name, err)
		}
	}
	return key, nil
}
