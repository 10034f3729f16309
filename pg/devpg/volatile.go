package devpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// volatileSettings make a server that loses its data in a crash, and is as fast
// as may be until then.
var volatileSettings = []string{
	"fsync=off",
	"full_page_writes=off",
	"synchronous_commit=off",
	"wal_level=minimal",
	"max_wal_senders=0",
	"max_wal_size=256MB",
	"checkpoint_timeout=1h",
	"autovacuum=off",
	"log_min_messages=fatal",
	"log_min_error_statement=panic",
}

// watch ends a server when standard input ends, which the kernel sees to when
// the process that holds the other end dies, and removes the folder. Where
// nobody reaps the dead, kill -0 goes on to succeed, hence the limit of 5 s.
const watch = `
read -r pid || pid=$(head -n 1 "$1/postgres/postmaster.pid" 2>/dev/null)
while read -r _; do :; done
if [ -n "$pid" ]; then
	kill -QUIT "$pid" 2>/dev/null
	looks=0
	while kill -0 "$pid" 2>/dev/null && [ "$looks" -lt 100 ]; do
		sleep 0.05
		looks=$((looks + 1))
	done
fi
rm -rf "$1"
`

const volatileCloseTimeout = 10 * time.Second

// startVolatile starts a server for this process alone.
func startVolatile(ctx context.Context, options Options) (*Server, error) {
	who, err := accountFor("")
	if err != nil {
		return nil, err
	}
	c := &cluster{who: who, settings: volatileSettings}
	if c.bin, err = findBinaries(ctx, options, who, 0); err != nil {
		return nil, err
	}
	if c.dir, err = temporaryFolder(who); err != nil {
		return nil, err
	}
	server, err := c.startWatched(ctx)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	return server, nil
}

// temporaryFolder is the account's own: the watch, which runs as that account,
// has to remove it.
func temporaryFolder(who account) (string, error) {
	for _, parent := range []string{memoryFolder(), os.TempDir(), "/var/tmp", "/tmp"} {
		if parent == "" || !who.reaches(parent) {
			continue
		}
		dir, err := os.MkdirTemp(parent, "accord-postgres-")
		if err != nil {
			continue
		}
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return "", err
		}
		return dir, who.own(dir)
	}
	return "", fmt.Errorf("user %s can write to no temporary folder", who.name)
}

func (c *cluster) startWatched(ctx context.Context) (*Server, error) {
	watcher, leash, err := c.startWatch()
	if err != nil {
		return nil, fmt.Errorf("starting the watch: %w", err)
	}
	started, port, err := c.initialiseAndLaunch(ctx)
	if err != nil {
		_ = syscall.Kill(watcher.pid, syscall.SIGKILL) // it has nothing to watch
		<-watcher.done
		return nil, errors.Join(err, leash.Close())
	}
	if _, err := fmt.Fprintln(leash, started.pid); err != nil {
		return nil, err
	}
	return &Server{cluster: c, port: port, close: func(context.Context) error {
		return c.closeWatched(watcher, leash, started)
	}}, nil
}

func (c *cluster) initialiseAndLaunch(ctx context.Context) (*process, int, error) {
	c.password = rand.Text()
	if err := c.runInitdb(ctx, c.data()); err != nil {
		return nil, 0, fmt.Errorf("making the data folder: %w", err)
	}
	return c.launch(ctx)
}

// startWatch gives the watch and the pipe that it waits for the end of.
func (c *cluster) startWatch() (*process, io.WriteCloser, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = reader.Close() }()
	cmd := c.who.command(context.Background(), "/bin/sh", "-c", watch, "accord-postgres-watch", c.dir)
	cmd.Stdin = reader
	watcher, err := startProcess(cmd)
	if err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	return watcher, writer, nil
}

// closeWatched lets the watch do its work, which is the same as at a sudden end,
// and does it itself where the watch is gone or hangs.
func (c *cluster) closeWatched(watcher *process, leash io.Closer, started *process) error {
	err := leash.Close()
	limit, cancel := context.WithTimeout(context.Background(), volatileCloseTimeout)
	defer cancel()
	select {
	case <-watcher.done:
	case <-limit.Done():
	}
	if !started.gone() && !stop(limit, started.pid, syscall.SIGQUIT, started.gone) {
		err = errors.Join(err, fmt.Errorf("stopping PostgreSQL: process %d does not end", started.pid))
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
