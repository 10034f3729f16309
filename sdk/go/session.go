package accord

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Tokens are what a sign-in gave.
type Tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// TokenStore keeps the tokens of one person. Whoever reads them is that person, so
// they belong where passwords are kept. A Client calls one method at a time.
type TokenStore interface {
	// Load gives the tokens, and none of both when nothing is stored.
	Load(ctx context.Context) (Tokens, error)
	// Save stores tokens in the place of the former ones.
	Save(ctx context.Context, tokens Tokens) error
	// Clear removes them.
	Clear(ctx context.Context) error
}

// memory is the store of who brings none.
type memory struct {
	mu     sync.Mutex
	tokens Tokens
}

func (m *memory) Load(context.Context) (Tokens, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens, nil
}

func (m *memory) Save(_ context.Context, tokens Tokens) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens = tokens
	return nil
}

func (m *memory) Clear(ctx context.Context) error { return m.Save(ctx, Tokens{}) }

// session is who is signed in. Who holds its turn may read and change it.
type session struct {
	turn   chan struct{}
	store  TokenStore
	form   *LoginForm // nil: nobody signs in by a password
	out    bool       // signed out: no call signs in again
	tokens Tokens
	loaded bool
}

// take waits for the turn, which the function that it gives ends.
func (s *session) take(ctx context.Context) (func(), error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// SignIn signs in with the password of WithPassword, also when somebody is signed in.
// Calls do it by themselves; SignIn is for who wants to know, or has signed out.
func (c *Client) SignIn(ctx context.Context) error {
	end, err := c.session.take(ctx)
	if err != nil {
		return &Error{Operation: "login", Err: err}
	}
	defer end()
	if c.session.form == nil {
		return &Error{Operation: "login", Err: errors.New("there is no password: see WithPassword")}
	}
	c.session.out = false
	return c.signIn(ctx)
}

// SignOut ends the session and clears the store; no later call signs in by itself.
func (c *Client) SignOut(ctx context.Context) error {
	access, err := c.access(ctx, "")
	if err != nil {
		return err
	}
	if access != "" {
		if err := c.Logout(ctx); err != nil && !isCode(err, CodeUnauthenticated) {
			return err
		}
	}
	end, err := c.session.take(ctx)
	if err != nil {
		return &Error{Operation: "logout", Err: err}
	}
	defer end()
	c.session.out = true
	return c.clear(ctx)
}

// access is the access token to call with, "" for none. It may not be the refused one:
// the first caller who says so gets new tokens, and whoever else was refused the same
// token waits for them.
func (c *Client) access(ctx context.Context, refused string) (string, error) {
	s := &c.session
	end, err := s.take(ctx)
	if err != nil {
		return "", &Error{Operation: "refreshToken", Err: err}
	}
	defer end()
	if !s.loaded || s.tokens.Access == refused { // another process may have newer ones
		if s.tokens, err = s.store.Load(ctx); err != nil {
			return "", fmt.Errorf("accord: loading the tokens: %w", err)
		}
		s.loaded = true
	}
	if s.tokens.Access != "" && s.tokens.Access != refused {
		return s.tokens.Access, nil
	}
	if s.out {
		return "", nil
	}
	// It is everybody's: one caller who goes does not end it.
	ctx = context.WithoutCancel(ctx)
	if s.tokens.Refresh != "" {
		if err := c.refresh(ctx); err == nil || !isCode(err, CodeInvalidGrant) {
			return s.tokens.Access, err
		}
		if err := c.clear(ctx); err != nil {
			return "", err
		}
	}
	if s.form == nil {
		return "", nil
	}
	err = c.signIn(ctx)
	return s.tokens.Access, err
}

func (c *Client) signIn(ctx context.Context) error {
	token, err := c.Login(ctx, *c.session.form)
	if err != nil {
		return err
	}
	return c.save(ctx, token)
}

func (c *Client) refresh(ctx context.Context) error {
	token, err := c.RefreshToken(ctx, RefreshRequest{RefreshToken: c.session.tokens.Refresh})
	if err != nil {
		return err
	}
	return c.save(ctx, token)
}

func (c *Client) save(ctx context.Context, token *Token) error {
	c.session.tokens = Tokens{Access: token.AccessToken, Refresh: token.RefreshToken}
	c.session.loaded = true
	if err := c.session.store.Save(ctx, c.session.tokens); err != nil {
		return fmt.Errorf("accord: storing the tokens: %w", err)
	}
	return nil
}

func (c *Client) clear(ctx context.Context) error {
	c.session.tokens, c.session.loaded = Tokens{}, true
	if err := c.session.store.Clear(ctx); err != nil {
		return fmt.Errorf("accord: clearing the tokens: %w", err)
	}
	return nil
}

func isCode(err error, code ProblemCode) bool {
	p := (*ProblemError)(nil)
	return errors.As(err, &p) && p.Code() == code
}
