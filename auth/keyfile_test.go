package auth

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func privatePEM(key any) string {
	return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))
}

func publicPEM(key crypto.Signer) string {
	return block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key.Public())))
}

func keyFile(t *testing.T, blocks ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwt.pem")
	if err := os.WriteFile(path, []byte(strings.Join(blocks, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newEC(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func newEd25519() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func newRSA(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func TestAsymmetricTokens(t *testing.T) {
	t.Parallel()

	rsaKey, ecKey := newRSA(2048), newEC(elliptic.P256())
	for name, tc := range map[string]struct {
		pem, alg, kty string
	}{
		"RSA":              {privatePEM(rsaKey), "RS256", "RSA"},
		"RSA in PKCS#1":    {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "RS256", "RSA"},
		"P-256":            {privatePEM(ecKey), "ES256", "EC"},
		"P-256 by OpenSSL": {block("EC PARAMETERS", []byte{6, 0}) + block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ecKey))), "ES256", "EC"},
		"P-384":            {privatePEM(newEC(elliptic.P384())), "ES384", "EC"},
		"Ed25519":          {privatePEM(newEd25519()), "EdDSA", "OKP"},
	} {
		tokens := mustTokens(t, TokenConfig{KeyFile: keyFile(t, tc.pem)})
		token := mustIssue(t, tokens)
		if _, err := tokens.Verify(token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if alg := decodePart(t, token, 0)["alg"]; alg != tc.alg {
			t.Errorf("%s: alg %v, want %s", name, alg, tc.alg)
		}
		checkJWKS(t, name, tokens, tc.alg, tc.kty)

		// The keyring is no second way in, and none but this key is.
		if _, err := tokens.Verify(mustIssue(t, mustTokens(t, TokenConfig{}))); !errors.Is(err, ErrTokenInvalid) {
			t.Errorf("%s: a token of the keyring: %v, want ErrTokenInvalid", name, err)
		}
	}
}

func checkJWKS(t *testing.T, name string, tokens *Tokens, alg, kty string) {
	t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(tokens.JWKS(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %s: %v", name, tokens.JWKS(), err)
	}
	key := set.Keys[0]
	if key["alg"] != alg || key["kty"] != kty || key["use"] != "sig" || key["kid"] != tokens.signer.id {
		t.Errorf("%s: the public key is %v", name, key)
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "oth"} {
		if _, ok := key[private]; ok {
			t.Errorf("%s: the set shows %s", name, private)
		}
	}
}

func TestJWKSIsEmptyForSharedSecrets(t *testing.T) {
	t.Parallel()

	if got := string(mustTokens(t, TokenConfig{}).JWKS()); got != `{"keys":[]}` {
		t.Errorf("got %s", got)
	}
}

// The first key of the file signs, all verify.
func TestKeyFileRotation(t *testing.T) {
	t.Parallel()

	oldKey, newKey := newRSA(2048), newEd25519()
	before := mustTokens(t, TokenConfig{KeyFile: keyFile(t, privatePEM(oldKey))})
	both := mustTokens(t, TokenConfig{KeyFile: keyFile(t, privatePEM(newKey), privatePEM(oldKey))})
	public := mustTokens(t, TokenConfig{KeyFile: keyFile(t, privatePEM(newKey), publicPEM(oldKey))})
	after := mustTokens(t, TokenConfig{KeyFile: keyFile(t, privatePEM(newKey))})

	old, fresh := mustIssue(t, before), mustIssue(t, both)
	for _, tokens := range []*Tokens{both, public} {
		for _, token := range []string{old, fresh} {
			if _, err := tokens.Verify(token); err != nil {
				t.Errorf("during the rotation: %v", err)
			}
		}
	}
	if string(both.JWKS()) != string(public.JWKS()) || strings.Count(string(both.JWKS()), `"kid"`) != 2 {
		t.Errorf("the sets are %s and %s", both.JWKS(), public.JWKS())
	}
	if _, err := after.Verify(fresh); err != nil {
		t.Errorf("of the new key: %v", err)
	}
	if _, err := after.Verify(old); !errors.Is(err, ErrTokenInvalid) {
		t.Errorf("of the old key after the rotation: %v", err)
	}
}

// The classic: a public key is public, so nothing signed "with" it as a shared
// secret may pass, and no key may be used with another's algorithm.
func TestKeyConfusion(t *testing.T) {
	t.Parallel()

	key, ec := newRSA(2048), newEC(elliptic.P256())
	tokens := mustTokens(t, TokenConfig{KeyFile: keyFile(t, privatePEM(key), privatePEM(ec))})
	token := mustIssue(t, tokens)
	header, claims := decodePart(t, token, 0), encodeJSON(decodePart(t, token, 1))

	der := must(x509.MarshalPKIXPublicKey(key.Public()))
	public := publicPEM(key)
	secrets := map[string][]byte{
		"PEM":         []byte(public),
		"trimmed PEM": []byte(strings.TrimSpace(public)),
		"DER":         der,
		"PKCS#1":      x509.MarshalPKCS1PublicKey(&key.PublicKey),
		"modulus":     key.N.Bytes(),
		"JWKS":        tokens.JWKS(),
		"nothing":     {},
	}
	for _, alg := range []string{"HS256", "RS256", "none", "PS256", "ES256"} {
		header["alg"] = alg
		for name, secret := range secrets {
			if _, err := tokens.Verify(signRaw(encodeJSON(header), claims, secret)); !errors.Is(err, ErrTokenInvalid) {
				t.Errorf("%s with the %s as secret: %v, want ErrTokenInvalid", alg, name, err)
			}
		}
	}

	// A true signature of the second key under the first one's name.
	ids := slices.Sorted(func(yield func(string) bool) {
		for id := range tokens.keys {
			if !yield(id) {
				return
			}
		}
	})
	parts := strings.Split(token, ".")
	for _, id := range ids {
		if id == tokens.signer.id {
			continue
		}
		for _, alg := range []string{"RS256", "ES256"} {
			forged := strict.EncodeToString([]byte(encodeJSON(map[string]string{"alg": alg, "typ": tokenType, "kid": id})))
			if _, err := tokens.Verify(forged + "." + parts[1] + "." + parts[2]); !errors.Is(err, ErrTokenInvalid) {
				t.Errorf("under another kid with %s: %v, want ErrTokenInvalid", alg, err)
			}
		}
	}
}

func TestKeyFilesThatMustBeRefused(t *testing.T) {
	t.Parallel()

	key := newEC(elliptic.P256())
	// Go makes no keys this short any more.
	short := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	for name, tc := range map[string]struct{ pem, want string }{
		"empty":            {"", "no PEM block"},
		"not PEM":          {"secret", "no PEM block"},
		"only a public":    {publicPEM(key), "must be a private one"},
		"a public first":   {publicPEM(newEd25519()) + privatePEM(key), "must be a private one"},
		"twice":            {privatePEM(key) + publicPEM(key), "key 2: it is there twice"},
		"a short RSA key":  {privatePEM(key) + block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(short))), "1024 bits is too short"},
		"P-224":            {privatePEM(newEC(elliptic.P224())), "P-224 is neither"},
		"P-521":            {privatePEM(newEC(elliptic.P521())), "P-521 is neither"},
		"X25519":           {privatePEM(x25519), "cannot sign"},
		"a certificate":    {block("CERTIFICATE", []byte{1}), `"CERTIFICATE" is not a key`},
		"encrypted":        {block("ENCRYPTED PRIVATE KEY", []byte{1}), `"ENCRYPTED PRIVATE KEY" is not a key`},
		"garbage":          {block("PRIVATE KEY", []byte{1}), "key 1"},
		"garbage public":   {privatePEM(key) + block("PUBLIC KEY", []byte{1}), "key 2"},
		"a second too bad": {privatePEM(key) + privatePEM(newEC(elliptic.P521())), "key 2"},
	} {
		_, err := NewTokens(TokenConfig{Issuer: "i", Audience: "a", ClientID: "c", KeyFile: keyFile(t, tc.pem)})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, tc.want)
		}
	}
}
