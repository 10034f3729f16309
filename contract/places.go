package contract

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// spot is a place of a request that may be left out: a parameter, by place and name, or
// a member of a body of a media type.
type spot struct{ parameter, mediaType, at string }

// barred are the spots of an operation of which each value is refused where the request
// without it is taken. A case excuses a refusal that another value brings as well, which
// shows nothing of the one that it tries; that all are refused breaks the document.
func (d *deriver) barred(o *operation, outcomes []Outcome) (found []Outcome) {
	judged := slices.DeleteFunc(slices.Clone(outcomes), func(each Outcome) bool { return !each.judged() })
	for _, s := range spots(o, judged) {
		var refused, without []Outcome
		taken := false
		for _, each := range judged {
			switch done := accepted(o, each.done[0].status); {
			case s.in(each.request) && (done || len(each.Failures) > 0 || !d.blames(s, each.done[0])):
				taken = true // or told already, or refused for the sake of something else
			case s.in(each.request):
				refused = append(refused, each)
			case done:
				without = append(without, each)
			}
		}
		besides := func(r Outcome) bool {
			return slices.ContainsFunc(without, func(w Outcome) bool { return s.alike(w.request, r.request) })
		}
		if !taken && slices.ContainsFunc(refused, besides) {
			found = append(found, d.bar(o, s, refused))
		}
	}
	return found
}

// spots are those that cases try values of.
func spots(o *operation, judged []Outcome) (found []spot) {
	for _, p := range o.parameters {
		if !p.required {
			found = append(found, spot{parameter: p.key()})
		}
	}
	for _, each := range judged {
		s := spot{mediaType: each.request.MediaType, at: each.place}
		if each.place != "" && s.mediaType != "" && !slices.Contains(found, s) {
			found = append(found, s)
		}
	}
	return found
}

// judged says that a case sent one request, which is valid.
func (o Outcome) judged() bool {
	return o.script.Kind == "" && o.want.accepted && o.Skipped == "" && !o.untried && len(o.done) > 0 && o.done[0] != nil
}

func (s spot) in(r request) bool {
	if s.parameter != "" {
		_, there := r.Parameters[s.parameter]
		return there
	}
	return r.MediaType == s.mediaType && valueAt(r.Body, s.at) != nil
}

// leftOut is a request without the spot.
func (s spot) leftOut(r request) (parameters map[string]any, body any) {
	if s.parameter != "" {
		return r.with(s.parameter, absent{}).Parameters, r.Body
	}
	return r.Parameters, replaced(r.Body, steps(s.at), absent{})
}

// alike says that two requests differ in the spot only, which the first one has not.
func (s spot) alike(without, with request) bool {
	parameters, body := s.leftOut(with)
	return without.MediaType == with.MediaType && reflect.DeepEqual(without.Parameters, parameters) && reflect.DeepEqual(without.Body, body)
}

// name is how refusals name it.
func (s spot) name() string {
	if _, name, found := strings.Cut(s.parameter, ":"); found {
		return name
	}
	return fieldName(s.at)
}

// shapeCodes are the codes of what is wrong with a place itself.
var shapeCodes = []string{"required", "type", "null", "unknown", "repeated"}

// blames says that an answer refuses a request, and as far as it names fields for the
// sake of this one. Who may not, or has to wait, was not refused for a value; and where a
// document means all that it says, a code of no rule that it has is a reason of its own:
// a cursor has to be one that was given out.
func (d *deriver) blames(s spot, e *exchange) bool {
	if e.status >= http.StatusInternalServerError || slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests}, e.status) {
		return false
	}
	fields := named(e.received)
	return len(fields) == 0 || slices.ContainsFunc(fields, func(f refusedField) bool {
		return f.Field == s.name() && (!d.strict() || slices.Contains(ruleCodes, f.Code) || slices.Contains(shapeCodes, f.Code))
	})
}

// bar is the failure of a spot.
func (d *deriver) bar(o *operation, s spot, refused []Outcome) Outcome {
	e, pointer := refused[0].done[0], refused[0].Pointer
	for _, each := range refused[1:] {
		for !within(each.Pointer, pointer) {
			pointer = pointer[:strings.LastIndexByte(pointer, '/')]
		}
	}
	text := fmt.Sprintf("each value of %s is refused, and the request without it is taken: %d %s", s.name(), e.status, first(string(e.received), 300))
	return Outcome{
		Case:     Case{Operation: o.id, Name: "a value of " + s.name(), Pointer: pointer, request: refused[0].request},
		Failures: []Failure{{pointer, d.line(pointer), text}}, done: []*exchange{e}, about: []int{0},
	}
}
