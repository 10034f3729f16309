package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"golang.org/x/crypto/bcrypt"
)

const password = "Correct-Horse-1"

func mustHasher(tb testing.TB, c HasherConfig) *Hasher {
	tb.Helper()
	if c.Keyring == nil {
		c.Keyring = mustKeyring(tb, currentSecret, "")
	}
	if c.Cost == 0 {
		c.Cost = bcrypt.MinCost
	}
	hasher, err := NewHasher(c)
	if err != nil {
		tb.Fatalf("making a hasher: %v", err)
	}
	return hasher
}

func mustHash(tb testing.TB, hasher *Hasher, password string) string {
	tb.Helper()
	stored, err := hasher.Hash(tb.Context(), password)
	if err != nil {
		tb.Fatalf("hashing: %v", err)
	}
	return stored
}

func checkVerify(t *testing.T, hasher *Hasher, stored, password string, wantOK, wantRehash bool) {
	t.Helper()
	ok, rehash, err := hasher.Verify(t.Context(), stored, password)
	if err != nil || ok != wantOK || rehash != wantRehash {
		t.Errorf("Verify(%q, %q) = %v, %v, %v; want %v, %v", stored, password, ok, rehash, err, wantOK, wantRehash)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()

	hasher := mustHasher(t, HasherConfig{})
	long := strings.Repeat("x", 99)
	for _, tc := range []struct{ right, wrong string }{
		{password, "correct-horse-1"},
		{"", " "},
		{long + "a", long + "b"},
		{strings.Repeat("ü", 99) + "a", strings.Repeat("ü", 99) + "b"},
		{"nul\x00a", "nul\x00b"},
	} {
		stored := mustHash(t, hasher, tc.right)
		checkVerify(t, hasher, stored, tc.right, true, false)
		checkVerify(t, hasher, stored, tc.wrong, false, false)
		if again := mustHash(t, hasher, tc.right); again == stored {
			t.Errorf("two hashes of %q are the same", tc.right)
		}
	}
}

func TestPasswordsAfterARotation(t *testing.T) {
	t.Parallel()

	before := mustHasher(t, HasherConfig{Keyring: mustKeyring(t, previousSecret, "")})
	during := mustHasher(t, HasherConfig{Keyring: mustKeyring(t, currentSecret, previousSecret)})
	after := mustHasher(t, HasherConfig{Keyring: mustKeyring(t, currentSecret, "")})

	stored := mustHash(t, before, password)
	checkVerify(t, during, stored, password, true, true)
	checkVerify(t, during, stored, "wrong", false, false)
	checkVerify(t, after, stored, password, false, false)

	rehashed := mustHash(t, during, password)
	checkVerify(t, during, rehashed, password, true, false)
	checkVerify(t, after, rehashed, password, true, false)
}

func TestPasswordsAreRehashedWhenTheCostWasRaised(t *testing.T) {
	t.Parallel()

	low := mustHasher(t, HasherConfig{Cost: 4})
	high := mustHasher(t, HasherConfig{Cost: 5})
	checkVerify(t, high, mustHash(t, low, password), password, true, true)
	checkVerify(t, high, mustHash(t, low, password), "wrong", false, false)
	checkVerify(t, low, mustHash(t, high, password), password, true, false)
}

// unverifiable are stored hashes that no password fits.
func unverifiable(t *testing.T, hasher *Hasher) map[string]string {
	t.Helper()
	stored := mustHash(t, hasher, password)
	plain, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"none":              "",
		"an unknown key":    strings.Replace(stored, hasher.keys[0].ID, "AAAAAAAA", 1),
		"no key":            strings.Replace(stored, hasher.keys[0].ID, "", 1),
		"another scheme":    "x" + stored,
		"plain bcrypt":      string(plain),
		"cut short":         stored[:len(stored)-1],
		"the dummy's":       string(hasher.dummy),
		"only the scheme":   scheme,
		"no bcrypt":         scheme + hasher.keys[0].ID,
		"the key unguarded": hasher.keys[0].ID + string(plain),
	}
}

