package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// writeJSON writes a tree as indented JSON in the tree's own order.
func writeJSON(n *yaml.Node) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, compactJSON(n), "", "  "); err != nil {
		panic(fmt.Errorf("indenting generated JSON: %w", err))
	}
	b.WriteByte('\n')

	return b.Bytes()
}

func compactJSON(n *yaml.Node) []byte {
	var b bytes.Buffer
	appendJSON(&b, n)

	return b.Bytes()
}

func appendJSON(b *bytes.Buffer, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i, e := range entries(n) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(quoteJSON(e.name))
			b.WriteByte(':')
			appendJSON(b, e.value)
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			appendJSON(b, item)
		}
		b.WriteByte(']')
	default:
		b.Write(scalarJSON(n))
	}
}

func scalarJSON(n *yaml.Node) []byte {
	switch n.Tag {
	case "!!null":
		return []byte("null")
	case "!!bool":
		return []byte(strings.ToLower(n.Value))
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return []byte(n.Value)
		}
		var value float64
		if err := n.Decode(&value); err == nil {
			text, err := json.Marshal(value)
			if err == nil {
				return text
			}
		}
	}

	return quoteJSON(n.Value)
}

// quoteJSON escapes what a reader of the document could not see.
func quoteJSON(s string) []byte {
	var b, quoted bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(fmt.Errorf("encoding a string: %w", err))
	}
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if r > 0xFFFF || unicode.IsPrint(r) && !unicode.IsMark(r) {
			quoted.WriteRune(r)
		} else {
			fmt.Fprintf(&quoted, `\u%04x`, r)
		}
	}

	return quoted.Bytes()
}
