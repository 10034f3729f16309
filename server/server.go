// Package server is the API: it fills in the operations of the contract and
// wires them to the database, the jobs and the mail.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/getsentry/sentry-go"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/inspect"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/mail"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/tracing"
)

const (
	// directPoolSize is for jobs and what else must not go through a pooler.
	directPoolSize = 4
	// clientID is the client_id claim of tokens: the API's own clients.
	clientID = "accord"
	// handBackTime is what jobs that are broken off take at the very most.
	handBackTime = time.Second
)

// Options are what a server needs beside its configuration. The zero value
// serves.
type Options struct {
	// Log gets everything; nil discards it.
	Log *slog.Logger
	// Now replaces time.Now, for tests.
	Now func() time.Time
	// Sender replaces the one that the configuration asks for.
	Sender mail.Sender
	// OutboxDir is where development keeps mails instead of sending them.
	OutboxDir string
	// Tracer observes the queries of requests; nil means none.
	Tracer pgx.QueryTracer
	// bare-drops {
	// FilesDir is where files are kept when FILES_URL is unset; production
	// has no such default.
	FilesDir string
	// ReportLease replaces the time after which a report whose worker says nothing
	// is made anew, for tests.
	ReportLease time.Duration
	// bare-drops }
	// Stall replaces how long the client of an operation may pause that bounds it,
	// for tests.
	Stall time.Duration
	// TraceDelay replaces how long spans are gathered before they are sent, for tests.
	TraceDelay time.Duration
	// Judge makes what holds answers against the contract, whose document it is given;
	// development shows what that says of each request. Nil means that nothing does, and
	// in production it is not asked. The schemas' library is with whoever sets this: no
	// request of production meets it.
	Judge func(document []byte) (inspect.Judge, error)
	// Cores is how many password hashes run at once; 0 means all.
	Cores int
}

// Server is the whole API. Make it with New, serve its Handler or Run it, and
// Close it.
type Server struct {
	config    Config
	log       *slog.Logger
	now       func() time.Time
	pool      *pg.Pool
	direct    *pg.Pool
	listener  *pg.Listener
	queries   *db.Queries
	jobs      *jobs.Jobs
	outbox    *mail.Outbox // nil but in development
	requests  *inspect.Log // nil but in development
	private   string       // where the private listener is; "" without one
	unsent    bool         // mails are dropped
	files     *files.Store // nil where neither is set: then it does not Start; bare-drops
	hasher    *auth.Hasher
	tokens    *auth.Tokens
	jwks      api.JSONWebKeySet
	refresh   *auth.Refresh
	cursors   *auth.Sealer
	blind     *auth.Blind
	sessions  *sessions
	answers   answers
	streams   *streams
	hub       *hub // bare-drops
	twins     *twins
	redis     *redis.Client // nil without a URL
	limits    *limit.Redis  // nil likewise
	failures  *limit.SharedBackoff
	anonymous *rateLimit
	proxies   proxies
	sentry    *sentry.Client   // nil without a DSN
	tracing   *tracing.Tracing // nil without a collector
	metrics   *metrics
	echo      *echo.Echo
	stopping  atomic.Bool
	serves    atomic.Bool // since Start
	stop      context.CancelFunc
}

