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
	s.echo.GET("/", s.startPage)
	s.echo.GET("/problems", s.problemIndexPage)
	s.echo.GET(problemPath+":code", s.problemPage)
	s.echo.GET(specPath, s.specFile(s.spec()))
	for _, page := range []string{jobs.VerifyPage, jobs.ResetPage, jobs.ForgotPage} {
		s.echo.GET(page, s.templatePage(path.Base(page)+".html"))
	}
	s.echo.GET(assetsPath+"*", echo.WrapHandler(http.StripPrefix(assetsPath, s.assets())))
	if s.config.Docs {
		s.echo.GET(docsPath, s.docsPage)
		s.echo.GET(docsPath+"/oauth2-redirect.html", s.swaggerUI())
		s.echo.GET(docsPath+"/*", s.swaggerUI())
	}
	if s.outbox != nil {
		outbox := echo.WrapHandler(s.outbox.Handler(outboxPath))
		s.echo.GET(outboxPath, s.framed(outbox))
		s.echo.GET(outboxPath+"/*", s.framed(outbox))
	}
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
	return render(c, http.StatusOK, "start.html", pagePolicy, s.pageData())
}

func (s *Server) templatePage(name string) echo.HandlerFunc {
	return func(c echo.Context) error { return render(c, http.StatusOK, name, pagePolicy, s.pageData()) }
}

// problemPage says what a problem type means and how to mend it.
func (s *Server) problemPage(c echo.Context) error {
	for _, kind := range api.ProblemTypes {
		if kind.Code == c.Param("code") {
			data := s.pageData()
			data.Problem = kind
			return render(c, http.StatusOK, "problem.html", pagePolicy, data)
		}
	}
	return echo.ErrNotFound
}

func (s *Server) problemIndexPage(c echo.Context) error {
	data := s.pageData()
	data.Problems = api.ProblemTypes
	return render(c, http.StatusOK, "problems.html", pagePolicy, data)
}

func (s *Server) docsPage(c echo.Context) error {
	return render(c, http.StatusOK, "docs.html", docsPolicy, s.pageData())
}

func render(c echo.Context, status int, name, policy string, data pageData) error {
	var page bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	c.Response().Header().Set("Content-Security-Policy", policy)
	return c.HTMLBlob(status, page.Bytes())
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
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
		return c.Blob(http.StatusOK, "application/vnd.oai.openapi+json;version=3.1", spec)
	}
}

// assets serves the scripts and styles of the pages.
func (s *Server) assets() http.Handler {
	files, err := fs.Sub(pageFiles, "pages/assets")
	if err != nil { // embedded: cannot happen
		panic(err)
	}
	return http.FileServerFS(files)
}

// swaggerUI serves the Swagger UI that its Go module carries.
func (s *Server) swaggerUI() echo.HandlerFunc {
	return s.framed(echo.WrapHandler(http.StripPrefix(docsPath, statigz.FileServer(static.FS))))
}

// framed serves what sets no policy of its own under the pages'.
func (s *Server) framed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", pagePolicy)
		if strings.HasPrefix(c.Request().URL.Path, docsPath) {
			c.Response().Header().Set("Content-Security-Policy", docsPolicy)
			c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=3600")
		}
		return next(c)
	}
}
