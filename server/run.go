package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// The HTTP server itself bounds only what comes before an operation and
	// between two; the rest is the operation's.
	readHeaderTimeout = 5 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
	// drainDelay is how long readiness says no before connections are refused,
	// for load balancers to notice.
	drainDelay = 2 * time.Second
)

// Run serves on the listener until ctx ends, and then stops: readiness goes to
// 503, requests in flight finish, and no connection is left. admin may be nil.
func (s *Server) Run(ctx context.Context, listener, admin net.Listener) error {
	main := s.httpServer(s.Handler())
	group, ctx := errgroup.WithContext(ctx)
	servers := []*http.Server{main}
	if admin != nil {
		s.private = "http://" + admin.Addr().String()
		private := s.httpServer(s.adminHandler(ctx))
		servers = append(servers, private)
		group.Go(func() error { return ignoreClosed(private.Serve(admin)) })
	}
	group.Go(func() error { return s.serve(main, listener) })
	group.Go(func() error {
		<-ctx.Done()
		return s.drain(servers)
	})
	return group.Wait()
}

func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		// OPTIONS * is answered as everything else is, with the same headers.
		DisableGeneralOptionsHandler: true,
		Handler:                      h, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ConnContext: withConn,
		TLSConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) serve(server *http.Server, listener net.Listener) error {
	if s.config.TLS() {
		return ignoreClosed(server.ServeTLS(listener, s.config.TLSCertFile, s.config.TLSKeyFile))
	}
	return ignoreClosed(server.Serve(listener))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain stops the servers within the configured time but for a fifth, which is
// left for what Close ends.
func (s *Server) drain(servers []*http.Server) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.ShutdownTimeout*4/5)
	defer cancel()
	if s.config.Production() {
		wait(ctx, drainDelay)
	}
	s.streams.closeAll()
	// Side by side: a connection that holds one server up must not keep another
	// one from stopping.
	stopped := make(chan error, len(servers))
	for _, server := range servers {
		go func() { stopped <- s.shutdown(ctx, server) }()
	}
	var failures []error
	for range servers {
		failures = append(failures, <-stopped)
	}
	return errors.Join(failures...)
}

// shutdown lets a server finish what it is at until ctx ends, and breaks off
// what is still open then.
func (s *Server) shutdown(ctx context.Context, server *http.Server) error {
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close() // the error that tells is the one before
		return fmt.Errorf("stopping within %s: %w", s.config.ShutdownTimeout, err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// serveAdmin serves the private listener alone until ctx ends.
func (s *Server) serveAdmin(ctx context.Context, admin net.Listener) error {
	private := s.httpServer(s.adminHandler(ctx))
	closed := context.AfterFunc(ctx, func() { _ = private.Close() }) // nobody waits for the end of a scrape
	defer closed()
	return ignoreClosed(private.Serve(admin))
}

// JobsPath is where the private listener shows the jobs.
const JobsPath = "/jobs"

// adminHandler serves profiles, metrics and the page about jobs, on the private listener
// only. A page that cannot be made is no reason not to serve. There are no
// problems there, since there is no contract.
func (s *Server) adminHandler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	if page, err := s.jobs.Page(ctx, JobsPath, s.log); err != nil {
		s.log.ErrorContext(ctx, "the page about jobs is missing", "error", err)
	} else {
		mux.Handle(JobsPath+"/", page)
	}
	mux.Handle(MetricsPath, s.metrics.handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.checkHost(r); err != nil {
			http.Error(w, err.Error(), http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
