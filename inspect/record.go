package inspect

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is what is known of a request, without secrets.
type Record struct {
	ID        string
	Started   time.Time
	Method    string
	Path      string
	Query     string
	Operation string // "" where none was routed to
	User      string // "" where nobody is signed in
	Status    int    // 0 while it is under way
	Took      time.Duration
	Problem   Problem // zero where nothing went wrong
	Decisions []Decision
	Queries   []Query
	Jobs      []Job
	// Judged tells that the answer was held against the contract, Breaches in which
	// ways it does not keep to it.
	Judged   bool
	Breaches []string
}

// Decision is what a policy made of a request.
type Decision struct {
	Policy  string
	Refused bool
	Detail  string
	At      time.Duration // since the request came in
}

// Query is a statement that a request ran.
type Query struct {
	Name  string
	At    time.Duration // since the request came in
	Took  time.Duration
	Rows  int64 // given or changed
	Job   int64 // the one of its jobs that ran it; 0 for the request itself
	Error string
	ended bool
}

// Job is one that a request, or one of its jobs, has enqueued.
type Job struct {
	ID    int64
	Kind  string
	By    int64 // the job that has enqueued it; 0 for the request itself
	State string
	Took  time.Duration
	Error string
	Mails []Mail
}

// The states of a job, as far as they are seen from here.
const (
	Waiting    = "waiting"
	Running    = "running"
	Done       = "done"
	Failed     = "failed"
	RolledBack = "rolled back"
)

// Mail is one that a job has sent.
type Mail struct{ ID, To, Subject string }

// Record gives what is known of the request by now, with its secrets taken out.
func (r *Request) Record() Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.redactor.Text
	record := r.record
	record.Path, record.Query = text(record.Path), text(record.Query)
	record.Problem = Problem{record.Problem.Code, text(record.Problem.Detail), text(record.Problem.Cause)}
	record.Decisions, record.Queries, record.Jobs = slices.Clone(record.Decisions), slices.Clone(record.Queries), slices.Clone(record.Jobs)
	record.Breaches = slices.Clone(record.Breaches)
	for i := range record.Decisions {
		record.Decisions[i].Detail = text(record.Decisions[i].Detail)
	}
	for i := range record.Queries {
		record.Queries[i].Error = text(record.Queries[i].Error)
	}
	for i := range record.Breaches {
		record.Breaches[i] = text(record.Breaches[i])
	}
	for i, job := range record.Jobs {
		record.Jobs[i].Error, record.Jobs[i].Mails = text(job.Error), slices.Clone(job.Mails)
		for m, mail := range job.Mails {
			record.Jobs[i].Mails[m].Subject = text(mail.Subject)
		}
	}
	return record
}

// Ended tells whether the request was answered.
func (r Record) Ended() bool { return r.Status != 0 }

// InSQL is how long its statements took together, without those of its jobs.
func (r Record) InSQL() (sum time.Duration) {
	for _, q := range r.Queries {
		if q.Job == 0 {
			sum += q.Took
		}
	}
	return sum
}

// Mails are those of all its jobs.
func (r Record) Mails() (all []Mail) {
	for _, job := range r.Jobs {
		all = append(all, job.Mails...)
	}
	return all
}

// Filter chooses requests; the zero value takes all.
type Filter struct {
	Operation string
	// Status is one, such as 404, a class, such as 4xx, or Broken.
	Status string
}

// Broken is the Filter.Status of answers that do not keep to the contract.
const Broken = "broken"

// Takes tells whether a request is one that the filter is for.
func (f Filter) Takes(r Record) bool {
	if f.Operation != "" && f.Operation != r.Operation {
		return false
	}
	switch class, isClass := strings.CutSuffix(f.Status, "xx"); {
	case f.Status == "":
		return true
	case f.Status == Broken:
		return len(r.Breaches) > 0
	case isClass:
		return strconv.Itoa(r.Status/100) == class
	}
	return strconv.Itoa(r.Status) == f.Status
}
