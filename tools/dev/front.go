package main

import (
	"html/template"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// front stands before the servers that come and go. Requests wait until there is one.
type front struct {
	mu       sync.Mutex
	current  *httputil.ReverseProxy
	ready    chan struct{} // closed as soon as there is a server
	ills     string
	symptoms string
}

// well sends requests to a server from now on.
func (f *front) well(to *url.URL) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
	f.ills, f.symptoms = "", ""
	f.open()
}

// gone says that the server has ended by itself: nothing answers until the next one.
func (f *front) gone() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current = nil
}

// ill shows in the browser what is wrong, and to the API where there is no server.
func (f *front) ill(what, said string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ills, f.symptoms = what, said
	f.open()
}

func (f *front) open() {
	if f.ready == nil {
		f.ready = make(chan struct{})
	}
	select {
	case <-f.ready:
	default:
		close(f.ready)
	}
}

func (f *front) waiting() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ready == nil {
		f.ready = make(chan struct{})
	}
	return f.ready
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-f.waiting():
	case <-r.Context().Done():
		return
	}
	f.mu.Lock()
	current, what, said := f.current, f.ills, f.symptoms
	f.mu.Unlock()
	switch {
	case current != nil && (what == "" || !isPage(r)):
		current.ServeHTTP(w, r)
		return
	case !isPage(r):
		http.Error(w, what+"; the terminal has the whole of it", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusInternalServerError)
	_ = page.Execute(w, map[string]any{"What": what, "Said": said, "Answers": current != nil}) // who has gone sees nothing
}

// isPage tells a page from a call of the API.
func isPage(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// page asks again every second, so that it goes as soon as the fault does.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="1">
<title>{{.What}}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; background: #fff }
h1 { color: #a40000; font-size: 1.4rem }
pre { background: #f4f4f4; padding: 1rem; overflow-x: auto; white-space: pre-wrap }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616 } h1 { color: #ff8080 } pre { background: #242424 } }
</style>
<h1>{{.What}}</h1>
<pre>{{.Said}}</pre>
<p>{{if .Answers}}The last server that was built still answers the API. {{end}}This page goes as soon as it is mended.</p>
</html>
`))
