// Package mail writes the server's mails and hands them on: over SMTP, or in
// development to an outbox that a browser can read.
//
// It logs nothing, and its errors never quote a message's text.
package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// Message is a plain-text mail to one person.
type Message struct {
	To      string // a bare address: jane@example.com
	Subject string
	Text    string
}

// For is the message addressed to one person.
func (m Message) For(to string) Message {
	m.To = to
	return m
}

// Sender hands a message on. An error may pass when it is tried again, unless
// Permanent says otherwise.
type Sender interface {
	Send(ctx context.Context, message Message) error
}

// ErrInvalid is the error for a message that no sender takes: its address is
// none, or its subject is more than one line.
var ErrInvalid = errors.New("invalid message")

// check refuses what could end a header line and begin another, or name more
// than one recipient.
func (m Message) check() error {
	if strings.ContainsFunc(m.Subject, unicode.IsControl) || strings.TrimSpace(m.Subject) == "" {
		return fmt.Errorf("%w: the subject must be one line of text", ErrInvalid)
	}
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || strings.ContainsFunc(m.To, unicode.IsControl) {
		return fmt.Errorf("%w: the recipient must be one bare address", ErrInvalid)
	}
	return nil
}

// compose makes the mail as it goes over the wire. The id becomes its
// Message-ID, in the sender's domain.
func (m Message) compose(id uuid.UUID, from *netmail.Address) (*gomail.Msg, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	composed := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	composed.FromMailAddress(from)
	if err := composed.To(m.To); err != nil {
		return nil, fmt.Errorf("%w: the recipient must be one bare address", ErrInvalid)
	}
	composed.Subject(m.Subject)
	composed.SetDate()
	composed.SetMessageIDWithValue(id.String() + from.Address[strings.LastIndexByte(from.Address, '@'):])
	// So that no out-of-office answers come back (RFC 3834).
	composed.SetGenHeader("Auto-Submitted", "auto-generated")
	composed.SetBodyString(gomail.TypeTextPlain, m.Text)
	return composed, nil
}

// parseFrom reads the sender's address: Accord <no-reply@example.com>.
func parseFrom(from string) (*netmail.Address, error) {
	address, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("reading the sender's address: %w", err)
	}
	return address, nil
}
