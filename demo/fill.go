package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg"
)

// How much there is for the first start.
const (
	fillPeople   = 40
	fillProducts = 200
	fillOrders   = 300
	// fillShare is the share of the orders that the demo accounts have placed: one
	// in so many.
	fillShare = 25
	// fillSeed always makes the same data.
	fillSeed = 1
	// fillTimeout bounds all of it, the wait for another program that does the same
	// included.
	fillTimeout = 30 * time.Second
)

// Account is one that somebody can sign in with.
type Account struct {
	Email, Username, FullName string
	// Role is "user" or "admin".
	Role     string
	Password string
}

// FillOptions are what Fill needs.
type FillOptions struct {
	// Accounts are made first, where their names are free. Those with the role
	// user have orders, and a report of them.
	Accounts []Account
	// Hash gives what is stored for a password.
	Hash func(ctx context.Context, password string) (string, error)
	// Files is where the reports are kept.
	Files *files.Store
	// Now is the time that all of the data is older than.
	Now time.Time
}

// Fill makes accounts and some data for who starts the server for the first
// time: all of it in one transaction, and only while there has never been a
// product. What is deleted afterwards stays deleted. The accounts alone are made
// where there are products, and no administrator yet. Any number of programs may
// call it at once.
func Fill(ctx context.Context, pool *pg.Pool, o FillOptions) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	f := &filling{FillOptions: o, source: newSource(fillSeed)}
	missing, err := missingFrom(ctx, pool)
	if err != nil || !missing.accounts {
		return err
	}
	if err := f.hash(ctx); err != nil {
		return err
	}
	err = pool.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockID); err != nil {
			return fmt.Errorf("waiting for others that add demo data: %w", err)
		}
		missing, err := missingFrom(ctx, tx) // others may have been quicker
		if err != nil {
			return err
		}
		return f.write(ctx, tx, missing)
	})
	if err != nil && !errors.Is(err, pg.ErrUnknownOutcome) { // then it is for the sweep
		err = errors.Join(err, f.discard(ctx))
	}
	return err
}

// Present gives those of the accounts that are there and active.
func Present(ctx context.Context, pool *pg.Pool, accounts []Account) ([]Account, error) {
	var present []Account
	for _, a := range accounts {
		var there bool
		err := pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM users WHERE lower(username) = lower($1) AND is_active)", a.Username).Scan(&there)
		if err != nil {
			return nil, fmt.Errorf("looking for the account %s: %w", a.Username, err)
		}
		if there {
			present = append(present, a)
		}
	}
	return present, nil
}

// gaps are what a database lacks.
type gaps struct{ accounts, data bool }

