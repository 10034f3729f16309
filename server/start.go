package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/pg"
)

const (
	healthPath = "/dev/health"
	// checkTimeout bounds each look at what the server needs.
	checkTimeout = 2 * time.Second
)

// The states of what the server needs.
const (
	well = "well"
	ill  = "ill"
	off  = "off"
)

// check says how something is that the server needs, and what to do where it is not
// well.
type check struct{ Name, State, Says, Do string }

// startData is what the start page of development is made from.
type startData struct {
	pageData
	Checks []check
	// Private is where jobs, metrics and profiles are; "" where they are not served.
	Private string
}

func (s *Server) startData(ctx context.Context) startData {
	return startData{s.pageData(), s.checks(ctx), s.private}
}

func (s *Server) devStartPage(c echo.Context) error {
	return renderDev(c, "start.html", s.startData(c.Request().Context()))
}

// healthPart is the part of the start page that changes.
func (s *Server) healthPart(c echo.Context) error {
	return renderDev(c, "health", s.startData(c.Request().Context()))
}

// checks looks at everything at once.
func (s *Server) checks(ctx context.Context) []check {
	looks := []func(context.Context) check{s.checkDatabase, s.checkMigrations, s.checkJobs, s.checkRedis}
	found := make([]check, len(looks))
	done := make(chan struct{}, len(looks))
	for i, look := range looks {
		go func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			found[i] = look(ctx)
			done <- struct{}{}
		}()
	}
	for range looks {
		<-done
	}
	return found
}

const withoutDatabase = "The database has to be well first."

func (s *Server) checkDatabase(ctx context.Context) check {
	began := time.Now()
	if err := s.pool.Ping(ctx); err != nil {
		return check{"Database", ill, "out of reach: " + err.Error(),
			"Start the PostgreSQL that DATABASE_URL names. Where it is unset, start the server again, which brings its own."}
	}
	stat := s.pool.Stat()
	return check{"Database", well, fmt.Sprintf("answers in %s; %d of %d connections are in use", spanText(time.Since(began)), stat.AcquiredConns(), stat.MaxConns()), ""}
}

func (s *Server) checkMigrations(ctx context.Context) check {
	const name = "Migrations"
	have, want, err := pg.SchemaVersion(ctx, s.pool)
	switch {
	case err != nil:
		return check{name, ill, "their state is not known", withoutDatabase}
	case have < want:
		return check{name, ill, fmt.Sprintf("the schema is at version %d, and the server needs %d; pending: %s", have, want, s.pending(ctx)),
			"Start the server again, or run bin/accord migrate up."}
	case have > want:
		return check{name, well, fmt.Sprintf("the schema is at version %d, newer than the %d that this build knows", have, want), ""}
	}
	return check{name, well, fmt.Sprintf("the schema is current, at version %d; none is pending", have), ""}
}

// pending names the migrations that are not applied.
func (s *Server) pending(ctx context.Context) string {
	all, err := pg.MigrationStatus(ctx, s.config.DatabaseDirectURL.Reveal())
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, m := range all {
		if m.AppliedAt.IsZero() {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (s *Server) checkJobs(ctx context.Context) check {
	const name = "Jobs"
	counts, err := s.jobs.Count(ctx)
	if err != nil {
		return check{name, ill, "their number is not known", withoutDatabase}
	}
	says := fmt.Sprintf("%d waiting, %d running, %d failed", counts.Waiting, counts.Running, counts.Failed)
	switch {
	case counts.Failed > 0:
		return check{name, ill, says, "Their page says why, and can have them tried again or cancelled."}
	case !s.config.Jobs && counts.Waiting > 0:
		return check{name, ill, says + "; JOBS is false", "Run bin/accord worker, or set JOBS=true."}
	}
	return check{name, well, says, ""}
}

func (s *Server) checkRedis(ctx context.Context) check {
	const name = "Redis"
	if s.redis == nil {
		return check{name, off, "REDIS_URL is not set: limits and kept answers are this process's own", ""}
	}
	began := time.Now()
	if err := s.redis.Ping(ctx).Err(); err != nil {
		return check{name, ill, "out of reach: " + err.Error() + "; until it answers, limits and kept answers are this process's own",
			"Start the Redis that REDIS_URL names, or unset it."}
	}
	return check{name, well, "answers in " + spanText(time.Since(began)), ""}
}
