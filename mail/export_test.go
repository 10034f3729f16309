package mail

import (
	"context"
	"crypto/x509"
	"net"
)

// NewSMTPTo is NewSMTP with a server that is found at address, whatever the
// URL's host, and whose certificate one of roots has signed.
func NewSMTPTo(address string, roots *x509.CertPool, serverURL, from string) (Sender, error) {
	sender, err := newSMTP(serverURL, from)
	if err != nil {
		return nil, err
	}
	sender.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	sender.trust.RootCAs = roots
	return sender, nil
}
