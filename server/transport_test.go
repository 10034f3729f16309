package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// jwksPath is a public operation that a secret could be sent to.
const jwksPath = "/.well-known/jwks.json"

// production is a configuration for real users.
func production(changes map[string]string) map[string]string {
	settings := map[string]string{
		"ENVIRONMENT": "production", "SECRET_KEY": "p7Q-x9Lm2v_R4tW8yB1nK6cZ0sD3fG5h", "PUBLIC_URL": "https://api.example.com",
		"BCRYPT_COST": "12", "TRUSTED_PROXIES": "127.0.0.1",
	}
	maps.Copy(settings, changes)
	return settings
}

// Plain HTTP is refused and never redirected: a secret in it has been seen.
func TestProductionWantsHTTPS(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: production(nil)})
	for name, c := range map[string]struct {
		forwarded []string // X-Forwarded-Proto, a line each
		secure    bool
	}{
		"not told":          {nil, false},
		"https":             {[]string{"https"}, true},
		"in capitals":       {[]string{"HTTPS"}, true},
		"https all the way": {[]string{"https, https"}, true},
		"http":              {[]string{"http"}, false},
		"nothing":           {[]string{""}, false},
		"http at last":      {[]string{"https, http"}, false},
		"http in between":   {[]string{"http,https"}, false},
		"a second line":     {[]string{"https", "http"}, false}, // the first is the client's own
	} {
		p := s.Somebody()
		p.Header["X-Forwarded-Proto"] = c.forwarded
		answer := p.GET(jwksPath)
		if c.secure != (answer.Status == http.StatusOK) {
			t.Errorf("%s: status %d", name, answer.Status)
		}
		if !c.secure {
			answer.Expect(http.StatusForbidden).Problem("insecure-transport")
		}
		// RFC 6797, section 7.2: never over plain HTTP.
		if hsts := answer.Header.Get("Strict-Transport-Security"); strings.HasPrefix(hsts, "max-age=") != c.secure {
			t.Errorf("%s: Strict-Transport-Security %q", name, hsts)
		}
		for _, path := range []string{"/health", "/livez", "/readyz", "/readyz/"} {
			p.GET(path).Expect(http.StatusOK)
		}
		if !c.secure { // whatever it is, and before anything else is told about it
			p.GET("/api/v1/nothing").Expect(http.StatusForbidden)
			p.Do(http.MethodPut, "/", "", nil).Expect(http.StatusForbidden)
			p.POST("/api/v1/auth/forgot-password", map[string]any{"email": "ada@example.com"}).Expect(http.StatusForbidden)
			p.GET("/healthy").Expect(http.StatusForbidden)
		}
	}
}

func TestProductionBelievesOnlyItsProxies(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: production(map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8"})})
	p := s.Somebody()
	p.Header.Set("X-Forwarded-Proto", "https")
	if h := p.GET(jwksPath).Expect(http.StatusForbidden).Header; h.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS over plain HTTP")
	}
}

// What helps in development is not there in production.
func TestProductionHasNoDocs(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Settings: production(nil), Outbox: t.TempDir()})
	p := s.Somebody()
	p.Header.Set("X-Forwarded-Proto", "https")
	for _, path := range []string{"/api/docs", "/api/docs/", "/api/docs/swagger-ui-bundle.js", "/dev/mail", "/dev/mail/x", "/debug/pprof/"} {
		p.GET(path).Expect(http.StatusNotFound)
	}
	p.GET("/api/openapi.json").Expect(http.StatusOK)
	if page := string(p.GET("/").Expect(http.StatusOK).Body); strings.Contains(page, "/api/docs") || strings.Contains(page, "/dev/mail") {
		t.Errorf("the start page leads to what is not there: %s", page)
	}
}

func TestOwnTLS(t *testing.T) {
	t.Parallel()
	certificate, certFile, keyFile := selfSigned(t)
	s := servertest.New(t, servertest.Options{Settings: production(map[string]string{"TLS_CERT_FILE": certFile, "TLS_KEY_FILE": keyFile, "TRUSTED_PROXIES": ""})})
	plain := s.URL
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	s.HTTP.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	s.URL = strings.Replace(s.URL, "http://", "https://", 1)
	p := s.Somebody()
	p.Header.Set("X-Forwarded-Proto", "http") // nobody's word counts against the connection itself
	if h := p.GET(jwksPath).Expect(http.StatusOK).Header; h.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
	p.POST("/api/v1/auth/forgot-password", map[string]any{"email": "ada@example.com"}).Expect(http.StatusAccepted)

	if answer := sendRaw(t, &servertest.Server{URL: plain}, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP gets %s", answer.Status)
	}

	address := strings.TrimPrefix(plain, "http://")
	if conn, err := new(tls.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		_ = conn.Close()
		t.Error("an unknown certificate is trusted: the test shows nothing")
	}
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		only := &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}
		conn, err := (&tls.Dialer{Config: only}).DialContext(t.Context(), "tcp", address)
		if (err == nil) != spoken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

// selfSigned makes a certificate for 127.0.0.1.
func selfSigned(t *testing.T) (certificate *x509.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, certFile, keyFile
}
