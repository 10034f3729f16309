package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accord-api/accord/contract"
)

// What a server, its document or its cases fail of.
var (
	errContract = errors.New("the server does not keep to the document")
	errUntried  = errors.New("nothing was tried: the document has no operation, or all cases were skipped")
	errUnseen   = errors.New("there are changes of the document that no case notices")
)

// verdict is what a run ends with, nil where all that was tried passed.
func verdict(result *contract.Result) error {
	switch {
	case len(result.Failed()) > 0:
		return errContract
	case result.Tried() == 0:
		return errUntried
	}
	return nil
}

// contractFlags say what is held to which document.
type contractFlags struct {
	spec   string
	logins []string
	given  []string
	values []string
	har    string
	target contract.Target
}

// announce says what will be written, and where.
func (f *contractFlags) announce(w io.Writer, document *contract.Document) {
	if f.target.ReadOnly {
		return
	}
	address := f.target.URL
	if parsed, err := url.Parse(address); err == nil {
		address = parsed.Redacted()
	}
	if writes := document.Writes(); len(writes) > 0 {
		fmt.Fprintf(w, "It writes to %s: %s.\n", address, strings.Join(writes, ", "))
	}
	fmt.Fprintf(w, "It tries methods that the document does not have too, which %s has to refuse; --read-only leaves out all but GET, HEAD and OPTIONS.\n", address)
}

func newContract(c command) *cobra.Command {
	var flags contractFlags
	var format string
	var asJSON bool
	command := &cobra.Command{
		Use:   "contract --url URL",
		Short: "Hold a server to its OpenAPI document",
		Long: "Derives cases from an OpenAPI 3.0 or 3.1 document, runs them against a server,\n" +
			"and tells each sentence of the document that the server does not keep. It makes\n" +
			"accounts and whatever else the cases need, and deletes them as far as the document\n" +
			"has operations for that: use a server whose data may change, or --read-only. It\n" +
			"ends with 1 where anything failed, or nothing could be tried.",
		Example: "  accord contract --url http://127.0.0.1:8080 --login admin=admin:Admin-demo-1 --login user=user:User-demo-1\n" +
			"  accord contract --url https://staging.example.com --spec openapi.yaml --read-only --format junit",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON && cmd.Flags().Changed("format") {
				return usagef("--json is --format json: say one of the two")
			}
			if asJSON {
				format = "json"
			}
			if !slices.Contains(contract.Formats, format) {
				return usagef("--format is one of %s", strings.Join(contract.Formats, ", "))
			}
			document, err := flags.read(cmd.Context(), c)
			if err != nil {
				return err
			}
			flags.announce(c.err, document)
			shown := newCounter(c.err, c.watched(), countEach, "signing in")
			told := context.AfterFunc(cmd.Context(), func() {
				if !flags.target.Keep && !flags.target.ReadOnly {
					shown.step("interrupted: what was made is deleted now, for 30 s at most")
				}
			})
			result, err := contract.Run(cmd.Context(), document, flags.target, counting(shown))
			told()
			shown.end()
			if result == nil {
				return err
			}
			if err := result.WriteAs(c.colours(c.out), format); err != nil {
				return err
			}
			if format != "text" { // for the log, beside the file
				if err := result.Write(c.colours(c.err)); err != nil {
					return err
				}
			}
			if err != nil { // interrupted, and told as far as it came
				return err
			}
			return verdict(result)
		},
	}
	flags.add(command)
	command.Flags().StringVar(&format, "format", "text", "how the outcome is told: "+strings.Join(contract.Formats, ", "))
	jsonFlag(command, &asJSON, "print JSON, as --format json does")
	completes(command, "format", contract.Formats...)
	command.AddCommand(newContractMutate(c))
	return command
}

func newContractMutate(c command) *cobra.Command {
	var flags contractFlags
	var folder string
	var asJSON bool
	command := &cobra.Command{
		Use:   "mutate --url URL",
		Short: "Tell which changes of the document no case would notice",
		Long: "Changes one thing in the document at a time and runs the cases of what it is\n" +
			"about against the server, which stays as it is. A change that no case notices is\n" +
			"something that the document says and nothing holds the server to. It ends with 1\n" +
			"where there is one, or where a case of the unchanged document fails.",
		Example: "  accord contract mutate --url http://127.0.0.1:8080 --login admin=admin:Admin-demo-1\n" +
			"  accord contract mutate --url http://127.0.0.1:8080 --every 10 --json",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			document, err := flags.read(cmd.Context(), c)
			if err != nil {
				return err
			}
			if folder != "" {
				flags.target.Every = max(1, flags.target.Every)
			}
			flags.announce(c.err, document)
			shown := newCounter(c.err, c.watched(), countEach, "the cases of the unchanged document")
			score, err := contract.Mutate(cmd.Context(), document, flags.target, func(done, of int) {
				shown.step(fmt.Sprintf("%d of %d changes", done, of))
			})
			shown.end()
			if err != nil {
				return err
			}
			if folder != "" {
				if err := writeMutants(folder, score); err != nil {
					return err
				}
			}
			report := score.Write
			if asJSON {
				report = score.WriteJSON
			}
			if err := report(c.colours(c.out)); err != nil {
				return err
			}
			if err := verdict(score.Baseline); err != nil {
				return err
			}
			if len(score.Survivors()) > 0 {
				return errUnseen
			}
			return nil
		},
	}
	flags.add(command)
	jsonFlag(command, &asJSON, "print JSON: the score, and what nothing notices")
	command.Flags().IntVar(&flags.target.Every, "every", 0, "take each n-th change only, as a sample")
	command.Flags().StringVar(&folder, "write", "", "a folder for the changed documents and, in mutants.json, what became of them")
	names(command, "write", nil)
	return command
}

