// Package inspect keeps the last requests of a server in development, each with what
// was decided about it, the SQL that it ran, its jobs and mails, and how its answer
// keeps to the contract. In production there is no Log, and a nil *Request takes all
// that it is told without doing anything.
package inspect

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/accord-api/accord/contract/redact"
)

const (
	// size is how many requests are kept.
	size = 200
	// lag is how many news a watcher may be behind before it misses some.
	lag = 256
)

// Answer is what a Judge is given.
type Answer struct {
	Method string
	Path   string // as it was asked for, with no query
	Status int
	Header http.Header
	Body   []byte
	Cut    bool // Body is not the whole of it
}

// Judge says in which ways an answer is not what the contract declares.
type Judge func(Answer) []string

// Log keeps the last requests. It is safe for concurrent use.
type Log struct {
	judge Judge

	mu       sync.Mutex
	requests []*Request         // oldest first
	jobs     map[int64]*Request // those whose request is kept
	watchers map[chan *Request]struct{}
}

// New returns an empty log. With a nil judge nothing is said of the contract.
func New(judge Judge) *Log {
	return &Log{judge: judge, jobs: map[int64]*Request{}, watchers: map[chan *Request]struct{}{}}
}

// Begin notes that a request has come in. It is kept from Show or Finish on.
func (l *Log) Begin(id string, r *http.Request) *Request {
	now := time.Now()
	q := &Request{log: l, began: now}
	q.record = Record{ID: id, Started: now, Method: r.Method, Path: r.URL.Path, Query: shownQuery(r.URL.Query())}
	q.secretsOf(r)
	return q
}

// Requests gives those that are kept, newest first.
func (l *Log) Requests() []Record {
	l.mu.Lock()
	all := slices.Clone(l.requests)
	l.mu.Unlock()
	slices.Reverse(all)
	records := make([]Record, len(all))
	for i, r := range all {
		records[i] = r.Record()
	}
	return records
}

// Request gives the one with an id, as long as it is kept.
func (l *Log) Request(id string) (Record, bool) {
	l.mu.Lock()
	i := slices.IndexFunc(l.requests, func(r *Request) bool { return r.record.ID == id }) // an id never changes
	if i < 0 {
		l.mu.Unlock()
		return Record{}, false
	}
	r := l.requests[i]
	l.mu.Unlock()
	return r.Record(), true
}

// Watch tells of each request that is new or has changed, until stop is called. Who
// is slow misses some.
func (l *Log) Watch() (news <-chan *Request, stop func()) {
	watcher := make(chan *Request, lag)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[watcher] = struct{}{}
	return watcher, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, watcher)
	}
}

// keep adds a request, and drops the oldest where there are too many.
func (l *Log) keep(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
	for len(l.requests) > size {
		dropped := l.requests[0]
		l.requests = slices.Delete(l.requests, 0, 1)
		for id, of := range l.jobs {
			if of == dropped {
				delete(l.jobs, id)
			}
		}
	}
}

// tell lets the watchers know of a request.
func (l *Log) tell(r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for watcher := range l.watchers {
		select {
		case watcher <- r:
		default:
		}
	}
}

// Request is one that is being served, or was. Its methods do nothing for nil, and
// are safe for concurrent use.
type Request struct {
	log   *Log
	began time.Time

	mu       sync.Mutex
	record   Record
	shown    bool
	redactor redact.Redactor
	sent     tail // what came of the request's body
}

type requestKey struct{}

// With carries a request to where its SQL and its jobs are seen.
func With(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// From gives the request that a context carries; nil where there is none.
func From(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// change changes what is known of the request, and tells it where it is shown.
func (r *Request) change(change func(*Record)) {
	r.mu.Lock()
	change(&r.record)
	shown := r.shown
	r.mu.Unlock()
	if shown {
		r.log.tell(r)
	}
}

// Show lets the request be seen while it is under way, under its operation's name.
func (r *Request) Show(operation string) {
	if r == nil {
		return
	}
	r.show(func(record *Record) { record.Operation = operation })
}

func (r *Request) show(change func(*Record)) {
	r.mu.Lock()
	first := !r.shown
	r.shown = true
	r.mu.Unlock()
	if first {
		r.log.keep(r)
	}
	r.change(change)
}

// Decide notes what a policy made of the request; refused tells that it went no further.
func (r *Request) Decide(policy string, refused bool, detail string) {
	if r == nil {
		return
	}
	at := time.Since(r.began)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.Decisions = append(r.record.Decisions, Decision{Policy: policy, Refused: refused, Detail: detail, At: at})
}

// Decided tells whether a policy has decided.
func (r *Request) Decided(policy string) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.record.Decisions, func(d Decision) bool { return d.Policy == policy })
}

// Refused tells whether a policy has let the request go no further.
func (r *Request) Refused() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.record.Decisions, func(d Decision) bool { return d.Refused })
}

// Problem is how a request failed.
type Problem struct {
	Code, Detail string
	// Cause is what the log has of it, and no client is told.
	Cause string
}

// Finish notes how the request was answered. Whether the answer keeps to the contract
// is found out afterwards, so that nobody waits for it.
func (r *Request) Finish(user string, problem Problem, answer Answer) {
	took := time.Since(r.began)
	r.mu.Lock()
	r.secretsIn(r.sent.Body)
	r.secretsIn(answer.Body)
	r.redactor.AddTokens(answer.Body)
	r.mu.Unlock()
	r.show(func(record *Record) {
		record.Status, record.Took, record.User, record.Problem = answer.Status, took, user, problem
	})
	if r.log.judge == nil {
		return
	}
	go func() {
		breaches := r.log.judge(answer)
		r.change(func(record *Record) { record.Judged, record.Breaches = true, breaches })
	}()
}
