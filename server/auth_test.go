package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/accord-api/accord/servertest"
)

func TestLoginGivesTokens(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()

	answer := p.Elsewhere().Login(p.User.Email, p.Password).Expect(http.StatusOK)
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if p.Tokens.TokenType != "bearer" || p.Tokens.ExpiresIn != 900 || p.Tokens.Scope != "user" {
		t.Errorf("tokens %+v", p.Tokens)
	}
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
}

func TestLoginReadsOnlyTheBody(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	p := s.Register()
	other := p.Elsewhere()
	q := url.Values{"username": {p.User.Username}, "password": {p.Password}}.Encode()

	fields := other.Form("/api/v1/auth/login?"+q, url.Values{}).Fields()
	if len(fields) != 2 {
		t.Errorf("fields %v", fields)
	}
}
