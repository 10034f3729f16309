package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"

	"github.com/google/uuid"

	"github.com/accord-api/accord/validate"
)

// page is one request for a part of a list: at most max-1 items, older than
// before. One more row than asked for is read, to know whether another page
// follows.
type page struct {
	list   string // what the cursors are sealed for
	limit  int32
	max    int32
	before uuid.UUID // the greatest id there is on the first page
	server *Server
}

// page reads the parameters of a list. A cursor is the sealed id of the last
// item shown; it opens only for the list that it was made for.
func (s *Server) page(ctx context.Context, limit *int32, cursor *string) (page, error) {
	p, payload, err := s.pageAt(ctx, limit, cursor)
	if err != nil || payload == nil {
		p.before = uuid.Max
		return p, err
	}
	p.before, err = uuid.FromBytes(payload)
	return p, err
}

// pageAt does so for a list that is not in the order of ids: it gives what the
// cursor holds, nil without one.
func (s *Server) pageAt(ctx context.Context, limit *int32, cursor *string) (page, []byte, error) {
	list, err := listOf(callFrom(ctx))
	p := page{list: list, limit: *limit, max: *limit + 1, server: s}
	if err != nil || cursor == nil {
		return p, nil, err
	}
	payload, err := s.cursors.Open(list, *cursor)
	if err != nil {
		return p, nil, validate.Violations{{Field: "cursor", Code: "cursor", Message: "is not a cursor of this list"}}
	}
	return p, payload, nil
}

// listOf names the list that a call asks for: the operation, who asks, and every
// parameter, the defaults too, but for those that turn the pages. No list has to
// say what it depends on, so none can forget it.
func listOf(call *call) (string, error) {
	request := reflect.New(reflect.TypeOf(call.valid)).Elem()
	request.Set(reflect.ValueOf(call.valid))
	for _, turn := range []string{"Limit", "Cursor", "IfNoneMatch"} {
		if member := request.FieldByName("Params").FieldByName(turn); member.IsValid() {
			member.SetZero()
		}
	}
	list, err := json.Marshal([]any{call.operation.policy.OperationID, call.who.UserID, request.Interface()})
	if err != nil {
		return "", fmt.Errorf("reading the parameters of a list: %w", err)
	}
	return string(list), nil
}

// cut gives the rows to show and, when more follow, the cursor of the next page.
func cut[R any](p page, rows []R, id func(R) uuid.UUID) (shown []R, next *string) {
	return cutAt(p, rows, func(row R) []byte { at := id(row); return at[:] })
}

// cutAt does so for a list that is not in the order of ids.
func cutAt[R any](p page, rows []R, at func(R) []byte) (shown []R, next *string) {
	if len(rows) <= int(p.limit) {
		return rows, nil
	}
	shown = rows[:p.limit]
	cursor := p.server.cursors.Seal(p.list, at(shown[p.limit-1]))
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

// nextLink is the Link header of a page (RFC 8288): the request's own path and
// declared parameters with the next cursor; nil on the last page. What the
// contract does not declare stays out, since the answer may be kept for others.
func nextLink(ctx context.Context, next *string) *string {
	if next == nil {
		return nil
	}
	call := callFrom(ctx)
	sent, _ := validate.ParseQuery(call.request.URL.RawQuery) // it was read before
	query := url.Values{}
	for _, name := range call.operation.policy.Query {
		if values, ok := sent[name]; ok {
			query[name] = values
		}
	}
	query.Set("cursor", *next)
	link := fmt.Sprintf(`<%s?%s>; rel="next"`, call.request.URL.EscapedPath(), query.Encode())
	return &link
}
