package server

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/accord-api/accord/validate"
)

// page is one request for a part of a list: at most max-1 items, older than
// before. One more row than asked for is read, to know whether another page
// follows.
type page struct {
	list   string
	limit  int32
	max    int32
	before *uuid.UUID
	server *Server
}

// page reads the parameters of a list. A cursor is the sealed id of the last
// item shown; it opens only for the list that it was made for.
func (s *Server) page(list string, limit *int32, cursor *string) (page, error) {
	p := page{list: list, limit: *limit, max: *limit + 1, server: s}
	if cursor == nil {
		return p, nil
	}
	payload, err := s.cursors.Open(list, *cursor)
	if err != nil {
		return p, validate.Violations{{Field: "cursor", Code: "cursor", Message: "is not a cursor of this list"}}
	}
	before, err := uuid.FromBytes(payload)
	p.before = &before
	return p, err
}

// cut gives the rows to show and, when more follow, the cursor of the next page.
func cut[R any](p page, rows []R, id func(R) uuid.UUID) (shown []R, next *string) {
	if len(rows) <= int(p.limit) {
		return rows, nil
	}
	shown = rows[:p.limit]
	last := id(shown[p.limit-1])
	cursor := p.server.cursors.Seal(p.list, last[:])
	return shown, &cursor
}

// each maps rows to what the API shows; never nil, since JSON has [] for none.
func each[R, A any](rows []R, show func(R) A) []A {
	items := make([]A, len(rows))
	for i, row := range rows {
		items[i] = show(row)
	}
	return items
}

// nextLink is the Link header of a page (RFC 8288): the request's own URL with
// the next cursor; nil on the last page.
func nextLink(ctx context.Context, next *string) *string {
	if next == nil {
		return nil
	}
	requested := callFrom(ctx).url
	query := requested.Query()
	query.Set("cursor", *next)
	link := fmt.Sprintf(`<%s?%s>; rel="next"`, requested.EscapedPath(), query.Encode())
	return &link
}
