package limit

import (
	"fmt"
	"testing"
	"time"
)

// Once a flood of keys has gone quiet, the table shrinks to what is in use.
func TestSweepForgetsDeadKeys(t *testing.T) {
	t.Parallel()

	now := time.Unix(0, 0)
	clock := func() time.Time { return now }
	w := NewWindow(5, time.Minute, WithNow(clock))
	b := NewBackoff(WithNow(clock))
	visit := func(key string) {
		w.Take(key)
		attempt, _ := b.Begin(key)
		attempt.Fail()
	}
	for i := range 1000 {
		visit(fmt.Sprint("flood ", i))
	}
	now = now.Add(2 * time.Hour)
	for i := range 1000 {
		visit(fmt.Sprint("calm ", i))
	}
	if n := w.calls.Len(); n != 1000 {
		t.Errorf("the window holds %d keys, want 1000", n)
	}
	if n := b.attempts.Len(); n != 1000 {
		t.Errorf("the backoff holds %d keys, want 1000", n)
	}
}

func TestBackoffKeepsNothingOfKeysWithoutFailures(t *testing.T) {
	t.Parallel()

	b := NewBackoff()
	for _, end := range []func(*Attempt){(*Attempt).Succeed, (*Attempt).Cancel} {
		attempt, _ := b.Begin("a")
		end(attempt)
	}
	if n := b.attempts.Len(); n != 0 {
		t.Errorf("%d keys are held, want none", n)
	}
}

// The ring never grows beyond the limit, and not before it must.
func TestRingGrowsAsNeeded(t *testing.T) {
	t.Parallel()

	w := NewWindow(10, time.Minute, WithNow(func() time.Time { return time.Unix(0, 0) }))
	for _, want := range []int{4, 4, 4, 4, 8, 8, 8, 8, 10, 10, 10, 10} {
		w.Take("a")
		r, _ := w.calls.Peek("a")
		if got := len(r.at); got != want {
			t.Fatalf("the ring has %d places after %d calls, want %d", got, r.len, want)
		}
	}
}
