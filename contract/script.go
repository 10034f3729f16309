package contract

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// perform sends what a case sends, and gives what came.
func (s *session) perform(ctx context.Context, c Case) ([]*exchange, error) {
	if c.script.Kind == scriptOwned {
		one, err := s.once(ctx, c.request, true)
		if err != nil {
			return nil, err
		}
		another, err := s.once(ctx, *c.control, true)
		return []*exchange{one, another}, err
	}
	if c.script.Kind != "" {
		return s.recall(fmt.Sprint(c.script, c.request.key()), func() ([]*exchange, error) { return s.act(ctx, c) })
	}
	o := c.request.on
	own := !o.safe() && c.want.accepted
	if c.want.themselves {
		e, err := s.once(ctx, c.request, own)
		return []*exchange{e}, err
	}
	e, also, err := s.able(ctx, c.request, own)
	for r := c.request; err == nil && c.want.done && s.overtaken(r, e) && r.Try < maxTries; {
		r.Try++
		e, also, err = s.able(ctx, r, true)
	}
	if err != nil || !c.want.accepted || accepted(o, e.status) {
		return append([]*exchange{e}, also...), err
	}
	for _, other := range c.together {
		if again, _, err := s.able(ctx, other, own); err == nil && accepted(o, again.status) {
			return []*exchange{again}, nil
		}
	}
	if c.control == nil {
		return append([]*exchange{e}, also...), nil
	}
	control, err := s.once(ctx, *c.control, own)
	return append([]*exchange{e, control}, also...), err
}

// act sends the requests of a script.
func (s *session) act(ctx context.Context, c Case) ([]*exchange, error) {
	sc, err := s.scopeFor(ctx, c.request, !c.request.on.safe())
	if err != nil {
		return nil, err
	}
	switch c.script.Kind {
	case scriptAgain:
		return s.again(ctx, c.request, sc)
	case scriptReplay:
		return s.replay(ctx, c.request, sc)
	case scriptRevalidate:
		return s.revalidate(ctx, c.request, sc)
	case scriptPart:
		return s.part(ctx, c.request, c.script.By, sc)
	}
	return s.limited(ctx, c, sc)
}

// recall gives what came of the same requests before.
func (s *session) recall(key string, do func() ([]*exchange, error)) ([]*exchange, error) {
	s.mu.Lock()
	done, known := s.memory[key]
	s.mu.Unlock()
	if known {
		return done, nil
	}
	done, err := do()
	if err == nil {
		s.mu.Lock()
		s.memory[key] = done
		s.sent += len(done)
		s.mu.Unlock()
	}
	return done, err
}

// once sends a request, in a scope of its own or in one that is shared.
func (s *session) once(ctx context.Context, r request, own bool) (*exchange, error) {
	done, err := s.recall(fmt.Sprint(own, r.key()), func() ([]*exchange, error) {
		sc, err := s.scopeFor(ctx, r, own)
		if err != nil {
			return nil, err
		}
		e, err := s.patient(ctx, r, sc)
		if err == nil && r.Method == "" {
			s.readBack(ctx, e, sc)
		}
		return []*exchange{e}, err
	})
	if err != nil {
		return nil, err
	}
	return done[0], nil
}

// able sends a request, and where a role is missing once more as somebody who has
// all: what is asked for may need more than the operation itself. also is what was
// refused before.
func (s *session) able(ctx context.Context, r request, own bool) (e *exchange, also []*exchange, err error) {
	e, err = s.once(ctx, r, own)
	if err != nil || e.status != http.StatusForbidden || len(r.As.Without) > 0 || r.As.Nobody {
		return e, nil, err
	}
	r.As = caller{Scopes: s.scopes(), Schemes: r.As.Schemes}
	if again, err := s.once(ctx, r, true); err == nil { // somebody may hold all
		return again, []*exchange{e}, nil
	}
	return e, nil, nil
}

// overtaken says that a request may have come too late for what was made for it: what is
// only accepted (202) goes on by itself, as a job does.
func (d *deriver) overtaken(r request, e *exchange) bool {
	return e.status == http.StatusConflict && r.on.response(e.status) != nil && slices.ContainsFunc(sources(r), func(from string) bool {
		o := d.operation(from)
		return o != nil && o.response(http.StatusAccepted) != nil
	})
}

// patient sends a request again when a limit that is not looked for was met.
func (s *session) patient(ctx context.Context, r request, sc *scope) (*exchange, error) {
	return s.patiently(ctx, func() (*exchange, error) { return s.settled(ctx, r, sc, "") })
}

// defaultPatience is how long a limit is waited for, and maxHurry how long where one
// of thousands of mutants would have all others wait.
const (
	defaultPatience = 2 * time.Minute
	maxHurry        = 2 * time.Second
)

