package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const notesPath = `"/notes": {
    "get": {"operationId": "listNotes", "responses": {"200": {"description": "notes", "headers": {"Link": {"schema": {"type": "string"}}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}}},
    "post": {"operationId": "addNote", "security": [], "x-policy": {"rate-limit": {"limit": 5, "window": "1m", "by": "ip"}, "body-limit": "64KiB"},
      "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}}, "responses": {"204": {"description": "kept"}}}
  }`

const released = `{
  "openapi": "3.1.0", "info": {"title": "Notes", "version": "1.0.0"},
  "security": [{"oauth2": ["user"]}],
  "x-policy": {"timeout": "10s", "body-limit": "1MiB", "rate-limit": [{"limit": 300, "window": "1m", "by": "user"}, {"limit": 60, "window": "1m", "by": "ip"}]},
  "x-problems": [{"code": "not-found", "status": 404}],
  "paths": {` + notesPath + `},
  "components": {
    "securitySchemes": {"oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/t", "scopes": {"user": "u"}}}}},
    "schemas": {
      "Words": {"type": "string", "maxLength": 9},
      "Note": {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "note"}, "text": {"type": ["string", "null"]}, "title": {"$ref": "#/components/schemas/Words", "description": "A $ref with a sibling."}}}
    }
  }
}`

var (
	today    = time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	nullable = []string{`"type": ["string", "null"]`, `"type": "string"`} // in requests a break, in answers none
)

// notes is a repository whose published document is the released one with some
// of its text replaced.
func notes(t *testing.T, acknowledged string, oldnew ...string) repository {
	t.Helper()
	r := repository{t.TempDir()}
	published := strings.NewReplacer(oldnew...).Replace(released)
	if len(oldnew) > 0 && published == released {
		t.Fatalf("%q changes nothing", oldnew)
	}
	for name, text := range map[string]string{
		publishedName: published, releasedName: released, acknowledgedName: acknowledgedHead + acknowledged,
		changelogName: "# Changelog\n\n## 1.0.0 (2026-01-01)\n\nThe first.\n",
	} {
		if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// do runs the command and gives what it prints and its error.
func do(t *testing.T, r repository, command string) (said, fault string) {
	t.Helper()
	var out strings.Builder
	if err := run([]string{"-root", r.root, command}, &out, &out, today); err != nil {
		fault = err.Error()
	}
	return out.String(), fault
}

func text(t *testing.T, r repository, name string) string {
	t.Helper()
	text, err := r.read(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBreakingChangesAreRefused(t *testing.T) {
	t.Parallel()
	get := `"get": {"operationId": "listNotes",`
	for name, c := range map[string]struct {
		oldnew []string
		want   string
	}{
		"a path":                  {[]string{notesPath, ""}, "GET /notes: breaks clients (api-path-removed-without-deprecation)"},
		"a narrower type array":   {nullable, "POST /notes: breaks clients (request-property-"},
		"another const":           {[]string{`"const": "note"`, `"const": "memo"`}, "(request-property-const-changed)"},
		"a narrower $ref":         {[]string{`"maxLength": 9`, `"maxLength": 8`}, "(request-property-max-length-decreased)"},
		"a sibling of a $ref":     {[]string{`"description": "A $ref`, `"maxLength": 3, "description": "A $ref`}, "POST /notes: breaks clients (request-property-"},
		"a newly required member": {[]string{`["kind"]`, `["kind", "text"]`}, "(request-property-became-required)"},
		"a role":                  {[]string{get, get + ` "security": [{"oauth2": ["admin"]}],`}, "GET /notes: breaks clients (api-security-scope-added)"},
		"sign-in":                 {[]string{`"security": [], `, ""}, "POST /notes: breaks clients (api-security-anonymous-access-removed)"},
		"a method of the clients": {[]string{"listNotes", "getNotes"}, "(api-operation-id-removed)"},
		"a header":                {[]string{`"Link": {"schema": {"type": "string"}}`, ""}, "GET /notes: breaks clients (optional-response-header-removed)"},
		"a problem":               {[]string{`{"code": "not-found", "status": 404}`, ""}, "document: breaks clients (problem-removed)"},
		"a problem's status":      {[]string{`"status": 404`, `"status": 410`}, "document: breaks clients (problem-status-changed)"},
		"a default limit":         {[]string{`"limit": 300`, `"limit": 299`}, "GET /notes: breaks clients (rate-limit-tightened)"},
		"a longer window":         {[]string{`"limit": 5, "window": "1m"`, `"limit": 5, "window": "2m"`}, "POST /notes: breaks clients (rate-limit-tightened)"},
		"one more limit":          {[]string{get, get + ` "x-policy": {"rate-limit": [{"limit": 9, "window": "1h", "by": "ip"}]},`}, "GET /notes: breaks clients (rate-limit-tightened)"},
		"a body limit":            {[]string{"64KiB", "63KiB"}, "POST /notes: breaks clients (body-limit-lowered)"},
		"a default body limit":    {[]string{"1MiB", "1KiB"}, "GET /notes: breaks clients (body-limit-lowered)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, fault := do(t, notes(t, "", c.oldnew...), "check"); !strings.Contains(fault, c.want) {
				t.Errorf("no %q in %q", c.want, fault)
			}
		})
	}
}

func TestOtherChangesPassAndAreListed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		oldnew []string
		want   string
	}{
		"nothing":          {nil, ""},
		"an operation":     {[]string{`"paths": {`, `"paths": {"/new": {"get": {"operationId": "new", "responses": {"204": {"description": "d"}}}},`}, "- `GET /new`: endpoint added (endpoint-added)."},
		"a looser limit":   {[]string{`"limit": 5, "window": "1m"`, `"limit": 6, "window": "30s"`}, "- `POST /notes`: the rate limit is 6 in 30s by ip, and was 5 in 1m0s by ip (rate-limit-changed)."},
		"no limit":         {[]string{`{"limit": 5, "window": "1m", "by": "ip"}`, `"none"`}, "the rate limit is none, and was"},
		"larger bodies":    {[]string{"64KiB", "1GiB"}, "bodies have at most 1073741824 bytes, and had 65536 (body-limit-raised)"},
		"another problem":  {[]string{`"x-problems": [`, `"x-problems": [{"code": "gone", "status": 410}, `}, "- `document`: added the problem type `gone` (problem-added)."},
		"a default stated": {[]string{`"operationId": "listNotes",`, `"operationId": "listNotes", "x-policy": {"rate-limit": {"limit": 300, "window": "1m", "by": "user"}, "body-limit": "1024KiB"},`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, fault := do(t, notes(t, "", c.oldnew...), "check")
			if fault != "" || !strings.Contains(said, c.want) || (c.want == "") != (said == "") {
				t.Errorf("no %q in %q; %s", c.want, said, fault)
			}
		})
	}
}

