// Command dev serves the API while it is worked on (make dev): it watches
// openapi.yaml, the SQL and the Go files, makes anew what follows from what changed,
// and puts the new server in the place of the old one, which answers until then. Who is
// signed in stays so.
//
// What keeps it from building is in the terminal, and in the browser in the place of
// its pages; the last server that was built goes on answering the API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/joho/godotenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1) //nolint:gocritic // what is deferred only ends the waiting for signals
	}
}

func run(ctx context.Context, stdout, stderr io.Writer) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	settings, err := godotenv.Read(filepath.Join(root, ".env"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf(".env: %w", err)
	}
	w := &workshop{root: root, settings: settings, front: &front{}, out: stdout, err: stderr}
	address := net.JoinHostPort(w.setting("HOST", "127.0.0.1"), w.setting("PORT", "8080"))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s (PORT chooses another): %w", address, err)
	}
	w.url = "http://" + listener.Addr().String()
	server := &http.Server{Handler: w.front, ReadHeaderTimeout: time.Minute}
	serving := make(chan error, 1)
	go func() { serving <- server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	changes, err := watch(ctx, root, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "Building the server; the first time takes some minutes.")
	defer w.stop()
	for generate := false; ; {
		w.renew(ctx, generate)
		for again := false; !again; {
			select {
			case <-ctx.Done():
				return nil
			case err := <-serving:
				return err
			case err := <-w.died():
				w.current = nil
				w.front.gone()
				w.fail("the server has ended", fmt.Sprint(err))
			case generate = <-changes:
				again = true
			}
		}
	}
}

var errStopped = errors.New("it was told to stop")
