package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// cancelledOrders is a shop whose buyers hang up.
type cancelledOrders struct {
	*servertest.Server
	buyer      *servertest.Person
	lamp, book api.Product
	body       []byte
}

func newCancelledOrders(t *testing.T) *cancelledOrders {
	t.Helper()
	s := servertest.New(t)
	admin, stock := s.Admin(), map[string]any{"stock": 1000}
	c := &cancelledOrders{Server: s, buyer: s.Register(), lamp: product(admin, "LAMP", stock), book: product(admin, "BOOK", stock)}
	var err error
	if c.body, err = json.Marshal(lines(line(c.lamp, 2), line(c.book, 3))); err != nil {
		t.Fatal(err)
	}
	return c
}

// hangUp orders with a key and hangs up when ctx ends.
func (c *cancelledOrders) hangUp(ctx context.Context) (answered <-chan bool) {
	c.T.Helper()
	c.buyer.Header.Set("Idempotency-Key", uuid.NewString())
	return goneClient(ctx, c.buyer, http.MethodPost, "/api/v1/orders", c.body)
}

// again sends the last order once more, with its key.
func (c *cancelledOrders) again() {
	c.T.Helper()
	c.buyer.POST("/api/v1/orders", string(c.body)).Expect(http.StatusCreated)
}

// whole fails the test unless each order is there with all that belongs to it,
// and nothing without its order. It is one statement, and so one moment. It gives
// the number of orders.
func (c *cancelledOrders) whole(t *testing.T) (orders int) {
	t.Helper()
	got := column(t, c.Server, `SELECT concat_ws(' ',
		(SELECT count(*) FROM orders),
		(SELECT count(*) FROM orders WHERE (SELECT count(*) FROM order_lines WHERE order_id = orders.id) = 2),
		(SELECT count(*) FROM order_lines),
		(SELECT 1000 - stock FROM products WHERE sku = 'LAMP'),
		(SELECT 1000 - stock FROM products WHERE sku = 'BOOK'),
		(SELECT count(*) FROM idempotency_keys WHERE status = 201),
		(SELECT count(*) FROM idempotency_keys),
		(SELECT count(*) FROM notifications WHERE kind = 'order.placed'))`)
	if _, err := fmt.Sscan(got, &orders); err != nil {
		t.Fatal(err)
	}
	n := orders
	if want := fmt.Sprint(n, n, 2*n, 2*n, 3*n, n, n, n); got != want {
		t.Fatalf("orders, whole ones, lines, pieces of both, answers, keys, notifications: %s, want %s", got, want)
	}
	return orders
}

// A cancelled write finishes or rolls back whole, whichever moment its client
// goes away at, and sent again with its key it is one order in any case.
func TestCancelledWriteFinishesOrRollsBackWhole(t *testing.T) {
	t.Parallel()
	c := newCancelledOrders(t)
	begun := time.Now()
	<-c.hangUp(t.Context())
	usual := time.Since(begun) // to its end: the moments are spread over a little more
	const moments = 60
	finished, orders := 0, c.whole(t)
	for i := range moments {
		ctx, cancel := context.WithTimeout(t.Context(), usual*time.Duration(i)*3/2/moments)
		<-c.hangUp(ctx)
		cancel()
		finished += c.whole(t) - orders
		c.again()
		if orders++; c.whole(t) != orders {
			t.Fatalf("moment %d: %d orders, want %d", i, c.whole(t), orders)
		}
	}
	t.Logf("of %d writes whose client had %s at most, %d were there at once", moments, usual*3/2, finished)
}

// Wherever a write waits in the database when its client goes away, it is
// finished once it can be.
func TestCancelledWriteFinishesWhatItHasBegun(t *testing.T) {
	t.Parallel()
	c := newCancelledOrders(t)
	for query, lock := range map[string]string{
		"ProductLock":        "SELECT 1 FROM products FOR UPDATE",
		"OrderCreate":        "LOCK TABLE orders IN EXCLUSIVE MODE",
		"NotificationCreate": "LOCK TABLE notifications IN EXCLUSIVE MODE",
	} {
		orders := c.whole(t)
		release := hold(t, c.Server, lock)
		ctx, hangUp := context.WithCancel(t.Context())
		answered := c.hangUp(ctx)
		waits(t, c.Server, query)
		hangUp()
		if <-answered {
			t.Errorf("it is answered while %s waits", query)
		}
		if got := c.whole(t); got != orders {
			t.Errorf("%s waits, and %d orders are there", query, got-orders)
		}
		release()
		c.Eventually("the order is placed", func() bool { return c.whole(t) == orders+1 })
		if c.again(); c.whole(t) != orders+1 {
			t.Errorf("%s: sent again it is ordered again", query)
		}
	}
}
