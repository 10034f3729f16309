package main

import (
	"fmt"
	"slices"
	"strings"
)

// policyChanges compares what x-policy bounds clients by: a tighter bound breaks
// them as a narrower type does, and oasdiff looks at no extension.
func policyChanges(released, published document) []change {
	var changes []change
	for name, o := range published.operations {
		old, was := released.operations[name]
		if !was {
			continue
		}
		changes = append(changes, rateChanges(name, released.limits(old), published.limits(o))...)
		changes = append(changes, bodyChanges(name, released.bodyLimit(old), published.bodyLimit(o))...)
	}
	return changes
}

// limits are those that hold for an operation: its own, and the default by user,
// or by ip where nobody is signed in, unless it has one of that kind.
func (d document) limits(o operation) limits {
	own := o.Policy.RateLimit
	if own != nil && len(own) == 0 {
		return nil
	}
	security, by := d.Security, "user"
	if o.Security != nil {
		security = *o.Security
	}
	if len(security) == 0 {
		by = "ip"
	}
	isBy := func(l rateLimit) bool { return l.By == by }
	if slices.ContainsFunc(own, isBy) {
		return own
	}
	if i := slices.IndexFunc(d.Policy.RateLimit, isBy); i >= 0 {
		return append(slices.Clip(own), d.Policy.RateLimit[i])
	}
	return own
}

func (d document) bodyLimit(o operation) size {
	if o.Policy.BodyLimit > 0 {
		return o.Policy.BodyLimit
	}
	return d.Policy.BodyLimit
}

// rateChanges finds limits that refuse what no old limit refused. Each that lets
// at least as much through, in no longer a time, was there already.
func rateChanges(name string, released, published limits) []change {
	var tighter limits
	for _, l := range published {
		if !slices.ContainsFunc(released, func(old rateLimit) bool {
			return l.By == old.By && l.Limit >= old.Limit && l.Window.Duration <= old.Window.Duration
		}) {
			tighter = append(tighter, l)
		}
	}
	text := fmt.Sprintf("the rate limit is %s, and was %s", published, released)
	switch {
	case len(tighter) > 0:
		return []change{{rule: "rate-limit-tightened", operation: name, text: text, breaking: true}}
	case !slices.Equal(released, published):
		return []change{{rule: "rate-limit-changed", operation: name, text: text}}
	}
	return nil
}

func bodyChanges(name string, released, published size) []change {
	text := fmt.Sprintf("bodies have at most %d bytes, and had %d", published, released)
	switch {
	case published < released:
		return []change{{rule: "body-limit-lowered", operation: name, text: text, breaking: true}}
	case published > released:
		return []change{{rule: "body-limit-raised", operation: name, text: text}}
	}
	return nil
}

// String is as in "300 in 1m0s by user and 5 in 1h0m0s by ip".
func (l limits) String() string {
	if len(l) == 0 {
		return "none"
	}
	words := make([]string, len(l))
	for i, one := range l {
		words[i] = fmt.Sprintf("%d in %s by %s", one.Limit, one.Window, one.By)
	}
	return strings.Join(words, " and ")
}
