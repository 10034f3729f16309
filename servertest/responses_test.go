package servertest_test

import (
	"strings"
	"testing"

	"github.com/accord-api/accord/servertest"
)

const shop = `{"paths": {"/lamps": {
	"parameters": [{"name": "limit"}],
	"get": {"operationId": "listLamps", "responses": {"200": {}, "503": {}, "default": {}}},
	"post": {"operationId": "addLamp", "responses": {"201": {}, "409": {}}}
}}}`

// What is missing has to be known, and what is known has to be missing.
func TestJudgeOfResponses(t *testing.T) {
	t.Parallel()
	const all = "addLamp 409 no twin\nlistLamps 503 no cellar\nlistLamps default no flaw\n"
	for name, c := range map[string]struct {
		known string
		came  map[string]int
		fault string // "" for none
	}{
		"as it is known":        {all, nil, ""},
		"nothing known":         {"", nil, "no test produces addLamp 409"},
		"one more is missing":   {strings.Replace(all, "listLamps 503 no cellar\n", "", 1), nil, "no test produces listLamps 503"},
		"one has come":          {all, map[string]int{"addLamp": 409}, "addLamp 409 is produced"},
		"an undeclared one":     {all, map[string]int{"listLamps": 500}, "listLamps default is produced"},
		"undeclared, unlisted":  {strings.Replace(all, "listLamps default no flaw\n", "", 1), map[string]int{"listLamps": 500}, ""},
		"no default to be":      {all, map[string]int{"addLamp": 500}, ""},
		"not declared":          {all + "listLamps zzz never\n", nil, "listLamps zzz is in the list, and not declared"},
		"no reason":             {strings.Replace(all, " no twin", "", 1), nil, "has no reason"},
		"not sorted":            {"listLamps default no flaw\nlistLamps 503 no cellar\naddLamp 409 no twin\n", nil, "stands after"},
		"one line twice":        {all + "listLamps default no flaw\n", nil, "stands after"},
		"a line without a word": {all + "\n", nil, "has no reason"},
	} {
		r, err := servertest.NewResponses([]byte(shop))
		if err != nil {
			t.Fatal(err)
		}
		r.Came("listLamps", 200)
		r.Came("addLamp", 201)
		for operation, status := range c.came {
			r.Came(operation, status)
		}
		summary, err := r.Judge(c.known)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: got %v, want %q", name, err, c.fault)
		}
		if c.came == nil && (!strings.Contains(summary, "3 of 5 ") || !strings.Contains(summary, "\n  listLamps 503")) {
			t.Errorf("%s: it prints %q", name, summary)
		}
	}
}

// Once all have come the list is empty.
func TestNoResponseIsMissing(t *testing.T) {
	t.Parallel()
	r, err := servertest.NewResponses([]byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{200, 503, 405} {
		r.Came("listLamps", status)
	}
	for _, status := range []int{201, 409} {
		r.Came("addLamp", status)
	}
	if summary, err := r.Judge(""); err != nil || !strings.HasPrefix(summary, "0 of 5 ") {
		t.Errorf("%q, %v", summary, err)
	}
}

func TestResponsesOfNoDocument(t *testing.T) {
	t.Parallel()
	if _, err := servertest.NewResponses([]byte("[")); err == nil {
		t.Error("it is read")
	}
}
