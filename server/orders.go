package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/validate"
)

// orderSteps is the whole life of an order: which statuses may follow on which.
var orderSteps = map[api.OrderStatus][]api.OrderStatus{
	api.OrderStatusPending:   {api.OrderStatusPaid, api.OrderStatusCancelled},
	api.OrderStatusPaid:      {api.OrderStatusShipped, api.OrderStatusCancelled},
	api.OrderStatusShipped:   {api.OrderStatusDelivered},
	api.OrderStatusDelivered: nil,
	api.OrderStatusCancelled: nil,
}

// latestOrders is how many orders of each account a list of accounts shows.
const latestOrders = 3

// addOrders adds the latest orders of all accounts of a page, by one query.
func (s *Server) addOrders(ctx context.Context, users []api.AdminUser) error {
	ids, at := make([]uuid.UUID, len(users)), make(map[uuid.UUID]*api.AdminUser, len(users))
	for i := range users {
		ids[i], at[users[i].ID] = users[i].ID, &users[i]
		users[i].Orders = &[]api.OrderSummary{}
	}
	orders, err := s.queries.OrderListLatest(ctx, ids, latestOrders)
	for _, o := range orders {
		shown := at[o.UserID].Orders
		*shown = append(*shown, orderSummaryOf(o))
	}
	return err
}

// CreateOrder orders all lines, or nothing.
func (s *Server) CreateOrder(ctx context.Context, r api.CreateOrderRequestObject) (api.CreateOrderResponseObject, error) {
	var order api.Order
	err := s.inTx(ctx, func(ctx context.Context, w *write) error {
		products, err := w.lockProducts(ctx, r.Body.Lines)
		if err != nil {
			return err
		}
		order = s.newOrder(caller(ctx).UserID, r.Body.Lines, products)
		return w.placeOrder(ctx, order)
	})
	return api.CreateOrder201JSONResponse{
		Headers: api.CreateOrder201ResponseHeaders{Location: orderPath(order.ID)},
		Body:    order,
	}, err
}

// lockProducts gives the product of each line, if all of them can be ordered
// together. Their stock stays as it is until the transaction ends.
func (w *write) lockProducts(ctx context.Context, lines []api.OrderLineCreate) ([]db.ProductLockRow, error) {
	ids := make([]uuid.UUID, len(lines))
	for i, line := range lines {
		ids[i] = line.ProductID
	}
	locked, err := w.ProductLock(ctx, ids)
	if err != nil {
		return nil, err
	}
	products := make([]db.ProductLockRow, len(lines))
	currency := ""
	var invalid, unavailable validate.Violations
	for i, line := range lines {
		at := slices.IndexFunc(locked, func(p db.ProductLockRow) bool { return p.ID == line.ProductID })
		if at < 0 {
			invalid = append(invalid, lineFault(i, "product_id", "unknown", "is not the id of a product"))
			continue
		}
		products[i] = locked[at]
		currency = cmp.Or(currency, locked[at].Currency)
		switch p := products[i]; {
		case slices.Contains(ids[:i], line.ProductID):
			invalid = append(invalid, lineFault(i, "product_id", "unique", "stands in an earlier line already"))
		case p.Currency != currency:
			invalid = append(invalid, lineFault(i, "product_id", "currency", "is sold in "+p.Currency+", an earlier line in "+currency))
		case p.RetiredAt != nil:
			unavailable = append(unavailable, lineFault(i, "product_id", "retired", "is not sold any more"))
		case p.Stock < line.Quantity:
			unavailable = append(unavailable, lineFault(i, "quantity", "out_of_stock", fmt.Sprintf("is more than the %d in stock", p.Stock)))
		}
	}
	return products, notAvailable(invalid, unavailable)
}

func lineFault(line int, member, code, message string) validate.Violation {
	return validate.Violation{Field: fmt.Sprintf("lines[%d].%s", line, member), Code: code, Message: message}
}

// notAvailable is the answer to lines that cannot be ordered: first to what is
// wrong in the request, then to what is not there.
func notAvailable(invalid, unavailable validate.Violations) error {
	switch {
	case len(invalid) > 0:
		return invalid
	case len(unavailable) > 0:
		p := problem(api.ProblemNotAvailable, "%d of the lines cannot be delivered.", len(unavailable))
		p.fields = unavailable
		return p
	}
	return nil
}

// newOrder freezes the prices of now.
func (s *Server) newOrder(user uuid.UUID, lines []api.OrderLineCreate, products []db.ProductLockRow) api.Order {
	now := s.now().UTC()
	order := api.Order{
		ID: newID(), UserID: user, Status: api.OrderStatusPending, Currency: products[0].Currency,
		CreatedAt: now, UpdatedAt: now, Lines: make([]api.OrderLine, len(lines)),
	}
	for i, line := range lines {
		p := products[i]
		order.Lines[i] = api.OrderLine{ProductID: p.ID, Sku: p.Sku, Name: p.Name, Price: p.Price, Quantity: line.Quantity}
		order.Total += p.Price * int64(line.Quantity)
		order.Items += line.Quantity
	}
	return order
}

