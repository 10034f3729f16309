// Package schema holds the SQL migrations, the source of truth for data. They
// are in goose's format and named 00001_verb_noun.sql; a merged one never
// changes. Number 2 is missing on purpose: it is the job queue's own, written
// in Go (see pg).
package schema

import "embed"

// FS is every migration in this folder.
//
//go:embed *.sql
var FS embed.FS
