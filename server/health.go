package server

import (
	"context"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/pg"
)

var healthy = api.HealthyJSONResponse{Status: api.HealthStatusHealthy}

// GetHealth answers as long as requests are served.
func (s *Server) GetHealth(context.Context, api.GetHealthRequestObject) (api.GetHealthResponseObject, error) {
	return api.GetHealth200JSONResponse{HealthyJSONResponse: healthy}, nil
}

// GetLiveness does the same under the probe's name.
func (s *Server) GetLiveness(context.Context, api.GetLivenessRequestObject) (api.GetLivenessResponseObject, error) {
	return api.GetLiveness200JSONResponse{HealthyJSONResponse: healthy}, nil
}

// GetReadiness looks at all that a request needs.
func (s *Server) GetReadiness(ctx context.Context, _ api.GetReadinessRequestObject) (api.GetReadinessResponseObject, error) {
	if s.stopping.Load() {
		return nil, unavailable("The server is stopping.")
	}
	have, want, err := pg.SchemaVersion(ctx, s.pool)
	if err != nil {
		return nil, unavailable("The database is out of reach.").because(err)
	}
	if have < want {
		return nil, unavailable("The database schema is at version %d, and the server needs %d.", have, want)
	}
	return api.GetReadiness200JSONResponse{HealthyJSONResponse: healthy}, nil
}
