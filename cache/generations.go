package cache

import (
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

const slotCount = 1 << 16

// generations counts the invalidations of each tag, in a fixed half megabyte:
// tags that fall into one of the 65,536 slots are invalidated together, which
// costs a load and is never wrong.
type generations struct {
	all   atomic.Uint64
	slots [slotCount]atomic.Uint64
}

func slotsOf(tags []string) []uint16 {
	slots := make([]uint16, len(tags))
	for i, tag := range tags {
		slots[i] = slotOf(tag)
	}
	return slots
}

func slotOf(tag string) uint16 { return uint16(xxhash.Sum64String(tag) % slotCount) }

// sum is one number for the generations of all slots. As each only grows, two
// sums are equal only if nothing was invalidated in between.
func (g *generations) sum(slots []uint16) uint64 {
	sum := g.all.Load()
	for _, slot := range slots {
		sum += g.slots[slot].Load()
	}
	return sum
}

func (g *generations) advance(tags []string) {
	for _, tag := range tags {
		g.slots[slotOf(tag)].Add(1)
	}
}

func (g *generations) advanceAll() { g.all.Add(1) }
