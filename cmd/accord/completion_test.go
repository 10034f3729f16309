package main

import (
	"strings"
	"testing"
	"time"
)

// What a shell is offered, as it asks for it: the last word is what is typed so far.
func TestCompletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, want string }{
		"commands":         {"migrate ", "down up status :4"},
		"a role":           {"user create --role ", "user admin :4"},
		"a second":         {"user set-role ada ", "user admin :4"},
		"a name":           {"user set-role ", ":4"},
		"nothing more":     {"user set-role ada admin ", ":4"},
		"a format":         {"contract --format ", "text json junit html :4"},
		"a document":       {"contract --spec ", "json yaml yml :8"},
		"a folder":         {"contract mutate --write ", ":16"},
		"no files":         {"serve ", ":4"},
		"no value":         {"contract --parallel ", ":4"},
		"a field's kinds":  {"new resource notes due:da", "due:text due:text? due:int due:int? due:bool due:bool? due:time due:time? due:date due:date? :4"},
		"a field's name":   {"new resource notes ", ":4"},
		"a resource":       {"new resource ", ":4"},
		"what help is for": {"help user se", "set-password set-role :4"},
	} {
		args := append([]string{"__completeNoDesc"}, strings.Split(c.args, " ")...)
		code, out, _ := ran(t, nil, "", args...)
		offered, want := strings.Fields(out), strings.Fields(c.want)
		if code != exitOK || !sameWords(offered, want) {
			t.Errorf("%s: exit %d, %v, want %v", name, code, offered, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, errs := ran(t, nil, "", "completion", shell); code != exitOK || !strings.Contains(out, "accord") || errs != "" {
			t.Errorf("%s: exit %d, %s", shell, code, errs)
		}
	}
}

func sameWords(a, b []string) bool {
	seen := map[string]int{}
	for _, word := range a {
		seen[word]++
	}
	for _, word := range b {
		seen[word]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

// On a terminal the line is there at once, is written over, and is gone at the end.
func TestCountOnATerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	shown := newCounter(&out, true, time.Hour, "migrating the database")
	shown.step("5 cases")
	shown.end()
	if want := "\r\033[Kmigrating the database\r\033[K5 cases\r\033[K"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}
