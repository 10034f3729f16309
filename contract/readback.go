package contract

import (
	"context"
	"net/http"
	"slices"
)

// readBack asks for what a case has made, by the links of its answer to operations that
// change nothing: a resource that one variant of a request has made is read as that
// variant has made it.
func (s *session) readBack(ctx context.Context, e *exchange, sc *scope) {
	if e.after != nil || s.hurried || safe(e.method) || e.status >= http.StatusMultipleChoices {
		return
	}
	for _, o := range s.operations {
		if !o.safe() || o.policy.stream || !s.leadsTo(e, o) {
			continue
		}
		r := s.valid(o)
		if from := sources(r); !slices.Equal(from, []string{e.operation}) || !o.public() && (sc.identity == nil || !sc.identity.holds(r.As.Scopes) || !sc.identity.has(r.As.Schemes)) {
			continue
		}
		alone := &scope{identity: sc.identity, made: map[string]*exchange{e.operation: e}}
		read, err := s.patiently(ctx, func() (*exchange, error) { return s.exchange(ctx, r, alone, "", false) })
		if err == nil && read.status != http.StatusUnauthorized { // the case may have ended the session
			e.after = append(e.after, read)
		}
	}
}

// leadsTo says whether a link of an answer leads to an operation.
func (s *session) leadsTo(e *exchange, o *operation) bool {
	from := s.operation(e.operation)
	return slices.ContainsFunc(s.links[o.id], func(l link) bool {
		return l.from == e.operation && from.response(e.status) != nil && from.response(e.status).status == l.status
	})
}

// follow holds what was read back after a case against the document: it is there, and as
// its own operation describes it.
func (j *judgement) follow(read *exchange) {
	o := j.deriver.operation(read.operation)
	if o == nil || o == j.operation {
		return
	}
	if read.status >= http.StatusBadRequest {
		j.fail(o.pointer, "%s answers %d for what was just made: %s", o.id, read.status, first(string(read.received), 300))
		return
	}
	of := &judgement{deriver: j.deriver, operation: o}
	of.answer(read)
	for _, f := range of.failures {
		j.fail(f.Pointer, "read back by %s: %s", o.id, f.Text)
	}
}
