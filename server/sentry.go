package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/getsentry/sentry-go"
)

// wireSentry prepares the reporting of unexpected errors, where it is asked for.
func (s *Server) wireSentry(Options) (err error) {
	if !s.config.SentryDSN.IsSet() {
		return nil
	}
	s.sentry, err = sentry.NewClient(sentry.ClientOptions{
		Dsn: s.config.SentryDSN.Reveal(), Environment: string(s.config.Environment), AttachStacktrace: true,
	})
	if err != nil {
		return fmt.Errorf("preparing Sentry: %w", err)
	}
	return nil
}

// report sends an unexpected error to Sentry, with what its log line says and
// nothing of the request itself.
func (s *Server) report(ctx context.Context, call *call, p *Problem) {
	if s.sentry == nil || p.cause == nil {
		return
	}
	scope := sentry.NewScope()
	for _, attr := range call.attributes() {
		scope.SetTag(attr.Key, attr.Value.String())
	}
	event := s.sentry.EventFromException(p.cause, sentry.LevelError)
	if crash, ok := errors.AsType[*panicError](p.cause); ok {
		event.Contexts = map[string]sentry.Context{"panic": {"stack": crash.stack}}
	}
	s.sentry.CaptureEvent(event, &sentry.EventHint{Context: ctx, OriginalException: p.cause}, scope)
}
