package devpg_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/devpg"
)

// What was written is there at the next start, at the same address.
func TestDataIsKept(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	first := start(t, dir)
	must(t, first.EnsureDatabase(t.Context(), "kept"))
	must(t, first.EnsureDatabase(t.Context(), "kept"))
	query(t, first.URL("kept"), "CREATE TABLE notes AS SELECT 'ÄÖÜ' AS note")
	pid := devpg.PID(dir)
	must(t, first.Close(t.Context()))
	must(t, first.Close(t.Context()))
	if devpg.Serves(pid, dir) || devpg.PID(dir) != 0 {
		t.Fatal("the server runs after the last Close")
	}

	begin := time.Now()
	second := start(t, dir)
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("a warm start took %s", took)
	}
	if second.URL("kept") != first.URL("kept") {
		t.Errorf("the URL is now %s, was %s", second.URL("kept"), first.URL("kept"))
	}
	if got := query(t, second.URL("kept"), "SELECT lower(note) FROM notes"); got != "äöü" {
		t.Errorf("note = %q", got)
	}
	if got := query(t, second.URL("kept"), "SELECT current_setting('fsync')"); got != "on" {
		t.Errorf("fsync = %s in development", got)
	}
}

// Nobody else on the machine gets in.
func TestOthersAreKeptOut(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	server := start(t, dir)

	wrong, err := url.Parse(server.URL("postgres"))
	must(t, err)
	wrong.User = url.UserPassword(wrong.User.Username(), "wrong")
	if conn, err := pgx.Connect(t.Context(), wrong.String()); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password is let in")
	}
	if got := query(t, server.URL("postgres"), "SELECT current_setting('unix_socket_directories')"); got != "" {
		t.Errorf("sockets in %q", got)
	}
	for _, name := range []string{"password", "postgres.log", "port"} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", name, info.Mode())
		}
	}
	info, err := os.Stat(filepath.Join(dir, "postgres"))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the data has mode %s", info.Mode())
	}
}

