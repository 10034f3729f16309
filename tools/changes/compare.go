package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

// change is one difference that a client can notice.
type change struct {
	rule string
	// operation is as in "GET /api/v1/orders", or wholeDocument.
	operation string
	text      string
	breaking  bool
	// reason is why a breaking change was made nevertheless.
	reason string
}

const wholeDocument = "document"

// changesBetween lists what has changed by rules, texts and operations.
func changesBetween(released, published document) ([]change, error) {
	changes, err := oasdiffChanges(released, published)
	if err != nil {
		return nil, err
	}
	changes = append(changes, removals(released, published, changes)...)
	changes = append(changes, policyChanges(released, published)...)
	changes = append(changes, problemChanges(released.Problems, published.Problems)...)
	slices.SortStableFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.text, b.text), cmp.Compare(a.operation, b.operation))
	})
	return changes, nil
}

// levels holds more against a change than oasdiff does by itself.
var levels = map[string]checker.Level{
	"api-operation-id-removed":         checker.ERR, // generated clients name their methods by it
	"optional-response-header-removed": checker.ERR, // Link and ETag are optional as all headers are, and relied on
	// A deprecation without a sunset does not say that anything will end.
	"api-removed-with-deprecation":      checker.ERR,
	"api-path-removed-with-deprecation": checker.ERR,
}

// versionStands is oasdiff's word on every breaking change before a release,
// with which the version is raised.
const versionStands = "api-version-not-bumped"

func oasdiffChanges(released, published document) ([]change, error) {
	base, err := specOf(released)
	if err != nil {
		return nil, fmt.Errorf("loading the released document: %w", err)
	}
	revision, err := specOf(published)
	if err != nil {
		return nil, fmt.Errorf("loading the published document: %w", err)
	}
	found, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), base, revision)
	if err != nil {
		return nil, fmt.Errorf("comparing the documents: %w", err)
	}

	config := checker.NewConfig(checker.GetAllChecks(), checker.WithSeverityLevels(levels))
	words := checker.NewDefaultLocalizer()
	var changes []change
	for _, c := range checker.CheckBackwardCompatibilityUntilLevel(config, found, sources, checker.INFO) {
		if c.GetId() == versionStands {
			continue
		}
		one := change{rule: c.GetId(), operation: wholeDocument, text: c.GetUncolorizedText(words), breaking: c.IsBreaking()}
		if c.GetPath() != "" {
			one.operation = c.GetOperation() + " " + c.GetPath()
		}
		changes = append(changes, one)
	}
	return changes, nil
}

// specOf gives a document to oasdiff. Nothing outside of it is fetched, the case
// of headers does not count, nor whether a parameter stands at the path.
func specOf(d document) (*load.SpecInfo, error) {
	loader := openapi3.NewLoader()
	spec, err := loader.LoadFromData(d.text)
	if err != nil {
		return nil, err
	}
	specs := []*load.SpecInfo{{Spec: spec, Version: d.Info.Version}}
	for _, option := range []load.Option{load.WithFlattenParams(), load.WithLowercaseHeaders()} {
		if specs, err = option(loader, specs); err != nil {
			return nil, err
		}
	}
	return specs[0], nil
}

// removals tells of operations that are gone after their sunset, of which
// oasdiff says nothing.
func removals(released, published document, told []change) []change {
	var changes []change
	for name := range released.operations {
		_, stays := published.operations[name]
		if !stays && !slices.ContainsFunc(told, func(c change) bool { return c.operation == name }) {
			changes = append(changes, change{rule: "api-removed-after-sunset", operation: name, text: "removed after its sunset"})
		}
	}
	return changes
}

// problemChanges compares the types of problems, which clients tell errors by.
func problemChanges(released, published []problem) []change {
	var changes []change
	add := func(rule, text string, breaking bool, args ...any) {
		changes = append(changes, change{rule: rule, operation: wholeDocument, text: fmt.Sprintf(text, args...), breaking: breaking})
	}
	statuses := map[string]int{}
	for _, p := range published {
		statuses[p.Code] = p.Status
	}
	for _, p := range released {
		status, there := statuses[p.Code]
		switch {
		case !there:
			add("problem-removed", "removed the problem type `%s`", true, p.Code)
		case status != p.Status:
			add("problem-status-changed", "the problem type `%s` has the status `%d`, and had `%d`", true, p.Code, status, p.Status)
		}
	}
	for _, p := range published {
		if !slices.ContainsFunc(released, func(old problem) bool { return old.Code == p.Code }) {
			add("problem-added", "added the problem type `%s`", false, p.Code)
		}
	}
	return changes
}
