package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is an OpenAPI document, 3.0 or 3.1, as the tree of values that it is.
// Schemas of 3.0 are read as those of JSON Schema 2020-12 that mean the same.
type Document struct {
	// Name is where it was read from, for reports.
	Name string

	root  map[string]any
	lines map[string]int // by JSON pointer

	discriminates bool // it has a discriminator somewhere

	nullables []string // schemas of 3.0 that are read as an anyOf with null
}

// Parse reads a document in YAML or JSON. References have to stay within it.
func Parse(name string, source []byte) (*Document, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	if len(file.Content) != 1 {
		return nil, fmt.Errorf("parsing %s: it is empty", name)
	}
	d := &Document{Name: name, lines: map[string]int{}}
	value, err := d.read(file.Content[0], "", 0)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("parsing %s: not a mapping", name)
	}
	d.root, d.discriminates = root, mentions(root, "discriminator")
	version, _ := root["openapi"].(string)
	switch {
	case strings.HasPrefix(version, "3.0"):
		d.modernise(root, "")
	case !strings.HasPrefix(version, "3.1"):
		return nil, fmt.Errorf("parsing %s: openapi is %q, want 3.0 or 3.1", name, version)
	}
	return d, d.checkReferences(root, "")
}

// maxNesting is far more than a document needs; an alias within itself has no end.
const maxNesting = 200

func (d *Document) read(n *yaml.Node, pointer string, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("line %d: nested deeper than %d levels", n.Line, maxNesting)
	}
	d.lines[pointer] = n.Line
	switch n.Kind {
	case yaml.AliasNode:
		return d.read(n.Alias, pointer, depth+1)
	case yaml.MappingNode:
		return d.readMapping(n, pointer, depth)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			value, err := d.read(item, pointer+"/"+strconv.Itoa(i), depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	}
	return scalar(n)
}

func (d *Document) readMapping(n *yaml.Node, pointer string, depth int) (any, error) {
	object := make(map[string]any, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, twice := object[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %q stands here twice", key.Line, key.Value)
		}
		below := pointer + "/" + escape(key.Value)
		value, err := d.read(n.Content[i+1], below, depth+1)
		if err != nil {
			return nil, err
		}
		object[key.Value], d.lines[below] = value, key.Line
	}
	return object, nil
}

// scalar keeps numbers as they are written, since a limit may be larger than a
// float64 can tell.
func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		var number float64
		err := n.Decode(&number)
		return json.Number(strconv.FormatFloat(number, 'g', -1, 64)), err
	case "!!timestamp": // an unquoted date is meant as text
		return n.Value, nil
	}
	var value any
	err := n.Decode(&value)
	return value, err
}

// naming are the keys of objects whose keys are names, of members, statuses or schemas,
// and no keywords, whatever they are called.
var naming = []string{"properties", "patternProperties", "dependentSchemas", "schemas", "responses", "parameters", "requestBodies", "headers", "callbacks", "paths", "content"}

// data are keywords whose values are no part of the document, whatever is in them.
var data = []string{"example", "default", "const", "enum"}

func (d *Document) checkReferences(node any, pointer string) error {
	var faults []error
	switch node := node.(type) {
	case []any:
		for i, item := range node {
			faults = append(faults, d.checkReferences(item, pointer+"/"+strconv.Itoa(i)))
		}
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok {
			if at, found := target(ref); !found || d.at(at) == nil {
				return fmt.Errorf("%s:%d: $ref leads nowhere in the document: %s", d.Name, d.line(pointer), ref)
			}
		}
		for _, key := range sorted(node) {
			if named := slices.Contains(naming, pointer[strings.LastIndexByte(pointer, '/')+1:]); named || !slices.Contains(data, key) {
				faults = append(faults, d.checkReferences(node[key], pointer+"/"+escape(key)))
			}
		}
	}
	return errors.Join(faults...)
}

// at gives what a JSON pointer leads to, nil for nothing.
func (d *Document) at(pointer string) any { return valueAt(d.root, pointer) }

// valueAt gives what a JSON pointer leads to in a tree, nil for nothing.
func valueAt(node any, pointer string) any {
	for _, step := range strings.Split(pointer, "/")[1:] {
		step = unescape(step)
		switch parent := node.(type) {
		case map[string]any:
			node = parent[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(parent) {
				return nil
			}
			node = parent[i]
		default:
			return nil
		}
	}
	return node
}

// resolve gives the object that a pointer leads to in the end, and where that is.
func (d *Document) resolve(pointer string) (map[string]any, string) {
	for range maxNesting {
		object, _ := d.at(pointer).(map[string]any)
		ref, ok := object["$ref"].(string)
		if !ok {
			return object, pointer
		}
		pointer, _ = target(ref)
	}
	return nil, pointer
}

// line is where a pointer's value stands, or what it is a part of.
func (d *Document) line(pointer string) int {
	for {
		if line := d.lines[pointer]; line > 0 {
			return line
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return 1
		}
		pointer = pointer[:i]
	}
}

// inOrder lists the keys of an object as the document has them.
func (d *Document) inOrder(pointer string, object map[string]any) []string {
	keys := sorted(object)
	slices.SortStableFunc(keys, func(a, b string) int {
		return d.lines[pointer+"/"+escape(a)] - d.lines[pointer+"/"+escape(b)]
	})
	return keys
}

// absent stands for a value that is left out.
type absent struct{}

// with is a copy of the document in which one value is another one. Everything
// else is shared.
func (d *Document) with(pointer string, value any) *Document {
	changed := *d
	changed.root = replaced(d.root, steps(pointer), value).(map[string]any)
	return &changed
}

// steps are those of a JSON pointer.
func steps(pointer string) []string {
	list := strings.Split(pointer, "/")[1:]
	for i := range list {
		list[i] = unescape(list[i])
	}
	return list
}

// replaced is a copy of a tree with another value in one place. What is on the
// way there is made where it is missing.
func replaced(node any, at []string, value any) any {
	if len(at) == 0 {
		return value
	}
	_, remove := value.(absent)
	remove = remove && len(at) == 1
	if list, ok := node.([]any); ok {
		i, err := strconv.Atoi(at[0])
		switch {
		case err != nil || i < 0 || i > len(list):
			return node
		case remove:
			return slices.Delete(slices.Clone(list), i, min(i+1, len(list)))
		case i == len(list):
			return append(slices.Clone(list), replaced(nil, at[1:], value))
		}
		list = slices.Clone(list)
		list[i] = replaced(list[i], at[1:], value)
		return list
	}
	object, _ := node.(map[string]any)
	object = maps.Clone(object)
	switch {
	case remove:
		delete(object, at[0])
	case object == nil:
		object = map[string]any{at[0]: replaced(nil, at[1:], value)}
	default:
		object[at[0]] = replaced(object[at[0]], at[1:], value)
	}
	return object
}

// withMember is a copy of an object with another member. What is no object is taken for
// an empty one.
func withMember(node any, name string, value any) any {
	object, _ := node.(map[string]any)
	object = maps.Clone(object)
	if object == nil {
		object = map[string]any{}
	}
	object[name] = value
	return object
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

func escape(s string) string { return escaper.Replace(s) }

func unescape(s string) string { return unescaper.Replace(s) }
