package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/accord-api/accord/server"
)

func newUser(s streams) *cobra.Command {
	user := &cobra.Command{
		Use:     "user",
		Short:   "Make and change accounts, such as the first administrator",
		Example: "  accord user create --email ada@example.com --username ada --name 'Ada Lovelace' --role admin\n  accord user set-role ada admin\n  accord user set-password ada < password.txt\n  accord user list --json",
		Args:    cobra.NoArgs,
	}
	user.AddCommand(newUserCreate(s), newUserSetRole(s), newUserSetPassword(s), newUserList(s))
	return user
}

func newUserCreate(s streams) *cobra.Command {
	var account server.NewAccount
	command := &cobra.Command{
		Use: "create", Short: "Make an account; the password is asked for, or read from standard input",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if account.FullName == "" {
				account.FullName = account.Username
			}
			if account.Password, err = readPassword(s); err != nil {
				return err
			}
			return withAccounts(cmd.Context(), s, func(api *server.Server) error {
				made, err := api.CreateAccount(cmd.Context(), account)
				if err != nil {
					return err
				}
				fmt.Fprintf(s.out, "%s %s (%s)\n", made.ID, made.Username, made.Role)
				return nil
			})
		},
	}
	command.Flags().StringVar(&account.Email, "email", "", "the e-mail address")
	command.Flags().StringVar(&account.Username, "username", "", "the user name")
	command.Flags().StringVar(&account.FullName, "name", "", "the person's name (default: the user name)")
	command.Flags().StringVar(&account.Role, "role", "user", "user or admin")
	command.Flags().BoolVar(&account.Verified, "verified", false, "count the address as verified; else a mail asks for it")
	for _, flag := range []string{"email", "username"} {
		if err := command.MarkFlagRequired(flag); err != nil { // the flag is defined above
			panic(err)
		}
	}
	return command
}

func newUserSetRole(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "set-role NAME ROLE", Short: "Give an account another role; NAME is a user name or address",
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd.Context(), s, func(api *server.Server) error {
				return api.SetRole(cmd.Context(), args[0], args[1])
			})
		},
	}
}

func newUserSetPassword(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "set-password NAME", Short: "Set an account's password and end its sessions; asked for, or read from standard input",
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := readPassword(s)
			if err != nil {
				return err
			}
			return withAccounts(cmd.Context(), s, func(api *server.Server) error {
				return api.SetPassword(cmd.Context(), args[0], password)
			})
		},
	}
}

func newUserList(s streams) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "list", Short: "List all accounts, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), s, func(api *server.Server) error {
				return listAccounts(cmd.Context(), api, s.out, asJSON)
			})
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return command
}

func listAccounts(ctx context.Context, api *server.Server, out io.Writer, asJSON bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for account, err := range api.Accounts(ctx) {
		if err != nil {
			return err
		}
		if asJSON {
			if err := json.NewEncoder(out).Encode(account); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\tactive=%t\t%s\n", account.ID, account.Username, account.Email,
			account.Role, account.IsActive, account.CreatedAt.Format(time.RFC3339))
	}
	return table.Flush()
}

// exactArgs is cobra's, with the exit code of a wrong command line.
func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return fmt.Errorf("%w: %w: %s", errUsage, err, cmd.UseLine())
		}
		return nil
	}
}

// withAccounts runs work on a server that does not serve: its database has to
// be migrated, and its jobs are left to those that do.
func withAccounts(ctx context.Context, s streams, work func(*server.Server) error) error {
	return withDatabase(ctx, s, func(config server.Config) (err error) {
		api, err := server.New(ctx, config, server.Options{Log: newLog(config, s.err)})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, api.Close(context.WithoutCancel(ctx))) }()
		if err := api.CheckSchema(ctx); err != nil {
			return err
		}
		return work(api)
	})
}

// readPassword asks at a terminal, without echo and twice, and else reads one
// line. Never an argument: those are seen by everybody on the machine.
func readPassword(s streams) (string, error) {
	file, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	password, err := prompt(s.err, file, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := prompt(s.err, file, "Once more: ")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", fmt.Errorf("%w: the two passwords differ", errUsage)
	}
	return password, nil
}

func prompt(w io.Writer, terminal *os.File, text string) (string, error) {
	fmt.Fprint(w, text)
	defer fmt.Fprintln(w)
	password, err := term.ReadPassword(int(terminal.Fd()))
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return string(password), nil
}
