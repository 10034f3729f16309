package server

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"

	"github.com/accord-api/accord/gen/api"
)

// anyTag stands for whatever there is, in a header of entity tags.
const anyTag = "*"

// entityTag tells one state of a resource from others (RFC 9110, section 8.8.3).
type entityTag struct {
	quoted string // with its quotes
	weak   bool
}

// entityTags reads a list of entity tags; what is none makes the list empty.
func entityTags(list string) (tags []entityTag) {
	for rest := strings.TrimLeft(list, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
		quoted, weak := strings.CutPrefix(rest, "W/")
		end := 1 + strings.IndexFunc(quoted[min(1, len(quoted)):], func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f })
		if !strings.HasPrefix(quoted, `"`) || end < 1 || quoted[end] != '"' {
			return nil
		}
		tags = append(tags, entityTag{quoted[:end+1], weak})
		rest = strings.TrimLeft(quoted[end+1:], " \t")
		if rest != "" && rest[0] != ',' {
			return nil
		}
	}
	return tags
}

// matchesTag compares weakly, as If-None-Match has it (RFC 9110, section 13.1.2).
func matchesTag(ifNoneMatch, tag string) bool {
	if ifNoneMatch == anyTag {
		return true
	}
	tag = strings.TrimPrefix(tag, "W/")
	for _, candidate := range entityTags(ifNoneMatch) {
		if candidate.quoted == tag {
			return true
		}
	}
	return false
}

// tagOf makes a strong tag from the bytes that it stands for.
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// listHeaders are the lists of entity tags, which may stand on several lines.
var listHeaders = []string{"If-Match", "If-None-Match"}

// joinLists makes several lines of a list one, which means the same (RFC 9110,
// section 5.3), for all who read it later.
func joinLists(header http.Header) {
	for _, name := range listHeaders {
		if lines := header[name]; len(lines) > 1 {
			header[name] = []string{strings.Join(lines, ", ")}
		}
	}
}

// representation is part of an entity tag that is made of what is shown, and not
// of the bytes that show it: another contract may show the same in another way.
var representation = sync.OnceValue(func() string {
	sum := sha256.Sum256(api.OpenAPI)
	return base64.RawURLEncoding.EncodeToString(sum[:6])
})
