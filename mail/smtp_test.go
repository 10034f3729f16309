package mail_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/accord-api/accord/mail"
)

const (
	serverName = "mail.example.test"
	from       = "Accord <no-reply@example.test>"
	password   = "p4ss-canary"
)

var greetingMessage = mail.Message{To: "jane@example.test", Subject: "Grüße", Text: "Hello Jänë,\n\n.a line that begins with a dot\nhttps://example.test/?token=" + strings.Repeat("a", 100) + "\n"}

func TestSMTPSendsOverSTARTTLS(t *testing.T) {
	t.Parallel()
	server := startServer(t, serverOptions{tls: true})
	sender := server.sender(t, "smtp://user:"+password+"@"+serverName)

	if err := sender.Send(t.Context(), greetingMessage); err != nil {
		t.Fatal(err)
	}

	got := server.only(t)
	if !got.tls || got.user != "user" || got.password != password {
		t.Errorf("got TLS %t, user %q, password %q", got.tls, got.user, got.password)
	}
	if got.from != "no-reply@example.test" || got.to != "jane@example.test" {
		t.Errorf("got envelope from %q to %q", got.from, got.to)
	}
	header := parseMail(t, got.data).Header
	if header.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(header.Get("Message-Id"), "@example.test>") {
		t.Errorf("got headers %v", header)
	}
}

func TestSMTPSendsOverTLS(t *testing.T) {
	t.Parallel()
	server := startServer(t, serverOptions{tls: true, implicitTLS: true})
	sender := server.sender(t, "smtps://user:"+password+"@"+serverName)

	if err := sender.Send(t.Context(), greetingMessage); err != nil {
		t.Fatal(err)
	}

	if got := server.only(t); !got.tls || got.password != password {
		t.Errorf("got TLS %t, password %q", got.tls, got.password)
	}
}

// On the machine itself there is nobody to listen in.
func TestSMTPSendsPlainOverLoopback(t *testing.T) {
	t.Parallel()
	server := startServer(t, serverOptions{})
	for _, credentials := range []string{"", "user:" + password + "@"} {
		sender, err := mail.NewSMTP("smtp://"+credentials+server.address, from)
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), greetingMessage); err != nil {
			t.Errorf("with %q: %v", credentials, err)
		}
	}
}

// A server that offers no TLS gets neither the password nor the mail, even if
// it says that it takes both.
func TestSMTPRefusesPlainTextBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, credentials := range []string{"", "user:" + password + "@"} {
		server := startServer(t, serverOptions{})
		sender := server.sender(t, "smtp://"+credentials+serverName)

		err := sender.Send(t.Context(), greetingMessage)

		if err == nil || mail.Permanent(err) {
			t.Errorf("with %q: got %v, want an error that may pass", credentials, err)
		}
		if got := server.sessions(); len(got) != 1 || got[0] != (session{}) {
			t.Errorf("with %q: the server learned %+v", credentials, got)
		}
	}
}

func TestSMTPRefusesUnknownCertificate(t *testing.T) {
	t.Parallel()
	for _, implicit := range []bool{true, false} {
		server := startServer(t, serverOptions{tls: true, implicitTLS: implicit})
		server.roots = x509.NewCertPool()
		scheme := map[bool]string{true: "smtps://", false: "smtp://"}[implicit]

		err := server.sender(t, scheme+"user:"+password+"@"+serverName).Send(t.Context(), greetingMessage)

		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("%s: got %v, want a certificate error", scheme, err)
		}
	}
}

func TestSMTPWrongPassword(t *testing.T) {
	t.Parallel()
	server := startServer(t, serverOptions{tls: true})
	err := server.sender(t, "smtp://user:wrong-canary@"+serverName).Send(t.Context(), greetingMessage)
	if err == nil || mail.Permanent(err) || strings.Contains(err.Error(), "wrong-canary") {
		t.Errorf("got %v, want an error that may pass and quotes nothing", err)
	}
}

func TestSMTPRefusedMessage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options   serverOptions
		permanent bool
	}{
		"unknown recipient": {serverOptions{tls: true, rcpt: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "token-canary"}}, true},
		"busy mailbox":      {serverOptions{tls: true, rcpt: &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "token-canary"}}, false},
		"refused content":   {serverOptions{tls: true, data: &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam: token-canary"}}, true},
		"refused sender":    {serverOptions{tls: true, mail: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "token-canary"}}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, test.options)

			err := server.sender(t, "smtp://"+serverName).Send(t.Context(), greetingMessage)

			var refused *mail.RefusedError
			if !errors.As(err, &refused) || refused.Code == 0 || refused.Enhanced == "" {
				t.Fatalf("got %v, want a refusal with its codes", err)
			}
			if mail.Permanent(err) != test.permanent {
				t.Errorf("%v: got permanent %t", err, !test.permanent)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the server: %v", err)
			}
		})
	}
}

// A server that accepts the connection and then says nothing.
func TestSMTPEndsWithContext(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	sender, err := mail.NewSMTP("smtp://"+listener.Addr().String(), from)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()

	err = sender.Send(ctx, greetingMessage)

	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	// The limit of a Send without a deadline is a minute.
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("Send ended %v after its context", took)
	}
}