// New wires a server. Nothing is listened on and no job runs before Start.
func New(ctx context.Context, config Config, o Options) (*Server, error) {
	s := &Server{config: config, log: o.Log, now: microseconds(o.Now), metrics: newMetrics(), proxies: proxies(config.TrustedProxies)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.openTracing(ctx, o); err != nil {
		return nil, err
	}
	if err := s.wireRequests(o); err != nil {
		return nil, err
	}
	if err := s.openDatabase(ctx, o); err != nil {
		return nil, err
	}
	if err := s.wire(o); err != nil {
		return nil, errors.Join(err, s.closeStores(ctx), s.closeTracing(ctx))
	}
	return s, nil
}

// microseconds is the clock that everything goes by, in the database's own unit:
// so an answer tells the same time as the row that is read later. It keeps the
// monotonic reading, which limits count by. Without a clock it is the system's.
func microseconds(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time {
		t := now()
		return t.Add(-time.Duration(t.Nanosecond() % int(time.Microsecond)))
	}
}

func (s *Server) openDatabase(ctx context.Context, o Options) (err error) {
	s.pool, err = pg.Open(ctx, pg.Config{
		URL: s.config.DatabaseURL.Reveal(), Size: s.config.DBPoolSize, Overflow: s.config.DBPoolOverflow,
		MaxLifetime: s.config.DBConnMaxLifetime, AcquireTimeout: s.config.DBAcquireTimeout, Tracer: s.queryTracer(o.Tracer),
	})
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	s.queries = db.New(s.pool)
	s.direct, err = pg.Open(ctx, pg.Config{
		URL: s.config.DatabaseDirectURL.Reveal(), Size: directPoolSize, ApplicationName: "accord jobs",
		MaxLifetime: s.config.DBConnMaxLifetime, AcquireTimeout: s.config.DBAcquireTimeout, Tracer: s.queryTracer(nil),
	})
	if err != nil {
		s.pool.Close()
		return fmt.Errorf("opening the direct connections to the database: %w", err)
	}
	return nil
}

func (s *Server) closeStores(ctx context.Context) error {
	err := errors.Join(s.direct.CloseWithin(ctx), s.pool.CloseWithin(ctx))
	if s.redis != nil {
		err = errors.Join(err, s.redis.Close())
	}
	return errors.Join(err, s.closeFiles()) // bare-drops
	// bare-has: return err
}

// wire joins the parts in the order in which they need each other.
func (s *Server) wire(o Options) error {
	s.listener = pg.NewListener(s.config.DatabaseDirectURL.Reveal())
	s.sessions = newSessions(s.queries, s.now)
	s.streams, s.twins = newStreams(), newTwins()
	s.hub = newHub(s.queries) // bare-drops
	for _, step := range []func(Options) error{
		s.wireAuth, s.wireRedis, s.wireSentry,
		s.wireFiles, // bare-drops
		s.wireJobs, s.wireRoutes, s.wireState,
	} {
		if err := step(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) wireAuth(o Options) error {
	keyring, err := auth.NewKeyring(s.config.SecretKey.Reveal(), s.config.SecretKeyPrevious.Reveal())
	if err != nil {
		return fmt.Errorf("deriving keys: %w", err)
	}
	s.refresh, s.cursors, s.blind = auth.NewRefresh(keyring), auth.NewSealer(keyring), auth.NewBlind(keyring)
	cores := o.Cores
	if cores == 0 {
		cores = runtime.GOMAXPROCS(0)
	}
	s.hasher, err = auth.NewHasher(auth.HasherConfig{Keyring: keyring, Cost: s.config.BcryptCost, Parallel: cores})
	if err != nil {
		return fmt.Errorf("preparing password hashing: %w", err)
	}
	s.tokens, err = auth.NewTokens(auth.TokenConfig{
		Issuer: s.config.PublicURL, Audience: s.config.PublicURL, ClientID: clientID,
		TTL: s.config.AccessTokenTTL, Keyring: keyring, KeyFile: s.config.JWTKeyFile, Now: s.now,
	})
	if err != nil {
		return fmt.Errorf("preparing access tokens: %w", err)
	}
	if err := json.Unmarshal(s.tokens.JWKS(), &s.jwks); err != nil {
		return fmt.Errorf("reading the public keys: %w", err)
	}
	return nil
}

// wireRedis opens Redis, where there is one, for limits and answers to be shared.
func (s *Server) wireRedis(Options) error {
	if s.config.RedisURL.IsSet() {
		var err error
		if s.redis, err = openRedis(s.config.RedisURL); err != nil {
			return fmt.Errorf("opening Redis: %w", err)
		}
		s.limits = limit.NewRedis(limit.RedisConfig{
			Client: s.redis, Blind: s.blind.Name, Log: s.log, Timeout: s.redis.Options().ReadTimeout,
		})
	}
	s.answers = s.newAnswers()
	s.failures = limit.NewSharedBackoff(s.limits, "login", limit.WithNow(s.now))
	s.anonymous = s.newRateLimit("anonymous", api.Anonymous)
	return nil
}

func (s *Server) wireJobs(o Options) error {
	sender, err := s.sender(o)
	if err != nil {
		return fmt.Errorf("preparing mail: %w", err)
	}
	if s.requests != nil {
		sender = observed{sender, s.requests}
	}
	s.jobs, err = jobs.New(jobs.Config{
		Direct: s.direct.Inner(), Queries: db.New(s.direct), Sender: sender,
		Files: s.files, MaxPerUser: int64(s.config.FilesMaxPerUser), Lease: o.ReportLease, // bare-drops
		Project: s.config.ProjectName, PublicURL: s.config.PublicURL, AuditRetention: s.config.AuditRetention,
		Now: s.now, Log: s.log, Observe: s.metrics.countJob, Tracer: s.jobTracer(), Panicked: s.reportJob, Around: s.jobMiddleware(),
		Test: s.config.Environment == Test,
	})
	return err
}

// sender is the one given, the SMTP server, the outbox of development, or none.
func (s *Server) sender(o Options) (mail.Sender, error) {
	switch {
	case o.Sender != nil:
		return o.Sender, nil
	case s.config.SMTPURL.IsSet():
		return mail.NewSMTP(s.config.SMTPURL.Reveal(), s.config.MailFrom)
	case s.config.Development() && o.OutboxDir != "":
		outbox, err := mail.NewOutbox(o.OutboxDir, s.config.MailFrom)
		s.outbox = outbox
		return outbox, err
	}
	s.unsent = true
	return unsent{log: s.log}, nil
}

// unsent drops each mail, and says so: to keep them would let links in them wait
// for a server that may never come.
type unsent struct{ log *slog.Logger }

func (u unsent) Send(ctx context.Context, m mail.Message) error {
	u.log.WarnContext(ctx, "a mail was not sent, since SMTP_URL is not set", "subject", m.Subject)
	return nil
}

// wireRoutes registers every operation with its chain, and refuses one without.
func (s *Server) wireRoutes(options Options) error {
	s.echo = echo.New()
	s.echo.Logger.SetOutput(discard{})
	s.echo.Binder = binder{}
	s.echo.HTTPErrorHandler = s.handleError
	s.echo.Pre(boundAnswer, rewriteTrailingSlash)
	s.echo.Use(s.edge)
	if len(s.config.CORSOrigins) > 0 {
		s.echo.Use(s.cors())
	}

	chains := map[string][]echo.MiddlewareFunc{}
	for id, p := range api.Policies {
		if p.Stall > 0 && options.Stall > 0 {
			shorter := *p
			shorter.Stall = options.Stall
			p = &shorter
		}
		o, err := s.newOperation(p)
		if err != nil {
			return err
		}
		chains[id] = []echo.MiddlewareFunc{o.chain}
	}
	strict := api.NewStrictHandler(s, []api.StrictMiddlewareFunc{s.callMethod})
	if err := registerOperations(s.echo, strict, chains); err != nil {
		return err
	}
	s.registerPages()
	return nil
}

// Handler serves the API.
func (s *Server) Handler() http.Handler { return s.echo }

// Start begins with what runs beside requests: jobs, and listening for what
// other instances change. ctx only bounds the start.
func (s *Server) Start(ctx context.Context) error {
	s.greetRedis(ctx)
	s.sayUnsent(ctx)
	// bare-drops {
	if err := s.checkFiles(ctx); err != nil {
		return err
	}
	// bare-drops }
	if s.config.Jobs {
		if err := s.jobs.Start(ctx); err != nil {
			return err
		}
	} else {
		s.log.InfoContext(ctx, "JOBS is false: no mail is sent here; accord worker does so")
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.serves.Store(true)
	go s.listen(background)
	go s.streams.watch(background, s.sessions)
	return nil
}

// sayUnsent says at the start what would else come out with the first mail.
func (s *Server) sayUnsent(ctx context.Context) {
	if s.unsent {
		s.log.WarnContext(ctx, "SMTP_URL is not set: mails are dropped, and nobody can verify an address or set a forgotten password anew")
	}
}

// Work works on jobs until ctx ends, and serves nothing but what is on the private
// listener, which may be nil. Close stops the jobs.
func (s *Server) Work(ctx context.Context, admin net.Listener) error {
	s.sayUnsent(ctx)
	// bare-drops {
	if err := s.checkFiles(ctx); err != nil {
		return err
	}
	// bare-drops }
	s.stop = func() {}
	if err := s.jobs.Start(ctx); err != nil {
		return err
	}
	if admin != nil {
		return s.serveAdmin(ctx, admin)
	}
	<-ctx.Done()
	return nil
}

// listen hears what other instances change. What it does makes only sooner what
// would happen by itself: a lost notification is no harm.
func (s *Server) listen(ctx context.Context) {
	heard := map[string]func(payload string){
		sessionsChannel:      func(user string) { s.sessionsOf(ctx, user) },
		cacheChannel:         func(tag string) { s.answers.Invalidate(ctx, tag) },
		notificationsChannel: s.notificationsOf, // bare-drops
	}
	err := s.listener.Run(ctx, slices.Sorted(maps.Keys(heard)),
		func(channel, payload string) { heard[channel](payload) },
		func() {
			s.sessions.forgetAll()
			s.answers.InvalidateAll(ctx)
			s.streams.check(ctx, s.sessions, uuid.Nil)
			s.hub.wake(uuid.Nil) // bare-drops
		})
	if err != nil {
		s.log.ErrorContext(ctx, "listening for what other instances change", "error", err)
	}
}

// sessionsOf looks anew at the sessions of a user, whose id is a notification's.
func (s *Server) sessionsOf(ctx context.Context, user string) {
	if id, err := uuid.Parse(user); err == nil {
		s.sessions.forget(id)
		s.streams.check(ctx, s.sessions, id)
	}
}

// Close ends what Start began, jobs first, and closes the database and Redis, all
// of it before ctx ends. Jobs that have not finished shortly before run again later.
func (s *Server) Close(ctx context.Context) error {
	var err error
	if s.stop != nil {
		s.stop()
		err = s.stopJobs(ctx)
	}
	if s.sentry != nil {
		flushing, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		s.sentry.FlushWithContext(flushing)
	}
	return errors.Join(err, s.closeStores(ctx), s.closeTracing(ctx))
}

// stopJobs leaves time to hand back those that do not finish.
func (s *Server) stopJobs(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-handBackTime))
		defer cancel()
	}
	return s.jobs.Stop(ctx)
}
