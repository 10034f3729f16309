package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/mail"
)

const (
	// VerifyTTL is how long a verification link works.
	VerifyTTL = 24 * time.Hour
	// ResetTTL is how long a link to set a password works.
	ResetTTL = time.Hour

	// PurposeVerify marks the token of a verification link.
	PurposeVerify = "verify"
	// PurposeReset marks the token of a link to set a password.
	PurposeReset = "reset"

	// VerifyPage is where verification links lead, below PublicURL. The token
	// follows as the fragment, which no server sees or logs.
	VerifyPage = "/account/verify-email"
	// ResetPage is where one sets a new password, with a token likewise.
	ResetPage = "/account/reset-password"
	// ForgotPage asks for a mail with a ResetPage link.
	ForgotPage = "/account/forgot-password"
)

// The mails about one's own account.
const (
	MailWelcome         = "welcome"
	MailVerify          = "verify"
	MailReset           = "reset"
	MailPasswordChanged = "password-changed"
)

// Mail sends one mail to the account with this id or this address. Where there
// is none (any more), or the mail is not due, nothing is sent: whoever asks for
// a mail to an address must not learn which. Tokens are made when the mail is,
// so that none is ever stored with the job.
type Mail struct {
	Template string    `json:"template"`
	UserID   uuid.UUID `json:"user_id,omitzero"`
	// Email is in lower case; ForgetAddress takes it out.
	Email string `json:"email,omitempty"`
	// AskedAt is when somebody asked for the mail. MailReset needs it: a password
	// that was changed since cannot be set with its link.
	AskedAt time.Time `json:"asked_at,omitzero"`
}

// Kind names the job in the database.
func (Mail) Kind() string { return "mail" }

type mailWorker struct {
	river.WorkerDefaults[Mail]
	Config
}

// Work looks the account up, makes the link's token and sends the mail.
func (w *mailWorker) Work(ctx context.Context, job *river.Job[Mail]) error {
	user, err := w.recipient(ctx, job.Args)
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && !due(job.Args.Template, user)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("loading the recipient: %w", err)
	}
	message, err := w.write(ctx, job.Args, user)
	if errors.Is(err, errStale) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.send(ctx, message.For(user.Email))
}

// send tries again later, unless a later try would fail the same way.
func (c Config) send(ctx context.Context, message mail.Message) error {
	err := c.Sender.Send(ctx, message)
	if mail.Permanent(err) {
		return river.JobCancel(err)
	}
	return err
}

func (w *mailWorker) recipient(ctx context.Context, args Mail) (db.User, error) {
	if args.Email != "" {
		return w.Queries.UserGetByEmail(ctx, args.Email)
	}
	return w.Queries.UserGet(ctx, args.UserID)
}

func due(template string, user db.User) bool {
	if template == MailVerify && user.EmailVerifiedAt != nil {
		return false
	}
	return user.IsActive
}

// errStale is for a mail whose cause is gone: the account, or the password that
// was to be replaced.
var errStale = errors.New("the mail is not due any more")

func (w *mailWorker) write(ctx context.Context, args Mail, user db.User) (mail.Message, error) {
	to := mail.Person{FullName: user.FullName, Username: user.Username}
	switch args.Template {
	case MailWelcome:
		link, err := w.link(ctx, args, user, PurposeVerify, VerifyPage, VerifyTTL)
		return mail.Welcome(w.Project, to, link, VerifyTTL), err
	case MailVerify:
		link, err := w.link(ctx, args, user, PurposeVerify, VerifyPage, VerifyTTL)
		return mail.VerifyEmail(w.Project, to, link, VerifyTTL), err
	case MailReset:
		link, err := w.link(ctx, args, user, PurposeReset, ResetPage, ResetTTL)
		return mail.ResetPassword(w.Project, to, link, ResetTTL), err
	case MailPasswordChanged:
		return mail.PasswordChanged(w.Project, to, w.PublicURL+ForgotPage, user.UpdatedAt), nil
	}
	return mail.Message{}, river.JobCancel(fmt.Errorf("there is no mail %q", args.Template))
}

// link makes a single-use token and gives the link that holds it; errStale where
// there must be none any more.
func (w *mailWorker) link(ctx context.Context, args Mail, user db.User, purpose, page string, ttl time.Duration) (string, error) {
	token, hash := auth.NewSecret()
	now := w.Now()
	made, err := w.Queries.MailTokenCreate(ctx, db.MailTokenCreateParams{
		Hash: hash, UserID: user.ID, Purpose: purpose, Now: now, ExpiresAt: now.Add(ttl), AskedAt: args.AskedAt,
	})
	if err != nil {
		return "", fmt.Errorf("storing the token of a mail: %w", err)
	}
	if made == 0 {
		return "", errStale
	}
	return w.PublicURL + page + "#token=" + token, nil
}

// NotifyAdmins tells each administrator that somebody has registered.
type NotifyAdmins struct {
	UserID uuid.UUID `json:"user_id"`
}

// Kind names the job in the database.
func (NotifyAdmins) Kind() string { return "notify-admins" }

// notice is the mail to one administrator: a job of its own, so that one bad
// address does not make the others get theirs again.
type notice struct {
	AdminID uuid.UUID `json:"admin_id" river:"unique"`
	UserID  uuid.UUID `json:"user_id" river:"unique"`
}

// Kind names the job in the database.
func (notice) Kind() string { return "notify-admin" }

// InsertOpts makes a repeated NotifyAdmins harmless.
func (notice) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

type noticeWorker struct {
	river.WorkerDefaults[NotifyAdmins]
	Config
}

// Work makes one job for each administrator.
func (w *noticeWorker) Work(ctx context.Context, job *river.Job[NotifyAdmins]) error {
	admins, err := w.Queries.AdminIDs(ctx)
	if err != nil {
		return fmt.Errorf("listing the administrators: %w", err)
	}
	if len(admins) == 0 {
		return nil
	}
	var notices []river.InsertManyParams
	for _, admin := range admins {
		notices = append(notices, river.InsertManyParams{Args: notice{AdminID: admin, UserID: job.Args.UserID}})
	}
	_, err = river.ClientFromContext[pgx.Tx](ctx).InsertMany(ctx, notices)
	return err
}

type adminMailWorker struct {
	river.WorkerDefaults[notice]
	Config
}

// Work sends one administrator the news of one registration, unless one of the
// two is gone.
func (w *adminMailWorker) Work(ctx context.Context, job *river.Job[notice]) error {
	user, err := w.Queries.UserGet(ctx, job.Args.UserID)
	var admin db.User
	if err == nil {
		admin, err = w.Queries.UserGet(ctx, job.Args.AdminID)
	}
	if errors.Is(err, pgx.ErrNoRows) || (err == nil && !isAdmin(admin)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("loading the new account and the administrator: %w", err)
	}
	message := mail.NewRegistration(w.Project, user.Username, user.Email, user.CreatedAt)
	return w.send(ctx, message.For(admin.Email))
}

func isAdmin(user db.User) bool { return user.Role == "admin" && user.IsActive }
