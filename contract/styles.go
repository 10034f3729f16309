package contract

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// delimiters stand between the items of a list that is one text, by style (OpenAPI 3.1,
// section 4.8.12.3).
var delimiters = map[string]string{"form": ",", "simple": ",", "label": ",", "matrix": ",", "spaceDelimited": " ", "pipeDelimited": "|"}

// leads stand before a part of a path, and between the items that are apart in it (RFC
// 6570, sections 3.2.5 and 3.2.7).
var leads = map[string]string{"label": ".", "matrix": ";"}

// deepObject is the style in which the members of an object are parameters by themselves.
const deepObject = "deepObject"

// style is how a parameter is written, and whether each item is one of its own.
func style(object map[string]any, in string) (name string, explode bool) {
	name = map[string]string{"path": "simple", "header": "simple"}[in]
	if said, ok := object["style"].(string); ok {
		name = said
	}
	if name == "" {
		name = "form"
	}
	explode = name == "form" || name == deepObject
	if said, ok := object["explode"].(bool); ok {
		explode = said
	}
	return name, explode
}

// address gives the path and query of a request, and its header.
func (o *operation) address(parameters map[string]any) (string, http.Header) {
	path, query, header := o.path, url.Values{}, http.Header{}
	for _, p := range o.parameters {
		value, ok := parameters[p.key()]
		if !ok {
			continue
		}
		switch p.in {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.name+"}", p.segment(value))
		case "header":
			header.Set(p.name, p.text(value))
		case "cookie":
			addCookie(header, p.name, p.text(value))
		case "query":
			for _, pair := range p.pairs(value) {
				query.Add(pair[0], pair[1])
			}
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, header
}

// segment is a parameter as it stands in a path.
func (p parameter) segment(value any) string {
	lead, led := leads[p.style]
	if !led {
		return url.PathEscape(p.text(value))
	}
	name := ""
	if p.style == "matrix" {
		name = url.PathEscape(p.name) + "="
	}
	var parts []string
	switch value := value.(type) {
	case []any:
		for _, each := range value {
			parts = append(parts, url.PathEscape(plainText(each)))
		}
	case map[string]any:
		between := ","
		if p.explode {
			name, between = "", "="
		}
		for _, key := range sorted(value) {
			parts = append(parts, url.PathEscape(key)+between+url.PathEscape(plainText(value[key])))
		}
	default:
		parts = []string{url.PathEscape(plainText(value))}
	}
	if p.explode {
		return lead + name + strings.Join(parts, lead+name)
	}
	return lead + name + strings.Join(parts, ",")
}

// pairs are the names and texts of a parameter in a query.
func (p parameter) pairs(value any) (pairs [][2]string) {
	switch value := value.(type) {
	case []any:
		if p.explode {
			for _, each := range value {
				pairs = append(pairs, [2]string{p.name, plainText(each)})
			}
			return pairs
		}
	case map[string]any:
		if p.style != deepObject && (p.style != "form" || !p.explode) {
			break
		}
		for _, name := range sorted(value) {
			key := name
			if p.style == deepObject {
				key = p.name + "[" + name + "]"
			}
			for _, each := range several(value[name]) {
				pairs = append(pairs, [2]string{key, plainText(each)})
			}
		}
		return pairs
	}
	return [][2]string{{p.name, p.text(value)}}
}

// text is a parameter as one text.
func (p parameter) text(value any) string {
	delimiter, known := delimiters[p.style]
	var parts []string
	switch value := value.(type) {
	case []any:
		for _, each := range value {
			parts = append(parts, plainText(each))
		}
	case map[string]any:
		for _, name := range sorted(value) {
			if p.explode {
				parts = append(parts, name+"="+plainText(value[name]))
			} else {
				parts = append(parts, name, plainText(value[name]))
			}
		}
	default:
		known = false
	}
	if !known {
		return plainText(value)
	}
	return strings.Join(parts, delimiter)
}

// sendable says whether a value can be told apart in the place of a parameter.
func (p parameter) sendable(value any) bool {
	var texts []string
	switch value := value.(type) {
	case []any:
		for _, each := range value {
			texts = append(texts, plainText(each))
		}
	case map[string]any:
		for _, name := range sorted(value) {
			if _, nested := value[name].(map[string]any); nested || value[name] == nil {
				return false // no style says how (OpenAPI 3.1, section 4.8.12.3)
			}
			texts = append(texts, name, plainText(value[name]))
		}
	default:
		return fitsIn(p.in, plainText(value))
	}
	delimiter := delimiters[p.style]
	if lead, led := leads[p.style]; led && p.explode {
		delimiter = lead
	}
	delimited := func(text string) bool { return !p.apart() && strings.Contains(text, delimiter) }
	return len(texts) > 0 && !slices.ContainsFunc(texts, func(text string) bool { return delimited(text) || !fitsIn(p.in, text) })
}

// apart says that each item is a parameter of its own.
func (p parameter) apart() bool { return p.in == "query" && (p.explode || p.style == deepObject) }

// simple reads a header as what its schema says that it is, in the style of headers.
func (d *Document) simple(pointer string, explode bool, text string) any {
	s := d.shape(pointer)
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		parts = append(parts, strings.TrimSpace(part))
	}
	switch s.kind() {
	case "array":
		items, _ := s.rule("items")
		read := make([]any, 0, len(parts))
		for _, part := range parts {
			read = append(read, headerValue(d.shape(items.pointer), part))
		}
		return read
	case "object":
		return d.simpleObject(s, explode, parts)
	}
	return headerValue(s, text)
}

// simpleObject reads names and values in turn, or name=value each.
func (d *Document) simpleObject(s shape, explode bool, parts []string) any {
	read := map[string]any{}
	put := func(name, text string) {
		read[name] = text
		for _, m := range d.members(s) {
			if m.name == name {
				read[name] = headerValue(d.shape(m.pointer), text)
			}
		}
	}
	for i, part := range parts {
		if name, text, found := strings.Cut(part, "="); explode && found {
			put(name, text)
		} else if !explode && i%2 == 1 {
			put(parts[i-1], part)
		}
	}
	return read
}

// read is a parameter as a query has it, nil where it is not there.
func (p parameter) read(query url.Values) any {
	if p.kind == "object" && p.style == deepObject {
		object := map[string]any{}
		for key, values := range query {
			if name, found := strings.CutPrefix(key, p.name+"["); found && strings.HasSuffix(name, "]") {
				object[strings.TrimSuffix(name, "]")] = values[0]
			}
		}
		if len(object) > 0 {
			return object
		}
		return nil
	}
	values, given := query[p.name]
	switch {
	case !given:
		return nil
	case p.kind != "array":
		return values[0]
	}
	var list []any
	for _, value := range values {
		if p.explode {
			list = append(list, value)
			continue
		}
		for each := range strings.SplitSeq(value, delimiters[p.style]) {
			list = append(list, each)
		}
	}
	return list
}
