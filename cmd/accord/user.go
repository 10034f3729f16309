package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/accord-api/accord/server"
)

func newUser(c command) *cobra.Command {
	user := &cobra.Command{
		Use:     "user",
		Short:   "Make and change accounts, such as the first administrator",
		Example: "  accord user create --email ada@example.com --username ada --name 'Ada Lovelace' --role admin\n  accord user set-role ada admin\n  accord user set-password ada < password.txt\n  accord user list --json",
		Args:    knownCommand,
		RunE:    needsCommand,
	}
	user.AddCommand(newUserCreate(c), newUserSetRole(c), newUserSetPassword(c), newUserList(c))
	return user
}

func newUserCreate(c command) *cobra.Command {
	var account server.NewAccount
	var asJSON bool
	command := &cobra.Command{
		Use: "create", Short: "Make an account; the password is asked for, or read from standard input",
		Example: "  accord user create --email ada@example.com --username ada --name 'Ada Lovelace' --role admin\n  accord user create --email ada@example.com --username ada --json < password.txt",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if account.Email == "" || account.Username == "" {
				return usagef("--email and --username are needed")
			}
			if err := knownRole("--role", account.Role); err != nil {
				return err
			}
			if account.FullName == "" {
				account.FullName = account.Username
			}
			if account.Password, err = readPassword(c); err != nil {
				return err
			}
			return withAccounts(cmd.Context(), c, func(api *server.Server) error {
				made, err := api.CreateAccount(cmd.Context(), account)
				return c.tellAccount(made, err, asJSON)
			})
		},
	}
	command.Flags().StringVar(&account.Email, "email", "", "the e-mail address")
	command.Flags().StringVar(&account.Username, "username", "", "the user name")
	command.Flags().StringVar(&account.FullName, "name", "", "the person's name (default: the user name)")
	command.Flags().StringVar(&account.Role, "role", "user", strings.Join(server.Roles(), " or "))
	completes(command, "role", server.Roles()...)
	command.Flags().BoolVar(&account.Verified, "verified", false, "count the address as verified; else a mail asks for it")
	jsonFlag(command, &asJSON, "print JSON")
	return command
}

// knownRole refuses a role that is none; what is where it was given.
func knownRole(what, role string) error {
	if roles := server.Roles(); !slices.Contains(roles, role) {
		return usagef("%s is %s, not %q", what, strings.Join(roles, " or "), role)
	}
	return nil
}

// tellAccount prints what has become of an account, or gives why it has not.
func (c command) tellAccount(account server.Account, err error, asJSON bool) error {
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(c.out, account)
	}
	fmt.Fprintf(c.out, "%s %s (%s)\n", account.ID, account.Username, account.Role)
	return nil
}

func newUserSetRole(c command) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "set-role NAME ROLE", Short: "Give an account another role; NAME is a user name or address",
		Example:           "  accord user set-role ada admin",
		ValidArgsFunction: second(server.Roles()...),
		Args:              takes("NAME", "ROLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := knownRole("ROLE", args[1]); err != nil {
				return err
			}
			return withAccounts(cmd.Context(), c, func(api *server.Server) error {
				account, err := api.SetRole(cmd.Context(), args[0], args[1])
				return c.tellAccount(account, err, asJSON)
			})
		},
	}
	jsonFlag(command, &asJSON, "print JSON")
	return command
}

func newUserSetPassword(c command) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "set-password NAME", Short: "Set an account's password and end its sessions; asked for, or read from standard input",
		Example: "  accord user set-password ada\n  accord user set-password ada@example.com < password.txt",
		Args:    takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := readPassword(c)
			if err != nil {
				return err
			}
			return withAccounts(cmd.Context(), c, func(api *server.Server) error {
				account, err := api.SetPassword(cmd.Context(), args[0], password)
				return c.tellAccount(account, err, asJSON)
			})
		},
	}
	jsonFlag(command, &asJSON, "print JSON")
	return command
}

func newUserList(c command) *cobra.Command {
	var asJSON bool
	var limit uint
	command := &cobra.Command{
		Use: "list", Short: "List all accounts, newest first",
		Example: "  accord user list --limit 10\n  accord user list --json | grep '\"role\":\"admin\"'",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), c, func(api *server.Server) error {
				return listAccounts(cmd.Context(), api, c.out, limit, asJSON)
			})
		},
	}
	command.Flags().UintVar(&limit, "limit", 0, "list the newest `N` only (default: all)")
	jsonFlag(command, &asJSON, "print one JSON object a line")
	return command
}

func listAccounts(ctx context.Context, api *server.Server, out io.Writer, limit uint, asJSON bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(table, "ID\tUSERNAME\tEMAIL\tROLE\tACTIVE\tCREATED")
	}
	var listed uint
	for account, err := range api.Accounts(ctx) {
		if err != nil {
			return err
		}
		if asJSON {
			err = json.NewEncoder(out).Encode(account)
		} else {
			_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%t\t%s\n", account.ID, account.Username, account.Email,
				account.Role, account.IsActive, account.CreatedAt.Format(time.RFC3339))
		}
		if err != nil {
			return err
		}
		if listed++; listed == limit {
			break
		}
	}
	return table.Flush()
}

// withAccounts runs work on a server that does not serve.
func withAccounts(ctx context.Context, c command, work func(*server.Server) error) error {
	return withDatabase(ctx, c, func(config server.Config) error { return withServer(ctx, config, c, work) })
}

// withServer is for a server that does not serve: its database has to be
// migrated, and its jobs are left to those that do.
func withServer(ctx context.Context, config server.Config, c command, work func(*server.Server) error) (err error) {
	if config.PublicURL == "" { // PORT=0; nothing of it reaches a mail or a token from here
		config.PublicURL = "http://" + config.Address()
	}
	config.FilesURL = "" // no file is touched, and no folder is to be made as another user // bare-drops
	api, err := server.New(ctx, config, server.Options{Log: newLog(config, c.err)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.Close(context.WithoutCancel(ctx))) }()
	if err := api.CheckSchema(ctx); err != nil {
		return err
	}
	return work(api)
}

// readPassword asks at a terminal, without echo and twice, and else reads one
// line. Never an argument: those are seen by everybody on the machine.
func readPassword(c command) (string, error) {
	file, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(c.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	password, err := prompt(c.err, file, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := prompt(c.err, file, "Once more: ")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", usagef("the two passwords differ")
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