// Whatever there is to compare with, and if there is nothing: one comparison of
// the configured cost is made. This is what makes unknown users take as long.
func TestEveryVerificationCostsTheSame(t *testing.T) {
	t.Parallel()

	hasher := mustHasher(t, HasherConfig{})
	var costs []int
	hasher.compare = func(hash, password []byte) error {
		cost, err := bcrypt.Cost(hash)
		if err != nil {
			t.Errorf("comparing with a malformed hash %q: %v", hash, err)
		}
		if len(password) != 44 {
			t.Errorf("comparing %d bytes of password, want 44", len(password))
		}
		costs = append(costs, cost)
		err = bcrypt.CompareHashAndPassword(hash, password)
		if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			t.Errorf("the comparison was cut short: %v", err)
		}
		return err
	}
	checkOne := func(name string) {
		t.Helper()
		if len(costs) != 1 || costs[0] != bcrypt.MinCost {
			t.Errorf("%s: comparisons of cost %v, want one of %d", name, costs, bcrypt.MinCost)
		}
		costs = nil
	}

	checkVerify(t, hasher, mustHash(t, hasher, password), "wrong", false, false)
	checkOne("a wrong password")
	if err := hasher.VerifyUnknown(t.Context(), password); err != nil {
		t.Fatal(err)
	}
	checkOne("an unknown user")
	for name, stored := range unverifiable(t, hasher) {
		checkVerify(t, hasher, stored, password, false, false)
		checkOne(name)
	}
}

// Even if a comparison with the stand-in succeeded, nobody would get in.
func TestTheDummyLetsNobodyIn(t *testing.T) {
	t.Parallel()

	hasher := mustHasher(t, HasherConfig{})
	hasher.compare = func(_, _ []byte) error { return nil }
	for name, stored := range unverifiable(t, hasher) {
		if ok, _, _ := hasher.Verify(t.Context(), stored, password); ok {
			t.Errorf("%s: let in", name)
		}
	}
}

func TestVerifyReportsADamagedHash(t *testing.T) {
	t.Parallel()

	hasher := mustHasher(t, HasherConfig{})
	stored := strings.Replace(mustHash(t, hasher, password), "$2a$04$", "$2a$xx$", 1)
	if ok, _, err := hasher.Verify(t.Context(), stored, password); ok || err == nil {
		t.Errorf("got %v, %v; want an error", ok, err)
	}
}

// With room for one and a queue of two, the fourth is sent away and the others
// get their turn.
func TestHashingIsBounded(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		hasher := mustHasher(t, HasherConfig{Parallel: 1, Queue: 2})
		running, release := make(chan bool), make(chan bool)
		hasher.compare = func(_, _ []byte) error {
			running <- true
			<-release
			return bcrypt.ErrMismatchedHashAndPassword
		}
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				if err := hasher.VerifyUnknown(t.Context(), password); err != nil {
					t.Errorf("in the queue: %v", err)
				}
			})
		}
		<-running
		synctest.Wait()

		if err := hasher.VerifyUnknown(t.Context(), password); !errors.Is(err, ErrBusy) {
			t.Errorf("verifying beyond the queue: %v, want ErrBusy", err)
		}
		if _, err := hasher.Hash(t.Context(), password); !errors.Is(err, ErrBusy) {
			t.Errorf("hashing beyond the queue: %v, want ErrBusy", err)
		}
		for range 2 {
			release <- true
			<-running
		}
		release <- true
		callers.Wait()
	})
}

func TestWaitingForAHashEndsWithTheContext(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		hasher := mustHasher(t, HasherConfig{Parallel: 1})
		leave, err := hasher.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := hasher.Hash(ctx, password)
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	})
}

func TestNewHasherChecksTheCost(t *testing.T) {
	t.Parallel()

	keyring := mustKeyring(t, currentSecret, "")
	for _, cost := range []int{-1, 3, 32} {
		if _, err := NewHasher(HasherConfig{Keyring: keyring, Cost: cost}); err == nil {
			t.Errorf("a cost of %d was accepted", cost)
		}
	}
	hasher, err := NewHasher(HasherConfig{Keyring: keyring})
	if err != nil || hasher.cost != 12 {
		t.Errorf("the default cost is %d, %v; want 12", hasher.cost, err)
	}
}

func TestTheDummyIsWellFormedAtEveryCost(t *testing.T) {
	t.Parallel()

	for cost := bcrypt.MinCost; cost <= bcrypt.MaxCost; cost++ {
		if got, err := bcrypt.Cost(dummyHash(cost)); err != nil || got != cost {
			t.Errorf("cost %d: %d, %v", cost, got, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, cost := range []int{4, 12} {
		hasher := mustHasher(b, HasherConfig{Cost: cost})
		stored := mustHash(b, hasher, password)
		b.Run(fmt.Sprintf("cost=%d/known", cost), func(b *testing.B) {
			for b.Loop() {
				if ok, _, err := hasher.Verify(b.Context(), stored, password); !ok {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("cost=%d/unknown", cost), func(b *testing.B) {
			for b.Loop() {
				if err := hasher.VerifyUnknown(b.Context(), password); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
