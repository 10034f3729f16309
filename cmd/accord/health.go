package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/server"
)

// healthTimeout is less than what supervisors wait for a check by default.
const healthTimeout = 3 * time.Second

func newHealth(c command) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "health",
		Short: "Ask the server on this machine whether it is ready",
		Long: "Asks /readyz of the server that these settings have on this machine, and ends\n" +
			"with 0 when it is ready, and with 1 otherwise: for an image that holds no other\n" +
			"program. accord worker has nothing to ask; it ends when it cannot go on.",
		Example: "  accord health\n  PORT=9000 accord health --json",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := c.settings()
			if err != nil {
				return err
			}
			if config.Port == 0 {
				return usagef("set PORT: nobody can tell which one PORT=0 has taken")
			}
			return askReady(cmd.Context(), config, c.out, asJSON)
		},
	}
	jsonFlag(command, &asJSON, "print what the server answers")
	return command
}

// askReady says what the server's readiness is, and fails unless it is 200.
func askReady(ctx context.Context, config server.Config, out io.Writer, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := config.ListenURL(net.JoinHostPort(reachable(config.Host), strconv.Itoa(config.Port))) + "/readyz"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{
		// No proxy, whatever the environment says. The certificate is made out to
		// PUBLIC_URL and not to this address, and no secret is sent.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, answer.Status, body)
	}
	if asJSON {
		fmt.Fprintln(out, strings.TrimSpace(string(body)))
	} else {
		fmt.Fprintln(out, "ready")
	}
	return nil
}

// reachable is where this machine reaches a server that listens on host: one that
// listens everywhere listens on loopback, too.
func reachable(host string) string {
	if address, err := netip.ParseAddr(host); err == nil && address.IsUnspecified() {
		if address.Is4() {
			return "127.0.0.1"
		}
		return "::1"
	}
	return host
}