func TestInvalidMessages(t *testing.T) {
	t.Parallel()
	server := startServer(t, serverOptions{})
	smtpSender, err := mail.NewSMTP("smtp://"+server.address, from)
	if err != nil {
		t.Fatal(err)
	}
	outbox, err := mail.NewOutbox(t.TempDir(), from)
	if err != nil {
		t.Fatal(err)
	}
	messages := []mail.Message{
		{To: "jane@example.test", Subject: "Hi\r\nBcc: eve@example.test"},
		{To: "jane@example.test", Subject: "Hi\nBcc: eve@example.test"},
		{To: "jane@example.test", Subject: "Hi\x00"},
		{To: "jane@example.test", Subject: " "},
		{To: "jane@example.test\r\nBcc: eve@example.test", Subject: "Hi"},
		{To: "jane@example.test>\r\nRCPT TO:<eve@example.test", Subject: "Hi"},
		{To: "jane@example.test, eve@example.test", Subject: "Hi"},
		{To: "Jane <jane@example.test>", Subject: "Hi"},
		{To: "jane", Subject: "Hi"},
		{To: "", Subject: "Hi"},
	}
	for _, message := range messages {
		for _, sender := range []mail.Sender{smtpSender, outbox} {
			err := sender.Send(t.Context(), message)
			if !errors.Is(err, mail.ErrInvalid) || !mail.Permanent(err) {
				t.Errorf("%T, %q: got %v, want %v", sender, message, err, mail.ErrInvalid)
			}
		}
	}
	if got := server.sessions(); len(got) > 0 {
		t.Errorf("the server got %+v", got)
	}
}

func TestCheckSMTP(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"smtp://mail.example.test", "smtp://mail.example.test:25", "smtps://user:p%40ss@mail.example.test:465/", "smtp://[::1]:2525",
	} {
		if err := mail.CheckSMTP(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "mail.example.test:587", "http://mail.example.test", "smtp://", "smtp://:587", "smtp://u:canary@mail.example.test:0",
		"smtp://u:canary@mail.example.test:70000", "smtp://u:can/ary@mail.example.test", "smtp://u:canary@mail.example.test/path",
		"smtp://u:canary@mail.example.test?tls=off", "smtp://:canary@mail.example.test", "smtp://u:canary%zz@mail.example.test",
	} {
		err := mail.CheckSMTP(bad)
		if err == nil || strings.Contains(err.Error(), "can") {
			t.Errorf("%s: got %v, want an error that quotes nothing", bad, err)
		}
		if _, err := mail.NewSMTP(bad, from); err == nil || strings.Contains(err.Error(), "can") {
			t.Errorf("%s: got %v, want an error that quotes nothing", bad, err)
		}
	}
}

func TestSMTPNeedsSender(t *testing.T) {
	t.Parallel()
	if _, err := mail.NewSMTP("smtp://localhost", "nobody"); err == nil {
		t.Error("NewSMTP took a sender without an address")
	}
	if _, err := mail.NewOutbox(t.TempDir(), "nobody"); err == nil {
		t.Error("NewOutbox took a sender without an address")
	}
}

// serverOptions are the ways of a mail server.
type serverOptions struct {
	tls, implicitTLS bool
	mail, rcpt, data error
}

// session is what the server learned from one connection.
type session struct {
	tls            bool
	user, password string
	from, to, data string
}

type server struct {
	address string
	options serverOptions
	roots   *x509.CertPool

	mu  sync.Mutex
	all []*session
}

func startServer(t *testing.T, options serverOptions) *server {
	t.Helper()
	s := &server{options: options, roots: x509.NewCertPool()}
	backend := smtp.NewServer(smtp.BackendFunc(s.newSession))
	backend.Domain = serverName
	backend.AllowInsecureAuth = true
	backend.ErrorLog = log.New(io.Discard, "", 0)
	listener := listen(t)
	s.address = listener.Addr().String()
	if options.tls {
		certificate := selfSigned(t)
		s.roots.AddCert(certificate.Leaf)
		backend.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	if options.implicitTLS {
		listener = tls.NewListener(listener, backend.TLSConfig)
	}
	go func() { _ = backend.Serve(listener) }()
	t.Cleanup(func() { _ = backend.Close() })
	return s
}

func (s *server) sender(t *testing.T, serverURL string) mail.Sender {
	t.Helper()
	sender, err := mail.NewSMTPTo(s.address, s.roots, serverURL, from)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// only is the one session in which a message came.
func (s *server) only(t *testing.T) session {
	t.Helper()
	var with []session
	for _, session := range s.sessions() {
		if session.data != "" {
			with = append(with, session)
		}
	}
	if len(with) != 1 {
		t.Fatalf("got %d messages, want 1", len(with))
	}
	return with[0]
}

func (s *server) sessions() []session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []session
	for _, session := range s.all {
		all = append(all, *session)
	}
	return all
}

func (s *server) newSession(conn *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	started := &session{}
	_, started.tls = conn.TLSConnectionState()
	s.all = append(s.all, started)
	return &serverSession{server: s, session: started}, nil
}

type serverSession struct {
	server  *server
	session *session
}

func (s *serverSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *serverSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, given string) error {
		s.note(func(of *session) { of.user, of.password = user, given })
		if given != password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *serverSession) Mail(from string, _ *smtp.MailOptions) error {
	s.note(func(of *session) { of.from = from })
	return s.server.options.mail
}

func (s *serverSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.note(func(of *session) { of.to = to })
	return s.server.options.rcpt
}

func (s *serverSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.note(func(of *session) { of.data = string(data) })
	return errors.Join(err, s.server.options.data)
}

func (s *serverSession) Reset()        {}
func (s *serverSession) Logout() error { return nil }

func (s *serverSession) note(change func(*session)) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	change(s.session)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: serverName},
		DNSNames:              []string{serverName},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func parseMail(t *testing.T, data string) *netmail.Message {
	t.Helper()
	message, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatalf("parsing %q: %v", data, err)
	}
	return message
}
