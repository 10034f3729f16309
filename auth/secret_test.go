package auth_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/accord-api/accord/auth"
)

const (
	currentSecret  = "correct horse battery staple, current"
	previousSecret = "correct horse battery staple, previous"
)

func mustKeyring(t *testing.T, secret, previous string) *auth.Keyring {
	t.Helper()
	keyring, err := auth.NewKeyring(secret, previous)
	if err != nil {
		t.Fatalf("making a keyring: %v", err)
	}
	return keyring
}

// malformed are texts that are no 256 bits in canonical base64url.
func malformed(valid string) map[string]string {
	return map[string]string{
		"empty":              "",
		"short":              valid[1:],
		"long":               valid + "A",
		"padded":             valid + "=",
		"standard alphabet":  "+" + valid[1:],
		"a line break":       "\n" + valid[1:],
		"other unused bits":  valid[:42] + "B",
		"a NUL":              "\x00" + valid[1:],
		"not UTF-8":          "\xff" + valid[1:],
		"a megabyte of text": strings.Repeat("A", 1<<20),
	}
}

func TestSecretsAreHashedAndChecked(t *testing.T) {
	t.Parallel()

	token, hash := auth.NewSecret()
	other, _ := auth.NewSecret()
	if token == other {
		t.Fatal("two secrets are the same")
	}
	again, err := auth.HashSecret(token)
	if err != nil || !bytes.Equal(hash, again) {
		t.Errorf("HashSecret = %x, %v; want %x", again, err, hash)
	}
	if bytes.Contains([]byte(token), hash) || len(hash) != 32 {
		t.Errorf("a hash of %d bytes", len(hash))
	}
	for name, text := range malformed(token) {
		if _, err := auth.HashSecret(text); !errors.Is(err, auth.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

func TestRefreshChildIsTheSameAgain(t *testing.T) {
	t.Parallel()

	refresh := auth.NewRefresh(mustKeyring(t, currentSecret, ""))
	token, hash := refresh.New()
	if again, err := refresh.Hash(token); err != nil || !bytes.Equal(hash, again) {
		t.Errorf("Hash = %x, %v; want %x", again, err, hash)
	}
	child, childHash, err := refresh.Child(token)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := refresh.Hash(child); err != nil || !bytes.Equal(childHash, again) {
		t.Errorf("the child's hash is %x, %v; want %x", again, err, childHash)
	}
	if again, _, _ := refresh.Child(token); again != child {
		t.Error("the same token has another child")
	}
	if grandchild, _, _ := refresh.Child(child); grandchild == child || child == token {
		t.Error("a child is like its parent")
	}
	if stranger, _, _ := auth.NewRefresh(mustKeyring(t, previousSecret, "")).Child(token); stranger == child {
		t.Error("the child does not depend on the secret")
	}
	for name, text := range malformed(token) {
		if _, _, err := refresh.Child(text); !errors.Is(err, auth.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
		if _, ok := refresh.Replay(text, childHash); ok {
			t.Errorf("%s: was replayed", name)
		}
	}
}

// A retry finds the child that was given out, even when the secret was rotated
// in between.
func TestRefreshReplay(t *testing.T) {
	t.Parallel()

	before := auth.NewRefresh(mustKeyring(t, previousSecret, ""))
	after := auth.NewRefresh(mustKeyring(t, currentSecret, previousSecret))
	token, _ := before.New()
	child, childHash, _ := before.Child(token)

	for name, refresh := range map[string]*auth.Refresh{"before": before, "after": after} {
		if again, ok := refresh.Replay(token, childHash); !ok || again != child {
			t.Errorf("%s the rotation: %q, %v", name, again, ok)
		}
	}
	if _, ok := auth.NewRefresh(mustKeyring(t, currentSecret, "")).Replay(token, childHash); ok {
		t.Error("a child was found without its key")
	}
	if _, ok := after.Replay(child, childHash); ok {
		t.Error("a token passes for its own child")
	}
}

func TestSealer(t *testing.T) {
	t.Parallel()

	sealer := auth.NewSealer(mustKeyring(t, currentSecret, previousSecret))
	for _, payload := range []string{"", "x", "\x00\xff", "2026-01-01T00:00:00Z|0193"} {
		sealed := sealer.Seal("orders", []byte(payload))
		opened, err := sealer.Open("orders", sealed)
		if err != nil || string(opened) != payload {
			t.Errorf("Open(Seal(%q)) = %q, %v", payload, opened, err)
		}
	}

	previous := auth.NewSealer(mustKeyring(t, previousSecret, "")).Seal("orders", []byte("payload"))
	if opened, err := sealer.Open("orders", previous); err != nil || string(opened) != "payload" {
		t.Errorf("sealed before the rotation: %q, %v", opened, err)
	}
}

func TestSealerRefusesWhatItDidNotSeal(t *testing.T) {
	t.Parallel()

	sealer := auth.NewSealer(mustKeyring(t, currentSecret, ""))
	sealed := sealer.Seal("orders", []byte("payload"))
	stranger := auth.NewSealer(mustKeyring(t, previousSecret, "")).Seal("orders", []byte("payload"))
	cases := map[string]struct{ purpose, sealed string }{
		"another purpose":        {"products", sealed},
		"a longer purpose":       {"ordersp", sealer.Seal("orders", []byte("payload"))},
		"purpose and payload":    {"order", sealer.Seal("orders", []byte("s"))},
		"another key":            {"orders", stranger},
		"empty":                  {"orders", ""},
		"only half a seal":       {"orders", sealed[:10]},
		"padded":                 {"orders", sealed + "="},
		"a line break":           {"orders", sealed + "\n"},
		"longer than ever":       {"orders", sealer.Seal("orders", make([]byte, 4096))},
		"not in base64url":       {"orders", "!" + sealed[1:]},
		"a payload without seal": {"orders", "cGF5bG9hZA"},
	}
	for i := range sealed {
		changed := []byte(sealed)
		changed[i] ^= 1
		cases["changed: "+string(changed)] = struct{ purpose, sealed string }{"orders", string(changed)}
	}
	for name, tc := range cases {
		if _, err := sealer.Open(tc.purpose, tc.sealed); !errors.Is(err, auth.ErrSeal) {
			t.Errorf("%s: %v, want ErrSeal", name, err)
		}
	}
}

func BenchmarkSealer(b *testing.B) {
	keyring, err := auth.NewKeyring(currentSecret, "")
	if err != nil {
		b.Fatal(err)
	}
	sealer := auth.NewSealer(keyring)
	sealed := sealer.Seal("orders", make([]byte, 24))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sealer.Open("orders", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
