package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

const (
	// idempotencyKeyHeader is the header of draft-ietf-httpapi-idempotency-key-header.
	idempotencyKeyHeader = "Idempotency-Key"
	replayedHeader       = "Idempotency-Replayed"
	// idempotencyMemory is how long the answer of a key is kept.
	idempotencyMemory = 24 * time.Hour
)

// kept is implemented by requests of operations that keep answers.
type kept interface {
	// Members are what makes the request the same as another one.
	Members() any
}

// once serves a request with an Idempotency-Key: the first one does the work,
// and its answer is stored in the very transaction of that work; later ones get
// the stored answer. Only successes are stored, so that a failure can be tried
// again. Nothing is sent before the commit.
func (o *operation) once(c echo.Context, call *call, request any, method api.StrictHandlerFunc) (api.Answer, error) {
	key := strings.Trim(c.Request().Header.Get(idempotencyKeyHeader), `"`)
	if key == "" {
		_ = call.decided(idempotencyUnused, nil)
		return method(c, request)
	}
	who := call.who
	members, err := json.Marshal(request.(kept).Members())
	if err != nil {
		return nil, fmt.Errorf("reading the members of a request: %w", err)
	}
	// Asked for in another role it is another request: whoever may not do the work
	// any more is not given its answer, and nobody does it twice.
	hash := sha256.Sum256(append([]byte(who.Role+" "), members...))
	once := &onceRequest{
		operation: o,
		key:       db.IdempotencyKeyGetParams{UserID: who.UserID, Operation: o.policy.OperationID, Key: key},
		hash:      hash[:],
	}
	wait, cancel := context.WithTimeout(c.Request().Context(), o.policy.Timeout-o.policy.Timeout/5)
	defer cancel()
	unlock, err := o.server.twins.lock(wait, once.key)
	if err != nil {
		return nil, call.decided(idempotency, inProgress(err))
	}
	defer unlock()
	return once.serve(wait, c, request, method)
}

// onceRequest is one request with its key.
type onceRequest struct {
	operation *operation
	key       db.IdempotencyKeyGetParams
	hash      []byte
}

// serve does the work or finds the answer, in one transaction. wait bounds the
// wait for a request with the same key on another instance.
func (r *onceRequest) serve(wait context.Context, c echo.Context, request any, method api.StrictHandlerFunc) (answer api.Answer, err error) {
	outer := c.Request()
	defer func() { c.SetRequest(outer) }()
	err = r.operation.server.inTx(outer.Context(), func(ctx context.Context, w *write) error {
		taken, err := r.take(wait, w)
		if err != nil {
			return err
		}
		if !taken {
			answer, err = r.replay(ctx, w)
			return callOf(c).decided(idempotencyReplay, err)
		}
		_ = callOf(c).decided(idempotency, nil)
		c.SetRequest(outer.WithContext(context.WithValue(ctx, writeKey{}, w)))
		answer, err = r.work(ctx, c, w, request, method)
		return err
	})
	if errors.Is(err, errReplayed) {
		err = nil
		callOf(c).audit.written = true // with the first request
	}
	return answer, err
}

// errReplayed ends the transaction of a request that had been answered before:
// there is nothing to commit, and nothing to audit.
var errReplayed = errors.New("answered before")

func (r *onceRequest) take(wait context.Context, w *write) (bool, error) {
	now := w.server.now()
	n, err := w.IdempotencyKeyTake(wait, db.IdempotencyKeyTakeParams{
		UserID: r.key.UserID, Operation: r.key.Operation, Key: r.key.Key,
		RequestHash: r.hash, Now: now, ExpiresAt: now.Add(idempotencyMemory),
	})
	if err != nil && wait.Err() != nil {
		return false, inProgress(err)
	}
	return n > 0, err
}

// replay gives the answer of the first request.
func (r *onceRequest) replay(ctx context.Context, w *write) (api.Answer, error) {
	first, err := w.IdempotencyKeyGet(ctx, r.key)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of an idempotency key: %w", err)
	}
	if string(first.RequestHash) != string(r.hash) {
		return nil, problem(api.ProblemIdempotencyKeyReused, "The key came with another request, or in another role, before.")
	}
	encoded := encodedAnswer{Status: int(*first.Status), Body: first.Body}
	if err := json.Unmarshal(first.Headers, &encoded.Header); err != nil {
		return nil, fmt.Errorf("reading the answer of an idempotency key: %w", err)
	}
	encoded.Header.Set(replayedHeader, "true")
	return encoded.write, errReplayed
}

// work lets the method do its work and stores what it answers.
func (r *onceRequest) work(ctx context.Context, c echo.Context, w *write, request any, method api.StrictHandlerFunc) (api.Answer, error) {
	answer, err := method(c, request)
	if err != nil {
		return nil, err
	}
	encoded, err := encode(answer)
	if err != nil {
		return nil, err
	}
	headers, err := json.Marshal(encoded.Header)
	if err != nil {
		return nil, fmt.Errorf("storing the answer of an idempotency key: %w", err)
	}
	status := int32(encoded.Status) //nolint:gosec // a method answers with what the contract declares
	return encoded.write, w.IdempotencyKeyStore(ctx, db.IdempotencyKeyStoreParams{
		UserID: r.key.UserID, Operation: r.key.Operation, Key: r.key.Key,
		Status: &status, Headers: headers, Body: encoded.Body,
	})
}

func inProgress(cause error) error {
	p := problem(api.ProblemRequestInProgress, "The first request with this key is still at work.").because(cause)
	p.retryAfter = busyRetry
	return p
}

// twins makes requests of this process with the same key queue without holding
// a connection of the pool.
type twins struct {
	mu    sync.Mutex
	queue map[db.IdempotencyKeyGetParams]*twin
}

type twin struct {
	turn    chan struct{} // holds the one turn
	waiting int
}

func newTwins() *twins { return &twins{queue: map[db.IdempotencyKeyGetParams]*twin{}} }

// lock waits for the key's turn until ctx ends.
func (t *twins) lock(ctx context.Context, key db.IdempotencyKeyGetParams) (unlock func(), err error) {
	t.mu.Lock()
	q := t.queue[key]
	if q == nil {
		q = &twin{turn: make(chan struct{}, 1)}
		t.queue[key] = q
	}
	q.waiting++
	t.mu.Unlock()

	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn; t.leave(key, q) }, nil
	case <-ctx.Done():
		t.leave(key, q)
		return nil, ctx.Err()
	}
}

func (t *twins) leave(key db.IdempotencyKeyGetParams, q *twin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.waiting--; q.waiting == 0 {
		delete(t.queue, key)
	}
}
