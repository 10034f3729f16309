package contract

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/accord-api/accord/contract/redact"
)

// redactor knows the secrets of a run, and takes them out of what is told. A token
// that a case makes up is none.
type redactor struct{ redact.Redactor }

// newRedactor knows what a target gives.
func newRedactor(d *Document, target Target) *redactor {
	r := &redactor{}
	r.Add(target.Expired)
	if address, err := url.Parse(target.URL); err == nil && address.User != nil {
		password, _ := address.User.Password()
		_, escaped, _ := strings.Cut(address.User.String(), ":")
		r.Add(password, escaped)
	}
	for _, l := range target.Logins {
		r.Add(l.Password, base64.StdEncoding.EncodeToString([]byte(l.User+":"+l.Password)))
	}
	for _, c := range target.Credentials {
		r.Add(c.Value)
		if _, password, both := strings.Cut(c.Value, ":"); both && d.schemeOf(c.Scheme).method == "basic" {
			r.Add(password, base64.StdEncoding.EncodeToString([]byte(c.Value)))
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
	r.Add(credentials)
	for _, cookie := range (&http.Request{Header: recorded.Request}).Cookies() {
		r.Add(cookie.Value)
	}
	schemes, _ := d.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		if s := d.schemeOf(name); s.kind == "apiKey" && s.in == "header" {
			r.Add(recorded.Request.Get(s.name))
		}
	}
	if form, err := url.ParseQuery(string(recorded.Sent)); err == nil {
		r.Add(form["password"]...)
	}
	r.AddTokens(recorded.Body)
}

// result has no secrets in what is told of a run.
func (r *redactor) result(result *Result) {
	result.URL = r.Text(result.URL)
	for i, o := range result.Outcomes {
		result.Outcomes[i] = r.outcome(o)
	}
	for i := range result.Strays {
		result.Strays[i] = r.Text(result.Strays[i])
	}
}

// outcome is what is told of one; of a case that passed, nothing is.
func (r *redactor) outcome(o Outcome) Outcome {
	if len(o.Failures) == 0 && o.Skipped == "" {
		return o
	}
	o.Skipped = r.Text(o.Skipped)
	o.Failures = slices.Clone(o.Failures)
	for i := range o.Failures {
		o.Failures[i].Text = r.Text(o.Failures[i].Text)
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
		operation: e.operation, method: e.method, url: r.Text(e.url), header: http.Header{}, body: slices.Clone(e.body), size: e.size,
		status: e.status, answer: e.answer, received: []byte(r.Text(string(e.received))), cut: e.cut, recorded: e.recorded, elapsed: e.elapsed,
	}
	for i := range told.body {
		told.body[i].text = r.Text(told.body[i].text)
	}
	for name, values := range e.header {
		for _, value := range values {
			told.header[name] = append(told.header[name], r.Text(value))
		}
	}
	return told
}

// error is one without secrets in its text.
func (r *redactor) error(err error) error {
	if err == nil {
		return nil
	}
	return redactedError{err, r.Text(err.Error())}
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
		r.Add(plainText(value))
	}
	return value, err
}
