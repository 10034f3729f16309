package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"gopkg.in/yaml.v3"
)

// generateClient makes the Go client: the types of the type generator, and a method
// for each operation on the Client that sdk/go has by hand.
func generateClient(c *contract) ([]byte, error) {
	config := configuration("accord", codegen.GenerateOptions{Models: true, Client: true})
	config.OutputOptions.UserTemplates = map[string]string{
		"client.tmpl":                "{{clientHead}}\n{{range .}}{{clientMethod .}}{{end}}",
		"client-with-responses.tmpl": "{{\"\"}}\n", // one that is empty would not replace the library's,
	}
	codegen.TemplateFunctions["clientHead"] = c.clientHead
	codegen.TemplateFunctions["clientMethod"] = c.clientMethod
	source, _, err := generateCode(c.clientDocument(), config)
	if err != nil {
		return nil, err
	}
	if err := c.faults.err(); err != nil {
		return nil, err
	}

	return []byte(source), nil
}

// clientDocument has what the methods of a client take and give: headers of requests
// are options of a call, and refusals are errors.
func (c *contract) clientDocument() *yaml.Node {
	root := c.codeDocument(c.root)
	for _, path := range entries(get(root, "paths")) {
		for _, method := range entries(path.value) {
			removeRefusals(get(method.value, "responses"))
			c.removeOptionalHeaders(get(method.value, "parameters"))
		}
		c.removeOptionalHeaders(get(path.value, "parameters"))
	}
	prune(root, "parameters")
	prune(root, "responses")
	prune(root, "headers")

	return root
}

func removeRefusals(responses *yaml.Node) {
	for _, e := range entries(responses) {
		if e.name == "default" || e.name >= "400" {
			remove(responses, e.name)
		}
	}
}

func (c *contract) removeOptionalHeaders(list *yaml.Node) {
	if list == nil {
		return
	}
	list.Content = slices.DeleteFunc(list.Content, func(n *yaml.Node) bool {
		resolved, _ := c.resolve(n)

		return text(get(resolved, "in")) == "header" && text(get(resolved, "required")) != "true"
	})
}

// clientHead are the version, the codes of problems, and the headers of requests.
func (c *contract) clientHead() string {
	e := &emitter{}
	e.line("// Version is the contract's.\nconst Version = %q\n", text(get(c.root, "info", "version")))
	e.line("// ProblemCode is a kind of problem, an entry of the contract's catalogue.\ntype ProblemCode string\n\n// The catalogue of problems.\nconst (")
	for _, p := range c.problems {
		e.line("// Code%s (%d): %s. %s\nCode%s ProblemCode = %q", typeName(p.Code), p.Status, p.Title, strings.Join(strings.Fields(p.Mend), " "), typeName(p.Code), p.Code)
	}
	e.line(")\n")
	seen := map[string]bool{}
	for _, op := range c.operations {
		for _, p := range op.params {
			if p.in != "header" || p.required || seen[p.name] {
				continue
			}
			seen[p.name] = true
			comment := strings.Join(strings.Fields(text(get(p.node, "description"))), " ")
			e.line("// With%s sends the header %s.\n//\n// %s\nfunc With%s(value string) CallOption { return Header(%q, value) }\n", typeName(p.name), p.name, comment, typeName(p.name), p.name)
		}
	}

	return e.String()
}

// clientMethod is the method, or two for a list, with which a client calls an operation.
func (c *contract) clientMethod(goOp codegen.OperationDefinition) string {
	op := c.operation(goOp.SpecOperationId)
	m := &clientMethod{contract: c, op: op, goOp: goOp}
	m.readArguments()
	m.readAnswer()
	e := &emitter{}
	m.emit(e)
	if page := c.pageOf(op); page != nil {
		m.emitPages(e, page)
	}

	return e.String()
}

type clientMethod struct {
	*contract

	op        *operation
	goOp      codegen.OperationDefinition
	arguments []string // with their types
	names     []string
	body      string // the statement that gives the call its body
	result    string // "" for none
	answer    string // the expression of the result
	events    bool
}

func (m *clientMethod) readArguments() {
	add := func(name, kind string) {
		m.arguments = append(m.arguments, name+" "+kind)
		m.names = append(m.names, name)
	}
	for _, p := range m.goOp.PathParams {
		add(p.GoVariableName(), p.TypeDef())
	}
	if len(m.op.bodies) > 0 {
		m.readBody(add)
	}
	if m.goOp.RequiresParamObject() {
		add("params", m.goOp.OperationId+"Params")
	}
}

// readBody takes JSON where a body may also be a form.
func (m *clientMethod) readBody(add func(name, kind string)) {
	b := m.op.bodies[max(0, slices.IndexFunc(m.op.bodies, body.json))]
	s := m.schemaOf(b.schema)
	optional := ""
	if !m.op.required {
		optional = "*"
	}
	switch {
	case b.json():
		add("body", optional+typeName(s.name))
		m.body = fmt.Sprintf("r.json(%q, body)", b.mediaType)
	case b.form():
		add("body", optional+typeName(s.name))
		m.body = "r.form(body)"
	case b.multipart():
		if len(s.members) != 1 {
			m.faults.add(m.op.key, "operation %s: the clients know a multipart form with one file and nothing else", m.op.id)

			return
		}
		add(s.members[0].name, "Upload")
		m.body = fmt.Sprintf("r.multipart(%q, %s)", s.members[0].name, s.members[0].name)

		return
	default:
		add("body", "io.Reader")
		m.body = fmt.Sprintf("r.raw(%q, body)", b.mediaType)
	}
	if !m.op.required {
		m.body = "if body != nil {\n" + m.body + "\n}"
	}
}

