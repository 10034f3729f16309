// Package conform holds one answer of a server against an OpenAPI 3.1 document: its
// status, headers and body. It knows nothing of how the answer came about.
package conform

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/accord-api/accord/contract/format"
)

// Answer is what came of a request.
type Answer struct {
	Method string
	Path   string // as it was asked for, with no query
	Status int
	Header http.Header
	Body   []byte
	Cut    bool // Body is not the whole of it
}

// Document is an OpenAPI document, for the checking of answers. It is safe for
// concurrent use.
type Document struct {
	paths    map[string]map[string]any
	document map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex // the compiler is not safe for concurrent use
	schemas map[string]*jsonschema.Schema
}

const documentURL = "mem:///openapi.json"

// Parse reads a document in JSON. It fails when that is none.
func Parse(source []byte) (*Document, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	d := &Document{paths: map[string]map[string]any{}, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	var whole bool
	if d.document, whole = document.(map[string]any); !whole {
		return nil, errors.New("reading the document: it is no object")
	}
	paths, whole := d.document["paths"].(map[string]any)
	if !whole {
		return nil, errors.New("reading the document: it has no paths")
	}
	for path, item := range paths {
		if d.paths[path], whole = item.(map[string]any); !whole {
			return nil, fmt.Errorf("reading the document: %s is no object", path)
		}
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	for _, f := range format.Asserted {
		d.compiler.RegisterFormat(f)
	}
	if err := d.compiler.AddResource(documentURL, document); err != nil {
		return nil, fmt.Errorf("reading the schemas of the document: %w", err)
	}
	return d, nil
}

// Breaches says in which ways an answer is not what the contract declares.
// Paths that are no operations are not its business.
func (d *Document) Breaches(a Answer) []string {
	method := strings.ToLower(a.Method)
	if method == "head" {
		method = "get"
	}
	path, operation := d.operation(method, a.Path)
	if operation == nil {
		return nil
	}
	responses := operation["responses"].(map[string]any)
	status := strconv.Itoa(a.Status)
	if responses[status] == nil {
		if !unexpected(a) {
			return []string{"the status is not declared"}
		}
		status = "default"
	}
	response, pointer := d.resolve(responses[status], fmt.Sprintf("/paths/%s/%s/responses/%s", escape(path), method, status))
	return append(d.wrongHeaders(response, pointer, a), d.wrongBody(response, pointer, a)...)
}

// unexpected says whether an answer is one of those that any operation may give
// and none declares: what `default` is for.
func unexpected(a Answer) bool {
	return a.Status == http.StatusInternalServerError || a.Status == http.StatusRequestTimeout || a.Status == http.StatusMisdirectedRequest ||
		bytes.Contains(a.Body, []byte("/problems/insecure-transport"))
}

// operation finds what a path leads to; literal segments win over parameters.
func (d *Document) operation(method, requested string) (path string, operation map[string]any) {
	segments := strings.Split(strings.TrimRight(requested, "/"), "/")
	var found []string
	for template := range d.paths {
		if matches(strings.Split(template, "/"), segments) {
			found = append(found, template)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	operation, _ = d.paths[found[0]][method].(map[string]any)
	return found[0], operation
}

func matches(template, segments []string) bool {
	if len(template) != len(segments) {
		return false
	}
	for i, part := range template {
		if !strings.HasPrefix(part, "{") && part != segments[i] {
			return false
		}
	}
	return true
}

// resolve follows a $ref and gives where it leads.
func (d *Document) resolve(node any, pointer string) (map[string]any, string) {
	object := node.(map[string]any)
	ref, ok := object["$ref"].(string)
	if !ok {
		return object, pointer
	}
	pointer = strings.TrimPrefix(ref, "#")
	var target any = d.document
	for _, step := range strings.Split(pointer, "/")[1:] {
		target = target.(map[string]any)[unescape(step)]
	}
	return target.(map[string]any), pointer
}

func (d *Document) wrongHeaders(response map[string]any, pointer string, a Answer) []string {
	var wrong []string
	headers, _ := response["headers"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		header, at := d.resolve(headers[name], pointer+"/headers/"+escape(name))
		value := a.Header.Get(name)
		switch {
		case value == "" && header["required"] == true:
			wrong = append(wrong, "the header "+name+" is missing")
		case value != "" && header["schema"] != nil:
			for _, breach := range d.wrongText(at+"/schema", value) {
				wrong = append(wrong, "the header "+name+": "+breach)
			}
		}
	}
	return wrong
}

// wrongText holds a text against the schema at a pointer.
func (d *Document) wrongText(pointer, text string) []string {
	schema, err := d.compile(pointer)
	if err != nil {
		return []string{err.Error()}
	}
	return wrongValue(schema, headerValue(text, schema))
}

// headerValue reads a header as what its schema says that it is.
func headerValue(text string, schema *jsonschema.Schema) any {
	for schema.Ref != nil {
		schema = schema.Ref
	}
	if schema.Types == nil || slices.Contains(schema.Types.ToStrings(), "string") {
		return text
	}
	if value, err := jsonschema.UnmarshalJSON(strings.NewReader(text)); err == nil {
		return value
	}
	return text
}

func (d *Document) wrongBody(response map[string]any, pointer string, a Answer) []string {
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		if len(a.Body) > 0 {
			return []string{"a body is there, and none is declared"}
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	declared := mediaRange(content, mediaType)
	if err != nil || declared == "" {
		return []string{"the content type is not declared: " + a.Header.Get("Content-Type")}
	}
	if a.Method == http.MethodHead || a.Cut {
		return nil
	}
	at := pointer + "/content/" + escape(declared) + "/schema"
	if declared != "application/json" && !strings.HasSuffix(declared, "+json") {
		return d.wrongText(at, string(a.Body))
	}
	schema, err := d.compile(at)
	if err != nil {
		return []string{err.Error()}
	}
	return wrongJSON(schema, a.Body)
}

// mediaRange is the most specific of the declared types and ranges that a media
// type falls in; "" where it falls in none.
func mediaRange(content map[string]any, mediaType string) string {
	kind, _, _ := strings.Cut(mediaType, "/")
	for _, declared := range []string{mediaType, kind + "/*", "*/*"} {
		if content[declared] != nil {
			return declared
		}
	}
	return ""
}

func wrongJSON(schema *jsonschema.Schema, data []byte) []string {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return []string{err.Error()}
	}
	return wrongValue(schema, value)
}

// wrongValue lists the sentences of a schema that a value breaks, each with the
// place of the value and that of the sentence.
func wrongValue(schema *jsonschema.Schema, value any) []string {
	err := schema.Validate(value)
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return []string{err.Error()}
	}
	var wrong []string
	collect(invalid, &wrong)
	return wrong
}

func collect(e *jsonschema.ValidationError, wrong *[]string) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			collect(cause, wrong)
		}
		return
	}
	_, at, _ := strings.Cut(e.SchemaURL, "#")
	sentence := strings.Join(append([]string{at}, e.ErrorKind.KeywordPath()...), "/")
	*wrong = append(*wrong, fmt.Sprintf("at %q: %s (#%s)", "/"+strings.Join(e.InstanceLocation, "/"), e.ErrorKind.LocalizedString(english), sentence))
}

var english = message.NewPrinter(language.English)

// EventBreaches says in which ways a server-sent event is not what the document
// declares. An event has the name of the schema of its data, but for the capital.
func (d *Document) EventBreaches(name string, data []byte) []string {
	if name == "" {
		return []string{"it has no name"}
	}
	schema, err := d.compile("/components/schemas/" + strings.ToUpper(name[:1]) + name[1:])
	if err != nil {
		return []string{err.Error()}
	}
	return wrongJSON(schema, data)
}

func (d *Document) compile(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if schema := d.schemas[pointer]; schema != nil {
		return schema, nil
	}
	schema, err := d.compiler.Compile(documentURL + "#" + pointer)
	if err == nil {
		d.schemas[pointer] = schema
	}
	return schema, err
}

func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(s)
}

func unescape(s string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(s) }
