// Package format makes values of the formats of JSON Schema and OpenAPI: such
// as are valid, and near misses.
package format

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// maker makes a valid value out of random numbers.
type maker func(*rand.Rand) string

// format is what is known of one.
type format struct {
	valid   maker
	invalid []string // each wrong in one thing
}

// Known says whether values of a format can be made. The names are those of
// JSON Schema 2020-12 and of OpenAPI's registry; letter case matters.
func Known(name string) bool {
	_, ok := formats[name]
	return ok
}

// Valid is a value of a format, another one for each seed as far as there are
// others; the same seed always gives the same. The formats of numbers give
// their digits. It is false for a format that is not known.
func Valid(name string, seed uint64) (string, bool) {
	f, ok := formats[name]
	if !ok {
		return "", false
	}
	return f.valid(rand.New(rand.NewPCG(seed, 0))), true
}

// Invalid gives near misses of a format, each wrong in one thing. There are
// none for the formats that let any string in, for those of numbers, and for those that
// are not known.
func Invalid(name string) []string { return append([]string(nil), formats[name].invalid...) }

var formats = map[string]format{
	"uuid":          {uuid, badUUIDs},
	"date":          {date, badDates},
	"time":          {clock, badTimes},
	"date-time":     {dateTime, badDateTimes},
	"duration":      {duration, badDurations},
	"email":         {email, badEmails},
	"hostname":      {hostname, badHostnames},
	"ipv4":          {ipv4, badIPv4s},
	"ipv6":          {ipv6, badIPv6s},
	"uri":           {uri, badURIs},
	"uri-reference": {uriReference, badURIReferences},
	"regex":         {expression, badExpressions},
	"json-pointer":  {pointer, badPointers},
	"byte":          {base64Text, badBase64s},
	"int32":         {func(r *rand.Rand) string { return fmt.Sprint(int32(r.Uint32())) }, nil},
	"int64":         {func(r *rand.Rand) string { return fmt.Sprint(int64(r.Uint64())) }, nil},
	"float":         {func(r *rand.Rand) string { return fmt.Sprint(r.Float32()) }, nil},
	"double":        {func(r *rand.Rand) string { return fmt.Sprint(r.Float64()) }, nil},
	"password":      {word, nil},
	"binary":        {word, nil},
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
	hex    = "0123456789abcdef"
)

// some is n characters out of a set.
func some(r *rand.Rand, set string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(set[r.IntN(len(set))])
	}
	return b.String()
}

// word is long enough that hardly two are the same.
func word(r *rand.Rand) string { return some(r, lower, 1) + some(r, lower+digits, 12) }

// uuid is of version 4, so that a server that looks at versions takes it too.
func uuid(r *rand.Rand) string {
	return fmt.Sprintf("%s-%s-4%s-%s%s-%s", some(r, hex, 8), some(r, hex, 4), some(r, hex, 3),
		some(r, "89ab", 1), some(r, hex, 3), some(r, hex, 12))
}

// moment is a second between 1970 and 2099.
func moment(r *rand.Rand) time.Time { return time.Unix(r.Int64N(4_100_000_000), 0).UTC() }

func date(r *rand.Rand) string { return moment(r).Format(time.DateOnly) }

func clock(r *rand.Rand) string { return dateTime(r)[len("2006-01-02T"):] }

func dateTime(r *rand.Rand) string {
	at := moment(r).Add(time.Duration(r.IntN(1000)) * time.Millisecond)
	if r.IntN(2) == 0 {
		return at.Format("2006-01-02T15:04:05.000Z")
	}
	minutes := r.IntN(24*60) - 12*60
	return at.In(time.FixedZone("", minutes*60)).Format("2006-01-02T15:04:05-07:00")
}

func duration(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return fmt.Sprintf("P%dW", 1+r.IntN(999))
	}
	return fmt.Sprintf("P%dDT%dH%dM%dS", r.IntN(999), r.IntN(24), r.IntN(60), r.IntN(60))
}

// The domains are such as RFC 2606 keeps free.
func hostname(r *rand.Rand) string { return word(r) + ".example.com" }

func email(r *rand.Rand) string { return word(r) + "@example.com" }

// ipv4 is of the networks for documentation (RFC 5737), ipv6 of RFC 3849.
func ipv4(r *rand.Rand) string {
	networks := []string{"192.0.2", "198.51.100", "203.0.113"}
	return fmt.Sprintf("%s.%d", networks[r.IntN(len(networks))], r.IntN(256))
}

func ipv6(r *rand.Rand) string {
	return fmt.Sprintf("2001:db8:%x:%x::%x", 1+r.IntN(0xFFFF), 1+r.IntN(0xFFFF), 1+r.IntN(0xFFFF))
}

func uri(r *rand.Rand) string { return "https://example.com/" + word(r) + "?q=" + word(r) }

func uriReference(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return uri(r)
	}
	return "/" + word(r) + "#" + word(r)
}

func expression(r *rand.Rand) string {
	return fmt.Sprintf("^[a-z]{%d}%s$", 1+r.IntN(99), word(r))
}

func pointer(r *rand.Rand) string { return "/" + word(r) + "/" + fmt.Sprint(r.IntN(1000)) + "/a~1b~0c" }

func base64Text(r *rand.Rand) string {
	octets := make([]byte, 1+r.IntN(30))
	for i := range octets {
		octets[i] = byte(r.Uint32()) //nolint:gosec // the lowest octet
	}
	return base64.StdEncoding.EncodeToString(octets)
}
