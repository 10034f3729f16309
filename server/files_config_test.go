package server_test

import (
	"testing"

	"github.com/accord-api/accord/server"
)

// A size is shown as it may be written.
func TestConfigSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1": "1", "1023": "1023", "1024": "1KiB", "1025": "1025", " 500 MiB ": "500MiB", "2048KiB": "2MiB", "1024GiB": "1TiB", "1536MiB": "1536MiB", "9223372036854775807": "9223372036854775807",
	} {
		config := mustValue(server.LoadConfig(variables{"FILES_MAX_PER_USER": text}))
		shown := string(mustValue(config.FilesMaxPerUser.MarshalText()))
		again := mustValue(server.LoadConfig(variables{"FILES_MAX_PER_USER": shown}))
		if shown != want || again.FilesMaxPerUser != config.FilesMaxPerUser {
			t.Errorf("%q: got %s, which reads %d", text, shown, again.FilesMaxPerUser)
		}
	}
	if got := string(mustValue(server.Size(0).MarshalText())); got != "0" {
		t.Errorf("got %s", got)
	}
}
