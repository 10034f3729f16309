package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/accord-api/accord/contract/format"
)

// documentURL is the name that the document has among schemas.
const documentURL = "mem:///document"

// schemas compiles those of one document, each once. It is safe for concurrent use.
type schemas struct {
	document *Document
	compiler *jsonschema.Compiler

	mu       sync.Mutex // the compiler is not safe for concurrent use
	compiled map[string]*jsonschema.Schema
}

func newSchemas(d *Document) (*schemas, error) {
	s := &schemas{document: d, compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	s.compiler.AssertFormat()
	for _, f := range format.Asserted {
		s.compiler.RegisterFormat(f)
	}
	if err := s.compiler.AddResource(documentURL, d.root); err != nil {
		return nil, fmt.Errorf("reading the schemas of %s: %w", d.Name, err)
	}
	return s, nil
}

func (s *schemas) compile(pointer string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema := s.compiled[pointer]; schema != nil {
		return schema, nil
	}
	address, err := s.address(pointer)
	if err != nil {
		return nil, fmt.Errorf("joining %q: %w", parted(pointer), err)
	}
	schema, err := s.compiler.Compile(address)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", s.document.Name, s.document.line(pointer), err)
	}
	s.compiled[pointer] = schema
	return schema, nil
}

// fragment writes a pointer as the fragment of a URL (RFC 6901, section 6).
func fragment(pointer string) string { return (&url.URL{Fragment: pointer}).EscapedFragment() }

// unfragment reads one.
func unfragment(text string) string {
	if pointer, err := url.PathUnescape(text); err == nil {
		return pointer
	}
	return text
}

// target is the JSON pointer that a $ref has as its fragment (RFC 6901, section 6); false
// for one that leads out of the document or to an anchor.
func target(ref string) (pointer string, ok bool) {
	pointer, ok = strings.CutPrefix(ref, "#")
	pointer = unfragment(pointer)
	return pointer, ok && (pointer == "" || strings.HasPrefix(pointer, "/"))
}

// breach is one sentence of a schema that a value does not keep.
type breach struct {
	// pointer is the keyword's in the document, at the value's place.
	pointer, at string
	text        string
}

// breaches lists what a value breaks of a schema, each sentence once.
func (s *schemas) breaches(pointer string, value any) ([]breach, error) {
	value, err := plain(value)
	if err != nil {
		return nil, err
	}
	return s.decodedBreaches(pointer, value)
}

// decodedBreaches is breaches for a value as a JSON decoder gives it.
func (s *schemas) decodedBreaches(pointer string, value any) ([]breach, error) {
	schema, err := s.compile(pointer)
	if err != nil {
		return nil, err
	}
	err = schema.Validate(value)
	if err == nil {
		return nil, nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, fmt.Errorf("validating against %s: %w", pointer, err)
	}
	var found []breach
	collect(invalid, &found)
	return found, nil
}

// broken is decodedBreaches in which a schema that cannot be read is a breach as well.
func (s *schemas) broken(pointer string, value any) []breach {
	found, err := s.decodedBreaches(pointer, value)
	if err != nil {
		return []breach{{pointer: pointer, text: err.Error()}}
	}
	return found
}

func collect(e *jsonschema.ValidationError, found *[]breach) {
	if only := unlessNull(e); only != nil {
		e = only
	}
	if len(e.Causes) > 0 && !branches(e) {
		for _, cause := range e.Causes {
			collect(cause, found)
		}
		return
	}
	_, at, _ := strings.Cut(e.SchemaURL, "#")
	b := breach{pointer: unfragment(at), text: strings.TrimSpace(e.ErrorKind.LocalizedString(english))}
	for _, step := range e.ErrorKind.KeywordPath() {
		b.pointer += "/" + escape(step)
	}
	for _, step := range e.InstanceLocation {
		b.at += "/" + escape(step)
	}
	if !slices.Contains(*found, b) {
		*found = append(*found, b)
	}
}

// branches says whether an error is one of anyOf or oneOf: that none of the
// branches fits is one breach, not all that is wrong in each of them. So it is with
// what a list has to contain.
func branches(e *jsonschema.ValidationError) bool {
	path := e.ErrorKind.KeywordPath()
	return len(path) == 1 && slices.Contains([]string{"anyOf", "oneOf", "contains", "minContains"}, path[0])
}

// unlessNull gives what is wrong with a value by the one alternative that there is beside
// null, nil where there are more.
func unlessNull(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	if !branches(e) || len(e.Causes) != 2 {
		return nil
	}
	for i, cause := range e.Causes {
		if wrong, ok := cause.ErrorKind.(*kind.Type); ok && len(wrong.Want) == 1 && wrong.Want[0] == "null" && len(cause.InstanceLocation) == len(e.InstanceLocation) {
			return e.Causes[1-i]
		}
	}
	return nil
}

