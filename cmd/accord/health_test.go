package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/pg/pgtest"
)

func TestHealthOfTheServer(t *testing.T) {
	t.Parallel()
	environ := onDatabase(pgtest.New(t))
	base, _, _ := serving(t, t.TempDir(), environ)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := ran(t, append(environ, "PORT="+port), "", "health"); code != exitOK || out != "ready\n" {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, errs := ran(t, append(environ, "PORT="+port), "", "health", "--json"); code != exitOK || !json.Valid([]byte(out)) || !strings.Contains(out, "healthy") {
		t.Errorf("--json: exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := ran(t, environ, "", "health"); code != exitUsage || !strings.Contains(errs, "PORT") {
		t.Errorf("without a port: exit %d: %s", code, errs)
	}
}

// A server that listens everywhere and is not ready is found, over TLS as well, and
// what it says is told.
func TestHealthOfAServerThatIsNotReady(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	everywhere, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(everywhere.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	environ := inProduction(t, "postgres://localhost/none", "HOST=0.0.0.0", "PORT="+port, "TLS_CERT_FILE="+certificate, "TLS_KEY_FILE="+key)
	served := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "The server is stopping: "+r.URL.Path, http.StatusServiceUnavailable)
	})}
	ended := make(chan error, 1)
	go func() { ended <- served.ServeTLS(everywhere, certificate, key) }()

	code, out, errs := ran(t, environ, "", "health")
	if code != exitFailed || out != "" || !strings.Contains(errs, "https://127.0.0.1:"+port) || !strings.Contains(errs, "stopping: /readyz") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if code, _, errs = ran(t, environ, "", "health"); code != exitFailed || !strings.Contains(errs, "no answer") {
		t.Errorf("where nothing listens: exit %d: %s", code, errs)
	}
}

// selfSigned gives the files of a certificate that nobody vouches for, and of its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}
