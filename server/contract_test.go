package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/contract"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/pg/pgtest"
	"github.com/accord-api/accord/servertest"
)

// minCases keeps the deriver from finding nothing to try.
const minCases = 7000 // bare-drops
// bare-has: const minCases = 3000

// The server keeps to every sentence of the contract that a case can be derived from.
func TestContract(t *testing.T) {
	t.Parallel()
	target := contractTarget(t, 30, 400)
	d, err := contract.Parse("gen/api/openapi.json", api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	result, err := contract.Run(t.Context(), d, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if failed := result.Failed(); len(failed) > 0 {
		var report strings.Builder
		if err := result.Write(&report); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%d cases fail:\n%s", len(failed), report.String())
	}
	for _, c := range result.Untried {
		t.Errorf("line %d: %s: %s", c.Line, c.Pointer, c.Text)
	}
	if t.Logf("%d cases in %s", len(result.Outcomes), result.Elapsed); len(result.Outcomes) < minCases {
		t.Errorf("%d cases, want at least %d", len(result.Outcomes), minCases)
	}
}

// contractTarget is a server with so many administrators, and mails to so many people.
func contractTarget(t *testing.T, admins, people int) contract.Target {
	t.Helper()
	database := pgtest.New(t)
	values := mailTokens(t, database, people) // first, so that nobody else sends the mails
	s := servertest.New(t, servertest.Options{DatabaseURL: database, Start: true})
	target := contract.Target{URL: s.URL, Keep: true, Patience: time.Second, // its clock stands still
		ClientIPHeader: "X-Forwarded-For", Values: values}
	earlier := servertest.New(t, servertest.Options{
		DatabaseURL: database, Settings: map[string]string{"PUBLIC_URL": s.URL},
		Now: func() time.Time { return s.Clock.Now().Add(-time.Hour) },
	})
	target.Expired = earlier.Register().Tokens.AccessToken
	for i := range admins {
		admin := s.Admin()
		target.Logins = append(target.Logins, contract.Login{Name: fmt.Sprintf("admin%d", i), User: admin.User.Username, Password: admin.Password})
	}
	return target
}

// mailTokens are the tokens that come by mail, each for a person of its own.
func mailTokens(t *testing.T, database string, people int) map[string]func(context.Context) (any, error) {
	t.Helper()
	verify, reset := make(chan string, people), make(chan string, people)
	t.Run("mails", func(t *testing.T) {
		s := servertest.New(t, servertest.Options{DatabaseURL: database, Start: true})
		registered := make([]*servertest.Person, people)
		for i := range registered {
			registered[i] = s.Register()
		}
		for _, p := range registered {
			verify <- token(s, p.User.Email, 1)
			p.POST("/api/v1/auth/forgot-password", map[string]any{"email": p.User.Email}).Expect(http.StatusAccepted)
		}
		for _, p := range registered {
			reset <- token(s, p.User.Email, 2)
		}
	})
	take := func(from chan string) func(context.Context) (any, error) {
		return func(context.Context) (any, error) {
			select {
			case token := <-from:
				return token, nil
			default:
				return nil, errors.New("there are no tokens any more")
			}
		}
	}
	return map[string]func(context.Context) (any, error){"verifyEmail.token": take(verify), "resetPassword.token": take(reset)}
}
