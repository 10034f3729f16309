package jobs

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/table"
)

//go:embed sales.html
var salesPage string

var salesTemplate = template.Must(template.New("sales").Parse(salesPage))

// render writes the report as it is made.
func (l *reportTry) render(ctx context.Context, out io.Writer) error {
	switch l.report.Kind + "/" + l.report.Format {
	case ReportOrders + "/csv":
		return l.orders(ctx, out)
	case ReportSales + "/csv":
		return l.sales(ctx, out)
	case ReportSales + "/html":
		return l.salesPage(ctx, out)
	case ReportUsers + "/csv":
		return l.users(ctx, out)
	}
	return fmt.Errorf("there is no report of %s as %s", l.report.Kind, l.report.Format)
}

// first is when the days of the report begin.
func (l *reportTry) first() time.Time {
	return l.report.CreatedAt.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-int(l.report.Days))
}

func (l *reportTry) orders(ctx context.Context, out io.Writer) error {
	total, err := l.worker.Queries.OrderLineCountOf(ctx, l.report.UserID, l.first())
	if err != nil {
		return fmt.Errorf("counting order lines: %w", err)
	}
	w := table.NewCSV(out, "order_id", "created_at", "status", "position", "sku", "name", "quantity", "price", "amount", "currency")
	rows := counted(l, total, l.worker.Queries.OrderLineListOfStream(ctx, l.report.UserID, l.first()))
	return writeTable(w, rows, func(r db.OrderLineListOfRow) error {
		return w.Row(r.OrderID, r.CreatedAt, r.Status, r.Position, r.Sku, r.Name, r.Quantity, r.Price, r.Amount, r.Currency)
	})
}

func (l *reportTry) users(ctx context.Context, out io.Writer) error {
	total, err := l.worker.Queries.UserCount(ctx)
	if err != nil {
		return fmt.Errorf("counting users: %w", err)
	}
	w := table.NewCSV(out, "id", "email", "username", "full_name", "role", "is_active", "email_verified", "created_at")
	return writeTable(w, counted(l, total, l.worker.Queries.UserExportStream(ctx)), func(u db.UserExportRow) error {
		return w.Row(u.ID, u.Email, u.Username, u.FullName, u.Role, u.IsActive, u.EmailVerifiedAt != nil, u.CreatedAt)
	})
}

func (l *reportTry) sales(ctx context.Context, out io.Writer) error {
	w := table.NewCSV(out, "day", "product_id", "sku", "name", "currency", "orders", "quantity", "amount")
	return writeTable(w, l.sold(ctx), func(s sale) error {
		return w.Row(l.first().AddDate(0, 0, s.day).Format(time.DateOnly), s.ProductID, s.Sku, s.Name, s.Currency, s.Orders, s.Quantity, s.Amount)
	})
}

// sale is what was sold of a product on a day, counted from the first.
type sale struct {
	day int
	db.SalesBetweenRow
}

// sold gives the sales of one day after the other, and notes how far it is. Each
// day is as it is when it is read.
func (l *reportTry) sold(ctx context.Context) iter.Seq2[sale, error] {
	return func(yield func(sale, error) bool) {
		for day := range int(l.report.Days) {
			from := l.first().AddDate(0, 0, day)
			for row, err := range l.worker.Queries.SalesBetweenStream(ctx, from, from.AddDate(0, 0, 1)) {
				if !yield(sale{day, row}, err) {
					return
				}
			}
			l.done(int64(day)+1, int64(l.report.Days))
		}
	}
}

// counted notes how far the rows have come.
func counted[R any](l *reportTry, total int64, rows iter.Seq2[R, error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		n := int64(0)
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
			n++
			l.done(n, total)
		}
	}
}

// done notes how far the report is; it is not whole before it is completed.
func (l *reportTry) done(n, total int64) {
	l.progress.Store(int32(min(99, 100*n/max(1, total)))) //nolint:gosec // at most 99
}

func writeTable[R any](w *table.Writer, rows iter.Seq2[R, error], write func(R) error) error {
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("reading the rows of a report: %w", err)
		}
		if err := write(row); err != nil {
			return err
		}
	}
	return w.Flush()
}

// salesDay is one bar of the chart.
type salesDay struct {
	Day          time.Time
	Quantity     int64
	X, Y, Height float64 // of the bar, in the chart's own units
}

// salesSum is a line of the page's table.
type salesSum struct {
	SKU, Name, Currency      string
	Orders, Quantity, Amount int64
}

// Money shows the amount with two decimals, which most currencies have.
func (s salesSum) Money() string { return fmt.Sprintf("%d.%02d", s.Amount/100, s.Amount%100) }

// The chart's size, in its own units.
const chartWidth, chartHeight = 720.0, 200.0

// salesPage draws how much was sold on each day, and sums up the products.
func (l *reportTry) salesPage(ctx context.Context, out io.Writer) error {
	days := make([]salesDay, l.report.Days)
	sums := map[string]*salesSum{}
	for i := range days {
		days[i].Day = l.first().AddDate(0, 0, i)
	}
	for row, err := range l.sold(ctx) {
		if err != nil {
			return fmt.Errorf("reading the rows of a report: %w", err)
		}
		days[row.day].Quantity += row.Quantity
		key := row.ProductID.String() + row.Currency
		if sums[key] == nil {
			sums[key] = &salesSum{SKU: row.Sku, Name: row.Name, Currency: row.Currency}
		}
		sums[key].Orders += row.Orders
		sums[key].Quantity += row.Quantity
		sums[key].Amount += row.Amount
	}
	return salesTemplate.Execute(out, map[string]any{
		"Project": l.worker.Project, "First": days[0].Day, "Last": days[len(days)-1].Day,
		"Days": placed(days), "Products": best(sums), "BarWidth": 0.8 * chartWidth / float64(len(days)),
	})
}

// placed gives each day's bar its place.
func placed(days []salesDay) []salesDay {
	most := int64(1)
	for _, d := range days {
		most = max(most, d.Quantity)
	}
	for i := range days {
		d := &days[i]
		d.Height = chartHeight * float64(d.Quantity) / float64(most)
		d.X, d.Y = chartWidth*float64(i)/float64(len(days)), chartHeight-d.Height
	}
	return days
}

// bestProducts is how many products the page names.
const bestProducts = 50

// best lists the products of which most was sold.
func best(sums map[string]*salesSum) []salesSum {
	list := make([]salesSum, 0, len(sums))
	for _, s := range sums {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b salesSum) int {
		return cmp.Or(cmp.Compare(b.Quantity, a.Quantity), cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Currency, b.Currency))
	})
	return list[:min(len(list), bestProducts)]
}
