//go:build deploy

// Package deploy_test runs what compose.yaml runs, as processes of this machine: two
// servers with its settings behind the balancer with its configuration, a worker,
// PostgreSQL and Redis.
package deploy_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/accord-api/accord/pg/pgtest"
	"github.com/accord-api/accord/redistest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const password = "Difference-1822"

// output is written by a process while a test reads it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is a program that is run until the test ends, or stop is called.
type process struct {
	*exec.Cmd
	out   *output
	ended chan struct{}
}

func start(t *testing.T, environ map[string]string, program string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(program, args...), out: &output{}, ended: make(chan struct{})}
	p.Dir, p.Stdout, p.Stderr = t.TempDir(), p.out, p.out
	p.Env = lines(environ)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s said:\n%s", args, p.out)
		}
	})
	return p
}

// stop asks a process to end, as orchestrators do, and wants it to end well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second): // stop_grace_period
		t.Fatal("it had to be killed")
	}
	if !p.ProcessState.Success() {
		t.Errorf("it ended with %s:\n%s", p.ProcessState, p.out)
	}
}

// listening waits until a server says where it is ready.
func (p *process) listening(t *testing.T) (base string) {
	t.Helper()
	eventually(t, "the server is ready", func() bool {
		if found := regexp.MustCompile(`is ready on (\S+)`).FindStringSubmatch(p.out.String()); found != nil {
			base = found[1]
		}
		select {
		case <-p.ended:
			t.Fatalf("it ended: %s", p.out)
		default:
		}
		return base != ""
	})
	return base
}

func lines(environ map[string]string) []string {
	all := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir()}
	for name, value := range environ {
		all = append(all, name+"="+value)
	}
	return all
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-limit:
			t.Fatalf("it never came true that %s", what)
		case <-tick.C:
		}
	}
}

// binary is the server as `make image` has built it.
func binary(t *testing.T) string {
	t.Helper()
	name, err := filepath.Abs("../bin/image/accord")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("make image: %v", err)
	}
	return name
}

// settings are those of compose.yaml and of the image, but for what names other
// machines: the database, Redis, the files and the addresses.
func settings(t *testing.T, database, redis string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Accord struct{ Environment map[string]string } `yaml:"x-accord"`
	}
	if err := yaml.Unmarshal(text, &compose); err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{}
	for name, value := range compose.Accord.Environment {
		if !strings.Contains(value, "$") {
			environ[name] = value
		}
	}
	maps.Copy(environ, map[string]string{
		"ENVIRONMENT": "production", "SECRET_KEY": "p7Q-x9Lm2v_R4tW8yB1nK6cZ0sD3fG5h", "PUBLIC_URL": "https://localhost",
		"DATABASE_URL": database, "REDIS_URL": redis,
		"FILES_URL": "file://" + filepath.Join(t.TempDir(), "files"), // bare-drops
		"HOST":      "127.0.0.1", "PORT": "0", "ADMIN_HOST": "127.0.0.1", "ADMIN_PORT": "0", "TRUSTED_PROXIES": "127.0.0.1",
		"LOG_LEVEL": "warn", // thousands of requests, told where a test fails
	})
	if environ["JOBS"] != "false" {
		t.Fatalf("the servers would work on jobs: %v", environ)
	}
	return environ
}

func with(environ map[string]string, more ...string) map[string]string {
	all := maps.Clone(environ)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// run runs a program to its end, and wants it to end well.
func run(t *testing.T, environ map[string]string, in, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, args...)
	command.Env, command.Stdin = lines(environ), strings.NewReader(in)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args, err, out)
	}
	return string(out)
}

// deployment is all of it.
type deployment struct {
	environ  map[string]string
	servers  [2]*process
	direct   [2]*client
	balancer *process
	metrics  string
	*client
}

// client asks one address. The servers themselves believe what it says of the client,
// as they believe the balancer.
type client struct {
	base string
	http *http.Client
}

