package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/validate"
)

// What the operator of a deployment may do with accounts from the command
// line. The contract's rules hold here as well; its limits and roles do not.

// byOperator is the detail of audit events that no request caused.
const byOperator = "by the command line"

// NewAccount is an account that the operator makes.
type NewAccount struct {
	Email, Username, FullName, Password string
	// Role is "user" or "admin".
	Role string
	// Verified counts the address as confirmed; else a mail asks for it.
	Verified bool
}

// Account is an account as the contract shows it to whom it belongs.
type Account = api.User

// CheckSchema refuses a database whose schema is older than this program. A
// newer one is fine: an instance of the next release may run already.
func (s *Server) CheckSchema(ctx context.Context) error {
	have, want, err := pg.SchemaVersion(ctx, s.pool)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("the database schema is at version %d and this program needs %d: run `accord migrate up`, or set MIGRATE_ON_START=true", have, want)
	}
	return nil
}

// CreateAccount makes an account with a role. What breaks the contract is
// validate.Violations; a taken name is a Problem.
func (s *Server) CreateAccount(ctx context.Context, a NewAccount) (Account, error) {
	if err := a.check(); err != nil {
		return Account{}, err
	}
	hash, err := s.hasher.Hash(ctx, a.Password)
	if err != nil {
		return Account{}, err
	}
	now := s.now()
	params := db.UserCreateParams{
		ID: newID(), Now: now, Role: a.Role, PasswordHash: hash,
		Email: a.Email, Username: a.Username, FullName: a.FullName,
	}
	if a.Verified {
		params.EmailVerifiedAt = &now
	}
	var user db.User
	err = s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		if user, err = w.UserCreate(ctx, params); err != nil {
			return err
		}
		if !a.Verified {
			if err := w.enqueue(ctx, jobs.Mail{Template: jobs.MailWelcome, UserID: user.ID}); err != nil {
				return err
			}
		}
		return w.auditOperator(ctx, "user.register", user.ID, "role="+a.Role)
	})
	return userOf(user), plain(err)
}

func (a NewAccount) check() error {
	fields := slices.Concat(notText("email", a.Email), notText("username", a.Username), notText("full_name", a.FullName), notText("password", a.Password))
	fields = append(fields, api.RegisterUserRequestObject{Body: &api.UserCreate{
		Email: a.Email, Username: a.Username, FullName: a.FullName, Password: a.Password,
	}}.Validate()...)
	if !api.Role(a.Role).Valid() {
		fields = append(fields, validate.Violation{Field: "role", Code: validate.CodeEnum, Message: "must be user or admin"})
	}
	if len(fields) > 0 {
		return fields
	}
	return nil
}

// notText refuses bytes that no request can hold, and so no sign-in.
func notText(field, value string) validate.Violations {
	if utf8.ValidString(value) && !strings.Contains(value, "\x00") {
		return nil
	}
	return validate.Violations{{Field: field, Code: validate.CodeCharacters, Message: "must be UTF-8 without the NUL character"}}
}

// HashPassword gives what is stored for a password, for accounts that are made
// in bulk.
func (s *Server) HashPassword(ctx context.Context, password string) (string, error) {
	return s.hasher.Hash(ctx, password)
}

// Roles are all that an account may have, the one of an ordinary one first.
func Roles() []string { return []string{string(api.RoleUser), string(api.RoleAdmin)} }

// SetRole gives the account with this user name or address another role.
func (s *Server) SetRole(ctx context.Context, login, role string) (Account, error) {
	if !api.Role(role).Valid() {
		return Account{}, validate.Violations{{Field: "role", Code: validate.CodeEnum, Message: "must be user or admin"}}
	}
	return s.changeAccount(ctx, login, func(ctx context.Context, w *write, user uuid.UUID) error {
		if role != string(api.RoleAdmin) {
			if err := w.keepAnAdmin(ctx, user); err != nil {
				return err
			}
		}
		if _, err := w.UserUpdate(ctx, db.UserUpdateParams{ID: user, Now: s.now(), Role: &role}); err != nil {
			return err
		}
		if err := w.sessionsChanged(ctx, user); err != nil {
			return err
		}
		return w.auditOperator(ctx, "admin.user-update", user, "role="+role)
	})
}

// SetPassword sets an account's password and ends its sessions.
func (s *Server) SetPassword(ctx context.Context, login, password string) (Account, error) {
	fields := append(notText("password", password),
		api.ResetPasswordRequestObject{Body: &api.PasswordReset{Token: "unused", NewPassword: password}}.Validate()...)
	if len(fields) > 0 {
		return Account{}, fields
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return Account{}, err
	}
	return s.changeAccount(ctx, login, func(ctx context.Context, w *write, user uuid.UUID) error {
		if err := w.setPassword(ctx, user, hash, nil); err != nil {
			return err
		}
		return w.auditOperator(ctx, "user.password-change", user, "")
	})
}

// changeAccount gives the account as it is then.
func (s *Server) changeAccount(ctx context.Context, login string, change func(context.Context, *write, uuid.UUID) error) (Account, error) {
	user, err := s.queries.UserGetByLogin(ctx, login)
	if errors.Is(err, pgx.ErrNoRows) {
		return Account{}, fmt.Errorf("there is no account %q", login)
	}
	if err != nil {
		return Account{}, err
	}
	err = s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		if err := change(ctx, w, user.ID); err != nil {
			return err
		}
		user, err = w.UserGet(ctx, user.ID)
		return err
	})
	return userOf(user), plain(err)
}

// auditOperator writes the event of something that no request caused.
func (w *write) auditOperator(ctx context.Context, action string, subject uuid.UUID, detail string) error {
	if detail != "" {
		detail += " "
	}
	e := w.server.auditEvent(callFrom(ctx), action, api.AuditOutcomeSucceeded)
	e.SubjectID, e.Detail, e.IP = &subject, detail+byOperator, ""
	w.events = append(w.events, e)
	return w.AuditEventCreate(ctx, e)
}

// plainError shows a problem as its client would see it.
type plainError struct{ *Problem }

func (e plainError) Error() string { return e.detail + " (" + e.kind.Code + ")" }

// Unwrap gives the problem.
func (e plainError) Unwrap() error { return e.Problem }

// plain words an error for who reads it at a terminal.
func plain(err error) error {
	if err == nil {
		return nil
	}
	if p := problemOf(err); p.kind != api.ProblemInternal {
		return plainError{p}
	}
	return err
}

// accountsPage is how many accounts are read at once.
const accountsPage = 500

// Accounts walks all accounts, newest first.
func (s *Server) Accounts(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		before := uuid.Max
		for {
			rows, err := s.queries.UserList(ctx, db.UserListParams{Before: before, Max: accountsPage})
			if err != nil {
				yield(Account{}, err)
				return
			}
			for _, row := range rows {
				if !yield(userOf(row), nil) {
					return
				}
			}
			if len(rows) < accountsPage {
				return
			}
			before = rows[len(rows)-1].ID
		}
	}
}
