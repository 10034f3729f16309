package server

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/jobs"
)

// The pages that people see, beside the API: the catalogue of problems, where
// the links of mails lead, and the documentation.
const (
	problemPath = "/problems/"
	specPath    = "/api/openapi.json"
	docsPath    = "/api/docs"
	assetsPath  = "/assets/"
	outboxPath  = "/dev/mail"

	// pagePolicy lets a page load only what this server serves.
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// docsPolicy is for Swagger UI, which sets styles on its elements.
	docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

//go:embed pages
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// registerPages adds the routes that are no operations of the contract.
func (s *Server) registerPages() {
	if s.requests != nil {
		s.registerDevPages()
	} else {
		s.servePage("/", s.startPage)
	}
	s.servePage("/problems", s.problemIndexPage)
	s.servePage(problemPath+":code", s.problemPage)
	s.servePage(specPath, s.specFile(s.spec()))
	for _, page := range []string{jobs.VerifyPage, jobs.ResetPage, jobs.ForgotPage} {
		s.servePage(page, s.templatePage(path.Base(page)+".html"))
	}
	s.servePage(assetsPath+"*", s.assets())
	if s.config.Docs {
		s.servePage(docsPath, s.docsPage)
		s.servePage(docsPath+"/*", s.swaggerUI())
	}
	if s.outbox != nil {
		s.servePage(outboxPath, s.framed(s.outboxPage))
		s.servePage(outboxPath+"/*", s.framed(s.outboxPage))
	}
}

// servePage serves GET, and HEAD with it.
func (s *Server) servePage(path string, page echo.HandlerFunc) {
	if s.requests != nil {
		page = unrecorded(page)
	}
	s.echo.Match([]string{http.MethodGet, http.MethodHead}, path, page)
}

// pageData is what every page is made from.
type pageData struct {
	Project  string
	Docs     bool
	Outbox   bool
	Problem  *api.ProblemType
	Problems []*api.ProblemType
}

func (s *Server) pageData() pageData {
	return pageData{Project: s.config.ProjectName, Docs: s.config.Docs, Outbox: s.outbox != nil}
}

func (s *Server) startPage(c echo.Context) error {
	return render(c, "start.html", pagePolicy, s.pageData())
}

func (s *Server) templatePage(name string) echo.HandlerFunc {
	return func(c echo.Context) error { return render(c, name, pagePolicy, s.pageData()) }
}

// problemPage says what a problem type means and how to mend it.
func (s *Server) problemPage(c echo.Context) error {
	for _, kind := range api.ProblemTypes {
		if kind.Code == c.Param("code") {
			data := s.pageData()
			data.Problem = kind
			return render(c, "problem.html", pagePolicy, data)
		}
	}
	return echo.ErrNotFound
}

func (s *Server) problemIndexPage(c echo.Context) error {
	data := s.pageData()
	data.Problems = api.ProblemTypes
	return render(c, "problems.html", pagePolicy, data)
}

func (s *Server) docsPage(c echo.Context) error {
	return render(c, "docs.html", docsPolicy, s.pageData())
}

func render(c echo.Context, name, policy string, data pageData) error {
	return renderWith(c, pageTemplates, name, policy, data)
}

func renderWith(c echo.Context, templates *template.Template, name, policy string, data any) error {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	c.Response().Header().Set("Content-Security-Policy", policy)
	return tagged(c, echo.MIMETextHTMLCharsetUTF8, page.Bytes(), tagOf(page.Bytes()))
}

// tagged answers with what is the same for everybody: it may be kept, and is
// asked for again by its tag.
func tagged(c echo.Context, contentType string, body []byte, tag string) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
	if hasTag(c, tag) {
		return c.NoContent(http.StatusNotModified)
	}
	return c.Blob(http.StatusOK, contentType, body)
}

