package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/getsentry/sentry-go"

	"github.com/accord-api/accord/tracing"
)

// wireSentry prepares the reporting of unexpected errors, where it is asked for.
func (s *Server) wireSentry(Options) (err error) {
	if !s.config.SentryDSN.IsSet() {
		return nil
	}
	s.sentry, err = sentry.NewClient(sentry.ClientOptions{
		Dsn: s.config.SentryDSN.Reveal(), Environment: string(s.config.Environment), Release: thisProgram().release(),
		AttachStacktrace: true, BeforeSend: withoutAddresses,
	})
	if err != nil {
		return fmt.Errorf("preparing Sentry: %w", err)
	}
	return nil
}

// release is what Sentry calls the program: accord@1.2.3+0123456789ab.
func (p program) release() string {
	name := "accord@" + p.version
	if p.revision != "" {
		name += "+" + p.revision[:min(len(p.revision), 12)]
	}
	return name
}

// address is what looks like an address of mail.
var address = regexp.MustCompile(`[^\s"'<>()=,;:]+@[^\s"'<>()=,;:]+`)

// withoutAddresses takes addresses of mail out of what errors say: those of mail
// servers and of databases quote them.
func withoutAddresses(event *sentry.Event, _ *sentry.EventHint) *sentry.Event {
	for i := range event.Exception {
		event.Exception[i].Value = address.ReplaceAllString(event.Exception[i].Value, "(address)")
	}
	return event
}

// report sends an unexpected error of a request to Sentry. Of the request it has
// operation, request id and trace, and nothing that says who has sent it: the log
// knows under the request id.
func (s *Server) report(ctx context.Context, call *call, p *Problem) {
	if p.cause == nil {
		return
	}
	tags := map[string]string{"request_id": call.requestID}
	if call.operation != nil {
		tags["operation"] = call.operation.policy.OperationID
	}
	s.capture(ctx, p.cause, tags)
}

// reportJob sends a panic of a job to Sentry. A job that fails is not unexpected: the
// log and the metrics tell.
func (s *Server) reportJob(ctx context.Context, kind string, id int64, value any, stack string) {
	s.capture(ctx, &panicError{value: value, stack: stack}, map[string]string{"job": kind, "job_id": strconv.FormatInt(id, 10)})
}

func (s *Server) capture(ctx context.Context, cause error, tags map[string]string) {
	if s.sentry == nil {
		return
	}
	if id := tracing.TraceID(ctx); id != "" {
		tags["trace_id"] = id
	}
	event := s.sentry.EventFromException(cause, sentry.LevelError)
	event.Tags = tags
	if crash, ok := errors.AsType[*panicError](cause); ok {
		event.Contexts = map[string]sentry.Context{"panic": {"stack": crash.stack}}
	}
	s.sentry.CaptureEvent(event, &sentry.EventHint{Context: ctx, OriginalException: cause}, nil)
}
