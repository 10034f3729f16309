package devpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const pollPeriod = 5 * time.Millisecond

// fileLock is an flock: the kernel gives it back when its process dies, however
// that happens, and processes that we start do not inherit it.
type fileLock struct{ file *os.File }

func openLock(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening lock: %w", err)
	}
	return &fileLock{file}, nil
}

// lockFile opens and locks for one holder, waiting for others.
func lockFile(ctx context.Context, path string) (*fileLock, error) {
	lock, err := openLock(path)
	if err != nil {
		return nil, err
	}
	for {
		got, err := lock.try(syscall.LOCK_EX)
		if got {
			return lock, nil
		}
		if err == nil {
			err = pause(ctx, pollPeriod)
		}
		if err != nil {
			lock.release()
			return nil, fmt.Errorf("waiting for %s: %w", path, err)
		}
	}
}

// try takes the lock as how says, or changes what is held, unless another
// holder is in the way.
func (l *fileLock) try(how int) (bool, error) {
	for {
		err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}

func (l *fileLock) release() { _ = l.file.Close() }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
