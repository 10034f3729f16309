package server_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/accord-api/accord/servertest"
)

// A path without a parameter is matched before one with it, whatever its methods:
// nothing that its sibling alone declares is done, or said, in its name.
func TestConcretePathsHideTheirSiblings(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	user, operations, hidden := s.Register(), document(t), 0
	declares := func(path, method string) bool {
		return slices.ContainsFunc(operations, func(o operation) bool { return o.url() == path && o.Method == method })
	}
	for _, concrete := range operations {
		for _, sibling := range operations {
			path := concrete.url()
			if concrete.Path == sibling.Path || !sibling.takes(sibling.Method, path) || declares(path, sibling.Method) {
				continue
			}
			hidden++
			user.IP = s.Somebody().IP
			answer := user.Do(sibling.Method, path, sibling.contentType(), sibling.example(t, nil)).Expect(http.StatusMethodNotAllowed)
			answer.Problem("method-not-allowed")
			if slices.Contains(methodsOf(answer), sibling.Method) {
				t.Errorf("%s %s: Allow %v", sibling.Method, path, methodsOf(answer))
			}
		}
	}
	if hidden == 0 {
		t.Fatal("the document has no such path any more")
	}
	answer := user.GET("/api/v1/reports/generate").Expect(http.StatusMethodNotAllowed)
	if got := answer.Header.Get("Allow"); got != "OPTIONS, POST" {
		t.Errorf("Allow %q", got)
	}
}
