// Package memory keeps values under keys for as long as there is room for them: what is
// asked for often stays (maypok86/otter, its W-TinyLFU policy).
package memory

import (
	"github.com/google/uuid"
	"github.com/maypok86/otter/v2"
)

// Store keeps values. It is safe for concurrent use; so must be the values, which all
// callers share.
//
// It is an interface for the sake of the compiler: a field of otter's own generic type
// makes every package that imports the holder, however far away, compile all 600 of its
// methods again, which was half of what the command and each test binary took.
type Store[K comparable, V any] interface {
	GetIfPresent(key K) (V, bool)
	// Set gives what was there before, and true where nothing was.
	Set(key K, value V) (V, bool)
	// Invalidate gives what was there, and whether anything was.
	Invalidate(key K) (V, bool)
	InvalidateAll()
	// EstimatedSize is about how many values there are, WeightedSize what they weigh.
	EstimatedSize() int
	WeightedSize() uint64
	// CleanUp drops at once what is due to be dropped.
	CleanUp()
}

// ByID is a store of a number of values at most, under UUIDs. Like Store it is for the
// sake of the compiler: otter's methods are compiled where New is called, and here that
// is not the package which is changed and built all day.
func ByID(most int) Store[uuid.UUID, any] { return New[uuid.UUID, any](most) }

// New is a store of a number of values at most.
func New[K comparable, V any](most int) Store[K, V] {
	return otter.Must(&otter.Options[K, V]{MaximumSize: most})
}

// Weighed is a store of values that weigh so much together at most.
func Weighed[K comparable, V any](most uint64, weigh func(K, V) uint32) Store[K, V] {
	return otter.Must(&otter.Options[K, V]{MaximumWeight: most, Weigher: weigh})
}
