package accord

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ProblemError is a refusal (RFC 9457). What stands between client and server answers
// in forms of its own; such a refusal has no code.
type ProblemError struct {
	Problem

	// Header is that of the answer.
	Header http.Header
}

// Code names the kind of problem: the last part of its type.
func (p *ProblemError) Code() ProblemCode {
	at := strings.LastIndexByte(p.Type, '/')
	if at < 0 {
		return ""
	}
	return ProblemCode(p.Type[at+1:])
}

// lost says that a gateway does not know whether the server has done it.
func (p *ProblemError) lost() bool {
	return p.Status == http.StatusBadGateway || p.Status == http.StatusGatewayTimeout
}

// Error tells what is wrong, with the failing fields and the id to ask about.
func (p *ProblemError) Error() string {
	text := &strings.Builder{}
	fmt.Fprintf(text, "accord: %s (%d %s", p.Detail, p.Status, p.Code())
	for _, field := range p.Errors {
		fmt.Fprintf(text, "; %s: %s", field.Field, field.Message)
	}
	fmt.Fprintf(text, "; request %s)", p.RequestID)
	return text.String()
}

// RetryAfter is how long the server asks to wait, if it does (RFC 9110, section 10.2.3).
func (p *ProblemError) RetryAfter() (time.Duration, bool) {
	said := p.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(said); err == nil {
		return time.Duration(max(0, seconds)) * time.Second, true
	}
	if at, err := http.ParseTime(said); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// maxProblem is how much of a refusal is read, in bytes.
const maxProblem = 1 << 20

func readProblem(answer *http.Response) *ProblemError {
	p := &ProblemError{Header: answer.Header}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err == nil && mediaType == "application/problem+json" && json.Unmarshal(text, &p.Problem) == nil && int(p.Status) == answer.StatusCode {
		return p
	}
	p.Problem = Problem{
		Type: "about:blank", Title: http.StatusText(answer.StatusCode), Status: int32(answer.StatusCode), //nolint:gosec // a status has three digits, so that it fits
		Detail: "the answer is no problem of this API", RequestID: answer.Header.Get("X-Request-Id"),
	}
	return p
}