func missingFrom(ctx context.Context, q db.DBTX) (missing gaps, err error) {
	err = q.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM products),
		NOT EXISTS (SELECT FROM products) OR NOT EXISTS (SELECT FROM users WHERE role = 'admin' AND is_active)`).
		Scan(&missing.data, &missing.accounts)
	if err != nil {
		return gaps{}, fmt.Errorf("looking whether there is any data: %w", err)
	}
	return missing, nil
}

// filling makes one table after the other; later ones refer to what earlier ones
// have left here. The transaction may be run again, so each begins anew.
type filling struct {
	FillOptions
	source   *source
	hashes   []string
	accounts []buyer // in the order of Accounts
	market   market
	orders   []order
	reports  []db.FileCreateParams // what they were made into
	uploads  []db.FileCreateParams
	// first tells that nothing was there before, so that the ids of the examples are free.
	first bool
}

// hash hashes the passwords, which is what takes longest, all at once.
func (f *filling) hash(ctx context.Context) error {
	f.hashes = make([]string, len(f.Accounts))
	group, ctx := errgroup.WithContext(ctx)
	for i, a := range f.Accounts {
		group.Go(func() (err error) {
			f.hashes[i], err = f.Hash(ctx, a.Password)
			return err
		})
	}
	return group.Wait()
}

func (f *filling) write(ctx context.Context, tx pgx.Tx, missing gaps) error {
	f.first = missing.data
	var steps []func(context.Context, pgx.Tx) error
	if missing.accounts {
		steps = append(steps, f.writeAccounts)
	}
	if missing.data {
		steps = append(steps, f.writeMarket, f.writeOrders, f.writeReports, f.writeExamples, f.writeNotifications)
	}
	for _, write := range steps {
		if err := write(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// writeAccounts makes each account, or takes the one that has its name.
func (f *filling) writeAccounts(ctx context.Context, tx pgx.Tx) error {
	f.accounts = nil
	for i, a := range f.Accounts {
		var known buyer
		err := tx.QueryRow(ctx, `SELECT id, created_at FROM users
			WHERE lower(username) = lower($1) OR lower(email) = lower($2) ORDER BY id LIMIT 1`, a.Username, a.Email).
			Scan(&known.ID, &known.Since)
		if errors.Is(err, pgx.ErrNoRows) {
			known, err = f.writeAccount(ctx, tx, i)
		}
		if err != nil {
			return fmt.Errorf("making the account %s: %w", a.Username, err)
		}
		f.accounts = append(f.accounts, known)
	}
	return nil
}

// writeAccount makes an account that is as old as all of the data.
func (f *filling) writeAccount(ctx context.Context, tx pgx.Tx, i int) (buyer, error) {
	f.source.row(drawAccount, int64(i))
	a, since := f.Accounts[i], f.Now.Add(-history).Truncate(time.Microsecond)
	id := f.source.id(since)
	if f.first && i == slices.IndexFunc(f.Accounts, isCustomer) {
		id = exampleUser
	}
	made := person{
		id: id, username: a.Username, email: a.Email, fullName: a.FullName, role: a.Role,
		passwordHash: f.hashes[i], active: true, verifiedAt: &since, createdAt: since,
	}
	return buyer{made.id, since}, add(ctx, tx, []rows{userRows([]person{made})})
}

// writeMarket makes people, of whom nobody can sign in, and products.
func (f *filling) writeMarket(ctx context.Context, tx pgx.Tx) error {
	number, err := nextNumber(ctx, tx, "users", "username")
	if err != nil {
		return err
	}
	var people []person
	var buyers []buyer
	for i := range fillPeople {
		p := newPerson(f.source, number+int64(i), span{f.Now, history}, i, fillPeople)
		people, buyers = append(people, p), append(buyers, buyer{p.id, p.createdAt})
	}
	var products []product
	var offers []offer
	for i := range fillProducts {
		p := newProduct(f.source, int64(i+1), span{f.Now, history}, i, fillProducts)
		if i == 0 {
			p.forExample()
		}
		products, offers = append(products, p), append(offers, offer{p.id, p.sku, p.name, p.price, p.currency, p.createdAt})
	}
	f.market = newMarket(buyers, offers)
	return add(ctx, tx, []rows{userRows(people), productRows(products)})
}

// writeOrders makes orders, one in fillShare placed by an account with the role
// user.
func (f *filling) writeOrders(ctx context.Context, tx pgx.Tx) error {
	f.orders = nil
	open, customers := f.market.open(f.Now), f.customers()
	for i := range fillOrders {
		o := f.market.newOrder(f.source, int64(i), open, i, fillOrders)
		if i%fillShare == 0 && len(customers) > 0 {
			if c := customers[i/fillShare%len(customers)]; !c.Since.After(o.createdAt) {
				o.buyer = c.ID
				if i == 0 {
					o.forExample()
				}
			}
		}
		f.orders = append(f.orders, o)
	}
	return add(ctx, tx, orderRows(f.orders))
}

func isCustomer(a Account) bool { return a.Role == "user" }

// customers are the accounts that order.
func (f *filling) customers() (all []buyer) {
	for i, a := range f.Accounts {
		if isCustomer(a) {
			all = append(all, f.accounts[i])
		}
	}
	return all
}