// patiently asks again when a limit is over, a few times.
func (s *session) patiently(ctx context.Context, ask func() (*exchange, error)) (*exchange, error) {
	for try := 1; ; try++ {
		e, err := ask()
		if err != nil || e.status != http.StatusTooManyRequests || try == maxTries {
			return e, err
		}
		wait, err := time.ParseDuration(e.answer.Get("Retry-After") + "s")
		if s.hurried && (err != nil || wait > s.target.Patience) {
			return nil, fmt.Errorf("a limit is in the way for %s s", e.answer.Get("Retry-After"))
		}
		if err != nil || wait > s.target.Patience {
			return e, nil //nolint:nilerr // the answer tells more
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// settled holds the scope only while what the request needs is made.
func (s *session) settled(ctx context.Context, r request, sc *scope, address string) (*exchange, error) {
	fixed, err := s.fix(ctx, r, sc)
	if err != nil {
		return nil, err
	}
	who := sc.identity
	if r.As.Nobody || r.As.Token != "" || r.on.public() {
		who = nil
	}
	return s.signedInStill(ctx, who, func() (*exchange, error) { return s.exchange(ctx, fixed, sc, address, false) })
}

// fix gives a request that is the same each time it is sent.
func (s *session) fix(ctx context.Context, r request, sc *scope) (request, error) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	parameters, err := s.settle(ctx, r.Parameters, sc)
	if err != nil {
		return r, err
	}
	body, err := s.settle(ctx, r.Body, sc)
	r.Parameters, _ = parameters.(map[string]any)
	r.Body = body
	return r, err
}

func (s *session) again(ctx context.Context, r request, sc *scope) ([]*exchange, error) {
	r, err := s.fix(ctx, r, sc)
	if err != nil {
		return nil, err
	}
	return s.several(ctx, sc, r, r)
}

func (s *session) several(ctx context.Context, sc *scope, requests ...request) ([]*exchange, error) {
	var done []*exchange
	for _, r := range requests {
		e, err := s.exchange(ctx, r, sc, "", false)
		if err != nil {
			return done, err
		}
		done = append(done, e)
	}
	return done, nil
}

// replay sends a request twice under one key, and then another one under it.
func (s *session) replay(ctx context.Context, r request, sc *scope) ([]*exchange, error) {
	r, err := s.fix(ctx, r, sc)
	if err != nil {
		return nil, err
	}
	r = r.withHeader("Idempotency-Key", fmt.Sprintf("contract-%d", s.next()))
	other := r
	if body, ok := r.Body.(map[string]any); ok {
		other.Body = s.differing(s.operation(r.Operation), body)
	}
	return s.several(ctx, sc, r, r, other)
}

// differing is a valid body that is not the one given.
func (d *deriver) differing(o *operation, body map[string]any) any {
	for _, v := range d.around(o.bodies[0].schema, any(body)) {
		if changed := replaced(any(body), v.at, v.value); v.valid && fmt.Sprint(changed) != fmt.Sprint(body) {
			return changed
		}
	}
	return body
}

func (s *session) revalidate(ctx context.Context, r request, sc *scope) ([]*exchange, error) {
	r, err := s.fix(ctx, r, sc)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		e, err := s.exchange(ctx, r, sc, "", false)
		if err != nil || e.answer.Get("ETag") == "" {
			return []*exchange{e}, err
		}
		again, err := s.several(ctx, sc, r.withHeader("If-None-Match", e.answer.Get("ETag")), r.withHeader("If-None-Match", `"other"`))
		if err != nil || again[0].status == http.StatusNotModified || try == maxTries {
			return append([]*exchange{e}, again...), err
		}
	}
}

// part asks for a part of what was answered, by one header.
func (s *session) part(ctx context.Context, r request, name string, sc *scope) ([]*exchange, error) {
	r, err := s.fix(ctx, r, sc)
	if err != nil {
		return nil, err
	}
	whole, err := s.exchange(ctx, r, sc, "", false)
	if err != nil || whole.status != http.StatusOK {
		return []*exchange{whole}, err
	}
	switch name {
	case "If-Range":
		r = r.withHeader("Range", "bytes=0-0").withHeader(name, `"other"`)
	case "Range":
		r = r.withHeader(name, "bytes=0-0")
	default:
		changed := whole.answer.Get("Last-Modified")
		if changed == "" {
			return []*exchange{whole}, nil
		}
		r = r.withHeader(name, changed)
	}
	part, err := s.exchange(ctx, r, sc, "", false)
	return []*exchange{whole, part}, err
}

// maxTries is how often something is asked for that others may change meanwhile.
const maxTries = 10

// flood sends as many requests as a limit lets through, and one more. What the
// limit does not count by differs each time.
func (s *session) flood(ctx context.Context, o *operation, r request, flood script, sc *scope) ([]*exchange, error) {
	r, err := s.fix(ctx, r, sc)
	if err != nil {
		return nil, err
	}
	address, people := "", []*scope{sc}
	if flood.By == "ip" {
		address = s.newAddress()
	}
	switch {
	case flood.By == "user":
	case flood.Everybody: // one limit for several people, who each stay within half of it
		other, err := s.scopeFor(ctx, r, true)
		if err != nil {
			return nil, err
		}
		people = append(people, other)
	case flood.By == "ip":
		r.As.Nobody = true
	}
	if len(o.bodies) > 0 && (flood.By == "ip" || flood.By == "user") { // it counts before it is looked at
		r = r.raw(o.bodies[0].mediaType, "{")
	}
	var last *exchange
	for i := range flood.N + 1 {
		if last, err = s.asked(ctx, r, people[i%len(people)], address); err != nil {
			return nil, err
		}
		if last.status == http.StatusTooManyRequests && i < flood.N {
			return []*exchange{last}, nil // too early
		}
	}
	return []*exchange{nil, last}, nil
}

// asked sends one request of a flood, as somebody who is signed in: the one before
// may have ended the session.
func (s *session) asked(ctx context.Context, r request, sc *scope, address string) (*exchange, error) {
	who := sc.identity
	if r.As.Nobody {
		who = nil
	}
	return s.signedInStill(ctx, who, func() (*exchange, error) { return s.exchange(ctx, r, sc, address, true) })
}
