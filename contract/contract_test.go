package contract_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/accord-api/accord/contract"
)

// shop keeps to testdata/shop.yaml but for its flaw.
type shop struct {
	flaw string

	mu     sync.Mutex
	things []map[string]any
}

var (
	idPattern   = regexp.MustCompile(`^t[0-9]+$`)
	namePattern = regexp.MustCompile(`^[a-z]+$`)
)

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/things/")
	switch {
	case one && r.Method == http.MethodGet:
		s.get(w, id)
	case r.URL.Path == "/things" && r.Method == http.MethodGet:
		s.list(w, r)
	case r.URL.Path == "/things" && r.Method == http.MethodPost:
		s.create(w, r)
	case s.flaw == "no 405":
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Allow", map[bool]string{true: "GET", false: "GET, POST"}[one])
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *shop) get(w http.ResponseWriter, id string) {
	if (!idPattern.MatchString(id) || len(id) > 10 || len(id) < 2) && s.flaw != "any id" {
		refuse(w, http.StatusUnprocessableEntity, "id is no id")
		return
	}
	for _, thing := range s.things {
		if thing["id"] == id {
			if color, ok := thing["color"].(*string); ok && *color == "green" && s.flaw == "green is read as blue" {
				thing = map[string]any{"id": id, "name": thing["name"], "color": "blue"}
			}
			s.show(w, http.StatusOK, thing)
			return
		}
	}
	refuse(w, http.StatusNotFound, "there is no such thing")
}

func (s *shop) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := 100
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		most := map[bool]int{true: 101, false: 100}[s.flaw == "a limit of 101"]
		if err != nil || n < 1 || n > most {
			refuse(w, http.StatusUnprocessableEntity, "limit is out of its range")
			return
		}
		limit = n
	}
	if query.Has("color") && !slices.Contains([]string{"red", "green"}, query.Get("color")) {
		detail := "color is unknown"
		if s.flaw == "a refusal without a name" {
			detail = "something is wrong"
		}
		refuse(w, http.StatusUnprocessableEntity, detail)
		return
	}
	if s.flaw != "no header" {
		w.Header().Set("X-Total", strconv.Itoa(len(s.things)))
	}
	s.show(w, http.StatusOK, append([]map[string]any{}, s.things[:min(limit, len(s.things))]...))
}

func (s *shop) create(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && s.flaw != "any content type" {
		refuse(w, http.StatusUnsupportedMediaType, "JSON only")
		return
	}
	var body map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	thing := map[string]any{"id": fmt.Sprintf("t%d", len(s.things)+1)}
	for _, name := range []string{"name", "color", "note"} {
		raw, there := body[name]
		delete(body, name)
		var text *string
		err := json.Unmarshal(raw, &text)
		switch {
		case !there && name == "note":
			continue
		case !there, err != nil && there, text == nil && name != "note", text != nil && s.wrong(name, *text):
			refuse(w, http.StatusUnprocessableEntity, name+" is wrong")
			return
		}
		thing[name] = text
	}
	for name := range body {
		if s.flaw != "unknown members" {
			refuse(w, http.StatusUnprocessableEntity, name+" is unknown")
			return
		}
	}
	s.things = append(s.things, thing)
	status := http.StatusCreated
	if s.flaw == "another status" {
		status = http.StatusOK
	}
	s.show(w, status, thing)
}

func (s *shop) wrong(name, text string) bool {
	switch name {
	case "name":
		return utf8.RuneCountInString(text) > 10 || !namePattern.MatchString(text) && s.flaw != "any name"
	case "color":
		return !slices.Contains([]string{"red", "green"}, text)
	}
	return utf8.RuneCountInString(text) > 20
}

func (s *shop) show(w http.ResponseWriter, status int, value any) {
	if thing, ok := value.(map[string]any); ok && s.flaw == "an extra member" {
		value = map[string]any{"id": thing["id"], "name": thing["name"], "color": thing["color"], "secret": true}
	}
	send(w, "application/json", status, value)
}

func refuse(w http.ResponseWriter, status int, detail string) {
	send(w, "application/problem+json", status, map[string]any{"detail": detail})
}

func send(w http.ResponseWriter, contentType string, status int, value any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client has gone
}

func shopDocument(t *testing.T) *contract.Document {
	t.Helper()
	source, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := contract.Parse("shop.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func open(t *testing.T, flaw string) contract.Target {
	t.Helper()
	server := httptest.NewServer(&shop{flaw: flaw})
	t.Cleanup(server.Close)
	return contract.Target{URL: server.URL}
}

// A server that keeps to its document passes, and each flaw is found: the report
// names the operation and the sentence that is broken.
func TestFlawsAreFound(t *testing.T) {
	t.Parallel()
	for flaw, want := range map[string]string{
		"":                         "",
		"no 405":                   "FAILED listThings: the method",
		"any id":                   "shop.yaml:44 /paths/~1things~1{id}/get/parameters/0/schema/pattern",
		"a limit of 101":           "shop.yaml:8 /paths/~1things/get/parameters/0/schema/maximum",
		"a refusal without a name": "the refusal does not name color",
		"no header":                "the header X-Total is missing",
		"any content type":         "FAILED createThing: as text/plain",
		"unknown members":          "/components/schemas/NewThing/additionalProperties",
		"another status":           "the status 200 is not declared",
		"any name":                 "/components/schemas/NewThing/properties/name/pattern",
		"green is read as blue":    "read back by getThing",
		"an extra member":          "/components/schemas/Thing/additionalProperties",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			result, err := contract.Run(t.Context(), shopDocument(t), open(t, flaw), nil)
			if err != nil {
				t.Fatal(err)
			}
			var report bytes.Buffer
			if err := result.Write(&report); err != nil {
				t.Fatal(err)
			}
			if failed := len(result.Failed()) > 0; failed != (want != "") || !strings.Contains(report.String(), want) {
				t.Errorf("want %q, got\n%s", want, report.String())
			}
		})
	}
}

