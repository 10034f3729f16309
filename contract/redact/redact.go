// Package redact takes secrets out of what is told: reports, and the requests that
// development shows.
package redact

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Withheld stands for a secret.
const Withheld = "$CREDENTIAL"

const (
	// maxWord is how long a secret is that could stand within other words by chance.
	maxWord = 7
	// minPart is how much of a secret that is cut off is taken for it.
	minPart = 4
)

// Redactor knows secrets, and takes them out of texts, in each form that they may have
// there. The zero value knows none. It is safe for concurrent use.
type Redactor struct {
	mu       sync.Mutex
	written  map[string]bool // in each form that they may have
	forms    []string        // the same, the longest first; nil since one came
	replacer *strings.Replacer
}

// Add makes secrets known; an empty one is none.
func (r *Redactor) Add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		if secret == "" || r.written[secret] {
			continue
		}
		if r.written == nil {
			r.written = map[string]bool{}
		}
		r.forms = nil
		for _, form := range written(secret) {
			r.written[form] = true
		}
	}
}

// tokensIn are those of RFC 6749, section 5.1, and of OpenID Connect, as JSON and in
// a form.
var tokensIn = regexp.MustCompile(`"(?:access|refresh|id)_token"\s*:\s*("(?:[^"\\]|\\.)*")|\b(?:access|refresh|id)_token=([^&\s"'<>]+)`)

// AddTokens makes those known that an answer holds.
func (r *Redactor) AddTokens(answer []byte) {
	for _, found := range tokensIn.FindAllSubmatch(answer, -1) {
		var token string
		if json.Unmarshal(found[1], &token) == nil {
			r.Add(token)
		} else if token, err := url.QueryUnescape(string(found[2])); err == nil {
			r.Add(token)
		}
	}
}

// written are the forms that a secret may have in a text.
func written(secret string) []string {
	escaped := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "/", `\/`)}
	for _, quoted := range []string{strconv.Quote(secret), strconv.QuoteToASCII(secret)} {
		escaped = append(escaped, quoted[1:len(quoted)-1])
	}
	if encoded, err := json.Marshal(secret); err == nil {
		escaped = append(escaped, string(encoded[1:len(encoded)-1]))
	}
	return escaped
}

// prepared gives the forms of all secrets, and what replaces the long ones.
func (r *Redactor) prepared() ([]string, *strings.Replacer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forms == nil {
		r.forms = slices.AppendSeq([]string{}, maps.Keys(r.written))
		slices.SortFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
		var pairs []string
		for _, form := range r.forms {
			if len(form) > maxWord {
				pairs = append(pairs, form, Withheld)
			}
		}
		r.replacer = strings.NewReplacer(pairs...)
	}
	return r.forms, r.replacer
}

// Text is a text without secrets. A short one, which may be a part of any word, is
// taken out where it stands by itself.
func (r *Redactor) Text(text string) string {
	forms, replacer := r.prepared()
	text = replacer.Replace(text)
	for _, form := range forms {
		if len(form) <= maxWord {
			text = withoutWord(text, form)
		}
	}
	if before, cut := strings.CutSuffix(text, "..."); cut {
		return withoutPart(before, forms) + "..."
	}
	return text
}

func withoutWord(text, word string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return b.String() + text
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(word):])
		b.WriteString(text[:i])
		if inWord(before) || inWord(after) {
			b.WriteString(word)
		} else {
			b.WriteString(Withheld)
		}
		text = text[i+len(word):]
	}
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// withoutPart takes out the beginning of a secret that the rest was cut from.
func withoutPart(text string, forms []string) string {
	if len(text) < minPart {
		return text
	}
	end := text[len(text)-minPart:]
	for _, form := range forms {
		if !strings.Contains(form, end) {
			continue
		}
		for n := min(len(form), len(text)); n >= minPart; n-- {
			if strings.HasSuffix(text, form[:n]) {
				return text[:len(text)-n] + Withheld
			}
		}
	}
	return text
}
