package files

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// sniffSize is how many of the first bytes tell the content type.
const sniffSize = 3072

// meter reads from r and sees to what every backend needs: it counts, hashes,
// remembers the first bytes, and stops at the limit and at the end of ctx.
type meter struct {
	r     io.Reader
	ended func() error // ctx.Err
	limit int64
	size  int64
	sum   hash.Hash
	head  []byte
}

func newMeter(ctx context.Context, r io.Reader, limit int64) *meter {
	return &meter{r: r, ended: ctx.Err, limit: max(limit, 0), sum: sha256.New()}
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ended(); err != nil {
		return 0, err
	}
	// One byte beyond the limit is enough to know that it is exceeded.
	if rest := m.limit - m.size; int64(len(p)) > rest {
		p = p[:rest+1]
	}
	n, err := m.r.Read(p)
	m.size += int64(n)
	if m.size > m.limit {
		return 0, ErrTooLarge
	}
	m.sum.Write(p[:n])
	m.head = append(m.head, p[:min(n, sniffSize-len(m.head))]...)
	return n, err
}

func (m *meter) written() Written {
	return Written{
		Size:        m.size,
		SHA256:      [sha256.Size]byte(m.sum.Sum(nil)),
		ContentType: contentType(m.head),
	}
}

// contentType is what a file's first bytes look like. A charset that the file
// names for itself may be anything, such as a piece of a header; only UTF-8,
// which is found and not read, is told.
func contentType(head []byte) string {
	const utf8 = "; charset=utf-8"
	full := mimetype.Detect(head).String()
	bare, _, _ := strings.Cut(full, ";")
	if full == bare+utf8 {
		return full
	}
	return bare
}