// The formats tell the same.
func TestFormats(t *testing.T) {
	t.Parallel()
	result, err := contract.Run(t.Context(), shopDocument(t), open(t, "no header"), nil)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, format := range contract.Formats {
		var w bytes.Buffer
		if err := result.WriteAs(&w, format); err != nil {
			t.Fatal(err)
		}
		if written[format] = w.String(); !strings.Contains(w.String(), "the header X-Total is missing from a 200") {
			t.Errorf("%s:\n%s", format, w.String())
		}
	}
	var told struct {
		Cases, Failed int
		Failures      []struct{ Request string }
		Left          map[string]int
	}
	if err := json.Unmarshal([]byte(written["json"]), &told); err != nil || told.Cases != len(result.Outcomes) || told.Failed != len(result.Failed()) || !strings.HasPrefix(told.Failures[0].Request, "curl ") || told.Left["createThing"] == 0 {
		t.Errorf("%+v, %v", told, err)
	}
	var suites struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Failure *string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(written["junit"]), &suites); err != nil || len(suites.Suites) != 3 || suites.Suites[0].Failures == 0 || len(suites.Suites[0].Cases) != suites.Suites[0].Tests {
		t.Errorf("%+v, %v", suites, err)
	}
	if !strings.Contains(written["html"], "Left by createThing: ") {
		t.Error("the page does not say what is left")
	}
	if strings.Contains(written["html"], "<script") || strings.Contains(written["html"], "src=") {
		t.Error("the page loads something")
	}
	if err := result.WriteAs(&bytes.Buffer{}, "pdf"); err == nil {
		t.Error("any format is taken")
	}
}

// What only reads sends nothing that writes.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	var written, read atomic.Int64
	inner := &shop{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			read.Add(1)
		} else {
			written.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	result, err := contract.Run(t.Context(), shopDocument(t), contract.Target{URL: server.URL, ReadOnly: true}, nil)
	if err != nil || len(result.Failed()) > 0 || written.Load() > 0 || read.Load() == 0 {
		t.Errorf("%d read, %d written, %d failed: %v", read.Load(), written.Load(), len(result.Failed()), err)
	}
}

// Every change of what the document says of requests and answers is noticed, but
// for those that nothing can show: the shop never tells of a total that is at its limit,
// its ids are such as it makes them, and what is only linked to is asked by its links.
func TestMutantsAreKilled(t *testing.T) {
	t.Parallel()
	score, err := contract.Mutate(t.Context(), shopDocument(t), open(t, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	if err := score.Write(&report); err != nil {
		t.Fatal(err)
	}
	t.Log(report.String())
	unshown := []string{"/paths/~1things/get/responses/200/headers/X-Total", "/components/schemas/Thing/properties/id/pattern", "/paths/~1things~1{id}/get"}
	for _, v := range score.Survivors() {
		if !slices.ContainsFunc(unshown, func(at string) bool {
			return v.Pointer == at || strings.HasPrefix(v.Pointer, at+"/") && at == unshown[0]
		}) {
			t.Errorf("%s: %s", v.Pointer, v.What)
		}
	}
	if all := len(score.Mutants); all < 200 {
		t.Errorf("there are %d mutants", all)
	}
}

// What could not be tried shows nothing, and kills nothing.
func TestNothingIsKilledByNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	score, err := contract.Mutate(t.Context(), shopDocument(t), contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range score.Mutants {
		if v.Killer != "" && !strings.Contains(v.Killer, "the example is not valid") && !strings.HasPrefix(v.Killer, "the document: ") {
			t.Errorf("%s: %s is killed by %s", v.Pointer, v.What, v.Killer)
		}
	}
}

// A link that leads nowhere is told before anything is sent.
func TestLooseLink(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := contract.Parse("shop.yaml", bytes.Replace(source, []byte("              operationId: getThing"), []byte("              operationId: getNothing"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := contract.Run(t.Context(), d, open(t, ""), nil); err == nil || !strings.Contains(err.Error(), "a link leads to getNothing") {
		t.Errorf("%v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                 "empty",
		"{openapi: '2.0'}": `openapi is "2.0"`,
		"[]":               "not a mapping",
		"{a: 1, a: 2}":     "stands here twice",
		"{openapi: 3.1.0, paths: {/a: {$ref: '#/nowhere'}}}": "leads nowhere",
	} {
		if _, err := contract.Parse("it", []byte(source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}
