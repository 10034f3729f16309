package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accord-api/accord/server"
	"github.com/accord-api/accord/servertest"
)

// A server that could not keep files does not start, and says why.
func TestStartChecksTheStorage(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for name, c := range map[string]struct {
		environment server.Environment
		url, dir    string
		gone        bool
		want        string
	}{
		"a folder":                {server.Development, "", t.TempDir(), false, ""},
		"a URL":                   {server.Production, "file://" + t.TempDir(), "", false, ""},
		"none":                    {server.Development, "", "", false, "FILES_URL"},
		"a folder in production":  {server.Production, "", t.TempDir(), false, "FILES_URL"},
		"the URL over the folder": {server.Test, "file://" + t.TempDir(), "/dev/null/x", false, ""},
		"a folder that is gone":   {server.Test, "", filepath.Join(t.TempDir(), "gone"), true, "checking the storage"},
	} {
		config := s.Config
		config.Environment, config.FilesURL = c.environment, c.url
		api, err := server.New(t.Context(), config, server.Options{FilesDir: c.dir, Sender: s.Mailbox})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.gone {
			err = os.Remove(c.dir)
		}
		if err = errors.Join(err, api.Start(t.Context())); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err := api.Close(t.Context()); err != nil {
			t.Errorf("%s: closing: %v", name, err)
		}
	}
}
