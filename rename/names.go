package rename

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// What the repository is called before it is somebody's own.
const (
	originModule = "github.com/accord-api/accord"
	originName   = "Accord"
	originHolder = "The Accord authors"
)

// Names are what the repository is called from now on.
type Names struct {
	Module string // the Go module, as example.com/shop
	Name   string // the product, as Shop: titles, types, and in lower case packages and commands
	Holder string // who holds the copyright
}

var (
	moduleHost    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$`)
	moduleElement = regexp.MustCompile(`^[A-Za-z0-9_~-]([A-Za-z0-9._~-]*[A-Za-z0-9_~-])?$`)
	majorVersion  = regexp.MustCompile(`^v[0-9]+$`)
	nameWord      = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{1,19}$`)
)

// pythonWords are the keywords of Python that no package can be called; those that Go
// has too are known from Go.
var pythonWords = []string{
	"and", "as", "assert", "async", "await", "class", "def", "del", "elif", "except", "finally", "from", "global",
	"in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "try", "while", "with", "yield",
}

// Parse reads the names from the words of a command line. Without a holder, the
// copyright is that of the product's authors.
func Parse(module, name, holder string) (Names, error) {
	if holder == "" {
		holder = "The " + name + " authors"
	}
	return Names{module, name, holder}, errors.Join(checkModule(module), checkName(name), checkHolder(holder))
}

func checkModule(module string) error {
	elements := strings.Split(module, "/")
	switch {
	case !moduleHost.MatchString(elements[0]):
		return fmt.Errorf("%q is no module path: it begins with a host, as example.com/shop", module)
	case slices.ContainsFunc(elements[1:], func(e string) bool { return !moduleElement.MatchString(e) }):
		return fmt.Errorf("%q is no module path: its parts are of letters, digits and -._~, and end with none of the dots", module)
	case majorVersion.MatchString(elements[len(elements)-1]):
		return fmt.Errorf("%q: leave out the version; a first release has none in its path", module)
	case module == originModule || strings.HasPrefix(module, originModule+"/"):
		return fmt.Errorf("%q is the module path that it has now", module)
	}
	return nil
}

func checkName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case !nameWord.MatchString(name):
		return fmt.Errorf("%q is no name: it is one word of at most 20 letters and digits that begins with a capital, as Shop, for types and packages have it; the title can be changed in openapi.yaml afterwards", name)
	case lower == strings.ToLower(originName):
		return fmt.Errorf("%s is what it is called now", originName)
	case token.IsKeyword(lower) || types.Universe.Lookup(lower) != nil || slices.Contains(pythonWords, lower) ||
		slices.Contains([]string{"main", "init", "internal", "vendor", "test"}, lower):
		return fmt.Errorf("%q: %s is a word of a programming language, and nothing can be called so", name, lower)
	}
	return nil
}

func checkHolder(holder string) error {
	if strings.TrimSpace(holder) != holder || strings.ContainsAny(holder, "\n\r\"'\\<>") {
		return fmt.Errorf("%q is no holder of a copyright: write a name, as Shop Limited", holder)
	}
	return nil
}

// spelled is each spelling of the old names: the longest first, since the module path
// holds the word.
var spelled = regexp.MustCompile(regexp.QuoteMeta(originModule) + "|" + regexp.QuoteMeta(originHolder) + "|" +
	strings.ToUpper(originName) + "|" + originName + "|" + strings.ToLower(originName))

// In replaces every spelling of the old names in a text. A longer word that only begins
// with it is another word.
func (n Names) In(text string) string {
	var out strings.Builder
	last := 0
	for _, at := range spelled.FindAllStringIndex(text, -1) {
		found := text[at[0]:at[1]]
		if at[1] < len(text) && found != strings.ToUpper(originName) && 'a' <= text[at[1]] && text[at[1]] <= 'z' {
			continue
		}
		out.WriteString(text[last:at[0]])
		out.WriteString(n.of(found))
		last = at[1]
	}
	return out.String() + text[last:]
}

func (n Names) of(found string) string {
	switch found {
	case originModule:
		return n.Module
	case originHolder:
		return n.Holder
	case strings.ToUpper(originName):
		return strings.ToUpper(n.Name)
	case originName:
		return n.Name
	}
	return strings.ToLower(n.Name)
}
