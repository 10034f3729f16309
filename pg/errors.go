package pg

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrBusy is returned when no connection became free in time.
var ErrBusy = errors.New("database busy")

// SQLSTATEs, as PostgreSQL's manual lists them.
const (
	codeUniqueViolation      = "23505"
	codeSerializationFailure = "40001"
	codeDeadlockDetected     = "40P01"
	codeUndefinedTable       = "42P01"
	classResources           = "53"  // too many connections, out of memory or disk
	classIntervention        = "57P" // shutting down, starting up
)

// IsUnique tells whether err is a unique constraint's, and one of the named
// constraints' if any are named. A unique index counts by its own name.
func IsUnique(err error, constraint ...string) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pgErr.Code != codeUniqueViolation {
		return false
	}
	return len(constraint) == 0 || slices.Contains(constraint, pgErr.ConstraintName)
}

// IsUnavailable tells whether err says that the database cannot serve now and
// may later: no free connection, none to be had, or one that was ended by a
// restart.
func IsUnavailable(err error) bool {
	if errors.Is(err, ErrBusy) {
		return true
	}
	if IsUnreachable(err) || isBroken(err) {
		return true
	}
	code := sqlState(err)
	return strings.HasPrefix(code, classResources) || strings.HasPrefix(code, classIntervention)
}

// IsUnreachable tells whether err says that no connection could be had at all.
func IsUnreachable(err error) bool {
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok
}

// isBroken tells whether a connection ended without the database saying why.
func isBroken(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgconn.ErrConnClosed)
}

// isRetryable tells whether the same transaction may succeed when run again.
func isRetryable(err error) bool {
	code := sqlState(err)
	return code == codeSerializationFailure || code == codeDeadlockDetected
}

// isRefusal tells whether PostgreSQL itself answered a commit with a rollback,
// rather than that its answer is missing or is that it ends.
func isRefusal(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.SeverityUnlocalized == "ERROR" || errors.Is(err, pgx.ErrTxCommitRollback)
}

func sqlState(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.Code
	}
	return ""
}
