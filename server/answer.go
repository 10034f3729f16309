package server

import (
	"bytes"
	"maps"
	"net/http"

	"github.com/accord-api/accord/gen/api"
)

// encodedAnswer is an answer that can be kept and written again.
type encodedAnswer struct {
	Status int `json:"status"`
	// Header holds what the method set; what the chain sends is not part of it.
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// encode lets an answer write into memory.
func encode(answer api.Answer) (encodedAnswer, error) {
	r := recorder{header: http.Header{}, status: http.StatusOK}
	err := answer(&r)
	return encodedAnswer{Status: r.status, Header: r.header, Body: r.body.Bytes()}, err
}

// write is an api.Answer.
func (a encodedAnswer) write(w http.ResponseWriter) error {
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, err := w.Write(a.Body)
	return err
}

// recorder is a ResponseWriter that keeps what is written.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