// plain is a value as a JSON decoder gives it.
func plain(value any) (any, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
}

// rule is one keyword of a schema.
type rule struct {
	keyword string
	value   any
	pointer string
}

// shape is all that a schema asks for of one value, with what it refers to and
// what it joins by allOf.
type shape struct {
	pointer string
	rules   []rule
}

// shape reads the schema at a pointer.
func (d *Document) shape(pointer string) shape {
	s := shape{pointer: pointer}
	for _, part := range parted(pointer) {
		d.gather(part, &s, 0)
	}
	return s
}

func (d *Document) gather(pointer string, s *shape, depth int) {
	object, ok := d.at(pointer).(map[string]any)
	if !ok || depth > maxNesting {
		return
	}
	for _, keyword := range d.inOrder(pointer, object) {
		at := pointer + "/" + escape(keyword)
		switch value := object[keyword].(type) {
		case string:
			if keyword == "$ref" {
				at, _ := target(value)
				d.gather(at, s, depth+1)
				continue
			}
		case []any:
			if keyword == "allOf" {
				for i := range value {
					d.gather(fmt.Sprintf("%s/%d", at, i), s, depth+1)
				}
				continue
			}
		}
		s.rules = append(s.rules, rule{keyword, object[keyword], at})
	}
}

// all gives the rules with a keyword.
func (s shape) all(keyword string) []rule {
	var found []rule
	for _, r := range s.rules {
		if r.keyword == keyword {
			found = append(found, r)
		}
	}
	return found
}

// rule gives the first rule with a keyword.
func (s shape) rule(keyword string) (rule, bool) {
	i := slices.IndexFunc(s.rules, func(r rule) bool { return r.keyword == keyword })
	if i < 0 {
		return rule{}, false
	}
	return s.rules[i], true
}

func (s shape) format() string {
	r, _ := s.rule("format")
	text, _ := r.value.(string)
	return text
}

// types lists the JSON types that are allowed, those of const and enum where no
// type is said; none means any.
func (s shape) types() []string {
	r, ok := s.rule("type")
	if !ok {
		if s.object() {
			return []string{"object"}
		}
		return nil
	}
	switch value := r.value.(type) {
	case string:
		return []string{value}
	case []any:
		var types []string
		for _, kind := range value {
			if text, ok := kind.(string); ok {
				types = append(types, text)
			}
		}
		return types
	}
	return nil
}

// kind is the type that values are made of.
func (s shape) kind() string {
	for _, kind := range s.types() {
		if kind != "null" {
			return kind
		}
	}
	return ""
}

func (s shape) takes(kind string) bool {
	types := s.types()
	return len(types) == 0 || slices.Contains(types, kind) || (kind == "integer" && slices.Contains(types, "number"))
}

func (s shape) object() bool {
	_, ok := s.rule("properties")
	return ok
}

// member is one property of an object.
type member struct {
	name     string
	pointer  string
	required *rule // where it is said
}

// members lists the declared properties, in the document's order.
func (d *Document) members(s shape) []member {
	var list []member
	for _, properties := range s.all("properties") {
		object, _ := properties.value.(map[string]any)
		for _, name := range d.inOrder(properties.pointer, object) {
			at := properties.pointer + "/" + escape(name)
			if i := slices.IndexFunc(list, func(m member) bool { return m.name == name }); i < 0 {
				list = append(list, member{name: name, pointer: at})
			} else {
				list[i].pointer = joined(list[i].pointer, at)
			}
		}
	}
	for _, required := range s.all("required") {
		names, _ := required.value.([]any)
		for i, name := range names {
			for j := range list {
				if list[j].name == name {
					list[j].required = &rule{"required", name, fmt.Sprintf("%s/%d", required.pointer, i)}
				}
			}
		}
	}
	return list
}

// anything says that a text may be any one of its lengths.
func (s shape) anything() bool {
	return !slices.ContainsFunc(s.rules, func(r rule) bool {
		return slices.Contains([]string{"pattern", "format", "enum", "const", "contentMediaType", "contentEncoding"}, r.keyword)
	})
}

// closed gives the rule that refuses members that are not declared.
func (s shape) closed() (rule, bool) {
	for _, keyword := range []string{"additionalProperties", "unevaluatedProperties"} {
		if r, ok := s.rule(keyword); ok && r.value == false {
			return r, true
		}
	}
	return rule{}, false
}

var english = message.NewPrinter(language.English)