// Whoever starts at once on an empty folder gets one server; the last stops it.
func TestManyShareOneServer(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	servers := make([]*devpg.Server, 5)
	var all sync.WaitGroup
	for i := range servers {
		all.Go(func() {
			server, err := devpg.Start(t.Context(), devpg.Options{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			servers[i] = server
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	pid := devpg.PID(dir)
	for i, server := range servers {
		if !devpg.Serves(pid, dir) {
			t.Fatalf("the server is gone while %d use it", len(servers)-i)
		}
		query(t, server.URL("postgres"), "SELECT 'there'")
		must(t, server.Close(t.Context()))
	}
	if devpg.Serves(pid, dir) {
		t.Fatal("the server runs after the last Close")
	}
}

func TestAnotherProcessSharesTheServer(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	other := startHolder(t, self(t), dir, nil)
	server := start(t, dir)
	if server.URL("postgres") != other.url {
		t.Fatalf("two servers: %s and %s", server.URL("postgres"), other.url)
	}
	pid := devpg.PID(dir)
	must(t, other.stdin.Close())
	must(t, other.cmd.Wait())
	query(t, server.URL("postgres"), "SELECT 'there'")
	must(t, server.Close(t.Context()))
	if devpg.Serves(pid, dir) {
		t.Fatal("the server that another process started runs after the last Close")
	}
}

func TestServerOfKilledProcessIsAdopted(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	other := startHolder(t, self(t), dir, nil)
	pid := devpg.PID(dir)
	other.kill(t)
	if !devpg.Serves(pid, dir) {
		t.Fatal("the server went down with the process")
	}
	server := start(t, dir)
	if got := devpg.PID(dir); got != pid {
		t.Fatalf("the server is process %d, was %d", got, pid)
	}
	must(t, server.Close(t.Context()))
	if devpg.Serves(pid, dir) {
		t.Fatal("the adopted server runs after Close")
	}
}

// Ctrl-C goes to the whole foreground group; the server has to outlive it until
// its holder has stopped it in good order.
func TestInterruptLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	other := startHolder(t, self(t), dir, nil)
	pid := devpg.PID(dir)
	must(t, syscall.Kill(-other.cmd.Process.Pid, syscall.SIGINT))
	must(t, other.cmd.Wait())
	if devpg.Serves(pid, dir) {
		t.Fatal("the server runs after Ctrl-C")
	}
	log, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
	must(t, err)
	if !strings.Contains(string(log), "database system is shut down") {
		t.Errorf("no orderly stop:\n%s", log)
	}
}

// A power cut leaves postmaster.pid behind, with a number that may be anybody's.
func TestStartAfterCrash(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	first := start(t, dir)
	query(t, first.URL("postgres"), "CREATE TABLE notes AS SELECT 'kept' AS note")
	pid := devpg.PID(dir)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "the server to die", func() bool { return !devpg.Serves(pid, dir) })

	second := start(t, dir)
	if got := query(t, second.URL("postgres"), "SELECT note FROM notes"); got != "kept" {
		t.Errorf("note = %q", got)
	}
	must(t, first.Close(t.Context()))
	must(t, second.Close(t.Context()))

	stale := filepath.Join(dir, "postgres", "postmaster.pid")
	must(t, os.WriteFile(stale, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644))
	third := start(t, dir)
	query(t, third.URL("postgres"), "SELECT 'there'")
}

func TestErrorHoldsEndOfLog(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	must(t, start(t, dir).Close(t.Context()))
	must(t, os.Remove(filepath.Join(dir, "postgres", "global", "pg_control")))
	_, err := devpg.Start(t.Context(), devpg.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "pg_control") {
		t.Fatalf("error = %v, want what the log says", err)
	}
}

func TestDataOfAnOldVersionIsRefused(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	must(t, start(t, dir).Close(t.Context()))
	must(t, os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("9\n"), 0o600))
	_, err := devpg.Start(t.Context(), devpg.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "made by PostgreSQL 9") {
		t.Fatalf("error = %v, want one that names the version", err)
	}
}

func TestCloseIsQuickWhenThereIsNoTime(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	server := start(t, dir)
	pid := devpg.PID(dir)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, server.Close(ended))
	if devpg.Serves(pid, dir) {
		t.Fatal("the server runs after Close")
	}
}

// One that starts may be long at it. It is the one then that stops the server.
func TestCloseDoesNotWaitForOthersBeyondItsTime(t *testing.T) {
	t.Parallel()
	dir := seeded(t)
	server := start(t, dir)
	guard, err := os.Open(filepath.Join(dir, "start.lock"))
	must(t, err)
	t.Cleanup(func() { _ = guard.Close() }) // closed already unless the test fails
	must(t, syscall.Flock(int(guard.Fd()), syscall.LOCK_EX))

	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := server.Close(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want that of the deadline", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	must(t, guard.Close())
	must(t, start(t, dir).Close(t.Context()))
	if devpg.PID(dir) != 0 {
		t.Error("the server runs after the last Close")
	}
}

func TestVolatile(t *testing.T) {
	t.Parallel()
	server, err := devpg.Start(t.Context(), devpg.Options{Volatile: true})
	must(t, err)
	if got := query(t, server.URL("postgres"), "SELECT current_setting('fsync')"); got != "off" {
		t.Errorf("fsync = %s", got)
	}
	pid := devpg.PID(server.Dir())
	must(t, server.Close(t.Context()))
	if devpg.Serves(pid, server.Dir()) {
		t.Error("the server runs after Close")
	}
	if _, err := os.Stat(server.Dir()); !os.IsNotExist(err) {
		t.Errorf("%s is left behind", server.Dir())
	}
}

func TestInterruptLeavesNothingVolatile(t *testing.T) {
	t.Parallel()
	other := startHolder(t, self(t), volatileWord, nil)
	pid := devpg.PID(other.dir)
	must(t, syscall.Kill(-other.cmd.Process.Pid, syscall.SIGINT))
	must(t, other.cmd.Wait())
	if devpg.Serves(pid, other.dir) {
		t.Error("the server runs after Ctrl-C")
	}
	if _, err := os.Stat(other.dir); !os.IsNotExist(err) {
		t.Errorf("%s is left behind", other.dir)
	}
}

func TestVolatileEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	other := startHolder(t, self(t), volatileWord, nil)
	pid := devpg.PID(other.dir)
	if pid == 0 {
		t.Fatal("no server")
	}
	other.kill(t)
	eventually(t, "the server to end", func() bool { return !devpg.Serves(pid, other.dir) })
	eventually(t, "the folder to be removed", func() bool {
		_, err := os.Stat(other.dir)
		return os.IsNotExist(err)
	})
}

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	if !strings.HasPrefix(sql, "SELECT") {
		_, err := conn.Exec(t.Context(), sql)
		must(t, err)
		return ""
	}
	var result string
	must(t, conn.QueryRow(t.Context(), sql).Scan(&result))
	return result
}
