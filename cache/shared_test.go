package cache_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/cache"
	"github.com/accord-api/accord/redistest"
)

// patience is for calls that have to succeed, on a machine however busy.
const patience = 20 * time.Second

func encode(s string) ([]byte, error) { return []byte("encoded " + s), nil }

func decode(b []byte) (string, error) {
	s, ok := strings.CutPrefix(string(b), "encoded ")
	if !ok {
		return "", errors.New("not encoded")
	}
	return s, nil
}

// house is some instances that share a Redis, and a clock.
type house struct {
	url    string
	prefix string
	clock  *hands
	log    *logBook
}

func newHouse(t *testing.T, url string) *house {
	t.Helper()
	h := &house{url: url, prefix: t.Name() + rand.Text(), clock: newHands(), log: new(logBook)}
	t.Cleanup(func() {
		if h.log.count("error=\"not encoded\"") > 0 {
			t.Error("something other was decoded than was encoded")
		}
	})
	return h
}

// instance is one more of them. It has asked for something once already, so that
// Redis knows the script.
func (h *house) instance(t *testing.T, options ...func(*cache.Options[string])) *cache.Cache[string] {
	t.Helper()
	c := h.newcomer(t, options...)
	_, err := c.Get(t.Context(), "first", time.Minute, nil, func(context.Context) (string, bool, error) { return "", true, nil })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *house) newcomer(t *testing.T, options ...func(*cache.Options[string])) *cache.Cache[string] {
	t.Helper()
	o := cache.Options[string]{
		MaxBytes: ample, Weigh: weigh, Now: h.clock.Now, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Shared: newClient(t, h.url), Prefix: h.prefix, Timeout: patience, Encode: encode, Decode: decode,
	}
	for _, option := range options {
		option(&o)
	}
	return cache.New(o)
}

func newClient(t *testing.T, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries = true, -1, 1
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// awaitShared waits until Redis has under "k" what was loaded as the load-th:
// nobody waits for that but tests.
func (h *house) awaitShared(t *testing.T, load int) {
	t.Helper()
	client, want := newClient(t, h.url), fmt.Sprint("encoded load ", load)
	until := time.Now().Add(patience)
	for !strings.HasSuffix(client.Get(t.Context(), h.prefix+":entry:k").Val(), want) {
		if time.Now().After(until) {
			t.Fatalf("load %d does not come to be shared", load)
		}
		<-time.After(time.Millisecond)
	}
}

// expectAndShare has "k" loaded and then finds it in Redis.
func (h *house) expectAndShare(t *testing.T, s *source, c *cache.Cache[string], load int) {
	t.Helper()
	s.expect(t, c, load)
	h.awaitShared(t, load)
}

// logBook collects what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), message)
}

func TestInstancesShare(t *testing.T) {
	t.Parallel()

	var s source
	h := newHouse(t, redistest.URL(t))
	a, b := h.instance(t), h.instance(t)
	h.expectAndShare(t, &s, a, 1)
	s.expect(t, b, 1)
	if got, ok := b.Lookup("k"); got != "load 1" || !ok {
		t.Errorf("in the memory of the second is %q, %v", got, ok)
	}

	// One invalidates; what is shared is stale for both, and for whoever comes.
	a.Invalidate(t.Context(), "b")
	h.expectAndShare(t, &s, h.instance(t), 2)
	s.expect(t, a, 2)
	b.Invalidate(t.Context(), "b")
	s.expect(t, b, 3)

	a.InvalidateAll(t.Context())
	s.expect(t, h.instance(t), 4)
}

