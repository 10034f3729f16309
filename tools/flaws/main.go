// Command flaws puts one flaw after the other into the server, by an overlay that
// leaves the work tree as it is, and tells whether the contract's cases find it: the
// report has to name the operation and the sentence of the document that is broken.
//
//	go run -C tools ./flaws [WORDS]
//
// With words it tries those flaws only that are called so.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// flaw is one wrong line of the server.
type flaw struct {
	what       string
	file       string
	right      string
	wrong      string
	operation  string // that the report's first screen has to name; one of several
	sentence   string // of the document, as a part of its JSON pointer
	occurrence int    // of right in the file, from 0
}

var flaws = []flaw{
	{"a length is not checked", "validate/check.go", "if len(s) > most && ", "if len(s) > most && most < 0 && ", "login", "/maxLength", 0},
	{"a role is not checked", "server/operation.go", "if holdsAll(call.who.Role, roles) {", `if holdsAll(call.who.Role, roles) || call.who.Role == "user" {`, "adminListUsers", "/security", 0},
	{"another status", "gen/api/api.gen.go", "\tw.Header().Set(\"Location\", fmt.Sprint(response.Headers.Location))\n\tw.WriteHeader(201)", "\tw.Header().Set(\"Location\", fmt.Sprint(response.Headers.Location))\n\tw.WriteHeader(200)", "createOrder", "/paths/~1api~1v1~1orders/post/responses", 1},
	{"a header is missing", "server/users.go", `Location: "/api/v1/users/" + user.ID.String()`, `Location: ""`, "registerUser", "/components/headers/Location", 0},
	{"an extra member", "gen/api/api.gen.go", "type User struct {\n", "type User struct {\n\tHint string `json:\"password_hint\"`\n", "getMe", "/components/schemas/User/additionalProperties", 0},
	{"a limit is one higher", "server/operation.go", "r.Limit, r.Window, limit.WithNow", "r.Limit+1, r.Window, limit.WithNow", "login", "/x-policy/rate-limit", 0},
	{"405 without Allow", "server/routes.go", "methodNotAllowed().with(echo.HeaderAllow, allow)", "methodNotAllowed()", "login", "/paths/~1api~1v1~1auth~1login", 0},
	{"a value that is not listed", "server/users.go", "Role: api.Role(u.Role)", `Role: api.Role("person")`, "getMe", "/components/schemas/Role", 0},
	{"a replay does not say so", "server/idempotency.go", `"Idempotency-Replayed"`, `"X-Replayed"`, "createOrder", "/x-policy/idempotent", 0}, // bare-drops
	{"a body may be a byte longer", "gen/api/policy.gen.go", "BodyLimit:     65536,\n\t\tTimeout:       10 * time.Second,\n\t\tAudit:         \"auth.login\"", "BodyLimit:     65537,\n\t\tTimeout:       10 * time.Second,\n\t\tAudit:         \"auth.login\"", "login", "/x-policy/body-limit", 0},
	{"an unknown member is taken", "validate/scan.go", "\t\ts.add(CodeUnknown, messageUnknown, false)\n", "", "forgotPassword", "/additionalProperties", 0},
}

func main() {
	if err := run(context.Background(), os.Stdout, strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, words string) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "accord-flaws")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tried, missed := 0, 0
	for i, f := range flaws {
		if !strings.Contains(f.what, words) {
			continue
		}
		tried++
		began := time.Now()
		line, err := f.found(ctx, root, dir, i)
		if err != nil {
			return fmt.Errorf("%s: %w", f.what, err)
		}
		if line == "" {
			missed++
			line = "MISSED"
		}
		if _, err := fmt.Fprintf(out, "%s (%s, %d s)\n  %s\n", f.what, f.file, int(time.Since(began).Seconds()), line); err != nil {
			return err
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d flaws are missed", missed, tried)
	}
	_, err = fmt.Fprintf(out, "%d flaws tried, all of them found.\n", tried)
	return err
}

// firstScreen is how many lines of a report somebody reads first.
const firstScreen = 50

// found gives the lines of the report that tell of a flaw, "" for none.
func (f flaw) found(ctx context.Context, root, dir string, i int) (string, error) {
	overlay, err := f.overlay(root, dir, i)
	if err != nil {
		return "", err
	}
	test := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count=1", "-timeout=10m", "-run", "^TestContract$", "./server")
	test.Dir = root
	out, err := test.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return "", err
	}
	if strings.Contains(string(out), "[build failed]") {
		return "", fmt.Errorf("it does not build: %s", out)
	}
	_, report, _ := strings.Cut(string(out), "cases fail:\n")
	screen := strings.SplitN(report, "\n", firstScreen+1)
	told := ""
	for _, line := range screen[:min(len(screen), firstScreen)] {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "FAILED ") {
			told = line
		}
		if strings.HasPrefix(told, "FAILED "+f.operation+":") && strings.Contains(line, f.sentence) {
			return told + "\n  " + line, nil
		}
	}
	return "", nil
}

// overlay writes the file with the flaw, and the list that has go build take it.
func (f flaw) overlay(root, dir string, i int) (string, error) {
	path := filepath.Join(root, f.file)
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	parts := strings.Split(string(source), f.right)
	if len(parts) < f.occurrence+2 {
		return "", fmt.Errorf("%s has no %q any more", f.file, f.right)
	}
	wrong := strings.Join(parts[:f.occurrence+1], f.right) + f.wrong + strings.Join(parts[f.occurrence+1:], f.right)
	changed, list := filepath.Join(dir, fmt.Sprintf("%d.go", i)), filepath.Join(dir, fmt.Sprintf("%d.json", i))
	if err := os.WriteFile(changed, []byte(wrong), 0o600); err != nil {
		return "", err
	}
	encoded, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	return list, os.WriteFile(list, encoded, 0o600)
}