// An operation may go once its sunset is past, and not before; a deprecation
// without a sunset promises no end.
func TestOperationsEndByTheirSunset(t *testing.T) {
	t.Parallel()
	for mark, want := range map[string]string{
		`"x-sunset": "2020-01-01"`: "",
		`"x-sunset": "2999-01-01"`: "GET /notes: breaks clients (api-path-removed-before-sunset)",
		`"x-other": 1`:             "GET /notes: breaks clients (api-path-removed-with-deprecation)",
	} {
		r := notes(t, "", notesPath, "")
		old := strings.NewReplacer(`"operationId":`, `"deprecated": true, `+mark+`, "operationId":`).Replace(released)
		if err := r.write(releasedName, []byte(old)); err != nil {
			t.Fatal(err)
		}
		said, fault := do(t, r, "check")
		if !strings.Contains(fault, want) || (want == "") != (fault == "") {
			t.Errorf("%s: no %q in %q", mark, want, fault)
		}
		if want == "" && !strings.Contains(said, "- `GET /notes`, `POST /notes`: removed after its sunset (api-removed-after-sunset).") {
			t.Errorf("it says %q", said)
		}
	}
}

func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	const lowered = "- rule: body-limit-lowered\n  operation: POST /notes\n"
	why := "  reason: Notes are short.\n"
	for name, c := range map[string]struct {
		acknowledged string
		want         []string // in the error; none: it passes
	}{
		"with a reason":    {lowered + why, nil},
		"with its text":    {lowered + why + "  text: bodies have at most 1024 bytes, and had 65536\n", nil},
		"without a reason": {lowered, []string{"docs/api/breaking.yaml:9: body-limit-lowered in POST /notes: it has no reason"}},
		"of another text":  {lowered + why + "  text: bodies have at most 1 bytes\n", []string{"there is no such breaking change", "POST /notes: breaks clients"}},
		"of another operation": {strings.Replace(lowered, "POST", "GET", 1) + why,
			[]string{"body-limit-lowered in GET /notes: there is no such breaking change", "POST /notes: breaks clients"}},
		"of what no longer is": {lowered + why + "- rule: api-removed-without-deprecation\n  operation: DELETE /notes\n" + why,
			[]string{"breaking.yaml:12: api-removed-without-deprecation in DELETE /notes: there is no such breaking change (any more)"}},
		"with another member": {lowered + why + "  because: no\n", []string{"because"}},
		"that are no list":    {"rule: body-limit-lowered\n", []string{"reading docs/api/breaking.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, fault := do(t, notes(t, c.acknowledged, "64KiB", "1KiB"), "check")
			if c.want == nil && fault != "" {
				t.Error(fault)
			}
			for _, want := range c.want {
				if !strings.Contains(fault, want) {
					t.Errorf("no %q in %q", want, fault)
				}
			}
		})
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	r := notes(t, "- rule: body-limit-lowered\n  operation: POST /notes\n  reason: Notes are short.\n",
		`"1.0.0"`, `"2.0.0"`, "64KiB", "1KiB", `"paths": {`, `"paths": {"/new": {"get": {"operationId": "new", "responses": {"204": {"description": "d"}}}},`)
	if _, fault := do(t, r, "release"); fault != "" {
		t.Fatal(fault)
	}
	if got, want := text(t, r, changelogName), `# Changelog

## 2.0.0 (2026-03-04)

### Breaking

- `+"`POST /notes`"+`: bodies have at most 1024 bytes, and had 65536 (body-limit-lowered). Notes are short.

### Changed

- `+"`GET /new`"+`: endpoint added (endpoint-added).

## 1.0.0 (2026-01-01)

The first.
`; got != want {
		t.Errorf("the changelog is\n%s", got)
	}
	if got := text(t, r, acknowledgedName); got != acknowledgedHead {
		t.Errorf("still acknowledged: %s", got)
	}
	if said, fault := do(t, r, "check"); said+fault != "" || text(t, r, releasedName) != text(t, r, publishedName) {
		t.Errorf("there are changes since: %s %s", said, fault)
	}
	if _, fault := do(t, r, "release"); !strings.Contains(fault, "2.0.0 is released: raise info.version") {
		t.Errorf("once more: %s", fault)
	}
}

