package server

import (
	"testing"

	"github.com/getsentry/sentry-go"
)

// What errors quote of addresses stays here; the rest is what somebody needs.
func TestReportsHaveNoAddresses(t *testing.T) {
	t.Parallel()
	event := &sentry.Event{Exception: []sentry.Exception{
		{Value: `550 5.1.1 <ada.lovelace+x@example.com>: Recipient address rejected`},
		{Value: `ERROR: Key (email)=(ada@example.com) exists (SQLSTATE 23505)`},
		{Value: `dial tcp 10.0.0.7:5432: connection refused`},
	}}
	for i, want := range []string{
		`550 5.1.1 <(address)>: Recipient address rejected`,
		`ERROR: Key (email)=((address)) exists (SQLSTATE 23505)`,
		`dial tcp 10.0.0.7:5432: connection refused`,
	} {
		if got := withoutAddresses(event, nil).Exception[i].Value; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]program{
		"accord@1.2.3":              {version: "1.2.3"},
		"accord@1.2.3+0123456789ab": {version: "1.2.3", revision: "0123456789abcdef"},
		"accord@1.2.3+0123":         {version: "1.2.3", revision: "0123"},
	} {
		if got := p.release(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
