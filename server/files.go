package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/validate"
)

const (
	// uploadField is the one field of the form of an upload.
	uploadField = "file"
	// maxFormFaults is how many faults of a form are told, and maxFormField how
	// many bytes of the name of a field that a client has made up.
	maxFormFaults, maxFormField = 100, 200
	// discardTimeout bounds the deleting of bytes that nobody will ever know.
	discardTimeout = 5 * time.Second

	headerRange        = "Range"
	headerContentRange = "Content-Range"
	// filePolicy keeps a file that is opened as a page all the same from doing
	// anything: it has no origin and loads nothing.
	filePolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"
)

// ListFiles lists the caller's files.
func (s *Server) ListFiles(ctx context.Context, r api.ListFilesRequestObject) (api.ListFilesResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.queries.FileList(ctx, db.FileListParams{UserID: caller(ctx).UserID, Before: page.before, Max: page.max})
	if err != nil {
		return nil, err
	}

	rows, next := cut(page, rows, func(row db.File) uuid.UUID { return row.ID })
	return api.ListFiles200JSONResponse{
		Headers: api.ListFiles200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.FilePage{Items: each(rows, fileOf), NextCursor: next},
	}, nil
}

// UploadFile keeps a file. What the user keeps already is asked for twice: first
// so that no more is stored than there is room for, and then with the row.
func (s *Server) UploadFile(ctx context.Context, r api.UploadFileRequestObject) (api.UploadFileResponseObject, error) {
	user := caller(ctx).UserID
	used, err := s.queries.FileUsage(ctx, user)
	if err != nil {
		return nil, err
	}
	quota := int64(s.config.FilesMaxPerUser)
	u := s.newUpload(user, quota)
	defer u.discard(ctx)

	if err := u.read(ctx, r.Body, quota-used); err != nil {
		return nil, err
	}
	file, err := u.keep(ctx)
	if err != nil {
		return nil, err
	}
	return api.UploadFile201JSONResponse{
		Headers: api.UploadFile201ResponseHeaders{Location: "/api/v1/files/" + file.ID.String()},
		Body:    fileOf(file),
	}, nil
}

// DownloadFile sends the bytes of a file.
func (s *Server) DownloadFile(ctx context.Context, r api.DownloadFileRequestObject) (api.DownloadFileResponseObject, error) {
	who := caller(ctx)
	file, err := s.queries.FileGetVisible(ctx, db.FileGetVisibleParams{
		ID: r.FileID, ViewerID: who.UserID, SeesAll: who.Role == string(api.RoleAdmin),
	})
	if err != nil {
		return nil, err
	}
	return downloadAnswer(func(w http.ResponseWriter) error { return s.sendFile(ctx, w, file) }), nil
}

// DeleteFile deletes a file; its bytes go a little later.
func (s *Server) DeleteFile(ctx context.Context, r api.DeleteFileRequestObject) (api.DeleteFileResponseObject, error) {
	who := caller(ctx)
	return api.DeleteFile204Response{}, s.inTx(ctx, func(ctx context.Context, w *write) error {
		file, err := w.FileDelete(ctx, db.FileDeleteParams{
			ID: r.FileID, ViewerID: who.UserID, SeesAll: who.Role == string(api.RoleAdmin),
		})
		if err != nil {
			return err
		}
		auditSubject(ctx, file.UserID)
		return w.deleteBytes(ctx, file.StorageKey)
	})
}

// deleteFilesOf deletes what a user keeps, whose account is held: a worker that is
// about to complete a report holds it as well, so that its file is seen. Every
// other one finds its report gone.
func (w *write) deleteFilesOf(ctx context.Context, user uuid.UUID) error {
	if err := w.ReportDeleteOf(ctx, user); err != nil {
		return err
	}
	keys, err := w.FileDeleteOf(ctx, user)
	if err != nil {
		return err
	}
	return w.deleteBytes(ctx, keys...)
}

// deleteBytes lets a job delete what the storage keeps under these keys.
func (w *write) deleteBytes(ctx context.Context, keys ...string) error {
	for batch := range slices.Chunk(keys, jobs.MaxKeys) {
		if err := w.enqueue(ctx, jobs.DeleteBytes{Keys: batch}); err != nil {
			return err
		}
	}
	return nil
}

// upload is a file on its way: its bytes are written first and its row last, so
// that no row is ever without its bytes. What a crash leaves between the two is
// swept by a job.
type upload struct {
	server *Server
	row    db.FileCreateWithinParams
	faults validate.Violations
	seen   bool // the field of the file
	orphan bool // there are bytes, and no row
}