// Before anything is released, any change may be made, and a release is of the
// document as it is.
func TestFirstRelease(t *testing.T) {
	t.Parallel()
	r := notes(t, "", "64KiB", "1KiB")
	if err := os.Remove(r.path(releasedName)); err != nil {
		t.Fatal(err)
	}
	if said, fault := do(t, r, "check"); fault != "" || said != "Nothing is released yet (docs/api/released.json): no change breaks anybody.\n" {
		t.Errorf("it says %q, %q", said, fault)
	}
	if _, fault := do(t, r, "release"); !strings.Contains(fault, "has a former version, but there is no docs/api/released.json") {
		t.Errorf("a document that was lost: %q", fault)
	}
	if err := r.write(changelogName, []byte("# Changelog\n")); err != nil {
		t.Fatal(err)
	}
	if _, fault := do(t, r, "release"); fault != "" {
		t.Fatal(fault)
	}
	if got, want := text(t, r, changelogName), "# Changelog\n\n## 1.0.0 (2026-03-04)\n\nThe first released document: [released.json](released.json).\n"; got != want {
		t.Errorf("the changelog is\n%s", got)
	}
	if text(t, r, releasedName) != text(t, r, publishedName) {
		t.Error("the released document is another")
	}
}

// What cannot be released leaves all as it was.
func TestReleasesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		oldnew []string
		want   string
	}{
		"a break":            {[]string{`"1.0.0"`, `"1.1.0"`, "64KiB", "1KiB"}, "POST /notes: breaks clients"},
		"a version twice":    {[]string{`"limit": 5`, `"limit": 6`}, "1.0.0 is released"},
		"no document":        {[]string{`"openapi"`, `openapi`}, "reading gen/api/openapi.json"},
		"no known unit":      {[]string{"64KiB", "64TiB"}, "no known unit"},
		"no duration":        {[]string{`"window": "1m"`, `"window": "soon"`}, "reading gen/api/openapi.json"},
		"nothing OpenAPI is": {[]string{`"schemas": {`, `"schemas": {"Bad": {"$ref": "#/nowhere"},`}, "loading the published document"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := notes(t, "", c.oldnew...)
			before := []string{text(t, r, changelogName), text(t, r, releasedName)}
			if _, fault := do(t, r, "release"); !strings.Contains(fault, c.want) {
				t.Errorf("no %q in %q", c.want, fault)
			}
			if after := []string{text(t, r, changelogName), text(t, r, releasedName)}; !slices.Equal(before, after) {
				t.Errorf("it wrote %q", after)
			}
		})
	}
}

// The file in the repository begins as a release leaves it.
func TestHeadOfTheAcknowledgements(t *testing.T) {
	t.Parallel()
	if got := text(t, repository{"../.."}, acknowledgedName); !strings.HasPrefix(got, acknowledgedHead) {
		t.Errorf("it begins otherwise: %s", got)
	}
}
