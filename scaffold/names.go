package scaffold

import (
	"slices"
	"strings"

	"github.com/jinzhu/inflection"
)

// pascal is a snake_case name in Go, as oapi-codegen writes it.
func pascal(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts {
		if upper := strings.ToUpper(part); slices.Contains(initialisms, upper) {
			parts[i] = upper
		} else {
			parts[i] = title(part)
		}
	}
	return strings.Join(parts, "")
}

// column is a snake_case name in Go, as sqlc writes it with the names of sqlc.yaml.
func column(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts {
		parts[i] = title(part)
		if part == "id" || part == "ip" {
			parts[i] = strings.ToUpper(part)
		}
	}
	return strings.Join(parts, "")
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// initialisms are those of golint, which oapi-codegen writes in capitals.
var initialisms = []string{
	"ACL", "API", "ASCII", "CPU", "CSS", "DNS", "EOF", "GUID", "HTML", "HTTP", "HTTPS", "ID", "IP", "JSON", "QPS", "RAM", "RPC",
	"SLA", "SMTP", "SQL", "SSH", "TCP", "TLS", "TTL", "UDP", "UI", "GID", "UID", "UUID", "URI", "URL", "UTF8", "VM", "XML", "XMPP",
	"XSRF", "XSS", "SIP", "RTP", "AMQP", "DB", "TS",
}

// singular is one of what a name says there are several of, as sqlc has it.
func singular(plural string) string { return inflection.Singular(plural) }
