package pg

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rows give their connection back when they end. pgxpool has the like, but only
// for queries whose acquisition it bounds itself.
type rows struct {
	pgx.Rows
	conn *pgxpool.Conn
}

func (r *rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *rows) Close() {
	r.Rows.Close()
	r.release()
}

func (r *rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

func (r *rows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, err
}

func (r *rows) release() {
	if r.conn != nil {
		r.conn.Release()
		r.conn = nil
	}
}

type row struct {
	inner pgx.Row
	conn  *pgxpool.Conn
}

func (r *row) Scan(dest ...any) error {
	defer r.conn.Release()
	return r.inner.Scan(dest...)
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