// hasTag sends a tag with the answer, and tells whether the client has what it
// stands for.
func hasTag(c echo.Context, tag string) bool {
	c.Response().Header().Set(headerETag, tag)
	return matchesTag(c.Request().Header.Get("If-None-Match"), tag)
}

// spec is the published contract under the project's name.
func (s *Server) spec() []byte {
	name, err := json.Marshal(s.config.ProjectName)
	if err != nil { // a string: cannot happen
		panic(err)
	}
	title := []byte(`"title": "Accord"`)
	return bytes.Replace(api.OpenAPI, title, append([]byte(`"title": `), name...), 1)
}

func (s *Server) specFile(spec []byte) echo.HandlerFunc {
	tag := tagOf(spec)
	return func(c echo.Context) error {
		return tagged(c, "application/vnd.oai.openapi+json;version=3.1", spec, tag)
	}
}

// assets serves the scripts and styles of the pages.
func (s *Server) assets() echo.HandlerFunc {
	return existing(ownTags(), "no-cache", http.StripPrefix(assetsPath, http.FileServerFS(filesIn("assets"))))
}

// filesIn are those in a folder of pages/.
func filesIn(folder string) fs.FS {
	files, err := fs.Sub(pageFiles, "pages/"+folder)
	if err != nil { // embedded: cannot happen
		panic(err)
	}
	return files
}

// swaggerUI serves the Swagger UI that its Go module carries, compressed.
func (s *Server) swaggerUI() echo.HandlerFunc {
	return s.framed(existing(swaggerTags(), "public, max-age=3600", http.StripPrefix(docsPath, statigz.FileServer(static.FS))))
}

// The tags of files by their names, made once in a process. Those of Swagger UI
// are weak: they stand for a file compressed or not.
var (
	ownTags     = sync.OnceValue(func() map[string]string { return tagsOf(filesIn("assets"), "") })
	devTags     = sync.OnceValue(func() map[string]string { return tagsOf(filesIn("dev/assets"), "") })
	swaggerTags = sync.OnceValue(func() map[string]string { return tagsOf(static.FS, ".gz") })
)

// tagsOf gives the tag of each file; those whose names end with the suffix are
// asked for without it.
func tagsOf(files fs.FS, suffix string) map[string]string {
	tags := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		tag := tagOf(content)
		if suffix != "" {
			tag = "W/" + tag
		}
		tags[strings.TrimSuffix(name, suffix)] = tag
		return err
	})
	if err != nil { // embedded: cannot happen
		panic(err)
	}
	return tags
}

// existing serves files that have a tag. What is not there is a problem like
// everywhere else, not the file server's text, and a tag is ours: statigz writes
// its own without quotes (RFC 9110, section 8.8.3).
func existing(tags map[string]string, cacheControl string, server http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		tag, header := tags[c.Param("*")], c.Response().Header()
		if tag == "" {
			return echo.ErrNotFound
		}
		header.Set(echo.HeaderCacheControl, cacheControl)
		if hasTag(c, tag) {
			if strings.HasPrefix(tag, "W/") { // as statigz says of what it sends
				header.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
			}
			return c.NoContent(http.StatusNotModified)
		}
		c.Request().Header.Del("If-None-Match") // it is answered
		retag := func() { header.Set(headerETag, tag) }
		c.Response().Before(retag)
		defer retag() // HEAD has written nothing yet
		return echo.WrapHandler(server)(c)
	}
}

// outboxPage shows the mails. What is not there is a problem here too.
func (s *Server) outboxPage(c echo.Context) (err error) {
	notFound := func(http.ResponseWriter) { err = echo.ErrNotFound }
	s.outbox.Handler(outboxPath, notFound).ServeHTTP(c.Response(), c.Request())
	return err
}

// framed serves what sets no policy of its own under the pages'.
func (s *Server) framed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", pagePolicy)
		if strings.HasPrefix(c.Request().URL.Path, docsPath) {
			c.Response().Header().Set("Content-Security-Policy", docsPolicy)
		}
		return next(c)
	}
}
