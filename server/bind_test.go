package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/accord-api/accord/validate"
)

func TestBind(t *testing.T) {
	t.Parallel()

	const form, register = "application/x-www-form-urlencoded", `{"email":"ada@example.com","username":"ada","password":"Analytical-1843","full_name":"Ada"}`
	for name, c := range map[string]struct {
		target, contentType, body string
		want                      int
	}{
		"form":                       {"/api/v1/auth/login", form, "username=ada&password=x", 204},
		"form in other letters":      {"/api/v1/auth/login", "Application/X-WWW-Form-Urlencoded; Charset=UTF-8", "username=ada&password=x", 204},
		"form members of Swagger UI": {"/api/v1/auth/login", form, "grant_type=&scope=&client_id=&username=ada&password=x&x=y", 204},
		"query does not count":       {"/api/v1/auth/login?password=x", form, "username=ada", 422},
		"query does not repeat":      {"/api/v1/auth/login?password=x", form, "username=ada&password=x", 204},
		"repeated member":            {"/api/v1/auth/login", form, "username=ada&password=x&password=y", 400},
		"malformed form":             {"/api/v1/auth/login", form, "username=%zz", 400},
		"refresh as form":            {"/api/v1/auth/refresh", form, "refresh_token=a", 204},
		"refresh as JSON":            {"/api/v1/auth/refresh", "application/json;charset=utf-8", `{"refresh_token":"a"}`, 204},
		"form in JSON's clothes":     {"/api/v1/auth/refresh", "application/json", "refresh_token=a", 400},
		"a prefix is no match":       {"/api/v1/auth/refresh", "application/jsonlines", `{"refresh_token":"a"}`, 500},
		"no body":                    {"/api/v1/users", "application/json", "", 400},
		"register":                   {"/api/v1/users", "application/json", register, 204},
		"trailing data":              {"/api/v1/users", "application/json", register + "{}", 400},
		"NUL":                        {"/api/v1/users", "application/json", strings.Replace(register, `"Ada"`, `"A\u0000"`, 1), 422},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := httptest.NewRequest(http.MethodPost, c.target, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.contentType)
			w := httptest.NewRecorder()
			validatingEcho().ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.want)
			}
		})
	}
}

// All that is wrong comes at once and in the document's order, whichever of
// scan and rules has found it.
func TestViolationsInOrder(t *testing.T) {
	t.Parallel()

	body := `{"surprise":1,"full_name":null,"password":"short","username":"a b","email":7}`
	r := httptest.NewRequest(http.MethodPost, "/api/v1/users", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	validatingEcho().ServeHTTP(w, r)
	var found validate.Violations
	if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range found {
		got = append(got, v.Field+":"+v.Code)
	}
	want := "email:type username:pattern password:min_length password:pattern password:pattern password:pattern full_name:null surprise:unknown"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}
