package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// sendTimeout is the limit of a Send whose context has none.
const sendTimeout = time.Minute

// smtpSender sends over SMTP. Each message has a connection of its own: mails
// are few, and a kept connection is one that the server may have closed.
type smtpSender struct {
	server smtpServer
	from   *netmail.Address
	// dial and roots are other than the system's only in tests.
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	trust *tls.Config
}

// NewSMTP gives a sender over SMTP, through a server named as
//
//	smtp://user:password@host:587    STARTTLS
//	smtps://user:password@host:465   TLS from the first byte
//
// Without TLS nothing is sent, neither password nor mail, except over loopback.
// The errors of NewSMTP never quote the URL, and those of Send no message.
func NewSMTP(serverURL, from string) (Sender, error) {
	return newSMTP(serverURL, from)
}

func newSMTP(serverURL, from string) (*smtpSender, error) {
	server, err := parseSMTP(serverURL)
	if err != nil {
		return nil, fmt.Errorf("reading the SMTP URL: %w", err)
	}
	address, err := parseFrom(from)
	if err != nil {
		return nil, err
	}
	return &smtpSender{
		server: server,
		from:   address,
		dial:   new(net.Dialer).DialContext,
		trust:  &tls.Config{ServerName: server.host, MinVersion: tls.VersionTLS12},
	}, nil
}

// CheckSMTP tells what is wrong with the URL of an SMTP server, without
// quoting it and without a connection.
func CheckSMTP(serverURL string) error {
	_, err := parseSMTP(serverURL)
	return err
}

// Send sends a message. It ends with ctx, and after a minute at the latest.
func (s *smtpSender) Send(ctx context.Context, message Message) error {
	composed, err := message.compose(uuid.New(), s.from)
	if err != nil {
		return fmt.Errorf("sending mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err = s.deliver(ctx, composed)
	if err != nil && ctx.Err() != nil {
		// The connection was closed under the client: its error tells nothing.
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("sending mail: %w", err)
	}
	return nil
}

func (s *smtpSender) deliver(ctx context.Context, composed *gomail.Msg) error {
	client, err := gomail.NewClient(s.server.host, s.options(ctx)...)
	if err != nil {
		return err
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(connection, composed)
	// Once accepted it is sent, whatever becomes of the goodbye: an error here
	// would have the job send it twice.
	_ = client.CloseWithSMTPClient(connection)
	if composed.IsDelivered() {
		return nil
	}
	return withoutReply(err)
}

func (s *smtpSender) options(ctx context.Context) []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(s.server.port),
		gomail.WithTimeout(sendTimeout),
		gomail.WithTLSConfig(s.trust),
		gomail.WithDialContextFunc(s.dialUntil(ctx)),
	}
	switch s.server.security {
	case securityTLS:
		options = append(options, gomail.WithSSL())
	case securitySTARTTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case securityNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.server.user == nil {
		return options
	}
	password, _ := s.server.user.Password()
	return append(options,
		gomail.WithOpportunisticSMTPAuth(s.server.security.mechanisms()...),
		gomail.WithUsername(s.server.user.Username()),
		gomail.WithPassword(password))
}

// dialUntil connects, and closes the connection when ctx ends: the client
// itself heeds ctx only while it connects.
func (s *smtpSender) dialUntil(ctx context.Context) gomail.DialContextFunc {
	// The client's own form of the address has no brackets about an IPv6 host.
	address := net.JoinHostPort(s.server.host, strconv.Itoa(s.server.port))
	return func(dialCtx context.Context, network, _ string) (net.Conn, error) {
		conn, err := s.dial(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if s.server.security != securityTLS {
			return conn, nil
		}
		secure := tls.Client(conn, s.trust)
		if err := secure.HandshakeContext(dialCtx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// RefusedError says that the mail server did not take a message. It holds the
// server's codes and not its words, which may quote the message.
type RefusedError struct {
	Step     string // what the server refused, such as the RCPT TO command
	Code     int    // 550; 0 when the connection broke
	Enhanced string // 5.1.1, or "" if the server gives none

	ofMessage bool // not of the sender or the connection
}

func (e *RefusedError) Error() string {
	if e.Code == 0 {
		return e.Step + ": connection lost"
	}
	return strings.TrimSpace(fmt.Sprintf("%s: refused with %d %s", e.Step, e.Code, e.Enhanced))
}

func withoutReply(err error) error {
	var send *gomail.SendError
	if !errors.As(err, &send) {
		return err
	}
	return &RefusedError{
		Step:      send.Reason.String(),
		Code:      send.ErrorCode(),
		Enhanced:  send.EnhancedStatusCode(),
		ofMessage: slices.Contains([]gomail.SendErrReason{gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose}, send.Reason),
	}
}

// Permanent tells whether sending the message again is in vain: it is invalid,
// or the server refused its recipient or its content for good (5xx). Refusing
// the sender is about the settings, which somebody may mend in time.
func Permanent(err error) bool {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return refused.Code >= 500 && refused.ofMessage
	}
	return errors.Is(err, ErrInvalid)
}

// security is how the connection to the server is secured.
type security int

const (
	securitySTARTTLS security = iota
	securityTLS
	securityNone // loopback only
)

// mechanisms lists the ways to sign in, best first. Those that show the
// password work over TLS only, but for NOENC, which is for loopback.
func (s security) mechanisms() []gomail.SMTPAuthType {
	if s == securityNone {
		return []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
	}
	return []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin}
}

type smtpServer struct {
	host     string
	port     int
	user     *url.Userinfo
	security security
}

func parseSMTP(serverURL string) (smtpServer, error) {
	u, err := url.Parse(serverURL)
	if err != nil {
		// url's own error quotes the password.
		return smtpServer{}, errors.New("it is not a URL (percent-encode special characters in the password)")
	}
	server := smtpServer{host: u.Hostname(), user: u.User}
	if err := server.secure(u); err != nil {
		return smtpServer{}, err
	}
	if server.host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return smtpServer{}, errors.New("it must be a scheme, a user and password, a host and a port, and nothing more")
	}
	if server.user != nil && server.user.Username() == "" {
		return smtpServer{}, errors.New("the user is empty")
	}
	return server, server.listen(u.Port())
}

// secure decides on TLS from the scheme and the host.
func (s *smtpServer) secure(u *url.URL) error {
	switch {
	case u.Scheme == "smtps":
		s.security, s.port = securityTLS, 465
	case u.Scheme == "smtp" && isLoopback(s.host):
		// A mail server on this machine rarely has a certificate for localhost.
		s.security, s.port = securityNone, 587
	case u.Scheme == "smtp":
		s.security, s.port = securitySTARTTLS, 587
	default:
		return errors.New("the scheme must be smtp or smtps")
	}
	return nil
}

// listen sets the port that the URL names, if it names one.
func (s *smtpServer) listen(port string) error {
	if port == "" {
		return nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return errors.New("the port must be from 1 to 65535")
	}
	s.port = int(number)
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return address.Unmap().IsLoopback()
}
