package server_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/accord-api/accord/server"
	"github.com/accord-api/accord/servertest"
)

// samples are what a scrape gets, by name and labels.
type samples map[string]float64

var (
	sampleLine = regexp.MustCompile(`(?m)^([a-z_]+(?:\{.*\})?) (\S+)$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
)

// scrape runs the server with a private listener, and reads its metrics whenever it is
// asked to.
func scrape(t *testing.T, s *servertest.Server) (read func() samples) {
	t.Helper()
	private := listen(t)
	_, stop, ended := another(t, s, private)
	t.Cleanup(func() {
		s.HTTP.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return func() samples { return scrapeAt(t, s.HTTP, private.Addr().String()) }
}

func scrapeAt(t *testing.T, client *http.Client, address string) samples {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+server.MetricsPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("status %d, error %v: %s", answer.StatusCode, err, text)
	}
	found := samples{}
	for _, line := range sampleLine.FindAllStringSubmatch(string(text), -1) {
		if found[line[1]], err = strconv.ParseFloat(line[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// rose says by how much samples have risen.
func (s samples) rose(before samples) samples {
	risen := samples{}
	for name, value := range s {
		if d := value - before[name]; d != 0 {
			risen[name] = d
		}
	}
	return risen
}

// Requests count by operation and answer, refusals by their reason, and nothing by what
// a client has made up.
func TestMetricsOfRequests(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	read := scrape(t, s)
	p := s.Register()
	before := read()
	if _, there := before[`accord_requests_total{operation="getUser",status="500"}`]; !there {
		t.Error("what has not happened yet is not 0")
	}
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	p.GET("/api/v1/users/me").Expect(http.StatusOK)
	p.GET("/api/v1/admin/users").Expect(http.StatusForbidden)
	p.PATCH("/api/v1/users/me", "{").Expect(http.StatusBadRequest)
	p.Somebody().GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	p.Do("CANARY", "/api/v1/canary", "", nil)
	p.GET("/canary?canary").Expect(http.StatusNotFound)
	risen := read().rose(before)
	for name, want := range map[string]float64{
		`accord_requests_total{operation="getMe",status="200"}`:                               2,
		`accord_requests_total{operation="getMe",status="401"}`:                               1,
		`accord_requests_total{operation="none",status="404"}`:                                2,
		`accord_request_duration_seconds_count{operation="getMe"}`:                            3,
		`accord_request_duration_seconds_bucket{operation="getMe",le="+Inf"}`:                 3,
		`accord_problems_total{operation="getMe",problem="unauthenticated"}`:                  1,
		`accord_problems_total{operation="adminListUsers",problem="forbidden"}`:               1,
		`accord_problems_total{operation="updateMe",problem="malformed-request"}`:             1,
		`accord_rate_limit_decisions_total{by="user",decision="allowed",operation="getMe"}`:   2,
		`accord_rate_limit_decisions_total{by="ip",decision="allowed",operation="anonymous"}`: 1,
		`accord_cache_requests_total{cache="sessions",result="hit"}`:                          3,
		`accord_cache_requests_total{cache="tokens",result="hit"}`:                            3,
		`accord_rate_limit_decisions_total{by="user",decision="refused",operation="getMe"}`:   0,
		`accord_requests_in_flight{operation="getMe"}`:                                        0,
		`accord_problems_total{operation="none",problem="not-found"}`:                         2,
	} {
		if risen[name] != want {
			t.Errorf("%s rose by %v, want %v", name, risen[name], want)
		}
	}
	for name := range risen {
		if strings.Contains(strings.ToLower(name), "canary") || strings.Contains(name, p.User.ID.String()) {
			t.Errorf("%s is a client's word", name)
		}
	}
}

// What is at work shows while it is: requests, streams, connections.
func TestMetricsOfWhatIsAtWork(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	read := scrape(t, s)
	p := s.Register()
	stream := streamed(p, "") // bare-drops
	release := lock(t, s, "users")
	answered := make(chan int, 1)
	go func() { answered <- p.GET("/api/v1/users/me").Status }()
	waiting(t, s, 1)
	now := read()
	for name, want := range map[string]float64{
		`accord_requests_in_flight{operation="getMe"}`:               1,
		`accord_requests_in_flight{operation="streamNotifications"}`: 1, // bare-drops
		`accord_streams_open`: 1, // bare-drops
		`accord_db_pool_connections{pool="requests",state="acquired"}`: 1,
		`accord_db_pool_max_connections{pool="requests"}`:              30,
		`accord_request_duration_seconds_count{operation="getMe"}`:     0,
		`accord_database_up`:             1,
		`accord_password_hashes_running`: 0,
	} {
		if now[name] != want {
			t.Errorf("%s is %v, want %v", name, now[name], want)
		}
	}
	release()
	<-answered
	// bare-drops {
	stream.Close()
	s.Eventually("the stream has ended", func() bool { return read()["accord_streams_open"] == 0 })
	if now := read(); now[`accord_requests_in_flight{operation="streamNotifications"}`] != 0 {
		t.Errorf("in flight %v", now)
	}
	if _, there := now[`accord_request_duration_seconds_count{operation="streamNotifications"}`]; there {
		t.Error("streams have no duration")
	}
	// bare-drops }
}

// Jobs count by how they end, and what waits is read from the database.
func TestMetricsOfJobs(t *testing.T) {
	t.Parallel()
	idle := servertest.New(t)
	idle.Register()
	now := scrape(t, idle)()
	if now[`accord_job_backlog_waiting{kind="mail"}`] != 1 || now[`accord_job_backlog_oldest_seconds{kind="mail"}`] <= 0 || now[`accord_jobs_total{kind="mail",outcome="completed"}`] != 0 {
		t.Errorf("nobody works, and there are %v", now)
	}
	s := servertest.New(t, servertest.Options{DatabaseURL: idle.DatabaseURL, Start: true})
	read := scrape(t, s)
	s.Eventually("the mail is counted", func() bool { return read()[`accord_jobs_total{kind="mail",outcome="completed"}`] == 1 })
	now = read()
	if now[`accord_job_backlog_waiting{kind="mail"}`] != 0 || now[`accord_job_duration_seconds_count{kind="mail"}`] != 1 {
		t.Errorf("the mail is sent, and there are %v", now)
	}
}

// Without the database there is all but what only it knows.
func TestMetricsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	gateway := newGateway(t, servertest.New(t).DatabaseURL)
	s := servertest.New(t, servertest.Options{DatabaseURL: gateway.url})
	read := scrape(t, s)
	gateway.shut()
	now := read()
	if up, there := now["accord_database_up"]; !there || up != 0 {
		t.Errorf("the database is up: %v", now)
	}
	if _, there := now[`accord_job_backlog_waiting{kind="mail"}`]; there || len(now) < 100 {
		t.Errorf("samples %v", now)
	}
}

// deploy/prometheus/metrics.txt lists what there is, with the labels, so that rules and
// dashboards can be held against it where no server runs.
func TestListOfMetrics(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, servertest.Options{Start: true, Settings: map[string]string{"REDIS_URL": "redis://127.0.0.1:1"}})
	read := scrape(t, s)
	p := s.Register()
	p.PATCH("/api/v1/users/me", map[string]any{"full_name": "Ada"}).Expect(http.StatusOK)
	s.Admin().GET("/api/v1/admin/stats").Expect(http.StatusOK)
	p.GET("/nothing").Expect(http.StatusNotFound)
	all := read()
	maps.Copy(all, scrapeAt(t, s.HTTP, withCertificate(t, s)))

	there := described(all)
	there = append(there, "accord_deprecated_calls_total client,operation,role") // nothing is deprecated now
	slices.Sort(there)
	listed := strings.Split(strings.TrimSpace(readFile(t, "../deploy/prometheus/metrics.txt")), "\n")
	for _, line := range listed { // of Go and of the process those that are of use
		if !slices.Contains(there, line) {
			t.Errorf("there is no %s", line)
		}
	}
	for _, line := range there {
		if strings.HasPrefix(line, "accord_") && !slices.Contains(listed, line) {
			t.Errorf("deploy/prometheus/metrics.txt lacks %s", line)
		}
	}
	if !slices.IsSorted(listed) {
		t.Error("deploy/prometheus/metrics.txt is not sorted")
	}
}

// closed are the labels that take few values, whatever the contract is.
var closed = []string{"by", "cache", "decision", "kind", "outcome", "pool", "result", "state", "use"}

// described gives a line for each metric: its labels, with the values of the closed ones.
func described(all samples) (lines []string) {
	labels := map[string]map[string][]string{}
	for name := range all {
		family, rest, _ := strings.Cut(name, "{")
		if labels[family] == nil {
			labels[family] = map[string][]string{}
		}
		for _, label := range labelPair.FindAllStringSubmatch(rest, -1) {
			values := labels[family][label[1]]
			if slices.Contains(closed, label[1]) && !slices.Contains(values, label[2]) {
				values = append(values, label[2])
			}
			labels[family][label[1]] = values
		}
	}
	for family, of := range labels {
		var texts []string
		for _, label := range slices.Sorted(maps.Keys(of)) {
			if values := of[label]; len(values) > 0 {
				slices.Sort(values)
				label += "=" + strings.Join(values, "|")
			}
			texts = append(texts, label)
		}
		lines = append(lines, strings.TrimSpace(family+" "+strings.Join(texts, ",")))
	}
	return lines
}

// withCertificate runs a server that ends TLS itself, and gives its private address.
func withCertificate(t *testing.T, s *servertest.Server) string {
	t.Helper()
	config := s.Config
	config.TLSCertFile, config.TLSKeyFile = writeCertificate(t)
	api, err := server.New(t.Context(), config, server.Options{Sender: s.Mailbox})
	if err != nil {
		t.Fatal(err)
	}
	private := listen(t)
	secure := *s
	secure.API = api
	_, stop, ended := another(t, &secure, private)
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := api.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return private.Addr().String()
}
