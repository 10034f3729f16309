package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

const minRSABits = 2048

// readTokenKeys reads a file of PEM blocks; the first key is one to sign with.
func readTokenKeys(path string) ([]*tokenKey, error) {
	data, err := os.ReadFile(path) //nolint:gosec // whoever sets KeyFile runs the server
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	keys, err := parseTokenKeys(data)
	if err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	return keys, nil
}

func parseTokenKeys(data []byte) ([]*tokenKey, error) {
	var keys []*tokenKey
	seen := map[string]bool{}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "EC PARAMETERS" { // OpenSSL writes one before the key
			continue
		}
		key, err := parseTokenKey(block)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(keys)+1, err)
		}
		if seen[key.id] {
			return nil, fmt.Errorf("key %d: it is there twice", len(keys)+1)
		}
		seen[key.id] = true
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no PEM block")
	}
	if keys[0].private == nil {
		return nil, errors.New("the first key must be a private one: it signs")
	}
	return keys, nil
}

func parseTokenKey(block *pem.Block) (*tokenKey, error) {
	private, public, err := decodeKey(block)
	if err != nil {
		return nil, err
	}
	alg, err := algorithmOf(public)
	if err != nil {
		return nil, err
	}
	id, err := thumbprint(public)
	if err != nil {
		return nil, err
	}
	key := &tokenKey{id: id, alg: alg}
	if key.public, err = importKey(public, id, alg); err != nil {
		return nil, err
	}
	if private != nil {
		key.private, err = importKey(private, id, alg)
	}
	return key, err
}

// decodeKey returns the public key of a block, and the private one if it has it.
func decodeKey(block *pem.Block) (private, public any, err error) {
	switch block.Type {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
		return nil, public, err
	default:
		return nil, nil, fmt.Errorf("a block of type %q is not a key that can be used", block.Type)
	}
	if err != nil {
		return nil, nil, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("a %T cannot sign", private)
	}
	return private, signer.Public(), nil
}

// algorithmOf is the one algorithm of a key: RS256 for RSA, because RFC 9068
// asks everybody to know it.
func algorithmOf(public any) (jwa.SignatureAlgorithm, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return jwa.EmptySignatureAlgorithm(), fmt.Errorf("an RSA key of %d bits is too short, %d is the least", bits, minRSABits)
		}
		return jwa.RS256(), nil
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return jwa.ES256(), nil
		case elliptic.P384():
			return jwa.ES384(), nil
		}
		return jwa.EmptySignatureAlgorithm(), fmt.Errorf("the curve %s is neither P-256 nor P-384", key.Curve.Params().Name)
	case ed25519.PublicKey:
		return jwa.EdDSA(), nil
	}
	return jwa.EmptySignatureAlgorithm(), fmt.Errorf("a %T is not a key that can be used: RSA, EC or Ed25519", public)
}

// thumbprint is the key's ID: RFC 7638, SHA-256.
func thumbprint(public any) (string, error) {
	key, err := jwk.Import(public)
	if err != nil {
		return "", fmt.Errorf("importing a key: %w", err)
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("taking the thumbprint of a key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// publicSet is the JWKS of the asymmetric keys among keys.
func publicSet(keys []*tokenKey) ([]byte, error) {
	set := jwk.NewSet()
	for _, key := range keys {
		if key.alg == jwa.HS256() {
			continue
		}
		if err := set.AddKey(key.public); err != nil {
			return nil, fmt.Errorf("adding a key to the set: %w", err)
		}
	}
	encoded, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encoding the set of keys: %w", err)
	}
	return encoded, nil
}
