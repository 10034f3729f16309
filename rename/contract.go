package rename

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The document is cut as text, in the form that it is written in, so that comments and
// order stay: a component is the lines from its name, at four columns, to the next; a tag
// is the lines from its name to the next.
var (
	componentRef   = regexp.MustCompile(`#/components/([A-Za-z]+)/([A-Za-z0-9_.-]+)`)
	componentGroup = regexp.MustCompile(`^  ([A-Za-z]+):\s*$`)
	componentName  = regexp.MustCompile(`^    ([A-Za-z0-9_.-]+):`)
	tagName        = regexp.MustCompile(`^  - name: (\S+)\n$`)
	tagsUsed       = regexp.MustCompile(`(?m)^      tags: \[(.*)\]$`)
)

// forMore are components that the operations of `accord new resource` refer to, or that
// are derived as well.
var forMore = []string{
	"parameters/IfMatch", "parameters/IfNoneMatch", "responses/PreconditionFailed", "responses/Forbidden",
	"headers/ETag", "headers/Revalidate",
}

// pruned is the document without the components that something referred to and nothing
// does any more, those that only such ones refer to included, and without the tags of no
// operation. What nothing referred to before is there for what is derived.
func pruned(text, before string) string {
	was := referred(before)
	for {
		used := referred(text)
		drop := maps.Clone(was)
		maps.DeleteFunc(drop, func(name string, _ bool) bool { return used[name] || slices.Contains(forMore, name) })
		less := withoutComponents(text, drop)
		if less == text {
			return withoutTags(text)
		}
		text = less
	}
}

// referred are the components that a document refers to.
func referred(text string) map[string]bool {
	names := map[string]bool{}
	for _, ref := range componentRef.FindAllStringSubmatch(text, -1) {
		names[ref[1]+"/"+ref[2]] = true
	}
	return names
}

func withoutComponents(text string, unused map[string]bool) string {
	var out strings.Builder
	group, within, drop := "", false, false
	var comments strings.Builder // they belong to what follows them
	for line := range strings.Lines(text) {
		switch {
		case !strings.HasPrefix(line, " ") && strings.TrimSpace(line) != "":
			within, drop = line == "components:\n", false
		case within && componentGroup.MatchString(line):
			group, drop = componentGroup.FindStringSubmatch(line)[1], false
		case within && strings.HasPrefix(line, "    #"):
			comments.WriteString(line)
			continue
		case within && componentName.MatchString(line):
			drop = unused[group+"/"+componentName.FindStringSubmatch(line)[1]]
		}
		if !drop {
			out.WriteString(comments.String() + line)
		}
		comments.Reset()
	}
	return out.String()
}

func withoutTags(text string) string {
	var used []string
	for _, tags := range tagsUsed.FindAllStringSubmatch(text, -1) {
		used = append(used, strings.Split(tags[1], ", ")...)
	}
	var out strings.Builder
	within, drop := false, false
	for line := range strings.Lines(text) {
		switch {
		case !strings.HasPrefix(line, " "):
			within, drop = line == "tags:\n", false
		case within && tagName.MatchString(line):
			drop = !slices.Contains(used, tagName.FindStringSubmatch(line)[1])
		}
		if !drop {
			out.WriteString(line)
		}
	}
	return out.String()
}
