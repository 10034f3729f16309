package devpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	leaveTimeout = 10 * time.Second
	// hurryTimeout is for a caller whose time is over: most are done in a moment.
	hurryTimeout = time.Second
)

// startShared finds or starts the durable server of a folder. Who holds use.lock
// uses it; start.lock guards the moments of starting and stopping.
func startShared(ctx context.Context, options Options) (*Server, error) {
	c, err := place(options)
	if err != nil {
		return nil, err
	}
	guard, err := lockFile(ctx, c.path(startLock))
	if err != nil {
		return nil, err
	}
	defer guard.release()
	use, err := openLock(c.path(useLock))
	if err != nil {
		return nil, err
	}
	err = c.renew(ctx, use, options.Log)
	if err == nil {
		_, err = use.try(syscall.LOCK_SH)
	}
	if err != nil {
		use.release()
		return nil, err
	}
	server, err := c.join(ctx, options)
	if err != nil {
		use.release()
		return nil, err
	}
	stopServer := server.close
	server.close = func(ctx context.Context) error { return c.leave(ctx, use, stopServer) }
	return server, nil
}

// join takes the server that runs, or starts one.
func (c *cluster) join(ctx context.Context, options Options) (*Server, error) {
	major, err := dataMajor(c.data())
	if err != nil {
		return nil, err
	}
	if major != 0 {
		if err := c.readPassword(); err != nil {
			return nil, err
		}
		master, ok, err := c.running(ctx)
		if err != nil {
			return nil, err
		}
		if ok {
			gone := func() bool { return !serves(master.pid, c.data()) }
			return c.server(master.port, master.pid, gone), nil
		}
	}
	if c.bin, err = findBinaries(ctx, options, c.who, major); err != nil {
		return nil, err
	}
	if major == 0 {
		if err := c.initialise(ctx); err != nil {
			return nil, err
		}
	}
	started, port, err := c.launch(ctx)
	if err != nil {
		return nil, err
	}
	_ = os.WriteFile(c.path(portName), []byte(strconv.Itoa(port)+"\n"), 0o600)
	return c.server(port, started.pid, started.gone), nil
}

func (c *cluster) server(port, pid int, gone func() bool) *Server {
	return &Server{cluster: c, port: port, close: func(ctx context.Context) error {
		if !gone() && !stop(ctx, pid, syscall.SIGINT, gone) {
			return fmt.Errorf("stopping PostgreSQL: process %d does not end", pid)
		}
		return nil
	}}
}

// leave stops the server if nobody else uses it. Others hold the guard for as
// long as they start or stop one. Who is longer at it than a caller can wait is
// about to use the server, and so will stop it.
func (c *cluster) leave(ctx context.Context, use *fileLock, stopServer func(context.Context) error) error {
	limit := leaveTimeout
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, max(time.Until(deadline), hurryTimeout))
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	guard, err := lockFile(wait, c.path(startLock))
	if err != nil {
		use.release()
		return fmt.Errorf("stopping PostgreSQL: %w", err)
	}
	defer guard.release()
	defer use.release() // before the guard: the next one must find it free
	last, err := use.try(syscall.LOCK_EX)
	if err != nil || !last {
		return err
	}
	return stopServer(ctx)
}

func (c *cluster) readPassword() error {
	content, err := os.ReadFile(c.path(passwordName))
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%s is another user's: %w", c.dir, err)
	}
	if err != nil {
		return err
	}
	c.password = strings.TrimSpace(string(content))
	return nil
}
