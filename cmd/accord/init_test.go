package main

import (
	"strings"
	"testing"
)

// The rest of it is tried in rename, and on a whole copy in .ci/run.
func TestInitRefuses(t *testing.T) {
	t.Parallel()
	for args, c := range map[string]struct {
		code int
		want string
	}{
		"--name Shop":                                   {exitUsage, "--module and --name are needed"},
		"--module example.com/shop":                     {exitUsage, "--module and --name are needed"},
		"--module shop --name Shop":                     {exitUsage, "begins with a host"},
		"--module example.com/shop --name 3":            {exitUsage, "is no name"},
		"--module example.com/shop --name shop":         {exitUsage, "begins with a capital"},
		"--module example.com/shop --name Shop":         {exitFailed, "this is no clone: run it in the folder with go.mod"},
		"--module example.com/shop --name Shop further": {exitUsage, "further"},
	} {
		code, out, errs := ran(t, nil, "", append([]string{"init"}, strings.Fields(args)...)...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("init %s: exit %d, %s%s", args, code, out, errs)
		}
	}
}
