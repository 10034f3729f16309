package accord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// session is who is signed in.
type session struct {
	store TokenStore
	form  *LoginForm    // nil: nobody signs in by a password
	turn  chan struct{} // who holds it may ask for tokens, and use the store

	mu     sync.Mutex // of what follows
	out    bool       // signed out: no call signs in again
	loaded bool
	tokens Tokens
	flight *flight // nil: nobody waits for tokens
}

// flight is one search for tokens, whose outcome all who wait for it share.
type flight struct {
	done   chan struct{}
	access string
	err    error
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

// held is an access token that is not the refused one, and was found already.
func (s *session) held(refused string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loaded || s.tokens.Access == refused {
		return ""
	}
	return s.tokens.Access
}

func (s *session) hold(tokens Tokens) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens, s.loaded = tokens, true
}

// leave says whether calls sign in by themselves.
func (s *session) leave(out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = out
}

func (s *session) left() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out
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
	c.session.leave(false)
	return c.signIn(ctx)
}

// SignOut ends the session and clears the store; no later call signs in by itself.
func (c *Client) SignOut(ctx context.Context) error {
	access, err := c.accessFor(ctx, newCall("logout", http.MethodPost, "", nil), "")
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
	c.session.leave(true)
	return c.clear(ctx)
}

// access is the access token to call with, "" for none. It may not be the refused one:
// the first caller who says so has new tokens searched for, and whoever comes meanwhile
// waits for them, or for the error. It is everybody's: a caller who goes does not end it.
func (c *Client) access(ctx context.Context, refused string) (string, error) {
	s := &c.session
	if held := s.held(refused); held != "" {
		return held, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	s.mu.Lock()
	f := s.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		s.flight = f
		go func() {
			f.access, f.err = c.search(context.WithoutCancel(ctx), refused)
			s.mu.Lock()
			s.flight = nil
			s.mu.Unlock()
			close(f.done)
		}()
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.access, f.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// search looks for tokens in the store, where another process may have left newer ones,
// and then asks the server for them.
func (c *Client) search(ctx context.Context, refused string) (string, error) {
	s := &c.session
	end, err := s.take(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	if held := s.held(refused); held != "" {
		return held, nil
	}
	tokens, err := s.store.Load(ctx)
	if err != nil {
		return "", fmt.Errorf("accord: loading the tokens: %w", err)
	}
	s.hold(tokens)
	if tokens.Access != "" && tokens.Access != refused {
		return tokens.Access, nil
	}
	if s.left() {
		return "", nil
	}
	if tokens.Refresh != "" {
		err := c.refresh(ctx, tokens.Refresh)
		if err == nil {
			return s.held(""), nil
		}
		if !isCode(err, CodeInvalidGrant) {
			return "", err
		}
		if err := c.clear(ctx); err != nil {
			return "", err
		}
	}
	if s.form == nil {
		return "", nil
	}
	if err := c.signIn(ctx); err != nil {
		return "", err
	}
	return s.held(""), nil
}

func (c *Client) signIn(ctx context.Context) error {
	token, err := c.Login(ctx, *c.session.form)
	if err != nil {
		return err
	}
	return c.save(ctx, token)
}

func (c *Client) refresh(ctx context.Context, token string) error {
	fresh, err := c.RefreshToken(ctx, RefreshRequest{RefreshToken: token})
	if err != nil {
		return err
	}
	return c.save(ctx, fresh)
}

func (c *Client) save(ctx context.Context, token *Token) error {
	tokens := Tokens{Access: token.AccessToken, Refresh: token.RefreshToken}
	c.session.hold(tokens)
	if err := c.session.store.Save(ctx, tokens); err != nil {
		return fmt.Errorf("accord: storing the tokens: %w", err)
	}
	return nil
}

func (c *Client) clear(ctx context.Context) error {
	c.session.hold(Tokens{})
	if err := c.session.store.Clear(ctx); err != nil {
		return fmt.Errorf("accord: clearing the tokens: %w", err)
	}
	return nil
}

func isCode(err error, code ProblemCode) bool {
	p := (*ProblemError)(nil)
	return errors.As(err, &p) && p.Code() == code
}
