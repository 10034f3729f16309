package server_test

import (
	_ "embed"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
	"github.com/accord-api/accord/servertest"
)

// unproduced lists the declared responses that no test of this package produces
// yet. It is embedded, so that a change of it runs the tests anew.
//
//go:embed testdata/unproduced.txt
var unproduced string

func TestMain(m *testing.M) {
	pgtest.Main(m, func() error { return servertest.EveryResponse(unproduced) })
}
