package server

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/accord-api/accord/gen/api"
)

// program is which program it is, for who watches it.
type program struct{ version, revision, goVersion string }

// thisProgram gives the version that the contract has, and what the program knows of
// its source.
var thisProgram = sync.OnceValue(func() program {
	var contract struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
	}
	if err := json.Unmarshal(api.OpenAPI, &contract); err != nil { // it is embedded: cannot happen
		panic(err)
	}
	p := program{version: contract.Info.Version, goVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				p.revision = setting.Value
			}
		}
	}
	return p
})
