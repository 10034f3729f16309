package contract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/accord-api/accord/contract"
)

// boxes is an API of things that can be deleted, and of ones that cannot.
const boxes = `
openapi: 3.1.0
info: {title: Boxes, version: '1'}
paths:
  /boxes:
    post:
      operationId: makeBox
      responses:
        '201':
          description: The box.
          content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}
  /boxes/{id}:
    delete:
      operationId: removeBox
      parameters: [{name: id, in: path, required: true, schema: {type: string, maxLength: 9}}]
      responses: {'204': {description: gone}, '404': {description: not there}}
  /marks:
    post:
      operationId: makeMark
      responses: {'201': {description: made}}
  /crates:
    post:
      operationId: makeCrate
      responses: {'200': {description: The crate., content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}}
  /crates/{id}:
    delete:
      operationId: removeCrate
      parameters: [{name: id, in: path, required: true, schema: {type: string, maxLength: 9}}]
      responses: {'204': {description: gone}, '404': {description: not there}}
  /labels/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string, maxLength: 9}}]
    put: {operationId: putLabel, responses: {'201': {description: made}, '204': {description: there}}}
    delete: {operationId: removeLabel, responses: {'204': {description: gone}, '404': {description: not there}}}
`

// A run that is interrupted tells what has come until then, and deletes what was made.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var made, gone atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /boxes", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusCreated, fmt.Sprintf(`{"id": "b%d"}`, made.Add(1)))
	})
	mux.HandleFunc("DELETE /boxes/{id}", func(w http.ResponseWriter, _ *http.Request) {
		if gone.Add(1) == 1 { // a case's own
			interrupt()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d, err := contract.Parse("boxes.yaml", []byte(boxes))
	if err != nil {
		t.Fatal(err)
	}
	result, err := contract.Run(ctx, d, contract.Target{URL: server.URL, Parallel: 1}, nil)
	if !errors.Is(err, context.Canceled) || result == nil || result.Left["makeBox"] != 0 || gone.Load() < made.Load() || made.Load() == 0 {
		t.Fatalf("%d of %d deleted, %+v: %v", gone.Load(), made.Load(), result, err)
	}
	for format, want := range map[string]string{"text": "INTERRUPTED: ", "junit": `<skipped message="the run was interrupted">`} {
		var report strings.Builder
		if err := result.WriteAs(&report, format); err != nil || !strings.Contains(report.String(), want) {
			t.Errorf("%s: %v\n%s", format, err, report.String())
		}
	}
}

// What was made is deleted again, as far as the document has operations for that; what
// is left is told.
func TestCleanUp(t *testing.T) {
	t.Parallel()
	for keep, want := range map[bool]string{false: "left by makeMark: ", true: ""} {
		var mu sync.Mutex
		there, made := map[string]bool{}, 0
		mux := http.NewServeMux()
		for kind, status := range map[string]int{"boxes": http.StatusCreated, "crates": http.StatusOK} {
			mux.HandleFunc("POST /"+kind, func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				made++
				id := fmt.Sprintf("b%d", made)
				there["/"+kind+"/"+id] = true
				answer(w, status, fmt.Sprintf(`{"id": %q}`, id))
			})
		}
		mux.HandleFunc("PUT /labels/{name}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			status := http.StatusNoContent
			if !there[r.URL.Path] {
				status = http.StatusCreated
			}
			there[r.URL.Path] = true
			w.WriteHeader(status)
		})
		mux.HandleFunc("DELETE /", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if !there[r.URL.Path] {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			delete(there, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		})
		mux.HandleFunc("POST /marks", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		d, err := contract.Parse("boxes.yaml", []byte(boxes))
		if err != nil {
			t.Fatal(err)
		}
		if writes := strings.Join(d.Writes(), " "); writes != "makeBox removeBox makeMark makeCrate removeCrate putLabel removeLabel" {
			t.Errorf("it writes by %s", writes)
		}
		result, err := contract.Run(t.Context(), d, contract.Target{URL: server.URL, Keep: keep}, nil)
		if err != nil || made == 0 {
			t.Fatalf("%d made: %v", made, err)
		}
		var report strings.Builder
		if err := result.Write(&report); err != nil {
			t.Fatal(err)
		}
		if (len(there) > 0) != keep || !strings.Contains(report.String(), want) || strings.Count(report.String(), "left by ") > strings.Count(want, "left by ") {
			t.Errorf("keep %t: %v left\n%s", keep, there, report.String())
		}
		score, err := contract.Mutate(t.Context(), d, contract.Target{URL: server.URL, Keep: keep}, nil)
		if err != nil {
			t.Fatal(err)
		}
		report.Reset()
		if err := score.Write(&report); err != nil {
			t.Fatal(err)
		}
		if (len(there) > 0) != keep || !strings.Contains(report.String(), want) {
			t.Errorf("keep %t: %v left by mutants\n%s", keep, there, report.String())
		}
	}
}
