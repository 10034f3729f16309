package server_test

import (
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