func (m *clientMethod) readAnswer() {
	m.answer = "done(ctx, c, r)"
	for _, e := range entries(get(m.op.node, "responses")) {
		if e.name >= "300" || e.name == "default" {
			continue
		}
		response, _ := m.resolve(e.value)
		content := entries(get(response, "content"))
		if len(content) == 0 {
			return
		}
		m.readContent(content)

		return
	}
}

func (m *clientMethod) readContent(content []entry) {
	first := content[0]
	switch first.name {
	case "application/json":
		kind := m.typeOf(first.name)
		m.result, m.answer = "*"+kind, "decode["+kind+"](ctx, c, r)"
	case "text/event-stream":
		events := entries(get(first.value, "x-events"))
		if len(events) != 1 {
			m.faults.add(first.key, "operation %s: x-events has to name the one event that the clients read, with its schema", m.op.id)

			return
		}
		name := typeName(m.schemaOf(events[0].value).name)
		m.events, m.result = true, "iter.Seq2[*"+name+", error]"
		m.answer = fmt.Sprintf("stream[%s](ctx, c, %q, func() *call {\nreturn newCall(%%s)\n})", name, events[0].name)
	default:
		m.result, m.answer = "*Download", fmt.Sprintf("download(ctx, c, r, %q)", first.name)
	}
}

// typeOf is the type generator's name of what an answer of a content type holds.
func (m *clientMethod) typeOf(mediaType string) string {
	for _, response := range m.goOp.Responses {
		for _, content := range response.Contents {
			if content.ContentType == mediaType {
				return content.Schema.TypeDecl()
			}
		}
	}

	return "any"
}

func (m *clientMethod) emit(e *emitter) {
	e.line("%s", m.comment())
	results := "error"
	switch {
	case m.events:
		results = m.result
	case m.result != "":
		results = "(" + m.result + ", error)"
	}
	arguments := slices.Concat([]string{"ctx context.Context"}, m.arguments, []string{"options ...CallOption"})
	e.line("func (c *Client) %s(%s) %s {", m.goOp.OperationId, strings.Join(arguments, ", "), results)
	call := fmt.Sprintf("%q, %s, %s, options", m.op.id, "http.Method"+methodName(m.op.method), m.path())
	if m.events {
		e.line("return %s\n}\n", fmt.Sprintf(m.answer, call))

		return
	}
	e.line("r := newCall(%s)", call)
	if m.op.public() {
		e.line("r.public = true")
	}
	if m.op.idempotent() {
		e.line("r.keyed = true")
	}
	for _, p := range m.goOp.QueryParams {
		e.line("set(r.query, %q, params.%s, %s)", p.ParamName, p.GoName(), strconv.FormatBool(p.Explode()))
	}
	for _, p := range m.goOp.HeaderParams { // the required ones
		e.line("r.header.Set(%q, text(params.%s))", p.ParamName, p.GoName())
	}
	if m.body != "" {
		e.line("%s", m.body)
	}
	e.line("\nreturn %s\n}\n", m.answer)
}

func (m *clientMethod) comment() string {
	lines := []string{m.goOp.OperationId + " is " + m.op.method + " " + m.op.path + ": " + text(get(m.op.node, "summary")) + "."}
	if description := strings.TrimSpace(text(get(m.op.node, "description"))); description != "" {
		lines = append(append(lines, ""), strings.Split(description, "\n")...)
	}
	if reason := text(get(m.op.node, "x-deprecated-reason")); reason != "" {
		lines = append(lines, "", "Deprecated: "+reason)
	}

	return "// " + strings.Join(lines, "\n// ")
}

func methodName(method string) string {
	return map[string]string{
		http.MethodGet: "Get", http.MethodPost: "Post", http.MethodPut: "Put", http.MethodPatch: "Patch", http.MethodDelete: "Delete",
		http.MethodHead: "Head", http.MethodOptions: "Options",
	}[method]
}

// path is the expression of the operation's path with its parameters.
func (m *clientMethod) path() string {
	path := strconv.Quote(m.op.path)
	for _, p := range m.goOp.PathParams {
		path = strings.Replace(path, "{"+p.ParamName+"}", `" + segment(`+p.GoVariableName()+`) + "`, 1)
	}

	return strings.TrimSuffix(path, ` + ""`)
}

// emitPages writes the method that reads a list to its end.
func (m *clientMethod) emitPages(e *emitter, page *schema) {
	at := slices.IndexFunc(page.members, func(x member) bool { return x.name == "items" })
	item := typeName(m.schemaOf(m.schemaOf(page.members[at].node).items).name)
	name := m.goOp.OperationId
	e.line("// %sAll reads the list to its end, from the Cursor of params on; it asks for a page when it is read that far.", name)
	e.line("func (c *Client) %sAll(%s) iter.Seq2[%s, error] {", name, strings.Join(slices.Concat([]string{"ctx context.Context"}, m.arguments, []string{"options ...CallOption"}), ", "), item)
	e.line("return pages(params.Cursor, func(cursor *Cursor) ([]%s, *NextCursor, error) {\nparams.Cursor = cursor", item)
	e.line("page, err := c.%s(%s)", name, strings.Join(slices.Concat([]string{"ctx"}, m.names, []string{"options..."}), ", "))
	e.line("if err != nil {\nreturn nil, nil, err\n}\nreturn page.Items, page.NextCursor, nil\n})\n}\n")
}
