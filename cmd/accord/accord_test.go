package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

// asProgram makes the test binary behave as the command itself, for the tests
// that need a real process.
const asProgram = "ACCORD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	pgtest.Main(m)
}

// output is written by the command while a test reads it.
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

// ran runs a command in a folder of its own, on a database where environ
// names one.
func ran(t *testing.T, environ []string, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr output
	code = run(t.Context(), args, command{
		dir: t.TempDir(), environ: environ, in: strings.NewReader(stdin), out: &stdout, err: &stderr,
	})
	return code, stdout.String(), stderr.String()
}

// onDatabase is an environment with a database, migrated or not.
func onDatabase(address string, more ...string) []string {
	return append([]string{"ENVIRONMENT=test", "BCRYPT_COST=4", "DATABASE_URL=" + address, "PORT=0", "ADMIN_PORT=-1"}, more...)
}

func inProduction(t *testing.T, address string, more ...string) []string {
	t.Helper()
	return append([]string{
		"FILES_URL=file://" + t.TempDir(), // bare-drops
		"ENVIRONMENT=production", "DATABASE_URL=" + address, "PORT=0", "ADMIN_PORT=-1", "PUBLIC_URL=https://api.example.com",
		"SECRET_KEY=p7Q-x9Lm2v_R4tW8yB1nK6cZ0sD3fG5h", "TRUSTED_PROXIES=127.0.0.1",
	}, more...)
}

// serving runs `serve` until stop is called, which gives its exit code.
func serving(t *testing.T, dir string, environ []string) (base string, out *output, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out = &output{}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve"}, command{dir: dir, environ: environ, out: out, err: out}) }()
	code := -1
	stop = sync.OnceValue(func() int {
		cancel()
		if code < 0 {
			code = <-ended
		}
		return code
	})
	t.Cleanup(func() { stop() })
	eventually(t, "the server is ready", func() bool {
		select {
		case code = <-ended:
			t.Fatalf("serve ended with %d: %s", code, out)
		default:
		}
		found := regexp.MustCompile(`is ready on (\S+)`).FindStringSubmatch(out.String())
		if found != nil {
			base = found[1]
		}
		return found != nil
	})
	return base, out, stop
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(60 * time.Second)
	for !holds() {
		select {
		case <-limit:
			t.Fatalf("it never came true that %s", what)
		case <-tick.C:
		}
	}
}

func get(t *testing.T, address string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// login signs in as a client does: where the server is too busy to hash, it
// comes again when it is told to.
func login(t *testing.T, base, name, password string) (status int) {
	t.Helper()
	for range 20 {
		var after time.Duration
		if status, after = tryLogin(t, base, name, password); status != http.StatusServiceUnavailable {
			return status
		}
		if after <= 0 {
			t.Fatal("a 503 without Retry-After")
		}
		<-time.NewTimer(after).C
	}
	return status
}

func tryLogin(t *testing.T, base, name, password string) (status int, after time.Duration) {
	t.Helper()
	form := url.Values{"username": {name}, "password": {password}}.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/auth/login", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return response.StatusCode, time.Duration(seconds) * time.Second
}

// What a newcomer sees: a private database, the docs' address and two accounts
// that really sign in.
func TestServeInDevelopment(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	base, out, stop := serving(t, dir, []string{"PORT=0", "LOG_LEVEL=error"})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := strings.Join(lines[max(0, len(lines)-7):], "\n")
	for _, want := range []string{base + "/api/docs", base + "/dev/mail", base + "/dev/requests", base + "/\n", "admin     Admin-demo-1", "user      User-demo-1"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last lines lack %q:\n%s", want, last)
		}
	}
	for _, account := range demoAccounts {
		if got := login(t, base, account.Username, account.Password); got != http.StatusOK {
			t.Errorf("%s signs in with %d", account.Username, got)
		}
	}
	for _, path := range []string{"/health", "/readyz", "/api/docs", "/dev/mail", "/dev/requests", "/"} {
		if got := get(t, base+path); got != http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}
	if page := send(t, http.MethodGet, base+"/", "", "", "", http.StatusOK); !strings.Contains(page, "none is pending") || !strings.Contains(page, "/jobs/\"") {
		t.Errorf("the start page: %s", page)
	}
	list := send(t, http.MethodGet, base+"/dev/requests?operation=getHealth", "", "", "", http.StatusOK)
	path := regexp.MustCompile(`/dev/requests/[0-9a-f-]{36}`).FindString(list)
	eventually(t, "an answer is held against the contract", func() bool {
		return strings.Contains(send(t, http.MethodGet, base+path, "", "", "", http.StatusOK), "The answer keeps to it")
	})
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d: %s", code, out)
	}
	_, second, stopSecond := serving(t, dir, []string{"PORT=0"}) // the accounts are there already
	if code := stopSecond(); code != exitOK {
		t.Errorf("exit code %d: %s", code, second)
	}
}

