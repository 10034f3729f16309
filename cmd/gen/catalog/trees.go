package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/wasilibs/go-pgquery/parser"
)

// Trees is the folder where parse trees are kept, each under the hash of its text: to
// make PostgreSQL's parser ready takes 1.6 s, and all else that is generated less than
// one. "" keeps none. It is set before anything is read.
var Trees string

// kept is how long a tree stays there.
const kept = 30 * 24 * time.Hour

// treeOf gives the parse tree of SQL as JSON. A folder that cannot be read or written
// costs time and nothing else.
func treeOf(source string) ([]byte, error) {
	sum := sha256.Sum256([]byte(parserVersion() + "\x00" + source))
	path := filepath.Join(Trees, hex.EncodeToString(sum[:])+".json")
	if Trees != "" {
		if tree, err := os.ReadFile(path); err == nil && json.Valid(tree) {
			return tree, nil
		}
	}
	begin()
	parsed, err := parser.ParseToJSON(source)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller knows the file and the place
	}
	if Trees != "" {
		keep(path, []byte(parsed))
	}
	return []byte(parsed), nil
}

// begin makes the parser's first runtime alone: where several are made at once, they
// write a variable of wazero's. What it fails for, each parse fails for as well.
var begin = sync.OnceFunc(func() { _, _ = parser.ParseToJSON("") })

// parserVersion is that of the parser, whose trees another version need not understand.
var parserVersion = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/wasilibs/go-pgquery" {
			return module.Version
		}
	}
	return ""
})

// keep writes a tree, whole or not at all, and drops those that are old. What fails is
// tried again when the tree is needed again.
func keep(path string, tree []byte) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > kept {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
	file, err := os.CreateTemp(folder, "*")
	if err != nil {
		return
	}
	_, err = file.Write(tree)
	if closing := file.Close(); err == nil && closing == nil && os.Rename(file.Name(), path) == nil {
		return
	}
	_ = os.Remove(file.Name())
}
