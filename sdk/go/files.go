package accord

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
)

// Upload is a file that goes to the server.
type Upload struct {
	// Name is the file's name.
	Name string
	// ContentType is its media type; "" means application/octet-stream.
	ContentType string
	// Content is read as it is sent, to its end. Where it is an io.Seeker, a
	// refused request is sent again.
	Content io.Reader
}

// Download is a file that comes from the server. It has to be closed.
type Download struct {
	// Name is the file's name, "" for none.
	Name string
	// ContentType is its media type.
	ContentType string
	// Size is its length in bytes, -1 where that is not known.
	Size int64
	// Header is that of the answer.
	Header http.Header

	operation string
	answer    *answer
}

// Read reads the content; it fails where the connection ends before the content does.
func (d *Download) Read(p []byte) (int, error) {
	n, err := d.answer.Body.Read(p)
	if err != nil && err != io.EOF {
		err = &Error{Operation: d.operation, Err: d.answer.cause(err)}
	}
	return n, err
}

// Close ends the download, also before its end.
func (d *Download) Close() error {
	d.answer.cancel(nil)
	return d.answer.Body.Close()
}

// download makes a call whose answer is read as it comes.
func download(ctx context.Context, c *Client, r *call, mediaType string) (*Download, error) {
	r.accept(mediaType)
	r.streamed = true
	answer, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	_, said, _ := mime.ParseMediaType(answer.Header.Get("Content-Disposition"))
	return &Download{
		Name: said["filename"], ContentType: answer.Header.Get("Content-Type"), Size: answer.ContentLength,
		Header: answer.Header, operation: r.operation, answer: answer,
	}, nil
}

// multipart gives the call a form with a file (RFC 7578), which is never held whole.
func (r *call) multipart(field string, file Upload) {
	content := r.rewind(file.Content)
	boundary := multipart.NewWriter(io.Discard).Boundary()
	r.header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	r.body = func() (io.Reader, error) {
		file := file
		var err error
		if file.Content, err = content(); err != nil {
			return nil, err
		}
		read, write := io.Pipe()
		go func() { _ = write.CloseWithError(file.write(write, boundary, field)) }() // it ends when the reader closes
		return read, nil
	}
}

func (u Upload) write(w io.Writer, boundary, field string) error {
	form := multipart.NewWriter(w)
	if err := form.SetBoundary(boundary); err != nil {
		return err
	}
	header := textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(field, u.Name)},
		"Content-Type":        {"application/octet-stream"},
	}
	if u.ContentType != "" {
		header.Set("Content-Type", u.ContentType)
	}
	part, err := form.CreatePart(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, u.Content); err != nil {
		return fmt.Errorf("reading %s: %w", u.Name, err)
	}
	return form.Close()
}
