package server

import (
	"net/http"
	"regexp"
	"strings"
)

// unsatisfiable is a Range that http.ServeContent refuses with a 416 whatever the
// file is, but only where the Range counts (If-Range).
const unsatisfiable = "bytes=none"

// byteRange is one range of a Range field (RFC 9110, section 14.1.2).
var byteRange = regexp.MustCompile(`^[ \t]*([0-9]*)-([0-9]*)[ \t]*$`)

// rangeRequest is a request as http.ServeContent has to see it. Other methods than
// GET and other units than bytes know no ranges (RFC 9110, section 14.2). It takes
// no position beyond 63 bits, sends the last 0 bytes, and gives the last ones of an
// empty file.
func rangeRequest(r *http.Request, size int64) *http.Request {
	field := r.Header.Get(headerRange)
	unit, set, _ := strings.Cut(field, "=")
	seen := r.Clone(r.Context())
	switch {
	case r.Method != http.MethodGet || unit != "bytes":
		seen.Header.Del(headerRange)
	default:
		seen.Header.Set(headerRange, satisfiable(set, size))
	}
	return seen
}

// satisfiable leaves those of the ranges that a file of such a size may satisfy.
func satisfiable(set string, size int64) string {
	var ranges []string
	for one := range strings.SplitSeq(set, ",") {
		match := byteRange.FindStringSubmatch(one)
		if match == nil {
			return "bytes=" + set // as it is: malformed, and refused
		}
		first, last := clipped(match[1]), clipped(match[2])
		if first == "" && (last == "0" || size == 0) {
			continue
		}
		ranges = append(ranges, first+"-"+last)
	}
	if len(ranges) == 0 {
		return unsatisfiable
	}
	return "bytes=" + strings.Join(ranges, ",")
}

// clipped is a position as a number of at most 18 digits, which is beyond the end
// of any file.
func clipped(digits string) string {
	if digits == "" {
		return ""
	}
	number := strings.TrimLeft(digits, "0")
	switch {
	case number == "":
		return "0"
	case len(number) > 18:
		return strings.Repeat("9", 18)
	}
	return number
}
