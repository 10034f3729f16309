package contract

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// withheld stands in reports for a secret.
const withheld = "$CREDENTIAL"

const (
	// maxWord is how long a secret is that could stand within other words by chance.
	maxWord = 7
	// minPart is how much of a secret that is cut off is taken for it.
	minPart = 4
)

// redactor knows the secrets of a run, and takes them out of what is told. A token
// that a case makes up is none.
type redactor struct {
	mu       sync.Mutex
	written  map[string]bool // in each form that they may have
	forms    []string        // the same, the longest first; nil since one came
	replacer *strings.Replacer
}

// newRedactor knows what a target gives.
func newRedactor(d *Document, target Target) *redactor {
	r := &redactor{written: map[string]bool{}}
	r.add(target.Expired)
	for _, l := range target.Logins {
		r.add(l.Password, base64.StdEncoding.EncodeToString([]byte(l.User+":"+l.Password)))
	}
	for _, c := range target.Credentials {
		r.add(c.Value)
		if _, password, both := strings.Cut(c.Value, ":"); both && d.schemeOf(c.Scheme).method == "basic" {
			r.add(password, base64.StdEncoding.EncodeToString([]byte(c.Value)))
		}
	}
	for _, recorded := range target.Recorded {
		r.recorded(d, recorded)
	}
	return r
}

// recorded notes what a recorded request was authorized by.
func (r *redactor) recorded(d *Document, recorded Recorded) {
	_, credentials, _ := strings.Cut(recorded.Request.Get("Authorization"), " ")
	r.add(credentials)
	for _, cookie := range (&http.Request{Header: recorded.Request}).Cookies() {
		r.add(cookie.Value)
	}
	schemes, _ := d.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		if s := d.schemeOf(name); s.kind == "apiKey" && s.in == "header" {
			r.add(recorded.Request.Get(s.name))
		}
	}
	if form, err := url.ParseQuery(string(recorded.Sent)); err == nil {
		r.add(form["password"]...)
	}
	r.tokens(recorded.Body)
}

func (r *redactor) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		if secret == "" || r.written[secret] {
			continue
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

// tokens notes those that an answer holds.
func (r *redactor) tokens(answer []byte) {
	for _, found := range tokensIn.FindAllSubmatch(answer, -1) {
		var token string
		if json.Unmarshal(found[1], &token) == nil {
			r.add(token)
		} else if token, err := url.QueryUnescape(string(found[2])); err == nil {
			r.add(token)
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
func (r *redactor) prepared() ([]string, *strings.Replacer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forms == nil {
		r.forms = slices.AppendSeq([]string{}, maps.Keys(r.written))
		slices.SortFunc(r.forms, func(a, b string) int { return len(b) - len(a) })
		var pairs []string
		for _, form := range r.forms {
			if len(form) > maxWord {
				pairs = append(pairs, form, withheld)
			}
		}
		r.replacer = strings.NewReplacer(pairs...)
	}
	return r.forms, r.replacer
}

// text is a text without secrets. A short one, which may be a part of any word, is
// taken out where it stands by itself.
func (r *redactor) text(text string) string {
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
			b.WriteString(withheld)
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
				return text[:len(text)-n] + withheld
			}
		}
	}
	return text
}

// result has no secrets in what is told of a run.
func (r *redactor) result(result *Result) {
	result.URL = r.text(result.URL)
	for i, o := range result.Outcomes {
		result.Outcomes[i] = r.outcome(o)
	}
	for i := range result.Strays {
		result.Strays[i] = r.text(result.Strays[i])
	}
}

// outcome is what is told of one; of a case that passed, nothing is.
func (r *redactor) outcome(o Outcome) Outcome {
	if len(o.Failures) == 0 && o.Skipped == "" {
		return o
	}
	o.Skipped = r.text(o.Skipped)
	o.Failures = slices.Clone(o.Failures)
	for i := range o.Failures {
		o.Failures[i].Text = r.text(o.Failures[i].Text)
	}
	o.done = slices.Clone(o.done)
	for i, e := range o.done {
		if e != nil {
			o.done[i] = r.exchange(e)
		}
	}
	return o
}

// exchange is what is told of one. It is for reports only.
func (r *redactor) exchange(e *exchange) *exchange {
	told := &exchange{
		operation: e.operation, method: e.method, url: r.text(e.url), header: http.Header{}, body: []byte(r.text(string(e.body))), size: e.size,
		status: e.status, answer: e.answer, received: []byte(r.text(string(e.received))), cut: e.cut, recorded: e.recorded, elapsed: e.elapsed,
	}
	for name, values := range e.header {
		for _, value := range values {
			told.header[name] = append(told.header[name], r.text(value))
		}
	}
	return told
}

// error is one without secrets in its text.
func (r *redactor) error(err error) error {
	if err == nil {
		return nil
	}
	return redactedError{err, r.text(err.Error())}
}

type redactedError struct {
	error
	text string
}

func (e redactedError) Error() string { return e.text }
func (e redactedError) Unwrap() error { return e.error }

// giving notes what commands and the like give as secrets.
func (r *redactor) giving(ctx context.Context, give func(context.Context) (any, error)) (any, error) {
	value, err := give(ctx)
	if err == nil {
		r.add(plainText(value))
	}
	return value, err
}
