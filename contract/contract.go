// Package contract derives cases from an OpenAPI document and holds a server to
// them: what the document allows has to be taken, what it refuses has to be
// refused, and every answer has to be what it says. It knows nothing of the
// server but its address.
package contract

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Result is what a run has come to.
type Result struct {
	Document string
	URL      string
	Outcomes []Outcome
	// Unproven are claims of the document that nothing has borne witness of.
	Unproven []Claim
	// Untried are what the document asks of requests and no case breaks, although one
	// could.
	Untried []Claim
	// Strays are methods and paths that something was recorded of, and that the
	// document does not have.
	Strays []string
	// Left counts by operation what was made and not deleted; nil where nothing was to
	// be.
	Left map[string]int
	// Interrupted says that the run was ended before all cases were run.
	Interrupted bool
	Elapsed     time.Duration
}

// Outcome is what one case has come to.
type Outcome struct {
	Case
	Failures []Failure
	// Skipped says why a case was not run; "" where it was.
	Skipped string
	Elapsed time.Duration

	done []*exchange
	// about says for each failure which of done it is about, or whole.
	about []int
	// untried says that the run failed, which shows nothing of the server.
	untried bool
}

// Failed lists the outcomes with failures.
func (r *Result) Failed() []Outcome {
	return slices.Collect(func(yield func(Outcome) bool) {
		for _, o := range r.Outcomes {
			if len(o.Failures) > 0 && !yield(o) {
				return
			}
		}
	})
}

// Tried counts the cases that were run.
func (r *Result) Tried() int { return len(r.Outcomes) - r.skipped() }

// Run derives the cases of a document, runs them against a target and judges what
// comes. progress is told of each outcome as it comes, one at a time; it may be
// nil. An error is one of the run itself: that the document cannot be read or
// nobody can sign in. Where ctx ends, what has come until then is given with its
// error, and what was made is deleted all the same, for 30 s at most.
func Run(ctx context.Context, d *Document, target Target, progress func(Outcome)) (*Result, error) {
	s, err := begin(ctx, d, target)
	if err != nil {
		return nil, err
	}
	result := s.all(ctx, progress)
	clean := func() {
		if !target.Keep && !target.ReadOnly {
			result.Left = s.cleanUp(ctx)
		}
	}
	clean() // before limits are met that would be in the way
	if !result.Interrupted && s.limits(ctx, result, progress) {
		clean()
	}
	s.redact.result(result)
	d.asWritten(result)
	if result.Interrupted {
		return result, ctx.Err()
	}
	return result, nil
}

func begin(ctx context.Context, d *Document, target Target) (*session, error) {
	derived, err := newDeriver(d)
	if err != nil {
		return nil, err
	}
	if fault := derived.looseLink(); fault != "" {
		return nil, fmt.Errorf("reading %s: %s", d.Name, fault)
	}
	derived.take(target)
	if address, err := url.Parse(target.URL); err == nil && address.Path == "" {
		target.URL += d.Base()
	}
	s := newSession(derived, target)
	return s, s.redact.error(s.signIn(ctx))
}

// take notes what the target gives.
func (d *deriver) take(target Target) {
	d.given, d.expired = map[string]bool{}, target.Expired
	for key := range target.Values {
		d.given[key] = true
	}
	if len(target.Logins) > 0 {
		d.login = map[string]any{"grant_type": "password", "username": target.Logins[0].User, "password": target.Logins[0].Password}
	}
	d.offered(target)
}

// interrupted is why cases were not run that would have been.
const interrupted = "the run was interrupted"

// all runs the cases of each operation, several operations at once, until ctx ends.
func (s *session) all(ctx context.Context, progress func(Outcome)) *Result {
	began := time.Now()
	per := make([][]Outcome, len(s.operations))
	var telling sync.Mutex
	tell := func(outcome Outcome) {
		if progress != nil && outcome.Skipped != interrupted && outcome.Skipped != unaddressed {
			telling.Lock()
			defer telling.Unlock()
			progress(s.redact.outcome(outcome))
		}
	}
	var group errgroup.Group
	group.SetLimit(s.target.Parallel)
	for i, o := range s.operations {
		group.Go(func() error {
			for _, c := range s.cases(o) {
				per[i] = append(per[i], s.unlessInterrupted(ctx, c))
				tell(per[i][len(per[i])-1])
			}
			for _, outcome := range s.barred(o, per[i]) {
				per[i] = append(per[i], outcome)
				tell(outcome)
			}
			return nil
		})
	}
	_ = group.Wait() // nothing fails: what comes is in the outcomes
	result := &Result{Document: s.Name, URL: s.target.URL, Interrupted: ctx.Err() != nil}
	for i, o := range s.operations {
		result.Untried = append(result.Untried, s.untried(o, casesOf(per[i]))...)
	}
	recorded, strays := s.recorded(s.target.Recorded)
	result.Outcomes, result.Strays, result.Elapsed = append(slices.Concat(per...), recorded...), strays, time.Since(began)
	if !result.Interrupted {
		result.Unproven = s.unproven(s.operations, arrivals(result.Outcomes), "")
	}
	return result
}

