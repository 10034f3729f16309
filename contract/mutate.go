package contract

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Score says how many changes of the document the cases notice.
type Score struct {
	Baseline *Result
	Mutants  []Verdict
	// Sent is how many exchanges with the server it took, the baseline's included.
	Sent    int
	Elapsed time.Duration
}

// Verdict is what has become of one mutant.
type Verdict struct {
	Mutant
	// Killer is the case or claim that noticed it; "" for none.
	Killer string
}

// Killed counts the mutants that were noticed.
func (s *Score) Killed() int { return len(s.Mutants) - len(s.Survivors()) }

// Survivors are the mutants that nothing has noticed.
func (s *Score) Survivors() []Verdict {
	return slices.DeleteFunc(slices.Clone(s.Mutants), func(v Verdict) bool { return v.Killer != "" })
}

// Mutate changes one thing in the document at a time, and runs the cases of the
// operations that it is about against the server, which stays as it is. What the
// server was asked before in the very same way is not asked again. progress may
// be nil.
func Mutate(ctx context.Context, d *Document, target Target, progress func(done, of int)) (*Score, error) {
	began := time.Now()
	s, err := begin(ctx, d, target)
	if err != nil {
		return nil, err
	}
	baseline, err := s.all(ctx, nil)
	if err != nil {
		return nil, err
	}
	m := &mutation{session: s, failed: map[string]bool{}, exchanges: exchanges(baseline.Outcomes)}
	for _, o := range baseline.Failed() {
		m.failed[o.Operation+" "+o.Name] = true
	}
	mutants := sampled(s.mutants(), target.Every)
	score := &Score{Baseline: baseline, Mutants: make([]Verdict, len(mutants))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, mutant := range mutants {
		group.Go(func() error {
			killer, err := m.killer(ctx, mutant)
			score.Mutants[i] = Verdict{mutant, killer}
			if target.Every == 0 {
				score.Mutants[i].document = nil // so that not all are kept
			}
			if err == nil && progress != nil {
				progress(i, len(mutants))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	score.Sent, score.Elapsed = s.sent, time.Since(began)
	return score, nil
}

type mutation struct {
	*session
	failed    map[string]bool // cases that fail without any change
	exchanges map[string][]*exchange
}

// killer gives what notices a mutant, "" for nothing.
func (m *mutation) killer(ctx context.Context, mutant Mutant) (string, error) {
	changed, err := newDeriverOf(mutant.document, m.known, mutant.part)
	if err != nil {
		return "the document: " + err.Error(), nil //nolint:nilerr // what is wrong with the mutant is what Run would end with
	}
	changed.take(m.target)
	if fault := changed.looseLink(); fault != "" {
		return "the document: " + fault, nil
	}
	came := map[string][]*exchange{}
	var about []*operation
	for _, id := range mutant.operations {
		came[id] = m.exchanges[id]
		if o := changed.operation(id); o != nil {
			if fault := changed.breach(o, came[id]); fault != "" && m.session.breach(m.session.operation(id), came[id]) == "" {
				return o.id + ": " + fault, nil
			}
		}
		for _, o := range changed.alike(m.session.operation(id)) {
			for _, c := range changed.cases(o) {
				outcome := m.run(ctx, changed, c)
				if ctx.Err() != nil {
					return "", ctx.Err()
				}
				if len(outcome.Failures) > 0 && !outcome.untried && !m.failed[o.id+" "+c.Name] {
					return o.id + ": " + c.Name + ": " + outcome.Failures[0].Text, nil
				}
				came[id] = append(slices.Clip(came[id]), slices.DeleteFunc(slices.Clone(outcome.done), func(e *exchange) bool { return e == nil })...)
			}
			about = append(about, o)
		}
	}
	return m.unwitnessed(changed, mutant, about, came), nil
}

// breach says what answers that have come break of a document, "" for nothing.
func (d *deriver) breach(o *operation, came []*exchange) string {
	j := &judgement{deriver: d, operation: o}
	for _, e := range came {
		if j.answer(e); len(j.failures) > 0 {
			return j.failures[0].Text
		}
	}
	return ""
}

// alike gives the operation, or where there is none any more one of its path.
func (d *deriver) alike(o *operation) []*operation {
	if same := d.operation(o.id); same != nil {
		return []*operation{same}
	}
	for _, other := range d.operations {
		if other.path == o.path {
			return []*operation{other}
		}
	}
	return nil
}

// looseLink says which link leads to no operation.
func (d *deriver) looseLink() string {
	for _, id := range sorted(d.links) {
		if d.operation(id) == nil {
			return "a link leads to " + id + ", which is no operation"
		}
	}
	return ""
}

// unwitnessed gives a claim of the changed document that nothing bears witness
// of, where all that the unchanged one claims there was seen.
func (m *mutation) unwitnessed(changed *deriver, mutant Mutant, about []*operation, came map[string][]*exchange) string {
	var before []*operation
	for _, o := range about {
		if same := m.session.operation(o.id); same != nil {
			before = append(before, same)
		}
	}
	open := m.session.unproven(before, came)
	for _, claim := range changed.unproven(about, came) {
		doubtful := func(c Claim) bool {
			return c.Pointer == claim.Pointer || listOf(c.Pointer) != "" && listOf(c.Pointer) == listOf(claim.Pointer) ||
				mutant.instead != "" && strings.HasPrefix(c.Pointer, mutant.instead)
		}
		if within(claim.Pointer, mutant.part) && !slices.ContainsFunc(open, doubtful) {
			return "nothing shows at " + claim.Pointer + ": " + claim.Text
		}
	}
	return ""
}

// listOf is the enumeration that a claim is about a value of; "" for none. Where
// not all of its values came, one more that does not come shows nothing.
func listOf(pointer string) string {
	if i := strings.LastIndex(pointer, "/enum/"); i >= 0 {
		return pointer[:i]
	}
	return ""
}

func within(pointer, part string) bool {
	return pointer == part || strings.HasPrefix(pointer, part+"/")
}
