package contract

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Score says how many changes of the document the cases notice.
type Score struct {
	Baseline *Result
	Mutants  []Verdict
	// Equivalent are changes that change nothing, each with its reason.
	Equivalent []Mutant
	// Sent is how many exchanges with the server it took, the baseline's included.
	Sent    int
	Elapsed time.Duration
}

// Verdict is what has become of one mutant.
type Verdict struct {
	Mutant
	// Killer is the case or claim that noticed it; "" for none.
	Killer string
	// Untried is why cases that could have noticed it were not tried; "" for none.
	Untried string
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
	baseline := s.all(ctx, nil)
	if baseline.Interrupted {
		return nil, ctx.Err()
	}
	m := &mutation{session: s, failed: map[string]bool{}, came: s.rightful(arrivals(baseline.Outcomes))}
	for _, o := range baseline.Failed() {
		m.failed[o.Operation+" "+o.Name] = true
	}
	s.hurried, s.target.Patience = true, min(s.target.Patience, maxHurry)
	mutants, equivalent := s.mutants()
	mutants, held := m.apart(mutants)
	equivalent = append(equivalent, held...)
	mutants = sampled(mutants, target.Every)
	score := &Score{Baseline: baseline, Equivalent: equivalent, Mutants: make([]Verdict, len(mutants))}
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, mutant := range mutants {
		group.Go(func() error {
			verdict, err := m.judged(ctx, mutant)
			score.Mutants[i] = verdict
			if target.Every == 0 {
				score.Mutants[i].document = nil // so that not all are kept
			}
			if err == nil && progress != nil {
				progress(int(done.Add(1)), len(mutants))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if !target.Keep && !target.ReadOnly {
		baseline.Left = s.cleanUp(ctx)
	}
	s.redact.result(baseline)
	d.asWritten(baseline)
	for i, v := range score.Mutants {
		score.Mutants[i].Killer, score.Mutants[i].Untried = s.redact.Text(v.Killer), s.redact.Text(v.Untried)
		score.Mutants[i].Pointer = d.written(v.Pointer)
	}
	for i, m := range score.Equivalent {
		score.Equivalent[i].Pointer = d.written(m.Pointer)
	}
	score.Sent, score.Elapsed = s.sent, time.Since(began)
	return score, nil
}

type mutation struct {
	*session
	failed map[string]bool // cases that fail without any change
	came   arrived
	parts  sync.Map // *witnesses of the unchanged document, by part
}

// judged says what notices a mutant.
func (m *mutation) judged(ctx context.Context, mutant Mutant) (v Verdict, err error) {
	v.Mutant = mutant
	v.Killer, err = m.killer(ctx, mutant, &v.Untried)
	return v, err
}

// killer gives what notices a mutant, "" for nothing.
func (m *mutation) killer(ctx context.Context, mutant Mutant, untried *string) (string, error) {
	changed, err := newDeriverOf(mutant.document, m.known, mutant.part, mutant.document.reread(m.deriver.operations, mutant.operations))
	if err != nil {
		return "the document: " + err.Error(), nil //nolint:nilerr // what is wrong with the mutant is what Run would end with
	}
	changed.take(m.target)
	if fault := changed.looseLink(); fault != "" {
		return "the document: " + fault, nil
	}
	if stray := m.stray(changed, mutant); stray != "" {
		return stray + " is answered, and not in the document", nil
	}
	for _, id := range mutant.operations {
		if o := changed.operation(id); o != nil {
			if fault := changed.breach(o, m.came[id]); fault != "" {
				return o.id + ": " + fault, nil
			}
		}
	}
	if mutant.answers {
		return m.unwitnessed(changed, mutant, m.came), nil
	}
	came := m.came
	for _, id := range mutant.operations {
		for _, o := range changed.alike(m.operation(id)) {
			killer, more, err := m.tried(ctx, changed, o, untried)
			if killer != "" || err != nil {
				return killer, err
			}
			came = came.with(id, more...)
		}
	}
	return m.unwitnessed(changed, mutant, came), nil
}

// stray gives what was recorded of an operation that is not there any more, "" for
// nothing.
func (m *mutation) stray(changed *deriver, mutant Mutant) string {
	for _, id := range mutant.operations {
		if before := m.operation(id); changed.operationFor(before.method, before.path) == nil {
			i := slices.IndexFunc(m.target.Recorded, func(r Recorded) bool { return r.there() && m.operationFor(r.Method, r.Path) == before })
			if i >= 0 {
				return m.target.Recorded[i].Method + " " + m.target.Recorded[i].Path
			}
		}
	}
	return ""
}

// tried runs the cases of an operation until one fails, and gives what came.
func (m *mutation) tried(ctx context.Context, changed *deriver, o *operation, untried *string) (killer string, came []*exchange, err error) {
	for _, c := range changed.cases(o) {
		outcome := m.run(ctx, changed, c)
		if ctx.Err() != nil {
			return "", nil, ctx.Err()
		}
		if len(outcome.Failures) > 0 && !outcome.untried && !m.failed[o.id+" "+c.Name] {
			return o.id + ": " + c.Name + ": " + outcome.Failures[0].Text, nil, nil
		}
		if outcome.untried {
			*untried = c.Name + ": " + outcome.Failures[0].Text
		}
		came = append(came, outcome.done...)
	}
	return "", came, nil
}

// knowsWho says that the people of a run stand for all who may sign in: somebody who has
// just registered is among them, or some hold less than others.
func (s *session) knowsWho() bool {
	sets := map[string]bool{}
	for _, who := range s.identities {
		if who.any {
			return false
		}
		if who.made != nil {
			return true
		}
		sets[strings.Join(slices.Sorted(slices.Values(who.scopes)), " ")] = true
	}
	return len(sets) > 1
}

// apart takes out the mutants of which only what came tells that they change nothing.
func (m *mutation) apart(mutants []Mutant) (left, held []Mutant) {
	for _, mutant := range mutants {
		if why := cmp.Or(m.heldByAll(mutant), m.heldByServer(mutant), m.unforeseen(mutant)); why != "" {
			mutant.document, mutant.Why = nil, why
			held = append(held, mutant)
		} else {
			left = append(left, mutant)
		}
	}
	return left, held
}

// heldByAll says that a scope is asked for that everybody holds; "" otherwise.
func (s *session) heldByAll(mutant Mutant) string {
	if mutant.scope == "" || !s.knowsWho() || slices.ContainsFunc(s.identities, func(who *identity) bool { return !who.holds([]string{mutant.scope}) }) {
		return ""
	}
	return "everybody who signs in holds the scope " + mutant.scope
}

// unforeseen says that a change is of the status `default`, where nothing came that it is
// for; "" otherwise.
func (m *mutation) unforeseen(mutant Mutant) string {
	if !strings.HasSuffix(mutant.instead, "/responses/default") {
		return ""
	}
	for _, id := range mutant.operations {
		o := m.operation(id)
		for status, came := range m.came[id] {
			if o.response(status) == nil && slices.ContainsFunc(came, func(e *exchange) bool { return e.method == o.method }) {
				return ""
			}
		}
	}
	return "default is for what nobody expects, and nothing else came"
}

// rightful is what has come without what breaks the document as it is.
func (d *deriver) rightful(came arrived) arrived {
	right := arrived{}
	for id, by := range came {
		o := d.operation(id)
		for _, all := range by {
			for _, e := range all {
				if d.breach(o, map[int][]*exchange{e.status: {e}}) == "" {
					right.add(e)
				}
			}
		}
	}
	return right
}

// breach says what answers that have come break of a document, "" for nothing.
func (d *deriver) breach(o *operation, came map[int][]*exchange) string {
	j := &judgement{deriver: d, operation: o}
	for _, status := range slices.Sorted(maps.Keys(came)) {
		for _, e := range came[status] {
			if j.answer(e); len(j.failures) > 0 {
				return j.failures[0].Text
			}
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
func (m *mutation) unwitnessed(changed *deriver, mutant Mutant, came arrived) string {
	var about, before []*operation
	for _, id := range mutant.operations {
		before = append(before, m.operation(id))
		about = append(about, changed.alike(m.operation(id))...)
	}
	known := m.before(before, mutant, came)
	if mutant.lets && known.shown(mutant.Pointer) {
		return "nothing shows at " + mutant.Pointer + ": a text that the pattern did not let in before"
	}
	open := known.open()
	for _, claim := range changed.unproven(about, came, mutant.part) {
		doubtful := func(c Claim) bool {
			return c.Pointer == claim.Pointer || c.Pointer == mutant.part && c.Text == nothingCame || listOf(c.Pointer) != "" && listOf(c.Pointer) == listOf(claim.Pointer) ||
				mutant.instead != "" && strings.HasPrefix(c.Pointer, mutant.instead)
		}
		if !slices.ContainsFunc(open, doubtful) {
			return "nothing shows at " + claim.Pointer + ": " + claim.Text
		}
	}
	return ""
}

// before are the witnesses of the unchanged document. Where nothing more was sent
// for a mutant, they are the same for all of its part.
func (m *mutation) before(operations []*operation, mutant Mutant, came arrived) *witnesses {
	if !mutant.answers {
		return m.witnesses(operations, came, mutant.part)
	}
	w, known := m.parts.Load(mutant.part)
	if !known {
		w, _ = m.parts.LoadOrStore(mutant.part, m.witnesses(operations, came, mutant.part))
	}
	return w.(*witnesses)
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
