package servertest

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/accord-api/accord/gen/api"
)

// contract is the published document, for the checking of answers.
type contract struct {
	paths    map[string]map[string]any
	document map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex // the compiler is not safe for concurrent use
	schemas map[string]*jsonschema.Schema
}

const documentURL = "mem:///openapi.json"

var published = sync.OnceValue(func() *contract {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(api.OpenAPI))
	if err != nil {
		panic(err)
	}
	c := &contract{
		document: document.(map[string]any), paths: map[string]map[string]any{},
		compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{},
	}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(documentURL, document); err != nil {
		panic(err)
	}
	for path, item := range c.document["paths"].(map[string]any) {
		c.paths[path] = item.(map[string]any)
	}
	return c
})

// breaches says in which ways an answer is not what the contract declares.
// Paths that are no operations are not its business.
func breaches(a *Answer) []string {
	c := published()
	method := strings.ToLower(a.Request.Method)
	if method == "head" {
		method = "get"
	}
	path, operation := c.operation(method, a.Request.URL.Path)
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
	response, pointer := c.resolve(responses[status], fmt.Sprintf("/paths/%s/%s/responses/%s", escape(path), method, status))
	return append(c.missingHeaders(response, a), c.wrongBody(response, pointer, a)...)
}

// unexpected says whether an answer is one of those that any operation may give
// and none declares: what `default` is for.
func unexpected(a *Answer) bool {
	return a.Status == http.StatusInternalServerError || a.Status == http.StatusMethodNotAllowed ||
		a.Status == http.StatusRequestTimeout || a.Status == http.StatusMisdirectedRequest ||
		bytes.Contains(a.Body, []byte("/problems/insecure-transport"))
}

// operation finds what a path leads to; literal segments win over parameters.
func (c *contract) operation(method, requested string) (path string, operation map[string]any) {
	segments := strings.Split(strings.TrimRight(requested, "/"), "/")
	var found []string
	for template := range c.paths {
		if matches(strings.Split(template, "/"), segments) {
			found = append(found, template)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	operation, _ = c.paths[found[0]][method].(map[string]any)
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
func (c *contract) resolve(node any, pointer string) (map[string]any, string) {
	object := node.(map[string]any)
	ref, ok := object["$ref"].(string)
	if !ok {
		return object, pointer
	}
	pointer = strings.TrimPrefix(ref, "#")
	var target any = c.document
	for _, step := range strings.Split(pointer, "/")[1:] {
		target = target.(map[string]any)[unescape(step)]
	}
	return target.(map[string]any), pointer
}

func (c *contract) missingHeaders(response map[string]any, a *Answer) []string {
	var missing []string
	headers, _ := response["headers"].(map[string]any)
	for name, node := range headers {
		header, _ := c.resolve(node, "")
		if header["required"] == true && a.Header.Get(name) == "" {
			missing = append(missing, "the header "+name+" is missing")
		}
	}
	return missing
}

func (c *contract) wrongBody(response map[string]any, pointer string, a *Answer) []string {
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
	if a.Request.Method == http.MethodHead {
		return nil
	}
	schema, err := c.compile(pointer + "/content/" + escape(declared) + "/schema")
	if err != nil {
		return []string{err.Error()}
	}
	if declared != "application/json" && !strings.HasSuffix(declared, "+json") { // a text
		if err := schema.Validate(string(a.Body)); err != nil {
			return []string{err.Error()}
		}
		return nil
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
	if err := schema.Validate(value); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// wrongEvent says in which ways an event is not what the contract declares. An
// event has the name of the schema of its data, but for the capital.
func wrongEvent(e Event) []string {
	if e.Name == "" {
		return []string{"it has no name"}
	}
	c := published()
	schema, err := c.compile("/components/schemas/" + strings.ToUpper(e.Name[:1]) + e.Name[1:])
	if err != nil {
		return []string{err.Error()}
	}
	return wrongJSON(schema, e.Data)
}

func (c *contract) compile(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if schema := c.schemas[pointer]; schema != nil {
		return schema, nil
	}
	schema, err := c.compiler.Compile(documentURL + "#" + pointer)
	if err == nil {
		c.schemas[pointer] = schema
	}
	return schema, err
}

func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(s)
}

func unescape(s string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(s) }