func (s *Server) newUpload(user uuid.UUID, quota int64) *upload {
	id := newID()
	return &upload{server: s, row: db.FileCreateWithinParams{
		ID: id, UserID: user, StorageKey: jobs.UploadFolder + id.String(), Max: quota,
	}}
}

// read takes the file out of the form, and stores it if it has no more bytes
// than there is room for.
func (u *upload) read(ctx context.Context, form *multipart.Reader, room int64) error {
	for {
		part, err := form.NextPart()
		if err == io.EOF { // a wrapped one says that the form has no end
			break
		}
		if err != nil {
			return unreadForm(err)
		}
		if err := u.readPart(ctx, part, room); err != nil {
			return err
		}
	}
	if !u.seen {
		u.fault(uploadField, validate.CodeRequired, "is required")
	}
	if len(u.faults) > 0 {
		return u.faults
	}
	return readRest(ctx)
}

// readRest reads what follows the end of a form. A body that is cut off there is
// not what the client has sent, however whole the form looks.
func readRest(ctx context.Context) error {
	_, err := io.Copy(io.Discard, callFrom(ctx).body)
	return err
}

func (u *upload) readPart(ctx context.Context, part *multipart.Part, room int64) error {
	switch name := part.FormName(); {
	case name == "":
		return &validate.SyntaxError{Offset: -1, Reason: "a part of the multipart body has no name"}
	case name != uploadField:
		u.fault(name, validate.CodeUnknown, "is not a member that is known here")
	case u.seen:
		u.fault(uploadField, validate.CodeRepeated, "must be given only once")
	case part.FileName() == "":
		u.seen = true
		u.fault(uploadField, validate.CodeRequired, "must be a file with a name")
	default:
		u.seen = true
	}
	if len(u.faults) > 0 {
		return nil // there is nothing to store any more
	}
	return u.store(ctx, part, room)
}

func (u *upload) fault(field, code, message string) {
	field = strings.ToValidUTF8(field[:min(len(field), maxFormField)], "")
	if len(u.faults) < maxFormFaults {
		u.faults = append(u.faults, validate.Violation{Field: field, Code: code, Message: message})
	}
}

// escapedName undoes what browsers escape in the name of a file, which is nothing
// else (WHATWG's HTML, multipart/form-data).
var escapedName = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

// store writes the bytes of the file.
func (u *upload) store(ctx context.Context, part *multipart.Part, room int64) error {
	written, err := u.server.files.Write(ctx, u.row.StorageKey, formPart{part}, room)
	if errors.Is(err, files.ErrTooLarge) {
		return u.tooMuch()
	}
	if err != nil {
		return err
	}
	u.orphan = true
	u.row.Name, u.row.ContentType = files.Name(escapedName.Replace(part.FileName())), written.ContentType
	u.row.Size, u.row.Sha256 = written.Size, written.SHA256[:]
	return nil
}

// keep writes the row. While the account is held no other upload of it can take
// the same room, and the account cannot be deleted.
func (u *upload) keep(ctx context.Context) (file db.File, err error) {
	u.row.Now = u.server.now()
	err = u.server.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		if _, err := w.UserHoldLive(ctx, u.row.UserID); err != nil {
			return orEnded(err)
		}
		file, err = w.FileCreateWithin(ctx, u.row)
		if errors.Is(err, pgx.ErrNoRows) {
			return u.tooMuch()
		}
		return err
	})
	if err == nil || errors.Is(err, pg.ErrUnknownOutcome) {
		u.orphan = false // or it is one for the sweep, which finds out
	}
	return file, err
}

func (u *upload) tooMuch() error {
	return problem(api.ProblemQuotaExceeded, "Your files together may have at most %d bytes.", u.row.Max)
}

// discard deletes the bytes of an upload that has failed, whatever it failed of.
func (u *upload) discard(ctx context.Context) {
	if !u.orphan {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
	defer cancel()
	if err := u.server.files.Delete(ctx, u.row.StorageKey); err != nil {
		u.server.log.WarnContext(ctx, "the bytes of a failed upload are left to the sweep", "error", err)
	}
}

// formPart is a part of a form whose own errors are told from those of the
// storage that reads it.
type formPart struct{ io.Reader }

// Read gives io.EOF, a *bodyError or a *validate.SyntaxError.
func (p formPart) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unreadForm(err)
	}
	return n, err
}

