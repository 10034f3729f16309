package server

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/table"
	"github.com/accord-api/accord/validate"
)

// ndjson is the content type of JSON lines.
const ndjson = "application/x-ndjson"

// ExportUsers streams all accounts.
func (s *Server) ExportUsers(ctx context.Context, _ api.ExportUsersRequestObject) (api.ExportUsersResponseObject, error) {
	columns := []string{"id", "email", "username", "full_name", "role", "is_active", "email_verified", "created_at"}
	return export(ctx, "users", columns, s.queries.UserExportStream, func(w *table.Writer, u db.UserExportRow) error {
		return w.Row(u.ID, u.Email, u.Username, u.FullName, u.Role, u.IsActive, u.EmailVerifiedAt != nil, u.CreatedAt)
	}), nil
}

// ExportOrders streams the lines of all orders.
func (s *Server) ExportOrders(ctx context.Context, r api.ExportOrdersRequestObject) (api.ExportOrdersResponseObject, error) {
	from, to := r.Params.From, r.Params.To
	if from != nil && to != nil && from.After(*to) {
		return nil, fieldProblem("from", validate.CodeMaximum, "must not be later than to")
	}
	columns := []string{"order_id", "created_at", "status", "user_id", "username", "email", "position", "sku", "name", "quantity", "price", "amount", "currency"}
	rows := func(ctx context.Context) iter.Seq2[db.OrderLineExportRow, error] {
		return s.queries.OrderLineExportStream(ctx, from, to)
	}
	return export(ctx, "orders", columns, rows, func(w *table.Writer, l db.OrderLineExportRow) error {
		return w.Row(l.OrderID, l.CreatedAt, l.Status, l.UserID, l.Username, l.Email, l.Position, l.Sku, l.Name, l.Quantity, l.Price, l.Amount, l.Currency)
	}), nil
}

// exportAnswer writes a whole table. It is the answer of every export.
type exportAnswer func(w http.ResponseWriter) error

// VisitExportUsersResponse writes the answer.
func (write exportAnswer) VisitExportUsersResponse(w http.ResponseWriter) error { return write(w) }

// VisitExportOrdersResponse writes the answer.
func (write exportAnswer) VisitExportOrdersResponse(w http.ResponseWriter) error { return write(w) }

// compressed writes in gzip where the client takes it.
var compressed = func() func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(0), gzhttp.CompressionLevel(gzip.BestSpeed))
	if err != nil {
		panic(err) // the options are ours
	}
	return wrap
}()

// export streams rows in the form that the client has chosen. The header row
// goes out as soon as the first row is there, so that a query that fails at its
// start is a problem like any other. A failure after that is an error that comes
// too late to be told; the edge breaks the connection.
func export[R any](ctx context.Context, name string, columns []string, rows func(context.Context) iter.Seq2[R, error], row func(*table.Writer, R) error) exportAnswer {
	call := callFrom(ctx)
	kind := map[string]string{"text/csv": ".csv", ndjson: ".ndjson"}[call.produces]
	return func(w http.ResponseWriter) (err error) {
		w.Header().Add(echo.HeaderVary, echo.HeaderAccept)
		w.Header().Set(echo.HeaderContentType, call.produces+"; charset=utf-8")
		w.Header().Set(echo.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name+kind))
		if call.request.Method == http.MethodHead {
			w.Header().Add(echo.HeaderVary, echo.HeaderAcceptEncoding) // as compressed does
			return nil
		}
		compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			err = writeRows(w, newTable(w, call.produces, columns), rows(ctx), func(out *table.Writer, r R) error {
				err := row(out, r)
				if err != nil {
					cancel() // what the query still gives need not be read
				}
				return err
			})
		})).ServeHTTP(w, call.request)
		return err
	}
}

func newTable(w http.ResponseWriter, contentType string, columns []string) *table.Writer {
	if contentType == ndjson {
		return table.NewNDJSON(w, columns...)
	}
	return table.NewCSV(w, columns...)
}

func writeRows[R any](w http.ResponseWriter, out *table.Writer, rows iter.Seq2[R, error], row func(*table.Writer, R) error) error {
	first := true
	for r, err := range rows {
		if err != nil {
			return err
		}
		if err := row(out, r); err != nil {
			return err
		}
		if first {
			first = false
			if err := flush(w, out); err != nil {
				return err
			}
		}
	}
	return flush(w, out)
}

// flush lets the client have what was written so far.
func flush(w http.ResponseWriter, out *table.Writer) error {
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return http.NewResponseController(w).Flush()
}