func TestSharedEntriesKeepTheirTime(t *testing.T) {
	t.Parallel()

	var s source
	h := newHouse(t, redistest.URL(t))
	a, b := h.instance(t), h.instance(t)
	slow := func(ctx context.Context) (string, bool, error) {
		h.clock.Move(time.Minute)
		return s.load(ctx)
	}
	if _, err := a.Get(t.Context(), "k", time.Hour, nil, slow); err != nil {
		t.Fatal(err)
	}
	h.awaitShared(t, 1)
	left := newClient(t, h.url).PTTL(t.Context(), h.prefix+":entry:k").Val()
	if left > 59*time.Minute || left < 58*time.Minute {
		t.Errorf("Redis keeps it for another %v, want 59m", left)
	}

	for _, tc := range []struct{ ttl, want time.Duration }{{100 * time.Hour, 59 * time.Minute}, {time.Minute, time.Minute}} {
		h.clock.Move(200 * time.Hour)
		if got, err := b.Get(t.Context(), "k", tc.ttl, nil, s.load); got != "load 1" || err != nil {
			t.Fatalf("Get = %q, %v", got, err)
		}
		h.clock.Move(tc.want - time.Minute)
		if _, ok := b.Lookup("k"); !ok && tc.want > time.Minute {
			t.Errorf("it is not kept for %v", tc.want-time.Minute)
		}
		h.clock.Move(time.Minute)
		if _, ok := b.Lookup("k"); ok {
			t.Errorf("it is kept for %v", tc.want)
		}
	}
}

// What one instance loads while another invalidates is not shared as if it were
// loaded afterwards.
func TestInvalidateDuringALoadElsewhere(t *testing.T) {
	t.Parallel()

	var s source
	h := newHouse(t, redistest.URL(t))
	a, b, g := h.instance(t), h.instance(t), newGated()
	got := g.get(t.Context(), b)
	<-g.began
	a.Invalidate(t.Context(), "a")
	g.end <- "encoded load 0" // so that it looks as awaited
	expectValue(t, got, "encoded load 0")
	h.awaitShared(t, 0)
	s.expect(t, a, 1)
}

// Redis may lose anything at any time. What is gone must not make valid again
// what was stale.
func TestLostVersionsMakeEntriesStale(t *testing.T) {
	t.Parallel()

	url := redistest.URL(t)
	for _, lost := range []string{":tag:a", ":tag:b", ":epoch"} {
		var s source
		h := newHouse(t, url)
		a, b := h.instance(t), h.instance(t)
		h.expectAndShare(t, &s, a, 1)
		a.Invalidate(t.Context(), "a")
		if n := newClient(t, h.url).Del(t.Context(), h.prefix+lost).Val(); n > 1 {
			t.Fatalf("%d keys are dropped for %s", n, lost)
		}
		s.expect(t, b, 2)
	}
}

func TestASharedHitIsOneRoundTrip(t *testing.T) {
	t.Parallel()

	var s source
	h := newHouse(t, redistest.URL(t))
	h.expectAndShare(t, &s, h.instance(t), 1)
	var calls counter
	b := h.instance(t, func(o *cache.Options[string]) { o.Shared.AddHook(&calls) })
	before := calls.Load()
	s.expect(t, b, 1)
	s.expect(t, b, 1)
	if n := calls.Load() - before; n != 1 {
		t.Errorf("%d calls of Redis", n)
	}
}

// counter counts the calls of a client.
type counter struct{ atomic.Int64 }

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "hello" {
			c.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.Add(1)
		return next(ctx, cmds)
	}
}

func TestWhatCannotBeEncodedOrDecodedIsLoaded(t *testing.T) {
	t.Parallel()

	var s source
	h := newHouse(t, redistest.URL(t))
	mute := h.instance(t, func(o *cache.Options[string]) {
		o.Encode = func(string) ([]byte, error) { return nil, errors.New("mute") }
	})
	s.expect(t, mute, 1)
	s.expect(t, mute, 1)
	a := h.instance(t)
	h.expectAndShare(t, &s, a, 2)
	deaf := h.instance(t, func(o *cache.Options[string]) {
		o.Decode = func([]byte) (string, error) { return "half", errors.New("deaf") }
	})
	s.expect(t, deaf, 3)
	if h.log.count("error=mute") == 0 || h.log.count("error=deaf") == 0 {
		t.Errorf("the log is\n%s", &h.log.text)
	}
}

