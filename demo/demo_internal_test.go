package demo

import (
	"testing"
	"time"
)

// Ids of times that differ by a microsecond sort as these do.
func TestIDsSortAsTheirTimes(t *testing.T) {
	t.Parallel()
	s := newSource(1)
	at := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	last := s.id(at)
	for range 5000 {
		at = at.Add(time.Microsecond)
		id := s.id(at)
		if id.String() <= last.String() || id.Version() != 7 || id.Variant().String() != "RFC4122" {
			t.Fatalf("%s follows %s", id, last)
		}
		last = id
	}
}

// No two numbers give the same name, and the words are mixed.
func TestNamesOfProducts(t *testing.T) {
	t.Parallel()
	s := newSource(1)
	names, materials := map[string]bool{}, map[string]bool{}
	for number := range int64(20_000) {
		p := newProduct(s, number+1, span{time.Now(), history}, 0, 1)
		if names[p.name] {
			t.Fatalf("%s twice", p.name)
		}
		names[p.name] = true
		if number < 50 {
			_, _, material, _, _ := compose(number + 1)
			materials[material] = true
		}
	}
	if len(materials) < 20 {
		t.Errorf("the first products are of %d materials only: %v", len(materials), materials)
	}
}
