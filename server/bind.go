package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/validate"
)

// maxPresize bounds the memory taken on a client's word for its body's length.
const maxPresize = 64 << 10

// binder reads request bodies for the generated handlers, in place of Echo's
// own, which would fill them from the path and the query as well and match
// members in any letter case. What breaks the contract comes back as
// validate.Violations, which the handlers join with what the rules find.
type binder struct{}

// Bind reads the body into a generated body struct. It returns
// validate.Violations, a *validate.SyntaxError, or a *bodyError.
func (binder) Bind(into any, c echo.Context) error {
	shaped, ok := into.(validate.Shaped)
	if !ok {
		return fmt.Errorf("binding a body: %T has no shape", into)
	}
	data, err := readBody(c)
	if err != nil {
		return err
	}

	decode := validate.JSON
	if validate.MediaType(c.Request().Header.Get(echo.HeaderContentType)) == echo.MIMEApplicationForm {
		decode = validate.Form
	}
	found, err := decode(data, shaped)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return found
	}

	return nil
}

// body is the body of a request. Its errors are told from all others.
type body struct{ io.ReadCloser }

// Read gives io.EOF or a *bodyError.
func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &bodyError{err}
	}
	return n, err
}

// bodyError is why a body could not be read to its end: it is too large or too
// slow, the client has gone, or it is not framed as HTTP has it.
type bodyError struct{ cause error }

func (e *bodyError) Error() string { return "reading the body: " + e.cause.Error() }

func (e *bodyError) Unwrap() error { return e.cause }

// readBody reads the whole body, which the operation's chain has limited.
func readBody(c echo.Context) ([]byte, error) {
	var buffer bytes.Buffer
	if n := c.Request().ContentLength; n > 0 {
		buffer.Grow(int(min(n, maxPresize)) + bytes.MinRead)
	}
	if _, err := buffer.ReadFrom(c.Request().Body); err != nil {
		return nil, err
	}

	return buffer.Bytes(), nil
}
