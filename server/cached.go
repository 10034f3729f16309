package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/cache"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/policy"
)

const (
	// answersMemory bounds what answers are kept in.
	answersMemory = 64 << 20
	// ownAnswersMemory bounds those that are for one user.
	ownAnswersMemory = 8 << 20
	// answerOverhead is what an answer takes beside its body.
	answerOverhead = 1 << 10
	// cacheChannel is where the query CacheStale notifies.
	cacheChannel = "accord_cache"
	// hearingBound is how old the proof may be that no notification was missed:
	// the longest time that a kept answer can be served after it was changed.
	hearingBound = 900 * time.Millisecond

	headerETag = "ETag"
	// Cache-Control of answers that may be kept and have to be asked for again.
	revalidatePublic  = "public, max-age=0, must-revalidate"
	revalidatePrivate = "private, max-age=0, must-revalidate"
)

// cacheable is implemented by requests of operations with a cache.
type cacheable interface {
	kept
	// CacheTags name what the answer is made of.
	CacheTags() []string
}

// answers are what is kept: of public operations for all instances, of others in
// the memory of this one alone, since Redis is to hold nothing about people.
type answers struct{ public, own *cache.Cache[encodedAnswer] }

// of gives where an operation's answers are kept.
func (a answers) of(p *policy.Policy) *cache.Cache[encodedAnswer] {
	if p.Public() {
		return a.public
	}
	return a.own
}

// Invalidate makes what has one of the tags stale.
func (a answers) Invalidate(ctx context.Context, tags ...string) {
	a.public.Invalidate(ctx, tags...)
	a.own.Invalidate(ctx, tags...)
}

// InvalidateAll makes everything stale.
func (a answers) InvalidateAll(ctx context.Context) {
	a.public.InvalidateAll(ctx)
	a.own.InvalidateAll(ctx)
}

func (s *Server) newAnswers() answers {
	options := cache.Options[encodedAnswer]{
		MaxBytes: answersMemory,
		Weigh:    func(a encodedAnswer) int { return len(a.Body) + answerOverhead },
		Now:      s.now,
		Fresh:    s.hearsEverything,
		Log:      s.log,
	}
	own := options
	own.MaxBytes = ownAnswersMemory
	options.Shared, options.Name = s.redis, s.blind.Name
	options.Prefix = "accord:cache:" + s.blind.Name(keyspace(api.OpenAPI, build(), s.config.DatabaseURL.Reveal()))
	options.Encode = func(a encodedAnswer) ([]byte, error) { return json.Marshal(a) }
	options.Decode = func(data []byte) (a encodedAnswer, err error) { return a, json.Unmarshal(data, &a) }
	return answers{public: cache.New(options), own: cache.New(own)}
}

// keyspace tells whose answers are the same: those of one contract and one build,
// which may show the same in another way, from one database. Others share nothing,
// even if they share the Redis and the key.
func keyspace(contract []byte, build, database string) string {
	return fmt.Sprintf("cache %x %q %q", sha256.Sum256(contract), build, database)
}

// build names the program, as far as it knows its source.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	source := []string{info.Main.Version, info.Main.Sum}
	for _, setting := range info.Settings {
		if strings.HasPrefix(setting.Key, "vcs.") {
			source = append(source, setting.Value)
		}
	}
	return strings.Join(source, " ")
}

// hearsEverything says whether changes of other instances reach this one.
func (s *Server) hearsEverything() bool {
	return s.stop == nil || time.Since(s.listener.CompleteUntil()) < hearingBound
}

// cached answers from what is kept, or lets the method answer and keeps that.
// The key is made of the declared parameters in their typed form and of what the
// policy lets answers vary by, so that nothing else of a request can make or
// find an entry.
func (o *operation) cached(c echo.Context, request any, method api.StrictHandlerFunc) (api.Answer, error) {
	key, err := o.cacheKey(c, request.(cacheable))
	if err != nil {
		return nil, err
	}
	r, server := c.Request(), c.Echo()
	answer, err := o.server.answers.of(o.policy).Get(r.Context(), key, o.policy.Cache.TTL, request.(cacheable).CacheTags(),
		func(ctx context.Context) (encodedAnswer, bool, error) {
			_ = callOf(c).decided(cacheMiss, nil)
			// The load may outlive this request, whose own context is used again then.
			return o.loadAnswer(server.NewContext(r.WithContext(ctx), nil), request, method)
		})
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter) error { return o.writeKept(w, r, answer) }, nil
}

func (o *operation) cacheKey(c echo.Context, request cacheable) (string, error) {
	members, err := json.Marshal(request.Members())
	if err != nil {
		return "", fmt.Errorf("reading the members of a request: %w", err)
	}
	key := o.policy.OperationID + " " + string(members)
	if slices.Contains(o.policy.Cache.Vary, policy.ByUser) {
		key = callOf(c).who.UserID.String() + " " + key
	}
	return key, nil
}

// loadAnswer keeps only answers that are 200. The operation's concurrency bounds
// how many are loaded at once.
func (o *operation) loadAnswer(c echo.Context, request any, method api.StrictHandlerFunc) (encodedAnswer, bool, error) {
	if o.gate != nil {
		leave, err := o.gate.Enter(c.Request().Context(), holder(callOf(c)))
		if err != nil {
			return encodedAnswer{}, false, err
		}
		defer leave()
	}
	answer, err := method(c, request)
	if err != nil {
		return encodedAnswer{}, false, err
	}
	encoded, err := encode(answer)
	if err != nil {
		return encodedAnswer{}, false, err
	}
	if encoded.Header.Get(headerETag) == "" {
		encoded.Header.Set(headerETag, tagOf(encoded.Body))
	}
	return encoded, encoded.Status == http.StatusOK, nil
}

// writeKept writes an answer, or 304 where the client has it already.
func (o *operation) writeKept(w http.ResponseWriter, r *http.Request, answer encodedAnswer) error {
	scope := revalidatePublic
	if len(o.policy.Cache.Vary) > 0 {
		scope = revalidatePrivate
	}
	w.Header().Set(echo.HeaderCacheControl, scope)
	if matchesTag(r.Header.Get("If-None-Match"), answer.Header.Get(headerETag)) {
		w.Header().Set(headerETag, answer.Header.Get(headerETag))
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return answer.write(w)
}
