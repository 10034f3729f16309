package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// signIns is how many sign-ins each account is told of.
const signIns = 6

var devices = []string{"Firefox on Linux", "Safari on macOS", "Chrome on Windows", "Chrome on Android", "Safari on iOS"}

// notice is something that a person is told.
type notice struct {
	kind, title, link string
	at                time.Time
}

// writeNotifications tells each account of its orders, reports and sign-ins.
func (f *filling) writeNotifications(ctx context.Context, tx pgx.Tx) error {
	for i, account := range f.accounts {
		f.source.row(drawNotification, int64(i))
		notices := f.notices(account.ID)
		var before int64 // how many the account has had already
		err := tx.QueryRow(ctx, `INSERT INTO notification_counters AS counter (user_id, last) VALUES ($1, $2)
			ON CONFLICT (user_id) DO UPDATE SET last = counter.last + $2 RETURNING last - $2`, account.ID, len(notices)).Scan(&before)
		if err != nil {
			return fmt.Errorf("numbering notifications: %w", err)
		}
		if err := add(ctx, tx, []rows{f.notificationRows(account.ID, before, notices)}); err != nil {
			return err
		}
	}
	return nil
}

// notices are what an account is told of, oldest first.
func (f *filling) notices(account uuid.UUID) (all []notice) {
	for _, o := range f.orders {
		if o.buyer == account {
			all = append(all, o.notices()...)
		}
	}
	for _, r := range f.reports {
		if r.UserID == account {
			all = append(all, notice{"report.succeeded", "Your report is ready: " + r.Name, "/api/v1/files/" + r.ID.String(), r.Now})
		}
	}
	for i := range signIns {
		all = append(all, notice{
			kind: "security.new-sign-in", title: "New sign-in from " + pick(f.source, devices), link: "/api/v1/auth/sessions",
			at: span{f.Now, ordering}.at(f.source, i, signIns),
		})
	}
	slices.SortFunc(all, func(a, b notice) int { return a.at.Compare(b.at) })
	return all
}

func (o order) notices() []notice {
	link := "/api/v1/orders/" + o.id.String()
	all := []notice{{kind: "order.placed", title: "Your order is placed", link: link, at: o.createdAt}}
	for _, s := range o.life[1:] {
		all = append(all, notice{kind: "order.status", title: "Your order is " + s.status, link: link, at: s.at})
	}
	return all
}

// notificationRows numbers an account's notices. All but the last third were
// read.
func (f *filling) notificationRows(account uuid.UUID, before int64, notices []notice) rows {
	r := rows{table: "notifications", columns: []string{"id", "user_id", "number", "kind", "title", "link", "created_at", "read_at"}}
	for i, n := range notices {
		var readAt *time.Time
		if at := n.at.Add(f.source.between(time.Minute, day)); i < len(notices)*2/3 && at.Before(f.Now) {
			readAt = &at
		}
		id := f.source.id(n.at)
		if before+int64(i) == 0 && f.isExample(account) {
			id = exampleNotification
		}
		r.values = append(r.values, []any{id, account, before + int64(i+1), n.kind, n.title, n.link, n.at, readAt})
	}
	return r
}
