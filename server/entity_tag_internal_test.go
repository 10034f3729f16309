package server

import (
	"fmt"
	"testing"
)

func TestEntityTags(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		`"a"`:                 `[{"a" false}]`,
		`""`:                  `[{"" false}]`,
		`W/"a"`:               `[{"a" true}]`,
		`"a,*,b"`:             `[{"a,*,b" false}]`,
		`"a", W/"b","c"`:      `[{"a" false} {"b" true} {"c" false}]`,
		" ,\t\"a\" ,, \"b\",": `[{"a" false} {"b" false}]`,
		`"ä"`:                 `[{"ä" false}]`,
		"":                    `[]`,
		`*`:                   `[]`,
		`W/*`:                 `[]`,
		`"a" "b"`:             `[]`,
		`"a", b`:              `[]`,
		`"a`:                  `[]`,
		`w/"a"`:               `[]`,
		`W/ "a"`:              `[]`,
		`"a b"`:               `[]`,
		`W/`:                  `[]`,
		`"`:                   `[]`,
	} {
		if got := fmt.Sprint(entityTags(list)); got != want {
			t.Errorf("%s is %s, want %s", list, got, want)
		}
	}
}
