package demo

import (
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"
)

// maxLines is how many lines an order has at most.
const maxLines = 5

// buyer is who may order.
type buyer struct {
	ID    uuid.UUID
	Since time.Time
}

// offer is what may be ordered.
type offer struct {
	ID       uuid.UUID
	Sku      string
	Name     string
	Price    int64
	Currency string
	Since    time.Time
}

// market is who may order what, both by the time since when.
type market struct {
	buyers     []buyer
	offers     []offer
	currencies map[string][]offer
}

func newMarket(buyers []buyer, offers []offer) market {
	slices.SortFunc(buyers, func(a, b buyer) int { return a.Since.Compare(b.Since) })
	slices.SortFunc(offers, func(a, b offer) int { return a.Since.Compare(b.Since) })
	m := market{buyers: buyers, offers: offers, currencies: map[string][]offer{}}
	for _, o := range offers {
		m.currencies[o.Currency] = append(m.currencies[o.Currency], o)
	}
	return m
}

// open is the time in which orders may have come in. There have to be a buyer
// and an offer.
func (m market) open(now time.Time) span {
	since := m.buyers[0].Since
	if m.offers[0].Since.After(since) {
		since = m.offers[0].Since
	}
	return span{now, max(0, min(ordering, now.Sub(since)))}
}

// until gives those that were there at a time, and the first in any case.
func until[T any](all []T, at time.Time, since func(T) time.Time) []T {
	return all[:max(1, sort.Search(len(all), func(i int) bool { return since(all[i]).After(at) }))]
}

func (b buyer) since() time.Time { return b.Since }
func (o offer) since() time.Time { return o.Since }

type order struct {
	id, buyer uuid.UUID
	currency  string
	total     int64
	items     int32
	createdAt time.Time
	lines     []line
	// life is what became of it so far, from pending on.
	life []step
}

type line struct {
	offer
	quantity int32
}

type step struct {
	status string
	at     time.Time
}

// newOrder makes the order with this number, placed at the time of the i-th of n
// by one of those who were there then.
func (m market) newOrder(s *source, number int64, p span, i, n int) order {
	s.row(drawOrder, number)
	made := order{createdAt: p.at(s, i, n)}
	made.id = s.id(made.createdAt)
	made.buyer = pick(s, until(m.buyers, made.createdAt, buyer.since)).ID
	for _, l := range m.draw(s, made.createdAt) {
		made.lines = append(made.lines, l)
		made.currency = l.Currency
		made.total += l.Price * int64(l.quantity)
		made.items += l.quantity
	}
	made.life = newLife(s, made.createdAt, p.now)
	return made
}

// draw makes the lines: one or more different products, all in one currency.
func (m market) draw(s *source, at time.Time) []line {
	next := pick(s, until(m.offers, at, offer.since))
	offers := until(m.currencies[next.Currency], at, offer.since)
	var lines []line
	for range 1 + s.few(maxLines) {
		if !slices.ContainsFunc(lines, func(l line) bool { return l.ID == next.ID }) {
			lines = append(lines, line{next, int32(1 + s.few(4))}) //nolint:gosec // at most 4
		}
		next = pick(s, offers)
	}
	return lines
}

// newLife lets an order take its course, as far as the time has come. One of
// sixteen is cancelled.
func newLife(s *source, placed, now time.Time) []step {
	steps := []step{{"pending", placed}}
	next := func(status string, least, most time.Duration) bool {
		at := steps[len(steps)-1].at.Add(s.between(least, most)).Truncate(time.Microsecond)
		if at.After(now) {
			return false
		}
		steps = append(steps, step{status, at})
		return true
	}
	if s.IntN(16) == 0 {
		next("cancelled", time.Minute, day)
		return steps
	}
	_ = next("paid", time.Minute, 36*time.Hour) && next("shipped", 6*time.Hour, 3*day) && next("delivered", day, 6*day)
	return steps
}

func (o order) last() step { return o.life[len(o.life)-1] }

// orderRows are the orders and their lines.
func orderRows(orders []order) []rows {
	all := rows{table: "orders", columns: []string{"id", "user_id", "status", "currency", "total", "items", "created_at", "updated_at"}}
	lines := rows{table: "order_lines", columns: []string{"order_id", "position", "product_id", "quantity", "sku", "name", "price"}}
	for _, o := range orders {
		all.values = append(all.values, []any{o.id, o.buyer, o.last().status, o.currency, o.total, o.items, o.createdAt, o.last().at})
		for i, l := range o.lines {
			lines.values = append(lines.values, []any{o.id, int32(i + 1), l.ID, l.quantity, l.Sku, l.Name, l.Price})
		}
	}
	return []rows{all, lines}
}
