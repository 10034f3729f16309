package server

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// GenerateReport enqueues a report. The job is there with the report or not at all.
func (s *Server) GenerateReport(ctx context.Context, r api.GenerateReportRequestObject) (api.GenerateReportResponseObject, error) {
	who := caller(ctx)
	if r.Body.Kind != api.ReportKindOrders && who.Role != string(api.RoleAdmin) {
		return nil, missingRole(string(api.RoleAdmin))
	}
	if r.Body.Format == api.ReportFormatHTML && r.Body.Kind != api.ReportKindSales {
		return nil, fieldProblem("format", "enum", "must be csv: only sales are made in html")
	}
	var report db.Report
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		report, err = w.ReportCreate(ctx, db.ReportCreateParams{
			ID: newID(), UserID: who.UserID, Now: s.now(),
			Kind: string(r.Body.Kind), Format: string(r.Body.Format), Days: r.Body.Days,
		})
		if err != nil {
			return err
		}
		return w.enqueue(ctx, jobs.Report{ID: report.ID})
	})
	return api.GenerateReport202JSONResponse{
		Headers: api.GenerateReport202ResponseHeaders{Location: "/api/v1/reports/" + report.ID.String()},
		Body:    api.ReportJob{JobID: report.ID, Status: api.ReportStatus(report.Status)},
	}, err
}

// GetReport shows one of the caller's reports.
func (s *Server) GetReport(ctx context.Context, r api.GetReportRequestObject) (api.GetReportResponseObject, error) {
	report, err := s.queries.ReportGet(ctx, r.JobID, caller(ctx).UserID)
	return api.GetReport200JSONResponse{ReportJSONResponse: api.ReportJSONResponse(reportOf(report))}, err
}

// ListReports lists the caller's reports.
func (s *Server) ListReports(ctx context.Context, r api.ListReportsRequestObject) (api.ListReportsResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.queries.ReportList(ctx, db.ReportListParams{UserID: caller(ctx).UserID, Before: page.before, Max: page.max})
	if err != nil {
		return nil, err
	}

	rows, next := cut(page, rows, func(row db.Report) uuid.UUID { return row.ID })
	return api.ListReports200JSONResponse{
		Headers: api.ListReports200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.ReportPage{Items: each(rows, reportOf), NextCursor: next},
	}, nil
}

// CancelReport ends a report that is not made yet.
func (s *Server) CancelReport(ctx context.Context, r api.CancelReportRequestObject) (api.CancelReportResponseObject, error) {
	var report db.Report
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		user := caller(ctx).UserID
		report, err = w.ReportCancel(ctx, db.ReportCancelParams{ID: r.JobID, UserID: user, Now: s.now()})
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if report, err = w.ReportGet(ctx, r.JobID, user); err != nil {
			return err
		}
		return problem(api.ProblemReportEnded, "The report is %s.", report.Status)
	})
	return api.CancelReport200JSONResponse{ReportJSONResponse: api.ReportJSONResponse(reportOf(report))}, err
}

// reportOf shows a report.
func reportOf(r db.Report) api.Report {
	shown := api.Report{
		JobID: r.ID, Kind: api.ReportKind(r.Kind), Format: api.ReportFormat(r.Format), Days: r.Days,
		Status: api.ReportStatus(r.Status), Progress: r.Progress, FileID: r.FileID,
		CreatedAt: r.CreatedAt.UTC(), FinishedAt: r.FinishedAt,
	}
	for _, kind := range api.ProblemTypes {
		if kind.Code == r.Problem {
			shown.Problem = &api.ReportProblem{Type: problemPath + kind.Code, Title: kind.Title}
		}
	}
	return shown
}
