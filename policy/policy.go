// Package policy holds the types of the table that says, for each operation
// of the contract, who may call it and within which limits. The table itself
// is generated (gen/api) from `security` and `x-policy`; package server
// enforces it.
package policy

import "time"

// Policy is what the contract says about one operation beside its types.
type Policy struct {
	// OperationID is the operationId as the document spells it.
	OperationID string
	// Method is the HTTP method in upper case, Path the route in Echo's form
	// (/api/v1/users/:user_id).
	Method, Path string
	// Access lists the alternatives of `security`: any one of them is enough,
	// and each names the roles that must all be held. An empty alternative asks
	// for a signed-in user of any role. No alternative at all: public.
	Access []Roles
	// RateLimits all hold at once, in the document's order.
	RateLimits []RateLimit
	// BodyLimit is the largest request body accepted, in bytes.
	BodyLimit int64
	// Timeout bounds the whole operation; 0 means none (streams).
	Timeout time.Duration
	// Stall bounds each single read of the body and write of the answer; 0 means
	// no bound of its own.
	Stall time.Duration
	// Concurrency is how many calls run at once in this process, at most a quarter
	// of them, but one, for the same user or address; 0 means no bound.
	Concurrency int
	// Idempotent operations honour the Idempotency-Key header.
	Idempotent bool
	// Cache is nil when answers are not cached.
	Cache *Cache
	// Audit names the action of the audit event that each call writes; "" none.
	Audit string
	// DeprecatedAfter (RFC 9745) and Sunset (RFC 8594) are zero when unset.
	DeprecatedAfter, Sunset time.Time
	// Query names the declared query parameters, in the document's order.
	Query []string
	// Produces are the media types of the answer among which a client chooses, the
	// first one by default; nil where there is only one.
	Produces []string
	// ContentTypes are the declared media types of the request body; nil where
	// the operation takes none.
	ContentTypes []string
	// BodyRequired says that the request body may not be absent.
	BodyRequired bool
	// TokenEndpoint says that a security scheme names the operation as the place
	// where tokens come from; its errors follow RFC 6749 as well.
	TokenEndpoint bool
	// Statuses are the answers that the document declares, successes first.
	Statuses []int
}

// Public says that the operation needs no sign-in.
func (p *Policy) Public() bool { return len(p.Access) == 0 }

// Roles must all be held together.
type Roles []string

// By is what a rate limit counts for.
type By string

// The keys of a rate limit. ByField counts for the value of one member of the
// request, named in RateLimit.Field.
const (
	ByIP    By = "ip"
	ByUser  By = "user"
	ByField By = "field"
)

// RateLimit allows Limit calls in any span of Window for each key.
type RateLimit struct {
	Limit  int
	Window time.Duration
	By     By
	// Field is the member's name when By is ByField.
	Field string
}

// Cache is how long the server may keep an answer, what invalidates it and
// what beside the declared parameters makes answers differ.
type Cache struct {
	TTL time.Duration
	// Tags name what answers are made of; {name} stands for a path parameter.
	Tags []string
	Vary []By
}
