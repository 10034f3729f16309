// Command modzip lays a module of this repository down as the Go module proxy would
// serve it (https://go.dev/ref/mod#goproxy-protocol), so that it can be installed from
// there before it is released:
//
//	go run -C tools ./modzip ../sdk/go v0.1.0 /tmp/proxy
//	GOPROXY=file:///tmp/proxy,... GONOSUMDB=github.com/accord-api/accord/* go get github.com/accord-api/accord/sdk/go
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "modzip:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("name the module's folder, its version, and the folder to write to")
	}
	folder, version, proxy := args[0], args[1], args[2]
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	m := module.Version{Path: modfile.ModulePath(text), Version: version}
	path, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	at := filepath.Join(proxy, path, "@v")
	if err := os.MkdirAll(at, 0o750); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Unix(0, 0).UTC()})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": text} {
		if err := os.WriteFile(filepath.Join(at, name), content, 0o600); err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		return err
	}
	return errors.Join(zip.CreateFromDir(file, m, folder), file.Close())
}