// placeOrder takes the pieces and writes the order.
func (w *write) placeOrder(ctx context.Context, order api.Order) error {
	p := db.OrderCreateParams{
		ID: order.ID, UserID: order.UserID, Status: string(order.Status), Currency: order.Currency,
		Total: order.Total, Items: order.Items, Now: order.CreatedAt,
	}
	for _, line := range order.Lines {
		p.ProductIds = append(p.ProductIds, line.ProductID)
		p.Quantities = append(p.Quantities, line.Quantity)
		p.Skus = append(p.Skus, line.Sku)
		p.Names = append(p.Names, line.Name)
		p.Prices = append(p.Prices, line.Price)
		w.stale(tagProduct + line.ProductID.String())
	}
	if err := w.ProductTake(ctx, db.ProductTakeParams{Ids: p.ProductIds, Quantities: p.Quantities, Now: p.Now}); err != nil {
		return err
	}
	if err := w.OrderCreate(ctx, p); err != nil {
		return err
	}
	return w.notify(ctx, order.UserID, notification{
		kind: api.NotificationKindOrderPlaced, title: "Your order is placed", link: orderPath(order.ID),
	})
}

func orderPath(id uuid.UUID) string { return "/api/v1/orders/" + id.String() }

// GetOrder shows one order to its buyer or an administrator.
func (s *Server) GetOrder(ctx context.Context, r api.GetOrderRequestObject) (api.GetOrderResponseObject, error) {
	order, err := visibleOrder(ctx, s.queries, r.OrderID)
	return api.GetOrder200JSONResponse{OrderJSONResponse: order}, err
}

// CancelOrder cancels the caller's own order.
func (s *Server) CancelOrder(ctx context.Context, r api.CancelOrderRequestObject) (api.CancelOrderResponseObject, error) {
	order, err := s.moveOrder(ctx, db.OrderLockParams{ID: r.OrderID, ViewerID: caller(ctx).UserID}, api.OrderStatusCancelled)
	return api.CancelOrder200JSONResponse{OrderJSONResponse: order}, err
}

// AdminSetOrderStatus moves any order on.
func (s *Server) AdminSetOrderStatus(ctx context.Context, r api.AdminSetOrderStatusRequestObject) (api.AdminSetOrderStatusResponseObject, error) {
	auditDetail(ctx, "order="+r.OrderID.String()+" status="+string(r.Body.Status))
	order, err := s.moveOrder(ctx, db.OrderLockParams{ID: r.OrderID, ViewerID: caller(ctx).UserID, SeesAll: true}, r.Body.Status)
	return api.AdminSetOrderStatus200JSONResponse{OrderJSONResponse: order}, err
}

// wrongStatus says which steps there are instead.
func wrongStatus(status string, open []api.OrderStatus) error {
	if len(open) == 0 {
		return problem(api.ProblemWrongOrderStatus, "The order is %s, and stays so.", status)
	}
	steps := each(open, func(s api.OrderStatus) string { return string(s) })
	return problem(api.ProblemWrongOrderStatus, "The order is %s. It can only be %s.", status, strings.Join(steps, " or "))
}

// moveOrder takes one step of an order's life.
func (s *Server) moveOrder(ctx context.Context, which db.OrderLockParams, to api.OrderStatus) (api.OrderJSONResponse, error) {
	var order api.OrderJSONResponse
	err := s.inTx(ctx, func(ctx context.Context, w *write) error {
		row, err := w.OrderLock(ctx, which)
		if err != nil {
			return err
		}
		auditSubject(ctx, row.UserID)
		if open := orderSteps[api.OrderStatus(row.Status)]; !slices.Contains(open, to) {
			return wrongStatus(row.Status, open)
		}
		if err := w.OrderSetStatus(ctx, db.OrderSetStatusParams{ID: row.ID, Status: string(to), Now: s.now()}); err != nil {
			return err
		}
		if to == api.OrderStatusCancelled {
			if err := w.giveBack(ctx, row.ID); err != nil {
				return err
			}
		}
		if order, err = visibleOrder(ctx, w.Queries, row.ID); err != nil {
			return err
		}
		return w.notify(ctx, row.UserID, notification{
			kind: api.NotificationKindOrderStatus, title: "Your order is " + string(to), link: orderPath(row.ID),
		})
	})
	return order, err
}

// giveBack returns the pieces of an order to the stock.
func (w *write) giveBack(ctx context.Context, order uuid.UUID) error {
	products, err := w.ProductGiveBack(ctx, w.server.now(), order)
	for _, id := range products {
		w.stale(tagProduct + id.String())
	}
	return err
}