func casesOf(outcomes []Outcome) (cases []Case) {
	for _, o := range outcomes {
		cases = append(cases, o.Case)
	}
	return cases
}

// unlessInterrupted runs a case as long as ctx lasts.
func (s *session) unlessInterrupted(ctx context.Context, c Case) Outcome {
	if ctx.Err() == nil {
		if outcome := s.run(ctx, s.deriver, c); ctx.Err() == nil { // else it may have failed for that
			return outcome
		}
	}
	return Outcome{Case: c, Skipped: interrupted}
}

// arrived is what has come of each operation, by its operationId and status.
type arrived map[string]map[int][]*exchange

func (a arrived) add(done ...*exchange) {
	for _, e := range done {
		if e == nil {
			continue
		}
		if a[e.operation] == nil {
			a[e.operation] = map[int][]*exchange{}
		}
		a[e.operation][e.status] = append(a[e.operation][e.status], e)
	}
}

// with is what has come of one operation before, and more of it.
func (a arrived) with(operation string, done ...*exchange) arrived {
	more := maps.Clone(a)
	more[operation] = maps.Clone(a[operation])
	for _, e := range done {
		if e != nil && e.operation == operation && more[operation] != nil {
			more[operation][e.status] = append(slices.Clip(more[operation][e.status]), e)
		}
	}
	return more
}

func arrivals(outcomes []Outcome) arrived {
	a := arrived{}
	seen := map[*exchange]bool{}
	for _, o := range outcomes {
		for _, e := range o.done {
			if !seen[e] {
				seen[e] = true
				a.add(e)
			}
		}
	}
	return a
}

// run does one case of a document, which may be another one than the session's.
func (s *session) run(ctx context.Context, d *deriver, c Case) Outcome {
	if c.script.Kind == scriptFlood && s.target.ClientIPHeader == "" && !s.alone {
		return Outcome{Case: c, Skipped: unaddressed}
	}
	if c.fault != "" {
		return Outcome{Case: c, Failures: []Failure{{c.Pointer, d.line(c.Pointer), c.fault}}}
	}
	if name := s.lacking(c.request.As); name != "" {
		return Outcome{Case: c, Skipped: "there is no credential for the scheme " + name}
	}
	began := time.Now()
	done, err := s.perform(ctx, c)
	for _, e := range done {
		if e != nil && len(e.after) > 0 {
			done = append(slices.Clone(done), e.after...)
		}
	}
	outcome := Outcome{Case: c, done: done, Elapsed: time.Since(began)}
	if err != nil && s.alone || errors.Is(err, errReadOnly) || errors.Is(err, errNobody) && s.unknown() {
		outcome.Skipped = err.Error()
		return outcome
	}
	if err != nil {
		outcome.untried = true
		outcome.Failures = []Failure{{c.Pointer, d.line(c.Pointer), fmt.Sprintf("it could not be tried: %s", err)}}
		return outcome
	}
	outcome.Failures = d.judge(c, done)
	for _, f := range outcome.Failures {
		outcome.about = append(outcome.about, d.about(c, f, done))
	}
	return outcome
}

// whole stands for all exchanges of a script.
const whole = -1

// about says which exchange a failure is about: the one whose answer breaks the
// document by itself, else the case's own, which is the first one.
func (d *deriver) about(c Case, f Failure, done []*exchange) int {
	for i, e := range done {
		if e == nil {
			continue
		}
		j := &judgement{deriver: d, operation: d.operation(c.Operation)}
		j.answer(e)
		if j.follow(e); slices.Contains(j.failures, f) {
			return i
		}
	}
	if c.script.Kind != "" {
		return whole
	}
	return 0
}

// shown are the exchanges that one of the failures is about.
func (o Outcome) shown(failure int) []*exchange {
	if failure < len(o.about) && o.about[failure] != whole {
		return o.done[o.about[failure] : o.about[failure]+1]
	}
	return slices.DeleteFunc(slices.Clone(o.done), func(e *exchange) bool { return e == nil })
}
