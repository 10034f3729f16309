package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// request is one as a case describes it: what only a run can know stands in it
// as linked and fresh.
type request struct {
	Operation string `json:"operation"`
	// Method is another one than the operation's.
	Method string `json:"method,omitempty"`
	// Parameters are by place and name ("query:limit").
	Parameters map[string]any    `json:"parameters"`
	MediaType  string            `json:"media_type,omitempty"`
	Body       any               `json:"body,omitempty"`
	Raw        *string           `json:"raw,omitempty"`   // a body that is no value
	Blank      int64             `json:"blank,omitempty"` // one of so many spaces
	Header     map[string]string `json:"header,omitempty"`
	// As says who asks.
	As caller `json:"as"`
	// Try tells one try of a request from another.
	Try int `json:"try,omitempty"`

	on *operation
}

// caller is who sends a request.
type caller struct {
	// Nobody sends no credentials, and Token those that are given here.
	Nobody bool   `json:"nobody,omitempty"`
	Token  string `json:"token,omitempty"`
	// Scopes are what the caller has to hold, Without what it must not.
	Scopes []string `json:"scopes,omitempty"`
	// Schemes are what the caller shows itself by.
	Schemes []string `json:"schemes,omitempty"`
	Without []string `json:"without,omitempty"`
	// Alone is somebody whom nobody else is, and whose things may be changed.
	Alone bool `json:"alone,omitempty"`
}

// linked stands for a value of another operation's exchange.
type linked struct {
	From       string `json:"$from"`
	Expression string `json:"$expression"`
	// Otherwise stands in where nothing can be made; nil for nothing.
	Otherwise any `json:"$otherwise,omitempty"`
}

// given stands for a value that the target gives.
type given struct {
	Key string `json:"$given"`
}

// fresh stands for a text that nothing has yet, as the schema wants it.
type fresh struct {
	Schema string `json:"$fresh"`
	Length int    `json:"$length"`
	// Again tells one from another that is the same but for its text.
	Again bool `json:"$again,omitempty"`
}

// filler stands for so many bytes, whatever they are.
type filler struct {
	Bytes int `json:"$bytes"`
}

func (r request) with(key string, value any) request {
	r.Parameters = maps.Clone(r.Parameters)
	if value == any(absent{}) {
		delete(r.Parameters, key)
	} else {
		r.Parameters[key] = value
	}
	return r
}

func (r request) withHeader(name, value string) request {
	r.Header = maps.Clone(r.Header)
	if r.Header == nil {
		r.Header = map[string]string{}
	}
	r.Header[name] = value
	return r
}

func (r request) raw(mediaType, body string) request {
	r.MediaType, r.Raw, r.Body = mediaType, &body, nil
	return r
}

func (r request) blank(mediaType string, n int64) request {
	r.MediaType, r.Body, r.Blank = mediaType, nil, n
	return r
}

// key is the same for requests that are the same.
func (r request) key() string {
	encoded, err := json.Marshal(r)
	if err != nil {
		panic(err) // values of documents and of this package only
	}
	return r.on.method + " " + r.on.path + " " + string(encoded)
}

// encoded is the body as it is sent, once what it stands for is known.
func (r request) encoded(body any) (contentType string, encoded []byte, err error) {
	switch {
	case r.Raw != nil:
		return r.MediaType, []byte(*r.Raw), nil
	case r.Blank > 0:
		return r.MediaType, bytes.Repeat([]byte(" "), int(r.Blank)), nil
	case r.MediaType == "":
		return "", nil, nil
	}
	return encode(r.MediaType, body, r.on.files(r.MediaType))
}

// isJSON says whether a media type is JSON or a form of it (RFC 6839).
func isJSON(mediaType string) bool {
	mediaType = essence(mediaType)
	return strings.HasSuffix(mediaType, "/json") || strings.HasSuffix(mediaType, "+json")
}

// essence is a media type without its parameters (RFC 9110, section 8.3.1).
func essence(mediaType string) string {
	kind, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// encode turns a value into a body of a media type. files are the members that a
// form sends as files.
func encode(mediaType string, value any, files []string) (contentType string, encoded []byte, err error) {
	switch base := essence(mediaType); {
	case base == "application/x-www-form-urlencoded":
		return mediaType, []byte(form(value).Encode()), nil
	case base == "multipart/form-data":
		return multipartForm(value, files)
	case isJSON(base):
		encoded, err = json.Marshal(value)
		return mediaType, encoded, err
	}
	return mediaType, []byte(plainText(value)), nil
}

// form has a list as several values of one name (OpenAPI: style form, exploded).
func form(value any) url.Values {
	values := url.Values{}
	object, _ := value.(map[string]any)
	for name, each := range object {
		for _, one := range several(each) {
			values.Add(name, plainText(one))
		}
	}
	return values
}

func several(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

func multipartForm(value any, files []string) (string, []byte, error) {
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	object, _ := value.(map[string]any)
	for _, name := range sorted(object) {
		for _, one := range several(object[name]) {
			if err := writePart(w, name, one, slices.Contains(files, name)); err != nil {
				return "", nil, err
			}
		}
	}
	err := w.Close()
	return w.FormDataContentType(), buffer.Bytes(), err
}

func writePart(w *multipart.Writer, name string, value any, file bool) error {
	if !file {
		return w.WriteField(name, plainText(value))
	}
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition(name, name+".txt")}})
	if err != nil {
		return err
	}
	_, err = part.Write([]byte(plainText(value)))
	return err
}

// plainText is a value where there are only texts.
func plainText(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case []any, map[string]any:
		encoded, err := json.Marshal(value)
		if err != nil {
			panic(err) // a value of a document
		}
		return string(encoded)
	}
	return fmt.Sprint(value)
}