// ListOrders lists the caller's orders.
func (s *Server) ListOrders(ctx context.Context, r api.ListOrdersRequestObject) (api.ListOrdersResponseObject, error) {
	page, err := s.ordersOf(ctx, caller(ctx).UserID, r.Params.Status, r.Params.Limit, r.Params.Cursor)
	return api.ListOrders200JSONResponse{OrdersJSONResponse: page}, err
}

// AdminListUserOrders lists the orders of any account, one that is deleted as well.
func (s *Server) AdminListUserOrders(ctx context.Context, r api.AdminListUserOrdersRequestObject) (api.AdminListUserOrdersResponseObject, error) {
	page, err := s.ordersOf(ctx, r.UserID, r.Params.Status, r.Params.Limit, r.Params.Cursor)
	if err == nil && len(page.Body.Items) == 0 {
		_, err = s.queries.UserKnown(ctx, r.UserID) // none, or nobody
	}
	return api.AdminListUserOrders200JSONResponse{OrdersJSONResponse: page}, err
}

func (s *Server) ordersOf(ctx context.Context, user uuid.UUID, status *api.OrderStatus, limit *int32, cursor *string) (api.OrdersJSONResponse, error) {
	page, err := s.page(ctx, limit, cursor)
	if err != nil {
		return api.OrdersJSONResponse{}, err
	}
	rows, err := s.queries.OrderList(ctx, db.OrderListParams{UserID: user, Before: page.before, Status: (*string)(status), Max: page.max})
	if err != nil {
		return api.OrdersJSONResponse{}, err
	}
	rows, next := cut(page, rows, func(o db.Order) uuid.UUID { return o.ID })
	return api.OrdersJSONResponse{
		Headers: api.OrdersResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.OrderPage{Items: each(rows, orderSummaryOf), NextCursor: next},
	}, nil
}

// AdminListOrders lists all orders with their buyers.
func (s *Server) AdminListOrders(ctx context.Context, r api.AdminListOrdersRequestObject) (api.AdminListOrdersResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.allOrders(ctx, page, r.Params.Status)
	if err != nil {
		return nil, err
	}
	rows, next := cut(page, rows, func(row db.OrderListAllRow) uuid.UUID { return row.Order.ID })
	return api.AdminListOrders200JSONResponse{
		Headers: api.AdminListOrders200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.AdminOrderPage{Items: each(rows, adminOrderOf), NextCursor: next},
	}, nil
}

// allOrders asks the query that has an index for what is asked.
func (s *Server) allOrders(ctx context.Context, page page, status *api.OrderStatus) ([]db.OrderListAllRow, error) {
	if status == nil {
		return s.queries.OrderListAll(ctx, page.before, page.max)
	}
	rows, err := s.queries.OrderListAllByStatus(ctx, db.OrderListAllByStatusParams{Status: string(*status), Before: page.before, Max: page.max})
	return each(rows, func(row db.OrderListAllByStatusRow) db.OrderListAllRow { return db.OrderListAllRow(row) }), err
}

// visibleOrder reads an order with its lines, for its buyer or an administrator.
func visibleOrder(ctx context.Context, queries *db.Queries, id uuid.UUID) (api.OrderJSONResponse, error) {
	who := caller(ctx)
	rows, err := queries.OrderGetVisible(ctx, db.OrderGetVisibleParams{ID: id, ViewerID: who.UserID, SeesAll: who.Role == string(api.RoleAdmin)})
	if err != nil {
		return api.OrderJSONResponse{}, err
	}
	if len(rows) == 0 {
		return api.OrderJSONResponse{}, pgx.ErrNoRows
	}
	o := rows[0].Order
	return api.OrderJSONResponse{
		ID: o.ID, UserID: o.UserID, Status: api.OrderStatus(o.Status), Currency: o.Currency, Total: o.Total, Items: o.Items,
		CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(), Lines: each(rows, orderLineOf),
	}, nil
}

func orderLineOf(row db.OrderGetVisibleRow) api.OrderLine {
	l := row.OrderLine
	return api.OrderLine{ProductID: l.ProductID, Sku: l.Sku, Name: l.Name, Price: l.Price, Quantity: l.Quantity}
}

func orderSummaryOf(o db.Order) api.OrderSummary {
	return api.OrderSummary{
		ID: o.ID, Status: api.OrderStatus(o.Status), Currency: o.Currency, Total: o.Total, Items: o.Items,
		CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
	}
}

func adminOrderOf(row db.OrderListAllRow) api.AdminOrder {
	o := row.Order
	return api.AdminOrder{
		ID: o.ID, Status: api.OrderStatus(o.Status), Currency: o.Currency, Total: o.Total, Items: o.Items,
		CreatedAt: o.CreatedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(),
		Buyer: api.Buyer{ID: o.UserID, Username: row.Username, Email: row.Email},
	}
}
