package accord

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReadEvents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream string
		want   []string
		retry  time.Duration
	}{
		"one":               {"id: 7\nevent: a\ndata: x\n\n", []string{"7 a x"}, 0},
		"comments":          {":\n\n: a\ndata: x\n\n", []string{"  x"}, 0},
		"lines of data":     {"data: x\ndata:y\ndata\n\n", []string{"  x\ny\n"}, 0},
		"all line ends":     {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", []string{"  a", "  b", "  c"}, 0},
		"an id stays":       {"id: 1\ndata: a\n\ndata: b\n\n", []string{"1  a", "1  b"}, 0},
		"an id with NUL":    {"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n", []string{"1  a", "1  b"}, 0},
		"a name does not":   {"event: a\ndata: x\n\ndata: y\n\n", []string{" a x", "  y"}, 0},
		"no data, no event": {"event: a\n\n", nil, 0},
		"an id alone":       {"id: 6\n\ndata: a\n\n", []string{"6  a"}, 0},
		"a broken end":      {"data: a\n\ndata: b\n", []string{"  a"}, 0},
		"a byte order mark": {"\ufeffdata: a\n\n", []string{"  a"}, 0},
		"retry":             {"retry: 1500\nretry: soon\ndata: a\n\n", []string{"  a"}, 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			var at reached
			readEvents(strings.NewReader(c.stream), &at, func(e event) bool {
				got = append(got, at.id+" "+e.name+" "+string(e.data))
				return true
			})
			if !slices.Equal(got, c.want) || at.retry != c.retry {
				t.Errorf("%q, %s", got, at.retry)
			}
		})
	}
}
