package server

import (
	"context"
	"errors"
	"time"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/jobs"
)

// storageTimeout bounds the check of the storage of files at start.
const storageTimeout = 20 * time.Second

// wireFiles opens the storage that the settings name, in development a folder.
func (s *Server) wireFiles(o Options) (err error) {
	switch {
	case s.config.FilesURL != "":
		s.files, err = files.Open(s.config.FilesURL, s.storageOptions()...)
	case o.FilesDir != "" && !s.config.Production():
		s.files, err = files.OpenFolder(o.FilesDir)
	}
	return err
}

// checkFiles finds out before the first upload whether files can be kept, and
// that no other database sweeps them.
func (s *Server) checkFiles(ctx context.Context) error {
	if s.files == nil {
		return errors.New("there is nowhere to keep files: set FILES_URL")
	}
	ctx, cancel := context.WithTimeout(ctx, storageTimeout)
	defer cancel()
	if err := s.files.Check(ctx); err != nil {
		return err
	}
	return jobs.ClaimStorage(ctx, s.queries, s.files, s.now())
}

// Files is where uploads and reports are kept; nil where nothing says so, and
// then Start fails.
func (s *Server) Files() *files.Store { return s.files }

func (s *Server) closeFiles() error {
	if s.files == nil {
		return nil
	}
	return s.files.Close()
}

func filesProblem(c *Config) string {
	const example = "file:///var/lib/accord/files or s3://bucket?region=eu-central-1"
	if c.FilesURL == "" {
		return c.missing(example)
	}
	if err := files.CheckURL(c.FilesURL); err != nil {
		return "must be " + example + ": " + err.Error()
	}
	return ""
}

func filesMaxProblem(c *Config) string {
	if c.FilesMaxPerUser > 0 {
		return ""
	}
	return "must be more than 0"
}

// logLevelProblem refuses slog's levels in between, such as info+2.

// storageOptions let the storage see which trace its requests belong to.
func (s *Server) storageOptions() []files.Option {
	if s.tracing == nil {
		return nil
	}
	return []files.Option{files.WithTransport(s.tracing.Transport)}
}
