package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/accord-api/accord/contract"
)

// boxDocument has one schema for what is sent and what comes back.
const boxDocument = `
openapi: 3.0.3
info: {title: Boxes, version: '1'}
paths:
  /boxes:
    post:
      operationId: make
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Box'}
            example: {id: '7', name: lamp, key: opensesame, note: n, size: {width: 2, volume: 8}}
      responses:
        '201': {description: Made., content: {application/json: {schema: {$ref: '#/components/schemas/Box'}}}}
        '400': {description: Refused.}
        '415': {description: Refused.}
components:
  schemas:
    Box:
      allOf: [{type: object, required: [id]}]
      type: object
      required: [name, key, size]
      properties:
        id: {type: string, readOnly: true}
        name: {type: string, minLength: 1, maxLength: 9}
        key: {type: string, writeOnly: true, minLength: 1, maxLength: 12}
        note: {type: string, maxLength: 5, writeOnly: true}
        stamp: {type: string, enum: [Mon, Tue, Wed]}
        lid: {readOnly: true, nullable: true, allOf: [{type: object, properties: {pin: {type: string, writeOnly: true}}}]}
        size:
          type: object
          required: [width, volume]
          properties:
            width: {type: integer, minimum: 1, maximum: 9}
            volume: {type: integer, readOnly: true}
`

// box makes boxes, in the way of a flaw or of a habit that the document leaves open.
func box(way string) http.HandlerFunc {
	var made atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			ID, Name, Key, Note, Stamp *string
			Size                       *struct{ Width, Volume *int }
		}
		raw := map[string]json.RawMessage{}
		within := func(text *string, least, most int) bool {
			return text != nil && utf8.RuneCountInString(*text) >= least && utf8.RuneCountInString(*text) <= most
		}
		switch decoder := json.NewDecoder(r.Body); {
		case r.Method != http.MethodPost:
			w.WriteHeader(http.StatusNotFound)
			return
		case r.Header.Get("Content-Type") != "application/json":
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		case decoder.Decode(&raw) != nil || json.Unmarshal([]byte(text(raw)), &sent) != nil,
			!within(sent.Name, 1, 9), !within(sent.Key, 1, 12), raw["note"] != nil && !within(sent.Note, 0, 5), raw["stamp"] != nil && (sent.Stamp == nil || !slices.Contains([]string{"Mon", "Tue", "Wed"}, *sent.Stamp)),
			sent.Size == nil || sent.Size.Width == nil || *sent.Size.Width < 1 || *sent.Size.Width > 9,
			raw["id"] != nil && way == "refuses":
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		id, volume := fmt.Sprint(made.Add(1)), *sent.Size.Width**sent.Size.Width**sent.Size.Width
		if sent.ID != nil && way == "takes an id" {
			id = *sent.ID
		}
		if sent.Size.Volume != nil && way == "takes a volume" {
			volume = *sent.Size.Volume
		}
		if sent.ID != nil && way == "forbids" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		shown := map[string]any{"id": id, "name": sent.Name, "size": map[string]any{"width": sent.Size.Width, "volume": volume}, "stamp": "Mon", "lid": nil}
		switch way {
		case "shows the pin":
			shown["lid"] = map[string]any{"pin": "1234"}
		case "shows the key":
			shown["key"] = sent.Key
		case "shows no id":
			delete(shown, "id")
		}
		send(w, "application/json", http.StatusCreated, shown)
	}
}

func text(raw map[string]json.RawMessage) string {
	encoded, err := json.Marshal(raw)
	if err != nil {
		return ""
	}
	return string(encoded)
}

// What only answers have is refused or ignored, and need not be sent although it is
// required; what only requests have is in no answer, and missing from none.
func TestDirections(t *testing.T) {
	t.Parallel()
	for way, want := range map[string]string{
		"":               "",
		"refuses":        "",
		"takes an id":    "Box/properties/id/readOnly",
		"takes a volume": "size/properties/volume/readOnly",
		"forbids":        "the status 418 is not declared",
		"shows the key":  "an answer has key, which only requests have",
		"shows the pin":  "an answer has pin, which only requests have",
		"shows no id":    "missing property 'id'",
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			report := held(t, boxDocument, contract.Target{}, box(way))
			if want == "" && !strings.Contains(report, ", 0 of them failed, 0 skipped") || !strings.Contains(report, want) {
				t.Errorf("want %q, got\n%s", want, report)
			}
		})
	}
}

// Cases notice where the document is wrong about a direction; where nothing could, the
// change is told to change nothing.
func TestDirectionsAreMutated(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(box(""))
	t.Cleanup(server.Close)
	d, err := contract.Parse("boxes.yaml", []byte(boxDocument))
	if err != nil {
		t.Fatal(err)
	}
	score, err := contract.Mutate(t.Context(), d, contract.Target{URL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	const box, size = "/components/schemas/Box/properties/", "/components/schemas/Box/properties/size/properties/"
	for _, v := range score.Mutants {
		if strings.HasSuffix(v.Pointer, "Only") {
			if got[v.Pointer] = "killed"; v.Killer == "" {
				got[v.Pointer] = "survived"
			}
		}
	}
	for _, m := range score.Equivalent {
		if strings.HasSuffix(m.Pointer, "Only") {
			got[m.Pointer] = m.Why
		}
	}
	for pointer, want := range map[string]string{
		box + "id/readOnly": "killed", box + "name/readOnly": "killed", box + "key/readOnly": "killed", box + "size/readOnly": "killed",
		box + "note/readOnly":  "a request may be without it, and no answer of make has a note, which would show whether it is ignored",
		box + "stamp/readOnly": "the server has it so: 2 different values",
		box + "id/writeOnly":   "killed", box + "name/writeOnly": "killed", box + "key/writeOnly": "killed", box + "size/writeOnly": "killed",
		box + "note/writeOnly":  "killed",
		size + "width/readOnly": "killed", size + "volume/readOnly": "killed", size + "width/writeOnly": "killed", size + "volume/writeOnly": "killed",
	} {
		if !strings.HasPrefix(got[pointer], want) {
			t.Errorf("%s: %q, want %q", pointer, got[pointer], want)
		}
	}
}
