package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// outboxSize is how many messages an Outbox keeps.
const outboxSize = 200

// Outbox is a Sender for development: it keeps messages as files instead of
// sending them. Handler shows them.
type Outbox struct {
	dir  string
	from *netmail.Address
}

// NewOutbox gives an outbox in dir, which is made if need be and then private
// to its user: the messages hold working links. What root makes in the folder of
// another user belongs to that one.
func NewOutbox(dir, from string) (*Outbox, error) {
	address, err := parseFrom(from)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the outbox: %w", err)
	}
	if err := handOverFolder(dir); err != nil {
		return nil, fmt.Errorf("opening the outbox: %w", err)
	}
	return &Outbox{dir: dir, from: address}, nil
}

// handOverFolder leaves a link alone: its target is not ours to give away.
func handOverFolder(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0) //nolint:gosec // whoever names the folder runs the server
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(handOver(folder), folder.Close())
}

// handOver gives what root has made to the owner of the folder around it. It asks
// for an open file: that owner may have put another one in its place.
func handOver(file *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	around, err := os.Stat(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	if owner, ok := around.Sys().(*syscall.Stat_t); ok {
		return file.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// Delivery is a message in the outbox.
type Delivery struct {
	ID      string    `json:"id"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// ErrNotFound is the error for a message that the outbox does not hold.
var ErrNotFound = errors.New("no such message in the outbox")

// Send puts a message into the outbox, and drops the oldest if it is full.
func (o *Outbox) Send(_ context.Context, message Message) error {
	_, err := o.Keep(message)
	return err
}

// Keep does so, and gives the id that the message is kept under.
func (o *Outbox) Keep(message Message) (id string, err error) {
	made, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("sending mail to the outbox: %w", err)
	}
	composed, err := message.compose(made, o.from)
	if err != nil {
		return "", fmt.Errorf("sending mail to the outbox: %w", err)
	}
	var raw bytes.Buffer
	if _, err := composed.WriteTo(&raw); err != nil {
		return "", fmt.Errorf("sending mail to the outbox: %w", err)
	}
	if err := o.write(made.String(), raw.Bytes()); err != nil {
		return "", fmt.Errorf("sending mail to the outbox: %w", err)
	}
	return made.String(), o.prune()
}

// write makes the file appear whole or not at all.
func (o *Outbox) write(id string, raw []byte) error {
	// CreateTemp makes it readable by its user alone.
	file, err := os.CreateTemp(o.dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	if err = errors.Join(err, handOver(file), file.Close()); err == nil {
		err = os.Rename(file.Name(), o.path(id))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

func (o *Outbox) prune() error {
	ids, err := o.ids()
	if err != nil {
		return err
	}
	for _, id := range ids[min(outboxSize, len(ids)):] {
		// Another process may have been quicker.
		if err := os.Remove(o.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("pruning the outbox: %w", err)
		}
	}
	return nil
}

// ids lists the messages, newest first: a UUIDv7 sorts by its time.
func (o *Outbox) ids() ([]string, error) {
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return nil, fmt.Errorf("listing the outbox: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		id, isMail := strings.CutSuffix(entry.Name(), ".eml")
		if isMail && isID(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids, nil
}

// List reads the messages, newest first; with to not empty, only those to that
// address. It skips what cannot be read.
func (o *Outbox) List(to string) ([]Delivery, error) {
	ids, err := o.ids()
	if err != nil {
		return nil, err
	}
	deliveries := []Delivery{}
	for _, id := range ids {
		delivery, err := o.Get(id)
		if _, unread := errors.AsType[*fs.PathError](err); unread || errors.Is(err, ErrNotFound) {
			continue // another user's, or pruned meanwhile
		}
		if err != nil {
			return nil, err
		}
		if to == "" || strings.EqualFold(to, delivery.To) {
			deliveries = append(deliveries, delivery)
		}
	}
	return deliveries, nil
}

// Get reads one message; ErrNotFound if there is none with that id.
func (o *Outbox) Get(id string) (Delivery, error) {
	raw, err := o.raw(id)
	if err != nil {
		return Delivery{}, err
	}
	delivery, err := parseDelivery(id, raw)
	if err != nil {
		return Delivery{}, fmt.Errorf("reading message %s: %w", id, err)
	}
	return delivery, nil
}

// raw is the message as it would go over the wire.
func (o *Outbox) raw(id string) ([]byte, error) {
	// The id comes from a URL and goes into a path.
	if !isID(id) {
		return nil, ErrNotFound
	}
	raw, err := os.ReadFile(o.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return raw, err
}

func (o *Outbox) path(id string) string { return filepath.Join(o.dir, id+".eml") }

func isID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.Version() == 7 && id.String() == text
}

func parseDelivery(id string, raw []byte) (Delivery, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Delivery{}, err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(message.Body))
	if err != nil {
		return Delivery{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return Delivery{}, err
	}
	to, err := netmail.ParseAddress(message.Header.Get("To"))
	if err != nil {
		return Delivery{}, err
	}
	from, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("From"))
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{
		ID:      id,
		From:    from,
		To:      to.Address,
		Subject: subject,
		Text:    strings.ReplaceAll(string(text), "\r\n", "\n"),
		At:      timeOf(id),
	}, nil
}

// timeOf is when a UUIDv7 was made, which is finer than a mail's Date.
func timeOf(id string) time.Time {
	seconds, nanoseconds := uuid.MustParse(id).Time().UnixTime()
	return time.Unix(seconds, nanoseconds).UTC()
}