// Who has no time to wait for Redis does without, and says nothing against it.
func TestTooLittleTimeForRedis(t *testing.T) {
	t.Parallel()

	var s source
	h := newHouse(t, redistest.URL(t))
	a, b := h.instance(t), h.instance(t)
	h.expectAndShare(t, &s, a, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	defer cancel()
	if got, err := b.Get(ctx, "k", time.Minute, []string{"a", "b"}, s.load); got != "load 2" || err != nil {
		t.Errorf("Get = %q, %v", got, err)
	}
	s.expect(t, h.instance(t), 1)
	if h.log.count("Redis") != 0 {
		t.Errorf("the log is\n%s", &h.log.text)
	}
}

func TestRedisDies(t *testing.T) {
	t.Parallel()

	var s source
	server := redistest.Start(t)
	h := newHouse(t, server.URL())
	a, b := h.instance(t), h.instance(t)
	h.expectAndShare(t, &s, a, 1)
	server.Kill()

	s.expect(t, a, 1)
	s.expect(t, b, 2)
	s.expect(t, b, 2)
	for load := 3; load < 6; load++ {
		b.Invalidate(t.Context(), "a")
		s.expect(t, b, load)
		b.InvalidateAll(t.Context())
		load++
		s.expect(t, b, load)
		h.clock.Move(time.Second)
	}
	if n := h.log.count("Redis does not serve"); n != 1 {
		t.Errorf("the log tells %d times", n)
	}
}

// After a failure Redis is left alone for a second.
func TestRedisRests(t *testing.T) {
	t.Parallel()

	var s source
	var calls counter
	server := redistest.Start(t)
	h := newHouse(t, server.URL())
	h.expectAndShare(t, &s, h.instance(t), 1)
	b := h.instance(t, func(o *cache.Options[string]) { o.Shared.AddHook(&calls) })
	server.Kill()
	b.Invalidate(t.Context(), "z")
	server.Restart()

	before := calls.Load()
	h.clock.Move(time.Second - 1)
	b.Invalidate(t.Context(), "z")
	s.expect(t, b, 2)
	if n := calls.Load() - before; n != 0 {
		t.Errorf("%d calls within the second", n)
	}
	h.clock.Move(1)
	b.Invalidate(t.Context(), "a")
	h.expectAndShare(t, &s, b, 3)
	s.expect(t, h.instance(t), 3)
	if n := h.log.count("Redis serves again"); n != 1 {
		t.Errorf("the log tells %d times", n)
	}
}

// An invalidation that Redis could not be told makes stale what Redis has kept.
func TestInvalidationsWhileRedisIsAwayCount(t *testing.T) {
	t.Parallel()

	for name, invalidate := range map[string]func(*cache.Cache[string], context.Context){
		"a tag": func(c *cache.Cache[string], ctx context.Context) { c.Invalidate(ctx, "a") },
		"all":   (*cache.Cache[string]).InvalidateAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var s source
			var cut atomic.Bool
			h := newHouse(t, redistest.URL(t))
			a := h.instance(t, func(o *cache.Options[string]) { o.Shared.AddHook(cutter{&cut}) })
			h.expectAndShare(t, &s, a, 1)
			cut.Store(true)
			invalidate(a, t.Context())
			cut.Store(false)
			h.clock.Move(time.Second)
			h.expectAndShare(t, &s, a, 2)
			s.expect(t, h.instance(t), 2)
		})
	}
}

// Invalidations while Redis rests are not even tried, whatever it rests for.
func TestInvalidationsWhileRedisRestsCount(t *testing.T) {
	t.Parallel()

	var s, y source
	var cut atomic.Bool
	h := newHouse(t, redistest.URL(t))
	a := h.instance(t, func(o *cache.Options[string]) { o.Shared.AddHook(cutter{&cut}) })
	h.expectAndShare(t, &s, a, 1)
	cut.Store(true)
	y.expectKey(t, a, "y", 1)
	cut.Store(false)
	a.Invalidate(t.Context(), "a")
	h.clock.Move(time.Second)
	s.expect(t, a, 2)
}

// A new epoch settles only what was doubted before it began.
func TestADoubtThatComesWhileAnotherIsSettled(t *testing.T) {
	t.Parallel()

	var s, y source
	var cut atomic.Bool
	var meanwhile hook
	h := newHouse(t, redistest.URL(t))
	a := h.instance(t, func(o *cache.Options[string]) {
		o.Shared.AddHook(&meanwhile)
		o.Shared.AddHook(cutter{&cut})
	})
	fail := func() {
		cut.Store(true)
		a.Invalidate(t.Context(), "a")
		cut.Store(false)
	}
	fail()
	h.clock.Move(time.Second)
	meanwhile.afterEpoch = func() {
		h.expectAndShare(t, &s, h.instance(t), 1)
		fail()
	}
	y.expectKey(t, a, "y", 1)
	h.clock.Move(time.Second)
	s.expect(t, a, 2)
}

