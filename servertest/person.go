package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/accord-api/accord/contract/conform"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/server"
)

// Password is what every person of a test signs in with.
const Password = "Analytical-1843"

// serial makes names and addresses differ.
var serial atomic.Int64

// Person is somebody who calls the server from an address of their own.
type Person struct {
	*Server
	IP       string
	User     api.User
	Tokens   api.Token
	Password string
	// Header is sent with every request.
	Header http.Header
}

// Somebody is a person without an account, from a new address.
func (s *Server) Somebody() *Person {
	n := serial.Add(1)
	return &Person{
		Server: s, IP: fmt.Sprintf("203.%d.%d.7", n/250%250, n%250), Password: Password, Header: http.Header{},
	}
}

// Register is a new person with an account, signed in.
func (s *Server) Register() *Person {
	s.T.Helper()
	p := s.Somebody()
	name := fmt.Sprintf("person%d", serial.Add(1))
	p.POST("/api/v1/users", map[string]any{
		"email": name + "@example.com", "username": name, "password": p.Password, "full_name": "Person " + name,
	}).Expect(http.StatusCreated).Into(&p.User)
	p.SignIn()
	return p
}

// Admin is a new administrator, signed in.
func (s *Server) Admin() *Person {
	s.T.Helper()
	p := s.Somebody()
	name := fmt.Sprintf("admin%d", serial.Add(1))
	user, err := s.API.CreateAccount(s.T.Context(), server.NewAccount{
		Email: name + "@example.com", Username: name, FullName: name, Password: p.Password, Role: "admin", Verified: true,
	})
	if err != nil {
		s.T.Fatalf("making an administrator: %v", err)
	}
	p.User = api.User{ID: user.ID, Email: user.Email, Username: user.Username}
	p.SignIn()
	return p
}

// SignIn begins a session; the person's requests carry its token from then on.
func (p *Person) SignIn() {
	p.T.Helper()
	p.Login(p.User.Username, p.Password).Expect(http.StatusOK).Into(&p.Tokens)
}

// Login sends the sign-in form.
func (p *Person) Login(name, password string) *Answer {
	p.T.Helper()
	return p.Form("/api/v1/auth/login", url.Values{"username": {name}, "password": {password}})
}

// Elsewhere is the same person at another address, without a token.
func (p *Person) Elsewhere() *Person {
	other := p.Somebody()
	other.User, other.Password = p.User, p.Password
	return other
}

// GET asks for a path.
func (p *Person) GET(path string) *Answer { p.T.Helper(); return p.Do(http.MethodGet, path, "", nil) }

// DELETE deletes, with a JSON body where there is one.
func (p *Person) DELETE(path string, body any) *Answer {
	p.T.Helper()
	if body == nil {
		return p.Do(http.MethodDelete, path, "", nil)
	}
	return p.JSON(http.MethodDelete, path, body)
}

// POST sends JSON.
func (p *Person) POST(path string, body any) *Answer {
	p.T.Helper()
	if body == nil {
		return p.Do(http.MethodPost, path, "", nil)
	}
	return p.JSON(http.MethodPost, path, body)
}

// PUT sends JSON.
func (p *Person) PUT(path string, body any) *Answer {
	p.T.Helper()
	return p.JSON(http.MethodPut, path, body)
}

// PATCH sends a merge patch.
func (p *Person) PATCH(path string, body any) *Answer {
	p.T.Helper()
	return p.Do(http.MethodPatch, path, "application/merge-patch+json", p.encode(body))
}

// JSON sends a value with any method.
func (p *Person) JSON(method, path string, body any) *Answer {
	p.T.Helper()
	return p.Do(method, path, "application/json", p.encode(body))
}

// Form sends a form.
func (p *Person) Form(path string, values url.Values) *Answer {
	p.T.Helper()
	return p.Do(http.MethodPost, path, "application/x-www-form-urlencoded", []byte(values.Encode()))
}

func (p *Person) encode(body any) []byte {
	p.T.Helper()
	if text, ok := body.(string); ok { // as it is, right or wrong
		return []byte(text)
	}
	data, err := json.Marshal(body)
	if err != nil {
		p.T.Fatalf("encoding a body: %v", err)
	}
	return data
}

// Do sends a request as this person.
func (p *Person) Do(method, path, contentType string, body []byte) *Answer {
	p.T.Helper()
	return p.Send(p.request(p.T.Context(), method, path, contentType, body))
}

func (p *Person) request(ctx context.Context, method, path, contentType string, body []byte) *http.Request {
	p.T.Helper()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.URL+path, reader)
	if err != nil {
		p.T.Fatalf("making a request: %v", err)
	}
	r.Header.Set("X-Forwarded-For", p.IP)
	if p.Tokens.AccessToken != "" {
		r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	maps.Copy(r.Header, p.Header)
	return r
}

// Send sends any request and holds the answer against the contract. Of a stream
// of events it reads the first one only, or comment, and hangs up.
func (p *Person) Send(r *http.Request) *Answer {
	p.T.Helper()
	response, err := p.HTTP.Do(r)
	if err != nil {
		p.T.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer response.Body.Close()
	body, err := readAnswer(response)
	if err != nil {
		p.T.Fatalf("reading the answer of %s %s: %v", r.Method, r.URL, err)
	}
	return p.answer(response, body)
}

// answer holds what came back against the contract.
func (p *Person) answer(response *http.Response, body []byte) *Answer {
	p.T.Helper()
	a := &Answer{person: p, Request: response.Request, Status: response.StatusCode, Header: response.Header, Body: body}
	held := conform.Answer{Method: a.Request.Method, Path: a.Request.URL.Path, Status: a.Status, Header: a.Header, Body: body}
	for _, breach := range published().Breaches(held) {
		p.T.Errorf("%s %s answers %d against the contract: %s\n%s", a.Request.Method, a.Request.URL.Path, a.Status, breach, body)
	}
	return a
}

// Answer is what came back.
type Answer struct {
	person  *Person
	Request *http.Request
	Status  int
	Header  http.Header
	Body    []byte
}

// Expect fails the test when the status is another one.
func (a *Answer) Expect(status int) *Answer {
	a.person.T.Helper()
	if a.Status != status {
		a.person.T.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.Status, status, a.Body)
	}
	return a
}

// Into decodes the body.
func (a *Answer) Into(v any) {
	a.person.T.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		a.person.T.Fatalf("decoding the answer of %s %s: %v\n%s", a.Request.Method, a.Request.URL.Path, err, a.Body)
	}
}

// Problem fails the test when the answer is not this problem, and gives it.
func (a *Answer) Problem(code string) api.Problem {
	a.person.T.Helper()
	var p api.Problem
	a.Into(&p)
	if p.Type != "/problems/"+code || int(p.Status) != a.Status {
		a.person.T.Fatalf("%s %s: problem %s with status %d, want %s\n%s", a.Request.Method, a.Request.URL.Path, p.Type, a.Status, code, a.Body)
	}
	return p
}

// Fields gives `field code` of each error of a 422, in their order.
func (a *Answer) Fields() []string {
	a.person.T.Helper()
	p := a.Expect(http.StatusUnprocessableEntity).Problem("validation")
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field+" "+e.Code)
	}
	return fields
}

// Link gives the path of the next page; "" on the last.
func (a *Answer) Link() string {
	target, _, _ := strings.Cut(strings.TrimPrefix(a.Header.Get("Link"), "<"), ">")
	return target
}
