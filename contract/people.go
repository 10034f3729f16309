package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// identity is somebody who is signed in.
type identity struct {
	name   string
	held   map[string]string // credentials by scheme
	scopes []string
	any    bool // the scopes are not known
	uses   int
	gone   bool // no credentials are taken any more, and no new ones are to be had; for this, the session's mu
	// made is what led to the sign-in, for what links go on from there.
	made  map[string]*exchange
	login *Login // of the target's people

	mu sync.Mutex // for held
}

// credentials are those that are held, by scheme.
func (i *identity) credentials() map[string]string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.held
}

// signIn signs the target's people in.
func (s *session) signIn(ctx context.Context) error {
	people, err := s.provided()
	if err != nil {
		return err
	}
	s.identities = append(s.identities, people...)
	for _, l := range s.target.Logins {
		who, err := s.login(ctx, l)
		if err != nil {
			return fmt.Errorf("signing %s in: %w", l.Name, err)
		}
		s.identities = append(s.identities, who)
	}
	return nil
}

func (s *session) login(ctx context.Context, l Login) (*identity, error) {
	held := map[string]string{}
	schemes, _ := s.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		if scheme := s.schemeOf(name); scheme.kind == "http" && scheme.method == "basic" {
			held[name] = l.User + ":" + l.Password
		}
	}
	path := s.tokenPath()
	switch {
	case path == "" && len(held) == 0:
		return nil, errors.New("the document has no OAuth2 password flow and no HTTP Basic")
	case path == "":
		return &identity{name: l.Name, held: held, any: true}, nil
	}
	form := url.Values{"grant_type": {"password"}, "username": {l.User}, "password": {l.Password}}
	e, err := s.patiently(ctx, func() (*exchange, error) {
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		s.setAddress(header, "")
		return s.send(signingIn(ctx), http.MethodPost, strings.TrimSuffix(s.target.URL, "/"), path, header, []byte(form.Encode()), false)
	})
	if err != nil {
		return nil, err
	}
	who, err := s.signedIn(l.Name, e)
	if err != nil {
		return nil, err
	}
	maps.Copy(who.held, held)
	who.login = &l
	return who, nil
}

// signedIn reads the answer of a token endpoint (RFC 6749, section 5.1). Where it
// names no scopes, it is not known what somebody may.
func (s *session) signedIn(name string, e *exchange) (*identity, error) {
	var token struct {
		AccessToken string  `json:"access_token"`
		Scope       *string `json:"scope"`
	}
	if e.status != http.StatusOK || json.Unmarshal(e.received, &token) != nil || token.AccessToken == "" {
		return nil, fmt.Errorf("%s %s: %d %s", e.method, e.url, e.status, first(string(e.received), 200))
	}
	who := &identity{name: name, held: map[string]string{s.passwordScheme(): token.AccessToken}, any: token.Scope == nil}
	if token.Scope != nil {
		who.scopes = strings.Fields(*token.Scope)
	}
	return who, nil
}

// newcomer registers somebody, as far as the document's links lead from an open
// operation to the one that gives tokens. It is nil where they do not.
func (s *session) newcomer(ctx context.Context) (*identity, error) {
	if s.target.ReadOnly {
		return nil, nil
	}
	address := s.tokenPath()
	for _, o := range s.operations {
		if address == "" || o.path != address || o.method != "POST" {
			continue
		}
		for _, l := range s.links[o.id] {
			if from := s.operation(l.from); from != nil && from.public() && l.body != nil {
				sc := &scope{made: map[string]*exchange{}}
				e, err := s.patiently(ctx, func() (*exchange, error) { return s.exchange(ctx, s.valid(o), sc, "", false) })
				if err != nil {
					return nil, err
				}
				who, err := s.signedIn("newcomer", e)
				if who != nil {
					who.made = sc.made
				}
				return who, err
			}
		}
	}
	return nil, nil
}

// signInAgain gives somebody new credentials, where it is known how.
func (s *session) signInAgain(ctx context.Context, who *identity) error {
	again := &identity{}
	var err error
	switch {
	case who.login != nil:
		again, err = s.login(ctx, *who.login)
	case who.made != nil:
		again, err = s.newToken(ctx, who)
	}
	if err != nil || again.held == nil {
		return err
	}
	who.mu.Lock()
	defer who.mu.Unlock()
	who.held = again.held
	return nil
}

// newToken signs a newcomer in.
func (s *session) newToken(ctx context.Context, who *identity) (*identity, error) {
	for _, o := range s.operations {
		if o.path == s.tokenPath() {
			e, err := s.exchange(ctx, s.valid(o), newScope(who), "", false)
			if err != nil {
				return nil, err
			}
			return s.signedIn(who.name, e)
		}
	}
	return &identity{}, nil
}

// signedInStill asks, and once more with new credentials where those are refused that
// were good: another case has ended the session, or somebody else. Who cannot sign in
// again asks nothing more: each further case would wait for him in vain.
func (s *session) signedInStill(ctx context.Context, who *identity, ask func() (*exchange, error)) (*exchange, error) {
	e, err := ask()
	if err != nil || e.status != http.StatusUnauthorized || who == nil {
		return e, err
	}
	if s.signInAgain(ctx, who) != nil {
		s.mu.Lock()
		who.gone = true
		s.mu.Unlock()
		return e, nil //nolint:nilerr // the refusal tells more
	}
	return ask()
}

func (i *identity) holds(scopes []string) bool {
	return i.any || !slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(i.scopes, scope) })
}

func (i *identity) has(schemes []string) bool {
	held := i.credentials()
	return !slices.ContainsFunc(schemes, func(name string) bool { return held[name] == "" })
}

// errNobody says that no person is known who could send a request.
var errNobody = errors.New("nobody who is known may: more logins are needed")

// identityFor finds somebody for a request; nil for nobody.
func (s *session) identityFor(ctx context.Context, c caller) (*identity, error) {
	if c.Nobody || c.Token != "" {
		return nil, nil
	}
	plain := len(c.Scopes) == 0
	lacks := func(who *identity) bool {
		return !slices.ContainsFunc(c.Without, func(scope string) bool { return who.holds([]string{scope}) })
	}
	if c.Alone {
		if who, err := s.newcomer(ctx); err != nil || who != nil && lacks(who) {
			return who, err
		}
	}
	s.mu.Lock()
	best := s.leastUsed(c)
	s.mu.Unlock()
	if plain && (best == nil || best.name != "newcomer" || best.uses > maxUses) {
		who, err := s.newcomer(ctx)
		if err != nil {
			return nil, err
		}
		if who != nil && lacks(who) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.identities = append(s.identities, who)
			who.uses++
			return who, nil
		}
	}
	if best == nil {
		return nil, errNobody
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	best.uses++
	return best, nil
}

// leastUsed picks among those who may: newcomers first where that is enough, and
// then who has asked least.
func (s *session) leastUsed(c caller) *identity {
	var best *identity
	for _, who := range s.identities {
		if who.gone || !who.holds(c.Scopes) || !who.has(c.Schemes) || slices.ContainsFunc(c.Without, func(scope string) bool { return who.holds([]string{scope}) }) {
			continue
		}
		if best == nil || rank(who, c) < rank(best, c) {
			best = who
		}
	}
	return best
}

func rank(who *identity, c caller) int {
	rank := who.uses
	if len(c.Scopes) == 0 && who.name != "newcomer" {
		rank += 1 << 20
	}
	return rank
}
