package mail

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strings"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.New("pages").
	Funcs(template.FuncMap{"segments": segments}).
	ParseFS(pageFiles, "page/*.html"))

// outboxCSP allows the page's own stylesheet and nothing else.
const outboxCSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler shows the outbox at mount, such as /dev/mail, and below it:
//
//	/dev/mail               the list, newest first; ?to=address narrows it
//	/dev/mail/messages.json the list as JSON: {"items": [...]}
//	/dev/mail/{id}          a message; {id}.json as JSON, {id}.eml as it was sent
//
// A client that accepts application/json and not HTML gets JSON at the plain
// addresses too. What is none of these is left to notFound. The handler expects
// the whole path in the request, and knows nothing of who may call it: it is for
// development only.
func (o *Outbox) Handler(mount string, notFound func(http.ResponseWriter)) http.Handler {
	return &outboxPage{outbox: o, mount: strings.TrimSuffix(mount, "/"), notFound: notFound}
}

type outboxPage struct {
	outbox   *Outbox
	mount    string
	notFound func(http.ResponseWriter)
}

func (p *outboxPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", outboxCSP)
	header.Set("X-Content-Type-Options", "nosniff")
	// The links in a message carry tokens.
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	p.route(w, r)
}

func (p *outboxPage) route(w http.ResponseWriter, r *http.Request) {
	path, under := strings.CutPrefix(r.URL.Path, p.mount)
	path = strings.Trim(path, "/")
	id, extension, _ := strings.Cut(path, ".")
	switch {
	case !under:
		p.notFound(w)
	case path == "style.css":
		p.style(w)
	case path == "messages.json", path == "" && wantsJSON(r):
		p.listJSON(w, r)
	case path == "":
		p.list(w, r)
	case extension == "eml":
		p.source(w, id)
	case extension == "json", extension == "" && wantsJSON(r):
		p.messageJSON(w, id)
	case extension == "":
		p.message(w, id)
	default:
		p.notFound(w)
	}
}

func (p *outboxPage) list(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	deliveries, err := p.outbox.List(to)
	if err != nil {
		p.fail(w, err)
		return
	}
	p.page(w, "list.html", map[string]any{"Mount": p.mount, "To": to, "Deliveries": deliveries})
}

func (p *outboxPage) listJSON(w http.ResponseWriter, r *http.Request) {
	deliveries, err := p.outbox.List(r.URL.Query().Get("to"))
	if err != nil {
		p.fail(w, err)
		return
	}
	p.json(w, map[string]any{"items": deliveries})
}

func (p *outboxPage) message(w http.ResponseWriter, id string) {
	delivery, err := p.outbox.Get(id)
	if err != nil {
		p.fail(w, err)
		return
	}
	p.page(w, "message.html", map[string]any{"Mount": p.mount, "Delivery": delivery})
}

func (p *outboxPage) messageJSON(w http.ResponseWriter, id string) {
	delivery, err := p.outbox.Get(id)
	if err != nil {
		p.fail(w, err)
		return
	}
	p.json(w, delivery)
}

func (p *outboxPage) source(w http.ResponseWriter, id string) {
	raw, err := p.outbox.raw(id)
	if err != nil {
		p.fail(w, err)
		return
	}
	// As text, so that a browser shows it.
	p.send(w, "text/plain; charset=utf-8", raw)
}

func (p *outboxPage) style(w http.ResponseWriter) {
	css, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		p.fail(w, err)
		return
	}
	p.send(w, "text/css; charset=utf-8", css)
}

func (p *outboxPage) page(w http.ResponseWriter, name string, data any) {
	var html bytes.Buffer
	if err := pages.ExecuteTemplate(&html, name, data); err != nil {
		p.fail(w, err)
		return
	}
	p.send(w, "text/html; charset=utf-8", html.Bytes())
}

func (p *outboxPage) json(w http.ResponseWriter, value any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	// So that a link in a message can be copied from a terminal.
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		p.fail(w, err)
		return
	}
	p.send(w, "application/json", text.Bytes())
}

func (p *outboxPage) send(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body)
}

// fail shows the error as it is: whoever reads it runs the server.
func (p *outboxPage) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrNotFound) {
		p.notFound(w)
		return
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// segment is a piece of a message's text, and a link if URL is set.
type segment struct {
	Text string
	URL  string
}

// webLink ends before the punctuation that ends a sentence or closes a bracket.
var webLink = regexp.MustCompile(`https?://[^\s<>"']*[^\s<>"'.,;:!?)\]}]`)

// segments cuts a text at its web links. They are escaped by the template.
func segments(text string) []segment {
	var cut []segment
	last := 0
	for _, at := range webLink.FindAllStringIndex(text, -1) {
		cut = append(cut, segment{Text: text[last:at[0]]}, segment{Text: text[at[0]:at[1]], URL: text[at[0]:at[1]]})
		last = at[1]
	}
	return append(cut, segment{Text: text[last:]})
}
