package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/inspect"
)

const (
	requestsPath  = "/dev/requests"
	devAssetsPath = "/dev/assets/"

	// streamBeat is how often the stream of requests shows that it is there.
	streamBeat = 15 * time.Second
)

// devTemplates are the pages of development.
var devTemplates = template.Must(template.Must(pageTemplates.Clone()).
	Funcs(template.FuncMap{"tone": tone, "span": spanText}).
	ParseFS(pageFiles, "pages/dev/*.html"))

// registerDevPages adds what only development has.
func (s *Server) registerDevPages() {
	s.servePage("/", s.devStartPage)
	s.servePage(healthPath, s.healthPart)
	s.servePage(requestsPath, s.requestsPage)
	s.echo.GET(requestsPath+"/stream", unrecorded(s.requestStream))
	s.servePage(requestsPath+"/:id", s.requestPage)
	s.servePage(devAssetsPath+"*", existing(devTags(), "no-cache", http.StripPrefix(devAssetsPath, http.FileServerFS(filesIn("dev/assets")))))
}

func renderDev(c echo.Context, name string, data any) error {
	return renderWith(c, devTemplates, name, pagePolicy, data)
}

// statusChoice is one of the answers that the list can be narrowed to.
type statusChoice struct{ Value, Label string }

var statusChoices = []statusChoice{
	{"", "all"}, {"2xx", "2xx"}, {"3xx", "3xx"}, {"4xx", "4xx"}, {"5xx", "5xx"},
	{inspect.Broken, "breaks the contract"},
}

func requestFilter(c echo.Context) inspect.Filter {
	return inspect.Filter{Operation: c.QueryParam("operation"), Status: c.QueryParam("status")}
}

func (s *Server) requestsPage(c echo.Context) error {
	filter := requestFilter(c)
	shown := slices.DeleteFunc(s.requests.Requests(), func(r inspect.Record) bool { return !filter.Takes(r) })
	statuses := statusChoices
	if !slices.ContainsFunc(statuses, func(choice statusChoice) bool { return choice.Value == filter.Status }) {
		statuses = append(slices.Clone(statuses), statusChoice{filter.Status, filter.Status})
	}
	return renderDev(c, "requests.html", struct {
		pageData
		Filter     inspect.Filter
		Stream     template.URL
		Operations []string
		Statuses   []statusChoice
		Requests   []inspect.Record
	}{
		s.pageData(), filter, template.URL(url.Values{"operation": {filter.Operation}, "status": {filter.Status}}.Encode()), //nolint:gosec // it is encoded
		slices.Sorted(maps.Keys(api.Policies)), statuses, shown,
	})
}

func (s *Server) requestPage(c echo.Context) error {
	record, ok := s.requests.Request(c.Param("id"))
	if !ok {
		return echo.ErrNotFound
	}
	jobs := s.private
	if jobs != "" {
		jobs += JobsPath
	}
	return renderDev(c, "request.html", struct {
		pageData
		Request inspect.Record
		Jobs    string
	}{s.pageData(), record, jobs})
}

// requestStream sends each request that is new or has changed as a server-sent event,
// with its row of the list, until the page is left or the server stops.
func (s *Server) requestStream(c echo.Context) error {
	ctx, end := context.WithCancelCause(c.Request().Context())
	stream := s.streams.begin(principal{}, end)
	defer func() { s.streams.finish(stream); end(nil) }()
	news, stop := s.requests.Watch()
	defer stop()

	c.Response().Header().Set(echo.HeaderContentType, "text/event-stream")
	w, filter := c.Response(), requestFilter(c)
	conn := http.NewResponseController(w.Writer)
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for text := []byte(":\n\n"); ; {
		if err := conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
			return fmt.Errorf("bounding a stream: %w", err)
		}
		if _, err := w.Write(text); err != nil {
			return nil // who has gone sees nothing
		}
		w.Flush()
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			text = []byte(":\n\n")
		case request := <-news:
			var err error
			if text, err = requestEvent(request.Record(), filter); err != nil {
				return err
			}
		}
	}
}

// requestEvent writes a request as an event; nothing, where the filter leaves it out.
func requestEvent(record inspect.Record, filter inspect.Filter) ([]byte, error) {
	if !filter.Takes(record) {
		return nil, nil
	}
	var row bytes.Buffer
	if err := devTemplates.ExecuteTemplate(&row, "request-row", record); err != nil {
		return nil, fmt.Errorf("rendering a request: %w", err)
	}
	data, err := json.Marshal(map[string]string{"id": record.ID, "html": row.String()})
	if err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}
	return fmt.Appendf(nil, "event: request\ndata: %s\n\n", data), nil
}

// tone is the class of a request's status.
func tone(r inspect.Record) string {
	switch {
	case !r.Ended():
		return "open"
	case r.Status >= http.StatusInternalServerError:
		return "failure"
	case r.Status >= http.StatusBadRequest:
		return "fault"
	}
	return "well"
}

// spanText writes a time that something took.
func spanText(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
