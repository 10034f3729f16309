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
	seen, materials := map[string]bool{}, map[string]int{}
	for number := range int64(20_000) {
		p := newProduct(s, number+1, span{time.Now(), history}, 0, 1)
		if seen[p.name] {
			t.Fatalf("%s twice", p.name)
		}
		seen[p.name] = true
		if number < 200 {
			_, _, material, _, _ := compose(number + 1)
			materials[material]++
		}
	}
	for material, n := range materials {
		if n > 20 {
			t.Errorf("%d of 200 products are of %s", n, material)
		}
	}
	if len(materials) < 25 {
		t.Errorf("only %d materials: %v", len(materials), materials)
	}
}
