package inspect

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/accord-api/accord/contract/redact"
)

// secretName is how members, parameters and headers end that hold secrets, with or
// without capitals and hyphens.
var secretName = regexp.MustCompile(`(?i)(pass(word|phrase|wd)|token|secret|credentials?|authorization|cookie|key|signature)$`)

// maxSent is how much of a body is looked through for secrets.
const maxSent = 64 << 10

// shownQuery is a query without the values of what holds secrets.
func shownQuery(query url.Values) string {
	for name, values := range query {
		if secretName.MatchString(name) {
			for i := range values {
				values[i] = redact.Withheld
			}
		}
	}
	shown, err := url.QueryUnescape(query.Encode())
	if err != nil { // it was encoded a moment ago: cannot happen
		return ""
	}
	return shown
}

// secretsOf notes the secrets in a request's header and query.
func (r *Request) secretsOf(request *http.Request) {
	for name, values := range request.Header {
		if !secretName.MatchString(name) {
			continue
		}
		r.redactor.Add(values...)
		for _, value := range values {
			_, credentials, _ := strings.Cut(value, " ")
			r.redactor.Add(credentials)
		}
	}
	for _, cookie := range request.Cookies() {
		r.redactor.Add(cookie.Value)
	}
	r.secretValues(request.URL.Query())
}

func (r *Request) secretValues(values url.Values) {
	for name, all := range values {
		if secretName.MatchString(name) {
			r.redactor.Add(all...)
		}
	}
}

// secretsIn notes the secrets in a body: JSON, or a form.
func (r *Request) secretsIn(body []byte) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return
	}
	if body[0] != '{' && body[0] != '[' {
		if form, err := url.ParseQuery(string(body)); err == nil {
			r.secretValues(form)
		}
		return
	}
	var value any
	if json.Unmarshal(body, &value) == nil {
		r.secretMembers(value)
	}
}

func (r *Request) secretMembers(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if text, ok := member.(string); ok && secretName.MatchString(name) {
				r.redactor.Add(text)
			}
			r.secretMembers(member)
		}
	case []any:
		for _, item := range value {
			r.secretMembers(item)
		}
	}
}

// tail is what has passed of a body, up to a limit.
type tail struct {
	Body  []byte
	Cut   bool
	limit int
}

func (t *tail) pass(p []byte) {
	room := min(len(p), t.limit-len(t.Body))
	t.Body = append(t.Body, p[:room]...)
	t.Cut = t.Cut || room < len(p)
}

// Sent gives a request's body that is looked through for secrets as it is read. What
// comes as a form with files is left alone.
func (r *Request) Sent(request *http.Request) io.ReadCloser {
	if request.Body == nil || strings.HasPrefix(request.Header.Get("Content-Type"), "multipart/") {
		return request.Body
	}
	r.sent.limit = maxSent
	return &sentBody{request.Body, r}
}

type sentBody struct {
	io.ReadCloser
	request *Request
}

// Read lets what is read be looked through.
func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.request.mu.Lock()
	defer b.request.mu.Unlock()
	b.request.sent.pass(p[:n])
	return n, err
}

// maxReceived is how much of an answer's body is held against the contract.
const maxReceived = 1 << 20

// Tee is a ResponseWriter that keeps what is written, up to a mebibyte.
type Tee struct {
	http.ResponseWriter
	tail
}

// NewTee keeps what is written to w.
func NewTee(w http.ResponseWriter) *Tee {
	return &Tee{ResponseWriter: w, tail: tail{limit: maxReceived}}
}

// Write keeps p, too.
func (t *Tee) Write(p []byte) (int, error) {
	t.pass(p)
	return t.ResponseWriter.Write(p)
}

// FlushError says that more will come, so that what was kept may be cut off.
func (t *Tee) FlushError() error {
	t.Cut = true
	return http.NewResponseController(t.ResponseWriter).Flush()
}

// Flush is FlushError for who asks for an http.Flusher.
func (t *Tee) Flush() { _ = t.FlushError() }

// Unwrap is for http.ResponseController.
func (t *Tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Kept gives what was written, and whether there was more.
func (t *Tee) Kept() (body []byte, cut bool) { return slices.Clip(t.Body), t.Cut }