// hook lets something happen after the next epoch has begun.
type hook struct {
	counter
	afterEpoch func()
}

func (h *hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if do := h.afterEpoch; do != nil {
			h.afterEpoch = nil
			do()
		}
		return err
	}
}

// cutter lets no call through while cut.
type cutter struct{ cut *atomic.Bool }

func (c cutter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c cutter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.cut.Load() {
			cmd.SetErr(io.ErrUnexpectedEOF)
			return io.ErrUnexpectedEOF
		}
		return next(ctx, cmd)
	}
}

func (c cutter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A restart brings back the state of the last snapshot: entries that were
// invalidated since, with the versions that they had.
func TestRestartFromASnapshot(t *testing.T) {
	t.Parallel()

	var s source
	server := redistest.Start(t)
	h := newHouse(t, server.URL())
	a, idle := h.instance(t), h.instance(t)
	h.expectAndShare(t, &s, a, 1)
	if err := newClient(t, h.url).Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	a.Invalidate(t.Context(), "a")
	server.Restart()

	h.awaitShared(t, 1) // what was invalidated is back
	other := newHouse(t, server.URL())
	other.instance(t) // another user of the server comes first
	h.expectAndShare(t, &s, h.newcomer(t), 2)
	s.expect(t, idle, 2)
	a.Invalidate(t.Context(), "a")
	s.expect(t, a, 3)
}

// A Redis that takes calls and never answers costs a bounded time, once a second.
func TestRedisHangs(t *testing.T) {
	t.Parallel()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go swallow(listener)

	var s source
	h := newHouse(t, "redis://"+listener.Addr().String())
	a := h.newcomer(t, func(o *cache.Options[string]) { o.Timeout = 0 })
	begin := time.Now()
	for load := 1; load < 20; load++ {
		s.expect(t, a, load)
		a.Invalidate(t.Context(), "a")
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := h.log.count("Redis does not serve"); n != 1 {
		t.Errorf("the log tells %d times", n)
	}
}

func swallow(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
}

// Two instances keep their promise while Redis is killed again and again, and
// comes back with an old state.
func TestNothingStaleWhileRedisDies(t *testing.T) {
	t.Parallel()

	server := redistest.Start(t)
	begin := time.Now()
	var decoded atomic.Int64
	options := cache.Options[int64]{
		MaxBytes: 16 << 10, Weigh: func(int64) int { return 8 },
		// A second of rest is over in ten milliseconds.
		Now:    func() time.Time { return begin.Add(100 * time.Since(begin)) },
		Prefix: "register", Timeout: 250 * time.Millisecond,
		Encode: func(n int64) ([]byte, error) { return strconv.AppendInt(nil, n, 10), nil },
		Decode: func(b []byte) (int64, error) {
			decoded.Add(1)
			return strconv.ParseInt(string(b), 10, 64)
		},
	}
	var caches []*cache.Cache[int64]
	for range 2 {
		options.Shared = newClient(t, server.URL())
		caches = append(caches, cache.New(options))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		client := newClient(t, server.URL())
		for i := 0; i < 12 || decoded.Load() == 0 && i < 200; i++ { // a busy machine needs longer to share anything
			<-time.After(30 * time.Millisecond)
			_ = client.Save(t.Context()).Err()
			<-time.After(30 * time.Millisecond)
			server.Restart()
		}
	}()
	newRegister(40, caches...).exercise(t, func(int) bool {
		select {
		case <-done:
			return false
		default:
			return true
		}
	})
	<-done
	t.Logf("%d answers came from Redis", decoded.Load())
	if decoded.Load() == 0 {
		t.Error("nothing was ever shared")
	}
}

func TestNewClientTriesOnce(t *testing.T) {
	t.Parallel()

	var dials dialCounter
	client := newClient(t, "unix://"+filepath.Join(t.TempDir(), "nobody"))
	client.AddHook(&dials)
	if err := client.Ping(t.Context()).Err(); err == nil || dials.Load() != 1 {
		t.Errorf("%d dials, error %v", dials.Load(), err)
	}
}

// dialCounter counts how often a client dials.
type dialCounter struct{ counter }

func (d *dialCounter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		d.Add(1)
		return next(ctx, network, addr)
	}
}

func (d *dialCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
