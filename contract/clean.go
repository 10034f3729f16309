package contract

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// making is something that a case has made, and by whom.
type making struct {
	exchange *exchange
	who      *identity
	gone     bool
}

// note keeps what was made: what a 201 says, and any other success that something is
// read or deleted by.
func (s *session) note(e *exchange, who *identity) {
	if e.method != http.MethodPost && e.method != http.MethodPut || e.status < http.StatusOK || e.status >= http.StatusMultipleChoices {
		return
	}
	if e.status != http.StatusCreated && (!s.makes[e.operation] || s.operation(e.operation).method != e.method) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makings = append(s.makings, &making{exchange: e, who: who})
}

// makers are the operations that another one, which reads or deletes, has a part of its
// path from.
func (d *deriver) makers() map[string]bool {
	makers := map[string]bool{}
	for _, o := range d.operations {
		if o.method != http.MethodGet && o.method != http.MethodDelete {
			continue
		}
		valid := d.valid(o)
		for _, p := range o.parameters {
			if from, ok := valid.Parameters[p.key()].(linked); ok && p.in == "path" {
				makers[from.From] = true
			}
		}
	}
	return makers
}

// Writes names the operations of a document that change something.
func (d *Document) Writes() (ids []string) {
	for _, o := range d.operations() {
		if !o.safe() {
			ids = append(ids, o.id)
		}
	}
	return ids
}

// removal is an operation that deletes what another one has made.
type removal struct {
	of *operation
	// made is the operation that a link or a guess takes its values from.
	made string
	// there says that it is the same path: a PUT makes what is asked for.
	there bool
}

// removals are the document's, those of people last: their things go first.
func (s *session) removals() (things, people []removal) {
	for _, o := range s.operations {
		if o.method != http.MethodDelete {
			continue
		}
		for _, put := range s.operations {
			if put.method == http.MethodPut && put.path == o.path {
				things = append(things, removal{of: o, made: put.id, there: true})
			}
		}
		from := sources(s.valid(o))
		if len(from) != 1 {
			continue
		}
		if maker := s.operation(from[0]); maker != nil && maker.public() {
			people = append(people, removal{of: o, made: maker.id})
		} else if maker != nil {
			things = append(things, removal{of: o, made: maker.id})
		}
	}
	return things, people
}

// sources are the operations that values of a request come from.
func sources(r request) (from []string) {
	for _, value := range r.Parameters {
		from = append(from, linksIn(value)...)
	}
	from = append(from, linksIn(r.Body)...)
	slices.Sort(from)
	return slices.Compact(from)
}

func linksIn(value any) (from []string) {
	switch value := value.(type) {
	case linked:
		return []string{value.From}
	case map[string]any:
		for _, each := range value {
			from = append(from, linksIn(each)...)
		}
	case []any:
		for _, each := range value {
			from = append(from, linksIn(each)...)
		}
	}
	return from
}

// cleanTime is how long what was made is deleted when a run is interrupted.
const cleanTime = 30 * time.Second

// unhurried goes on for cleanTime when ctx ends.
func unhurried(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cleanTime, cancel) })
	return longer, func() { stop(); cancel() }
}

// cleanUp deletes what cases have made, the newest first, and counts by operation what
// could not be deleted. A limit that is in the way leaves it too.
func (s *session) cleanUp(ctx context.Context) (left map[string]int) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	things, people := s.removals()
	for _, removals := range [][]removal{things, people} {
		var group errgroup.Group
		var removed sync.Map // of *making
		group.SetLimit(s.target.Parallel)
		for _, m := range slices.Backward(s.makings) {
			if m.gone {
				continue
			}
			for _, r := range removals {
				if r.made == m.exchange.operation {
					group.Go(func() error {
						if s.remove(ctx, r, m) {
							removed.Store(m, true)
						}
						return nil
					})
				}
			}
		}
		_ = group.Wait() // nothing fails: what is left is counted
		removed.Range(func(m, _ any) bool { m.(*making).gone = true; return true })
	}
	left = map[string]int{}
	for _, m := range s.makings {
		if !m.gone {
			left[m.exchange.operation]++
		}
	}
	// Newcomers may be gone now.
	s.identities = slices.DeleteFunc(s.identities, func(who *identity) bool { return who.name == "newcomer" })
	clear(s.shared)
	return left
}

// remove deletes one thing as who has made it, or as somebody who may.
func (s *session) remove(ctx context.Context, r removal, m *making) bool {
	who := m.who
	if maker := s.operation(r.made); maker.public() && !r.there {
		newcomer := &identity{name: "newcomer", made: map[string]*exchange{r.made: m.exchange}}
		signed, err := s.newToken(ctx, newcomer)
		if err != nil {
			return false // the account is gone, or has another password
		}
		who = signed
	}
	asked := s.valid(r.of)
	for key, value := range m.exchange.parameters {
		if r.there && strings.HasPrefix(key, "path:") {
			asked = asked.with(key, value)
		}
	}
	if who == nil || !who.holds(asked.As.Scopes) {
		asked.As.Alone = false
		var err error
		if who, err = s.identityFor(ctx, asked.As); err != nil {
			return false
		}
	}
	sc := &scope{identity: who, made: map[string]*exchange{r.made: m.exchange}}
	e, err := s.signedInStill(ctx, who, func() (*exchange, error) { return s.exchange(ctx, asked, sc, "", false) })
	return err == nil && (e.status < http.StatusMultipleChoices || e.status == http.StatusNotFound)
}