func TestServeInProduction(t *testing.T) {
	t.Parallel()
	empty := pgtest.Empty(t)
	code, _, errs := ran(t, inProduction(t, empty), "", "serve")
	all := migrations(t, empty)
	for _, want := range []string{"version 0", fmt.Sprintf("needs %d", all[len(all)-1].Version), "accord migrate up"} {
		if code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("an old schema: exit %d, %s lacks %q", code, errs, want)
		}
	}
	base, out, stop := serving(t, t.TempDir(), inProduction(t, empty, "MIGRATE_ON_START=true", "REDIS_URL=redis://127.0.0.1:1"))
	if got := get(t, base+"/readyz"); got != http.StatusOK || !strings.Contains(out.String(), "Redis is out of reach") {
		t.Errorf("without Redis: readyz %d, %s", got, out)
	}
	if strings.Contains(out.String(), "demo") || login(t, base, "admin", "Admin-demo-1") == http.StatusOK {
		t.Error("production has demo accounts")
	}
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ []string
		want    []string
	}{
		"several at once":        {[]string{"PORT=x", "BCRYPT_COST=4", "LOG_LEVEL=loud"}, []string{"PORT", "BCRYPT_COST", "LOG_LEVEL"}},
		"beyond loopback":        {[]string{"HOST=0.0.0.0"}, []string{"HOST"}},
		"production with little": {[]string{"ENVIRONMENT=production"}, []string{"SECRET_KEY", "DATABASE_URL", "PUBLIC_URL"}},
	} {
		code, _, errs := ran(t, c.environ, "", "serve")
		if code != exitUsage {
			t.Errorf("%s: exit %d", name, code)
		}
		for _, want := range c.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%s: %s is not named in %s", name, want, errs)
			}
		}
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	code, _, errs := ran(t, []string{"PORT=" + port}, "", "serve")
	if code != exitFailed || !strings.Contains(errs, "listening on 127.0.0.1:"+port) || !strings.Contains(errs, "choose another with PORT=") {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, _, errs = ran(t, []string{"PORT=0", "ADMIN_PORT=" + port}, "", "serve")
	if code != exitFailed || !strings.Contains(errs, "choose another with ADMIN_PORT=") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// migrations are all that there are, oldest first.
func migrations(t *testing.T, address string) []pg.Migration {
	t.Helper()
	all, err := pg.MigrationStatus(t.Context(), address)
	if err != nil || len(all) < 2 {
		t.Fatal(all, err)
	}
	return all
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	address := pgtest.Empty(t)
	environ, all := onDatabase(address), len(migrations(t, address))
	for _, step := range []struct{ args, want string }{
		{"status", "pending"}, {"status --json", `"applied_at": null`}, {"up", fmt.Sprintf("\n%d migrations\n", all)}, {"up", "0 migrations\n"}, {"up --json", "[]\n"}, {"status", "UTC"}, {"status --json", `Z"`},
		{"down", "\n1 migration\n"}, {"up --json", fmt.Sprintf(`"version": %d,`, all)}, {"down --json", fmt.Sprintf(`"version": %d,`, all)}, {"down --all", fmt.Sprintf("\n%d migrations\n", all-1)}, {"up", fmt.Sprintf("\n%d migrations\n", all)},
	} {
		code, out, errs := ran(t, environ, "", append([]string{"migrate"}, strings.Fields(step.args)...)...)
		if code != exitOK || !strings.Contains(out, step.want) {
			t.Errorf("migrate %s: exit %d, %s%s", step.args, code, out, errs)
		}
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	environ := onDatabase(pgtest.New(t))
	create := func(name, role, password string) (int, string, string) {
		return ran(t, environ, password+"\n", "user", "create", "--email", name+"@example.com", "--username", name, "--role", role)
	}
	if code, out, errs := create("grace", "admin", "Difference-1822"); code != exitOK || !strings.Contains(out, "grace (admin)") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	// In no sign-in form could these be sent.
	for _, password := range []string{"Difference-1822\x00", "Difference-\xff1822", "\xff\xfeD\x00ifference-1822"} {
		for _, args := range [][]string{
			{"create", "--email", "ada@example.com", "--username", "ada"}, {"set-password", "grace"},
		} {
			code, _, errs := ran(t, environ, password+"\n", append([]string{"user"}, args...)...)
			if code == exitOK || !strings.Contains(errs, "password must be UTF-8 without the NUL character") || strings.Contains(errs, "ifference") {
				t.Errorf("%v with %q: exit %d, %s", args, password, code, errs)
			}
		}
	}
	for name, c := range map[string][3]string{
		"taken": {"grace", "user", "Difference-1822"}, "password": {"ada", "user", "weak"}, "role": {"ada", "root", "Difference-1822"},
	} {
		if code, _, errs := create(c[0], c[1], c[2]); code == exitOK || !strings.Contains(errs, name) {
			t.Errorf("%s: exit %d, %s", name, code, errs)
		}
	}
	for _, step := range []struct {
		args, stdin, want string
		code              int
	}{
		{"set-role grace user", "", "last-admin", exitFailed},
		{"set-role nobody admin", "", "nobody", exitFailed},
		{"set-role grace root", "", "ROLE is user or admin, not \"root\"", exitUsage},
		{"set-password grace", "Analytical-1843\n", "grace (admin)", exitOK},
		{"set-password grace --json", "Analytical-1843\n", `"username": "grace"`, exitOK},
		{"set-password grace", "weak", "password", exitFailed},
		{"list", "", "grace@example.com", exitOK},
		{"list", "", "USERNAME", exitOK},
		{"list --json", "", `"username":"grace"`, exitOK},
		{"create --email ada@example.com --username ada --json", "Analytical-1843", `"username": "ada"`, exitOK},
		{"set-role ada admin", "", "ada (admin)", exitOK},
		{"set-role ada user --json", "", `"role": "user"`, exitOK},
		{"list --limit 1 --json", "", `"username":"ada"`, exitOK},
	} {
		code, out, errs := ran(t, environ, step.stdin, append([]string{"user"}, strings.Fields(step.args)...)...)
		if code != step.code || !strings.Contains(out+errs, step.want) {
			t.Errorf("user %s: exit %d, %s%s", step.args, code, out, errs)
		}
		if strings.Contains(step.args, "--limit 1") && strings.Count(out, "\n") != 1 {
			t.Errorf("user %s: %s", step.args, out)
		}
	}
	base, _, _ := serving(t, t.TempDir(), environ)
	address, token := base+"/api/v1/users/me", tokenOf(t, base, "grace", "Analytical-1843")
	if me := send(t, http.MethodGet, address, token, "", "", http.StatusOK); !strings.Contains(me, "grace@example.com") {
		t.Errorf("the new password signs in as %s", me)
	}
	// A new password ends the sessions of the old one, on servers that run as well.
	if code, _, errs := ran(t, environ, "Difference-1822", "user", "set-password", "grace"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	<-time.NewTimer(time.Second).C // as long as a session may be believed to be live
	send(t, http.MethodGet, address, token, "", "", http.StatusUnauthorized)
}

func TestUsersWantASchema(t *testing.T) {
	t.Parallel()
	if code, _, errs := ran(t, onDatabase(pgtest.Empty(t)), "", "user", "list"); code != exitFailed || !strings.Contains(errs, "migrate up") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	t.Parallel()
	environ := inProduction(t, "postgres://accord:canary@localhost/accord", "SMTP_URL=smtps://me:canary@mail.example.com:465", "MAIL_FROM=Me <me@example.com>", "REDIS_URL=redis://me:canary@localhost")
	for _, args := range [][]string{{"config"}, {"config", "--json"}} {
		code, out, errs := ran(t, environ, "", args...)
		if code != exitOK || strings.Contains(out, "canary") || !strings.Contains(out, "(hidden)") || !strings.Contains(out, "environment") {
			t.Errorf("%v: exit %d, %s%s", args, code, out, errs)
		}
		if len(args) == 2 && !json.Valid([]byte(out)) {
			t.Errorf("no JSON: %s", out)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"nothing"}, {"serve", "--nothing"}, {"serve", "extra"}, {"migrate", "sideways"}, {"user", "create"}} {
		if code, _, errs := ran(t, nil, "", args...); code != exitUsage || errs == "" {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
	for _, group := range [][]string{nil, {"migrate"}, {"user"}, {"completion"}, {"new"}} {
		code, out, errs := ran(t, nil, "", group...)
		if code != exitUsage || out != "" || !strings.Contains(errs, "Usage:") || strings.Contains(errs, "accord:") {
			t.Errorf("%v: exit %d, %s, %s", group, code, out, errs)
		}
	}
	for _, c := range everyCommand() {
		own := c.Name() != "help" && (!c.HasParent() || c.Parent().Name() != "completion") // and not cobra's
		if c.Short == "" || own && c.Example == "" {
			t.Errorf("%s has no help or no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if own && !strings.Contains(line, " "+c.CommandPath()) && !strings.Contains(line, "("+c.CommandPath()) {
				t.Errorf("%s has the example %s", c.CommandPath(), line)
			}
		}
		code, out, errs := ran(t, nil, "", append(strings.Fields(c.CommandPath())[1:], "--help")...)
		if code != exitOK || errs != "" || !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help: exit %d, %s%s", c.CommandPath(), code, out, errs)
		}
	}
	if code, out, _ := ran(t, nil, "", "--version"); code != exitOK || !strings.Contains(out, "accord version") {
		t.Errorf("version: %s", out)
	}
}

// folder is one that PostgreSQL's own user can enter, even where the tests run
// as root: t.TempDir is closed to others.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "accord-test-") //nolint:usetesting // see above
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, place := range placesOf(t, dir) {
			_ = os.RemoveAll(place)
		}
	})
	return dir
}

// placesOf are the folder and, where the folder of the temporary ones is closed
// itself, what takes its place elsewhere.
func placesOf(t *testing.T, dir string) []string {
	t.Helper()
	places := []string{dir}
	names, err := filepath.Glob("/var/tmp/accord-*/folder")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if named, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(named), dir+"/") {
			places = append(places, filepath.Dir(name))
		}
	}
	return places
}

