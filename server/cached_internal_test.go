package server

import "testing"

// Another contract, build or database has answers of its own.
func TestKeyspace(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, space := range []string{
		keyspace([]byte("a"), "b", "c"), keyspace([]byte("x"), "b", "c"), keyspace([]byte("a"), "x", "c"),
		keyspace([]byte("a"), "b", "x"), keyspace([]byte("a"), `b" "c`, ""),
	} {
		if seen[space] {
			t.Errorf("%s is there twice", space)
		}
		seen[space] = true
	}
}
