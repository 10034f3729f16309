package contract

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
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

var (
	toldLimit   = regexp.MustCompile(`"[^"]*"((?:\s*;\s*[a-z]+=[^;,]+)+)`)
	limitQuota  = regexp.MustCompile(`;\s*q=(\d+)`)
	limitWindow = regexp.MustCompile(`;\s*w=(\d+)`)
)

// limits holds RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers) to the limits of
// the operation. An answer to somebody who is not signed in may tell of those that hold
// for all operations.
func (j *judgement) limits(e *exchange) {
	said := e.answer.Get("RateLimit-Policy")
	if said == "" || !j.strict() {
		return
	}
	var told []rateLimit
	for _, item := range toldLimit.FindAllStringSubmatch(said, -1) {
		var l rateLimit
		for _, m := range limitQuota.FindAllStringSubmatch(item[1], 1) {
			l.limit, _ = strconv.Atoi(m[1]) // digits
		}
		for _, m := range limitWindow.FindAllStringSubmatch(item[1], 1) {
			seconds, _ := strconv.Atoi(m[1]) // digits
			l.window = time.Duration(seconds) * time.Second
		}
		told = append(told, l)
	}
	among := func(all []rateLimit, one rateLimit) bool {
		return slices.ContainsFunc(all, func(l rateLimit) bool { return l.limit == one.limit && l.window == one.window })
	}
	declared := j.operation.policy.rateLimits
	for _, l := range told {
		if !among(declared, l) && (e.status != http.StatusUnauthorized || !among(j.ofAll(), l)) {
			j.fail(j.operation.policy.pointer["rate-limit"], "RateLimit-Policy tells of %d requests in %s, which is no limit of the operation: %s", l.limit, l.window, said)
		}
	}
	nobody := map[bool]string{true: "user", false: "ip"}[j.operation.public()] // whom it does not count
	for _, l := range declared {
		if e.status < http.StatusBadRequest && l.by != nobody && !among(told, l) {
			j.fail(l.pointer, "RateLimit-Policy does not tell of %d requests in %s: %s", l.limit, l.window, said)
		}
	}
}

// ofAll are the limits that hold for operations with none of their own.
func (d *Document) ofAll() (limits []rateLimit) {
	policy, _ := d.root["x-policy"].(map[string]any)
	for _, value := range list(policy["rate-limit"]) {
		if l, ok := limitOf(value); ok {
			limits = append(limits, l)
		}
	}
	return limits
}
