package cache_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/accord-api/accord/cache"
	"github.com/accord-api/accord/redistest"
)

// In Redis keys and tags have the names that they are given.
func TestNamesInRedis(t *testing.T) {
	t.Parallel()

	h := newHouse(t, redistest.URL(t))
	named := func(o *cache.Options[string]) {
		o.Name = func(text string) string { return strings.ReplaceAll(fmt.Sprintf("%x", text), "6b", "k") }
	}
	var s source
	h.expectAndShare(t, &s, h.instance(t, named), 1)
	for _, key := range newClient(t, h.url).Keys(t.Context(), h.prefix+":tag:*").Val() {
		if name := strings.TrimPrefix(key, h.prefix+":tag:"); name != "61" && name != "62" {
			t.Errorf("the tags a and b are called %s", name)
		}
	}
	other := h.instance(t, named)
	s.expect(t, other, 1)
	other.Invalidate(t.Context(), "a")
	s.expect(t, other, 2)
}
