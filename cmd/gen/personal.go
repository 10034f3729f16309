package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
)

const personalPath = "gen/db/personal.gen.go"

// personalMark, alone in a line of a query's comment, has it run for an account that
// is deleted.
const personalMark = "-- personal"

var queryArgument = regexp.MustCompile(`@(\w+)|sqlc\.n?arg\('(\w+)'\)`)

// generatePersonal makes the method that runs the marked queries, so that a resource
// says beside its own queries what goes with an account.
func generatePersonal(root fs.FS) (file, error) {
	paths, err := fs.Glob(root, "queries/*.sql")
	if err != nil {
		return file{}, fmt.Errorf("looking for queries: %w", err)
	}
	var names []string
	var wrong []error
	for _, path := range paths {
		source, err := fs.ReadFile(root, path)
		if err != nil {
			return file{}, fmt.Errorf("reading queries: %w", err)
		}
		faults := &faults{file: path}
		for _, q := range readQueries(string(source)) {
			switch {
			case q.personal == 0:
			case q.name == "" || q.command != "exec" || !onlyUserID(q.text):
				faults.addLine(q.personal, "`%s` is for an :exec query whose one argument is @user_id", personalMark)
			default:
				names = append(names, q.name)
			}
		}
		wrong = append(wrong, faults.err())
	}
	if err := errors.Join(wrong...); err != nil || len(names) == 0 {
		return file{path: personalPath}, err
	}
	text, err := format(personalSource(names))

	return file{personalPath, text}, err
}

func onlyUserID(text string) bool {
	arguments := queryArgument.FindAllStringSubmatch(text, -1)
	for _, a := range arguments {
		if a[1]+a[2] != "user_id" {
			return false
		}
	}

	return len(arguments) > 0
}

func personalSource(names []string) string {
	e := &emitter{}
	e.line("%spackage db\n\nimport (\n\"context\"\n\n\"github.com/google/uuid\"\n)\n", header)
	e.line("// UserForget runs what the queries marked `%s` say: what goes with an account that is deleted.", personalMark)
	e.line("func (q *Queries) UserForget(ctx context.Context, userID uuid.UUID) error {")
	e.line("for _, forget := range []func(context.Context, uuid.UUID) error{")
	for _, name := range names {
		e.line("q.%s,", name)
	}
	e.line("} {\nif err := forget(ctx, userID); err != nil {\nreturn err\n}\n}\n\nreturn nil\n}")

	return e.String()
}