// unreadForm tells a form that did not come to its end from one that is malformed.
func unreadForm(err error) error {
	if unread, ok := errors.AsType[*bodyError](err); ok {
		return unread
	}
	return &validate.SyntaxError{Offset: -1, Reason: "the multipart body is malformed"}
}

// downloadAnswer sends a file. It is the answer of every download.
type downloadAnswer func(w http.ResponseWriter) error

// VisitDownloadFileResponse writes the answer.
func (send downloadAnswer) VisitDownloadFileResponse(w http.ResponseWriter) error { return send(w) }

// sendFile finds the bytes of a file and sends them.
func (s *Server) sendFile(ctx context.Context, w http.ResponseWriter, file db.File) error {
	content, err := s.openFile(ctx, file)
	if err != nil {
		return err
	}
	defer content.Close()
	return serveFile(w, callFrom(ctx).request, file, content)
}

// serveFile sends a file, a part of it, or that the client has it already.
func serveFile(w http.ResponseWriter, r *http.Request, file db.File, content io.ReadSeeker) error {
	out, in := &fileWriter{ResponseWriter: w, header: http.Header{}}, &fileContent{ReadSeeker: content}
	for name, value := range map[string]string{
		echo.HeaderContentType: file.ContentType, echo.HeaderContentDisposition: files.Disposition(file.Name),
		echo.HeaderContentSecurityPolicy: filePolicy, echo.HeaderCacheControl: revalidatePrivate,
		headerETag: `"` + hex.EncodeToString(file.Sha256) + `"`,
	} {
		out.header.Set(name, value)
	}
	http.ServeContent(out, rangeRequest(r, file.Size), "", file.CreatedAt, in)
	if err := out.refusal(file.Size); err != nil {
		return err
	}
	if err := in.failed.Load(); err != nil {
		return fmt.Errorf("reading %s: %w", file.StorageKey, *err)
	}
	return nil
}

// openFile opens the bytes of a file. A row that is there without them is no
// 404: something was lost, and somebody should see to it.
func (s *Server) openFile(ctx context.Context, file db.File) (io.ReadSeekCloser, error) {
	content, err := s.files.Open(ctx, file.StorageKey)
	if errors.Is(err, files.ErrNotExist) {
		// It may have been deleted since its row was read.
		if _, gone := s.queries.FileGetVisible(ctx, db.FileGetVisibleParams{ID: file.ID, ViewerID: file.UserID}); gone != nil {
			return nil, gone
		}
	}
	if err != nil {
		return nil, err
	}
	size, err := content.Seek(0, io.SeekEnd)
	if err == nil && size != file.Size {
		err = fmt.Errorf("it has %d bytes instead of %d", size, file.Size)
	}
	if err != nil {
		_ = content.Close()
		return nil, fmt.Errorf("opening %s: %w", file.StorageKey, err)
	}
	return content, nil
}

// fileContent notes why reading has failed, which http.ServeContent does not
// tell. It reads several parts in a goroutine of its own.
type fileContent struct {
	io.ReadSeeker
	failed atomic.Pointer[error]
}

// Read is io.Reader's.
func (c *fileContent) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// fileWriter sends what http.ServeContent answers with, but for what it refuses:
// that is a problem like any other.
type fileWriter struct {
	http.ResponseWriter
	header  http.Header
	refused int // the status; 0 while nothing is refused
}

// Header is what is sent beside what the chain sends.
func (w *fileWriter) Header() http.Header { return w.header }

// WriteHeader sends the status of a success.
func (w *fileWriter) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		w.refused = status
		return
	}
	maps.Copy(w.ResponseWriter.Header(), w.header)
	w.ResponseWriter.WriteHeader(status)
}

// Write drops the text of a refusal.
func (w *fileWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// refusal is the problem that was refused with; nil for none.
func (w *fileWriter) refusal(size int64) error {
	switch w.refused {
	case 0:
		return nil
	case http.StatusPreconditionFailed:
		return problem(api.ProblemPreconditionFailed, "The file is not the one that the client has.")
	case http.StatusRequestedRangeNotSatisfiable:
		return problem(api.ProblemRangeNotSatisfiable, "The file has %d bytes.", size).with(headerContentRange, fmt.Sprintf("bytes */%d", size))
	}
	return fmt.Errorf("serving a file: http.ServeContent answers %d", w.refused)
}

// fileOf shows a file.
func fileOf(f db.File) api.File {
	return api.File{
		ID: f.ID, Name: f.Name, ContentType: f.ContentType, Size: f.Size,
		Sha256: hex.EncodeToString(f.Sha256), CreatedAt: f.CreatedAt.UTC(),
	}
}