// deployed migrates an empty database, makes an administrator, and starts everything.
func deployed(t *testing.T) *deployment {
	t.Helper()
	// A machine that is busy with tests may be slow, and then each server would count alone.
	d := &deployment{environ: settings(t, pgtest.Empty(t), redistest.URL(t)+"&read_timeout=10s")}
	accord := binary(t)
	if out := run(t, d.environ, "", accord, "migrate", "up"); !strings.Contains(out, "00001") {
		t.Fatalf("migrate up: %s", out)
	}
	run(t, d.environ, password, accord, "user", "create", "--email", "grace@example.com", "--username", "grace", "--role", "admin", "--verified")
	worker := start(t, d.environ, accord, "worker")
	for i := range d.servers {
		d.servers[i] = start(t, d.environ, accord, "serve")
	}
	balanced := map[string]string{"HTTPS_BIND": free(t), "METRICS_BIND": free(t)}
	for i := range d.servers {
		d.direct[i] = &client{base: d.servers[i].listening(t), http: &http.Client{Transport: asProxy{}}}
		balanced[fmt.Sprintf("SERVER_%d", i+1)] = strings.TrimPrefix(d.direct[i].base, "http://")
	}
	certificate, pool := selfSigned(t)
	balanced["TLS_PEM"] = certificate
	d.metrics = "http://" + balanced["METRICS_BIND"] + "/metrics"
	configuration, err := filepath.Abs("haproxy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	d.balancer = start(t, balanced, "haproxy", "-db", "-f", configuration)
	d.client = &client{base: "https://" + balanced["HTTPS_BIND"], http: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}}
	d.await(t, 0, "UP")
	d.await(t, 1, "UP")
	eventually(t, "the worker works", func() bool { return strings.Contains(worker.out.String(), "works on jobs") })
	return d
}

// await waits for what the balancer thinks of a server.
func (d *deployment) await(t *testing.T, server int, state string) {
	t.Helper()
	want := fmt.Sprintf("haproxy_server_status{proxy=\"servers\",server=\"server-%d\",state=%q} 1", server+1, state)
	eventually(t, want, func() bool {
		select {
		case <-d.balancer.ended:
			t.Fatalf("the balancer ended: %s", d.balancer.out)
		default:
		}
		answer, err := http.Get(d.metrics)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return err == nil && strings.Contains(string(body), want)
	})
}

// asProxy says of each request what the balancer says.
type asProxy struct{}

func (asProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-Forwarded-Proto", "https")
	return http.DefaultTransport.RoundTrip(r)
}

// free is an address of this machine that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// selfSigned is a file with a certificate of localhost and its key, and who trusts it.
func selfSigned(t *testing.T) (name string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	name = filepath.Join(t.TempDir(), "tls.pem")
	if err := os.WriteFile(name, append(certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name, pool
}

// ask sends a request, with a body of JSON or of a form; the answer's body is read.
func (c *client) ask(ctx context.Context, method, path, token string, body any, header ...string) (int, []byte, http.Header, error) {
	var sent io.Reader = http.NoBody
	kind := ""
	switch body := body.(type) {
	case nil:
	case url.Values:
		sent, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, nil, err
		}
		sent, kind = bytes.NewReader(text), "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return 0, nil, nil, err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	return answer.StatusCode, read, answer.Header, err
}

// want is ask for an answer that is known; members are those of its JSON.
func (c *client) want(t *testing.T, status int, method, path, token string, body any, header ...string) (members map[string]any) {
	t.Helper()
	got, read, _, err := c.ask(t.Context(), method, path, token, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	if got != status {
		t.Fatalf("%s %s: %d %s", method, path, got, read)
	}
	if len(read) > 0 && read[0] == '{' {
		if err := json.Unmarshal(read, &members); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, read)
		}
	}
	return members
}

// login gives an access token.
func (c *client) login(t *testing.T, header ...string) string {
	t.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {"grace"}, "password": {password}}
	token, _ := c.want(t, http.StatusOK, http.MethodPost, "/api/v1/auth/login", "", form, header...)["access_token"].(string)
	return token
}

// refused runs a script that has to say why it does nothing.
func refused(t *testing.T, environ map[string]string, script, folder, reason string) {
	t.Helper()
	command := exec.Command("sh", script, folder)
	command.Env = lines(environ)
	if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), reason) {
		t.Errorf("%s %s: %v\n%s", script, folder, err, out)
	}
}
