package contract

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// unaddressed is why a rate limit is not tried beside other cases.
const unaddressed = "without an address of its own other cases count for its limit"

// errCounted says that a limit came earlier than it should, for what else may count.
var errCounted = errors.New("the limit is there, and its number was not tried: other cases count for it, and its window is too long to wait for")

// limits tries the rate limits that all left out, one after the other, now that nothing
// else is asked. Those that other cases have counted for are waited for, all of them
// together as long as the target is patient.
func (s *session) limits(ctx context.Context, result *Result, progress func(Outcome)) (some bool) {
	s.alone, s.patience = true, s.target.Patience
	for i, o := range result.Outcomes {
		if o.Skipped != unaddressed {
			continue
		}
		some = true
		result.Outcomes[i] = s.unlessInterrupted(ctx, o.Case)
		if progress != nil {
			progress(s.redact.outcome(result.Outcomes[i]))
		}
	}
	if !some {
		return false
	}
	if result.Interrupted = ctx.Err() != nil; !result.Interrupted {
		result.Unproven = s.unproven(s.operations, arrivals(result.Outcomes), "")
	}
	return true
}

// limited finds out whether a limit is there and, where it comes too early, asks again
// when what else counts for it is over. What stands in its way shows nothing.
func (s *session) limited(ctx context.Context, c Case, sc *scope) ([]*exchange, error) {
	done, err := s.flood(ctx, c.request.on, c.request, c.script, sc)
	if !s.alone {
		return done, err
	}
	if err == nil && len(done) == 1 {
		if err := s.over(ctx, c); err != nil {
			return done, err
		}
		done, err = s.flood(ctx, c.request.on, c.request, c.script, sc)
	}
	if err == nil && done[len(done)-1].status == http.StatusUnauthorized && !c.request.on.public() {
		err = errNobody
	}
	return done, err
}

// over waits for the window of a limit.
func (s *session) over(ctx context.Context, c Case) error {
	var window time.Duration
	for _, l := range c.request.on.policy.rateLimits {
		if l.pointer == c.Pointer {
			window = l.window
		}
	}
	if window > s.patience {
		return errCounted
	}
	s.patience -= window
	timer := time.NewTimer(window)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