// postgresOf lists the processes on the folder's database.
func postgresOf(t *testing.T, dir string) string {
	t.Helper()
	all, err := exec.Command("ps", "-ww", "-eo", "args").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, place := range placesOf(t, dir) {
		for line := range strings.Lines(string(all)) {
			if strings.Contains(line, "postgres") && strings.Contains(line, " -D "+place+"/") {
				found = append(found, line)
			}
		}
	}
	return strings.Join(found, "")
}

// Two in one folder work on one database; the first one's end does not end it
// for the second, a kill leaves what the next start adopts, and the last one
// leaves nothing running.
func TestProcesses(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := startProcess(t, dir)
	began := time.Now()
	second := startProcess(t, dir)
	t.Logf("warm start to ready: %s", time.Since(began))
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a warm start took %s", took)
	}

	interrupt(t, first)
	if got := login(t, second.base, "user", "User-demo-1"); got != http.StatusOK {
		t.Errorf("the second signs in with %d", got)
	}
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait() // killed

	third := startProcess(t, dir)
	if got := login(t, third.base, "user", "User-demo-1"); got != http.StatusOK {
		t.Errorf("after a kill: %d", got)
	}
	if postgresOf(t, dir) == "" {
		t.Error("the database that runs is not seen")
	}
	interrupt(t, third)
	eventually(t, "nothing is left running", func() bool { return postgresOf(t, dir) == "" })
}

func interrupt(t *testing.T, p *process) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v: %s", err, p.out)
	}
}

// A newer schema is an instance of the next release at work.
func TestNewerSchemaIsAccepted(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	pool, err := pg.Open(t.Context(), pg.Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)"); err != nil {
		t.Fatal(err)
	}
	base, _, _ := serving(t, t.TempDir(), inProduction(t, address))
	if got := get(t, base+"/readyz"); got != http.StatusOK {
		t.Errorf("readyz %d", got)
	}
}
