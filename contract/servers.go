package contract

import (
	"fmt"
	"net/url"
	"strings"
)

// Base is what stands before the paths in the document's first server, without
// a slash at its end.
func (d *Document) Base() string { return base(d.root) }

// base is the path of the first of the servers that an object of the document has.
func base(object map[string]any) string {
	servers := list(object["servers"])
	if len(servers) == 0 {
		return ""
	}
	described, _ := servers[0].(map[string]any)
	address, _ := described["url"].(string)
	variables, _ := described["variables"].(map[string]any)
	for name, variable := range variables {
		object, _ := variable.(map[string]any)
		address = strings.ReplaceAll(address, "{"+name+"}", fmt.Sprint(object["default"]))
	}
	read, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if path := strings.Trim(strings.TrimPrefix(read.Path, "."), "/"); path != "" {
		return "/" + path
	}
	return ""
}

// readServers notes what stands before the path of an operation: by servers of its own,
// those of its path, or those of the document (OpenAPI 3.1, section 4.8.10.1). Of a server
// only the path counts, since one server is held to the document.
func (d *Document) readServers(o *operation, object, shared map[string]any) {
	for _, of := range []map[string]any{object, shared} {
		if len(list(of["servers"])) > 0 {
			o.base, o.elsewhere = base(of), true
			return
		}
	}
	o.base = d.Base()
}

// root is what the path of an operation is joined to.
func (s *session) root(o *operation) string {
	root := strings.TrimSuffix(s.target.URL, "/")
	if o.elsewhere {
		root = strings.TrimSuffix(root, s.Base()) + o.base
	}
	return root
}

// below is a path that was asked for as the document has it.
func (o *operation) below(path string) string {
	if rest, found := strings.CutPrefix(path, o.base+"/"); found && !fits(o.path, path) {
		return "/" + rest
	}
	return path
}
