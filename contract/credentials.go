package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Credential is one that somebody got elsewhere: an API key, a token, or
// user:password for HTTP Basic.
type Credential struct {
	// Scheme is its name in the document's securitySchemes.
	Scheme string
	Value  string
}

// scheme is one of the document's securitySchemes.
type scheme struct {
	kind   string // apiKey, http, oauth2, openIdConnect or mutualTLS
	in     string // of an API key: header, query or cookie
	name   string // of an API key
	method string // of http: basic, bearer, ...
}

func (d *Document) schemeOf(name string) scheme {
	object, _ := d.resolve("/components/securitySchemes/" + escape(name))
	text := func(key string) string { value, _ := object[key].(string); return value }
	return scheme{text("type"), text("in"), text("name"), strings.ToLower(text("scheme"))}
}

// put sends a credential where its scheme wants it, and gives the path with it.
func (s scheme) put(header http.Header, path, value string) string {
	switch {
	case s.kind == "apiKey" && s.in == "query":
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		return path + separator + url.QueryEscape(s.name) + "=" + url.QueryEscape(value)
	case s.kind == "apiKey" && s.in == "cookie":
		addCookie(header, s.name, value)
	case s.kind == "apiKey":
		header.Set(s.name, value)
	case s.kind == "http" && s.method == "basic":
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(value)))
	case s.kind == "http" && s.method != "" && s.method != "bearer":
		header.Set("Authorization", s.method+" "+value)
	default:
		header.Set("Authorization", "Bearer "+value)
	}
	return path
}

// addCookie adds to the one Cookie header that a request may have (RFC 6265,
// section 5.4).
func addCookie(header http.Header, name, value string) {
	pair := name + "=" + value
	if others := header.Get("Cookie"); others != "" {
		pair = others + "; " + pair
	}
	header.Set("Cookie", pair)
}

// authorize puts what a request is asked with in its header, or in its path, which it
// gives.
func (d *Document) authorize(header http.Header, path string, as caller, who *identity) string {
	if as.Nobody || as.Token == "" && who == nil {
		return path
	}
	schemes := as.Schemes
	if len(schemes) == 0 && who != nil {
		schemes = sorted(who.credentials())
	}
	var held map[string]string
	if who != nil {
		held = who.credentials()
	}
	for _, name := range schemes {
		value := as.Token
		if value == "" {
			value = held[name]
		}
		path = d.schemeOf(name).put(header, path, value)
	}
	return path
}

// provided are the people whose credentials come from elsewhere: the first of each
// scheme are one's, the second ones another's. What they may do is not known.
func (s *session) provided() ([]*identity, error) {
	var people []*identity
	count := map[string]int{}
	for _, c := range s.target.Credentials {
		if s.schemeOf(c.Scheme).kind == "" {
			return nil, fmt.Errorf("the document has no security scheme %s", c.Scheme)
		}
		if count[c.Scheme] == len(people) {
			people = append(people, &identity{name: fmt.Sprintf("caller %d", len(people)+1), held: map[string]string{}, any: true})
		}
		people[count[c.Scheme]].held[c.Scheme] = c.Value
		count[c.Scheme]++
	}
	return people, nil
}

// lacking names a scheme that an operation asks for and nobody has a credential
// of; "" for none.
func (s *session) lacking(c caller) string {
	if c.Nobody || c.Token != "" {
		return ""
	}
	for _, name := range c.Schemes {
		if !s.has[name] {
			return name
		}
	}
	return ""
}

// unknown says that of nobody it is known what they may.
func (s *session) unknown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.identities) > 0 && !slices.ContainsFunc(s.identities, func(who *identity) bool { return !who.any })
}

// offered notes the schemes that the target has credentials of.
func (d *deriver) offered(target Target) {
	d.has = map[string]bool{}
	for _, c := range target.Credentials {
		d.has[c.Scheme] = true
	}
	schemes, _ := d.at("/components/securitySchemes").(map[string]any)
	for _, name := range sorted(schemes) {
		if s := d.schemeOf(name); len(target.Logins) > 0 && (name == d.passwordScheme() || s.kind == "http" && s.method == "basic") {
			d.has[name] = true
		}
	}
}

// alternative is the first one of security that somebody has all credentials of,
// or the first one.
func (d *deriver) alternative(o *operation) int {
	i := slices.IndexFunc(o.schemes, func(names []string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !d.has[name] })
	})
	return max(i, 0)
}