// mutant is one in mutants.json.
type mutant struct {
	File       string   `json:"file"`
	Operations []string `json:"operations"`
	Pointer    string   `json:"pointer"`
	What       string   `json:"what"`
	Killer     string   `json:"killer"`
}

// writeMutants writes a sample for other tools that hold a server to a document.
func writeMutants(folder string, score *contract.Score) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	told := struct {
		Seconds float64  `json:"seconds"`
		Mutants []mutant `json:"mutants"`
	}{Seconds: score.Elapsed.Seconds()}
	for i, v := range score.Mutants {
		source, err := v.Source()
		if err != nil {
			return err
		}
		m := mutant{fmt.Sprintf("%05d.json", i), v.Operations(), v.Pointer, v.What, v.Killer}
		if err := os.WriteFile(filepath.Join(folder, m.File), source, 0o600); err != nil {
			return err
		}
		told.Mutants = append(told.Mutants, m)
	}
	encoded, err := json.MarshalIndent(told, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "mutants.json"), encoded, 0o600)
}

// counting counts cases.
func counting(shown *counter) func(contract.Outcome) {
	done, failed := 0, 0
	return func(o contract.Outcome) {
		if done++; len(o.Failures) > 0 {
			failed++
		}
		shown.step(fmt.Sprintf("%d cases, %d failed: %s", done, failed, o.Operation))
	}
}

func (f *contractFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.target.URL, "url", "", "the server: scheme, host, and what stands before the document's paths (without any path, that of the document's first server)")
	flags.StringVar(&f.spec, "spec", "", "the document, a file or a URL (default: the server's /api/openapi.json)")
	flags.StringArrayVar(&f.logins, "login", nil, "NAME=user:password, somebody who may sign in; several share the load")
	flags.StringArrayVar(&f.given, "credential", nil, "SCHEME=VALUE, a token, an API key, or user:password for a security scheme of the document")
	flags.StringArrayVar(&f.values, "value", nil, "operationId.member=COMMAND, which prints a value that comes by mail or the like")
	flags.StringVar(&f.target.ClientIPHeader, "client-ip-header", "", "a header that the server takes clients' addresses from, such as X-Forwarded-For")
	flags.StringVar(&f.target.Expired, "expired", "", "a token that was good once, and has to be refused")
	flags.StringVar(&f.har, "har", "", "an HTTP Archive of requests and answers, which are held against the document as well")
	flags.BoolVar(&f.target.Keep, "keep", false, "leave what was made")
	flags.BoolVar(&f.target.ReadOnly, "read-only", false, "send GET, HEAD and OPTIONS only")
	flags.IntVar(&f.target.Parallel, "parallel", 4, "how many operations are tried at once")
	names(command, "spec", []string{"json", "yaml", "yml"})
	names(command, "har", []string{"har", "json"})
}

// read understands the flags and gets the document.
func (f *contractFlags) read(ctx context.Context, c command) (*contract.Document, error) {
	switch {
	case f.target.URL == "":
		return nil, usagef("--url is needed")
	case f.target.Parallel < 1:
		return nil, usagef("--parallel is 1 or more")
	case f.target.Every < 0:
		return nil, usagef("--every is 1 or more")
	}
	for _, login := range f.logins {
		name, rest, named := strings.Cut(login, "=")
		user, password, both := strings.Cut(rest, ":")
		if !named || !both {
			return nil, usagef("--login is NAME=user:password")
		}
		f.target.Logins = append(f.target.Logins, contract.Login{Name: name, User: user, Password: password})
	}
	for _, credential := range f.given {
		scheme, value, ok := strings.Cut(credential, "=")
		if !ok {
			return nil, usagef("--credential is SCHEME=VALUE")
		}
		f.target.Credentials = append(f.target.Credentials, contract.Credential{Scheme: scheme, Value: value})
	}
	f.target.Values = map[string]func(context.Context) (any, error){}
	for _, value := range f.values {
		key, line, ok := strings.Cut(value, "=")
		if !ok {
			return nil, usagef("--value is operationId.member=COMMAND")
		}
		f.target.Values[key] = printed(line, c)
	}
	if f.har != "" {
		archive, err := os.Open(f.har)
		if err != nil {
			return nil, err
		}
		defer func() { _ = archive.Close() }() // it was only read
		if f.target.Recorded, err = contract.ReadHAR(archive); err != nil {
			return nil, err
		}
	}
	if f.spec == "" {
		f.spec = strings.TrimSuffix(f.target.URL, "/") + "/api/openapi.json"
	}
	source, err := fetched(ctx, f.spec)
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	return contract.Parse(f.spec, source)
}

// printed is what a command line prints, without the end of the line.
func printed(line string, c command) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line) //nolint:gosec // the caller's own command line
		cmd.Dir, cmd.Env, cmd.Stderr = c.dir, c.environ, c.err
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("running %q: %w", line, err)
		}
		return strings.TrimRight(string(out), "\r\n"), nil
	}
}

func fetched(ctx context.Context, from string) ([]byte, error) {
	if !strings.Contains(from, "://") {
		return os.ReadFile(from) //nolint:gosec // the caller's own file
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var content bytes.Buffer
	if _, err := content.ReadFrom(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d", from, response.StatusCode)
	}
	return content.Bytes(), nil
}
