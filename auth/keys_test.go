package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const (
	currentSecret  = "correct horse battery staple, current"
	previousSecret = "correct horse battery staple, previous"
)

func mustKeyring(tb testing.TB, secret, previous string) *Keyring {
	tb.Helper()
	keyring, err := NewKeyring(secret, previous)
	if err != nil {
		tb.Fatalf("making a keyring: %v", err)
	}
	return keyring
}

// The answers come from another implementation (Python's hmac and hashlib). A
// change of any derivation makes every stored hash, token and cursor of every
// deployment worthless: if this test fails, it is the code that is wrong.
func TestKnownAnswers(t *testing.T) {
	t.Parallel()

	keyring := mustKeyring(t, currentSecret, previousSecret)
	for _, tc := range []struct {
		use                    Use
		id, secret, previousID string
	}{
		{UseJWT, "nAAStyAQ", "3c57c40a332d83877f3706c8ca35e39bc852631a8a8668654e48c1c212355474", "Jp9A_kLp"},
		{UseBlind, "qkXVD7kn", "2a319136699739bb18a928b3bf6a95040b451dde186b37c79fdfbfda9f0550c0", "QBklQIuU"},
		{UseCursor, "myiQQrnK", "35c891be6b96b1dc8ca57f3797c9377c209f1fff22f6aff37728602e850c2bea", "cTJfASUT"},
		{UseRefresh, "Jktha9Nz", "6ab440b8074799bded8cd43b1bbf96c7aba5e2e2e8a89f53ddff778a820deb71", "FGulFYaU"},
		{UsePassword, "2qrDiXfs", "ca3fc8ee04a663a033207ea44b816a192e43654a5cdb599c46f1175a05248c18", "WztFCefj"},
	} {
		keys := keyring.Derive(tc.use)
		if len(keys) != 2 {
			t.Fatalf("%s: %d keys, want 2", tc.use, len(keys))
		}
		if got := hex.EncodeToString(keys[0].secret()); got != tc.secret {
			t.Errorf("%s: the key is %s, want %s", tc.use, got, tc.secret)
		}
		if keys[0].ID != tc.id || keys[1].ID != tc.previousID {
			t.Errorf("%s: the IDs are %s and %s, want %s and %s", tc.use, keys[0].ID, keys[1].ID, tc.id, tc.previousID)
		}
	}

	raw := make([]byte, secretSize)
	for i := range raw {
		raw[i] = byte(i)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	hash, err := HashSecret(token)
	if got := hex.EncodeToString(hash); err != nil || got != "ea866a757e4c38babfa8127cbe9a409d3e1f93a00ff1488ff735fcf917afffd0" {
		t.Errorf("the hash of a secret is %s, %v", got, err)
	}
	child, _, err := NewRefresh(keyring).Child(token)
	if err != nil || child != "dLziF4KGrGFoPpnMts2Mhrhn5MwHOX-tFwYb2vOYBmA" {
		t.Errorf("the child of a refresh token is %s, %v", child, err)
	}
	if got := prehash(keyring.Derive(UsePassword)[0], "Correct-Horse-1"); string(got) != "Hy6DiBlSMkFBjAsZ3ZQ0ABBjKj+hD6WlF58lyyxqeho=" {
		t.Errorf("what bcrypt sees of a password is %s", got)
	}
	if got := NewSealer(keyring).Seal("orders", []byte("payload")); got != "QVsDbSVZTOBVeGVcsN1TnHBheWxvYWQ" {
		t.Errorf("a sealed cursor is %s", got)
	}
	if got := NewBlind(keyring).Name("203.0.113.7"); got != "-AhNJLGuzOb7uHmV0hYZnA" {
		t.Errorf("the name of an address is %s", got)
	}
}

func TestNewKeyringNeedsASecret(t *testing.T) {
	t.Parallel()

	if _, err := NewKeyring("", previousSecret); !errors.Is(err, ErrNoSecret) {
		t.Errorf("got %v, want ErrNoSecret", err)
	}
	for _, previous := range []string{"", currentSecret} {
		if keys := mustKeyring(t, currentSecret, previous).Derive(UseJWT); len(keys) != 1 {
			t.Errorf("%d keys with the previous secret %q, want 1", len(keys), previous)
		}
	}
}

// However a key, or what holds keys, gets into a log: its secret does not.
func TestKeysDoNotPrint(t *testing.T) {
	t.Parallel()

	keyring := mustKeyring(t, currentSecret, "")
	key := keyring.Derive(UseJWT)[0]
	hasher, err := NewHasher(HasherConfig{Keyring: keyring, Cost: 4})
	if err != nil {
		t.Fatal(err)
	}
	tokens := mustTokens(t, TokenConfig{Keyring: keyring})

	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	jsonLog := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{key, &key, keyring, *keyring, hasher, NewRefresh(keyring), *NewSealer(keyring), NewBlind(keyring), tokens, *tokens, tokens.config} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		log.Info("", "v", v)
		jsonLog.Info("", "v", v)
		if encoded, err := json.Marshal(v); err == nil { // a config holds a clock, which has no JSON
			out.Write(encoded)
		}
	}

	secrets := map[string][]byte{"master": keyring.secrets[0]()}
	for _, use := range []Use{UseJWT, UseCursor, UseRefresh, UsePassword, UseBlind} {
		secrets[string(use)] = keyring.Derive(use)[0].secret()
	}
	for name, secret := range secrets {
		for _, form := range []string{
			string(secret),
			hex.EncodeToString(secret),
			fmt.Sprintf("%v", secret)[1:20],
			fmt.Sprintf("%#v", secret)[8:30],
			base64.StdEncoding.EncodeToString(secret),
			base64.RawURLEncoding.EncodeToString(secret),
		} {
			if strings.Contains(out.String(), form) {
				t.Errorf("the %s key was printed as %q", name, form)
			}
		}
	}
	if strings.Contains(out.String(), currentSecret) {
		t.Error("the secret was printed")
	}
	if got := fmt.Sprint(key); got != "key "+key.ID {
		t.Errorf("a key prints as %q", got)
	}
}
