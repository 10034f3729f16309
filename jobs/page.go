package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"riverqueue.com/riverui"
)

// Page is River's own page about the jobs, below a path prefix. It shows their
// arguments and can cancel and delete them: it is for the private listener. Its
// background work ends with ctx.
func (j *Jobs) Page(ctx context.Context, prefix string, log *slog.Logger) (http.Handler, error) {
	page, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: j.ui,
		Logger:    newWarnings(log),
		Prefix:    prefix,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the page about jobs: %w", err)
	}
	if err := page.Start(ctx); err != nil {
		return nil, fmt.Errorf("starting the page about jobs: %w", err)
	}
	// A page in the administrator's browser must not send anything to it.
	return http.NewCrossOriginProtection().Handler(page), nil
}
