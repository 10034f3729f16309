package server

import (
	"errors"
	"io"
	"testing"
	"time"
)

// A try that came to nothing, even by a panic, does not keep others from trying.
func TestGuessEndsWithItsTry(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	broken := errors.New("the database is gone")
	for i, try := range []func() (bool, error){
		func() (bool, error) { return false, broken },
		func() (bool, error) { panic(broken) },
	} {
		for range 10 {
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = p.(error)
					}
				}()
				return s.guess(t.Context(), "ada", try)
			}()
			if !errors.Is(err, broken) {
				t.Fatalf("try %d: %v", i, err)
			}
		}
	}
	if err := s.guess(t.Context(), "ada", func() (bool, error) { return true, nil }); err != nil {
		t.Error(err)
	}
	if err := s.guess(t.Context(), "ada", func() (bool, error) { return false, nil }); problemOf(err).retryAfter != 0 {
		t.Error(err)
	}
	err := s.guess(t.Context(), "ADA", func() (bool, error) { t.Error("it was tried"); return true, nil })
	if wait := problemOf(err).retryAfter; wait <= 0 || wait > time.Second {
		t.Errorf("a refusal for %s: %v", wait, err)
	}
}
