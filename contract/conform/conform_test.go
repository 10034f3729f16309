package conform_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract/conform"
)

const document = `{"openapi": "3.1.0", "paths": {
	"/things/{id}": {"get": {"responses": {
		"200": {
			"headers": {"ETag": {"required": true, "schema": {"type": "string", "pattern": "^\""}}, "X-Count": {"$ref": "#/components/headers/Count"}},
			"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}, "text/plain": {"schema": {"type": "string", "maxLength": 3}}}},
		"204": {"description": "Nothing."},
		"default": {"content": {"application/problem+json": {"schema": {"type": "object", "required": ["type"]}}}}}}},
	"/things/new": {"get": {"responses": {"204": {"description": "Nothing."}}}}},
	"components": {
		"headers": {"Count": {"schema": {"type": "integer", "maximum": 9}}},
		"schemas": {"Thing": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 1}}}}}}`

// Whatever an answer has that the document does not declare is said, with the place of
// the value and of the sentence; what it declares is not.
func TestBreaches(t *testing.T) {
	t.Parallel()
	d, err := conform.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	json := http.Header{"Etag": {`"1"`}, "Content-Type": {"application/json; charset=utf-8"}}
	with := func(pairs ...string) http.Header {
		header := json.Clone()
		for i := 0; i < len(pairs); i += 2 {
			header.Set(pairs[i], pairs[i+1])
		}
		return header
	}
	for name, c := range map[string]struct {
		answer conform.Answer
		want   []string
	}{
		"as declared":        {conform.Answer{Status: 200, Header: with("X-Count", "9"), Body: []byte(`{"n": 1}`)}, nil},
		"a text":             {conform.Answer{Status: 200, Header: with("Content-Type", "text/plain"), Body: []byte("abc")}, nil},
		"no operation":       {conform.Answer{Path: "/elsewhere", Status: 404}, nil},
		"a concrete path":    {conform.Answer{Path: "/things/new", Status: 200, Header: json}, []string{"the status is not declared"}},
		"another status":     {conform.Answer{Status: 201, Header: json}, []string{"the status is not declared"}},
		"of no one's making": {conform.Answer{Status: 500, Header: with("Content-Type", "application/problem+json"), Body: []byte(`{}`)}, []string{"at \"/\": missing property 'type'"}},
		"a missing header":   {conform.Answer{Status: 200, Header: with("ETag", ""), Body: []byte(`{"n": 1}`)}, []string{"the header ETag is missing"}},
		"wrong headers": {conform.Answer{Status: 200, Header: with("ETag", "1", "X-Count", "10"), Body: []byte(`{"n": 1}`)}, []string{
			"the header ETag: at \"/\": '1' does not match pattern", "the header X-Count: at \"/\": maximum: got 10, want 9 (#/components/headers/Count/schema/maximum)"}},
		"no number in it":    {conform.Answer{Status: 200, Header: with("X-Count", "many"), Body: []byte(`{"n": 1}`)}, []string{"the header X-Count: at \"/\": got string, want integer"}},
		"a wrong member":     {conform.Answer{Status: 200, Header: json, Body: []byte(`{"n": 0}`)}, []string{"at \"/n\": minimum: got 0, want 1 (#/components/schemas/Thing/properties/n/minimum)"}},
		"no JSON":            {conform.Answer{Status: 200, Header: json, Body: []byte(`{`)}, []string{"EOF"}},
		"half of it":         {conform.Answer{Status: 200, Header: json, Body: []byte(`{`), Cut: true}, nil},
		"a long text":        {conform.Answer{Status: 200, Header: with("Content-Type", "text/plain"), Body: []byte("abcd")}, []string{"maxLength"}},
		"another type":       {conform.Answer{Status: 200, Header: with("Content-Type", "text/html"), Body: []byte("abc")}, []string{"the content type is not declared: text/html"}},
		"an undeclared body": {conform.Answer{Status: 204, Body: []byte("x")}, []string{"a body is there, and none is declared"}},
	} {
		c.answer.Method = http.MethodGet
		if c.answer.Path == "" {
			c.answer.Path = "/things/1"
		}
		got := d.Breaches(c.answer)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
	}
	if got := d.EventBreaches("thing", []byte(`{"n": 0}`)); len(got) != 1 || !strings.Contains(got[0], "minimum") {
		t.Errorf("an event: %q", got)
	}
}

func TestParseWantsADocument(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "[]", "{}", `{"paths": 1}`, `{"paths": {"/": 1}}`} {
		if _, err := conform.Parse([]byte(source)); err == nil {
			t.Errorf("%q is taken for a document", source)
		}
	}
}
