//go:build deploy

package deploy_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What happens on one server is told by a stream of the other; what is put off is done
// by the worker, and its file is on both servers.
func TestStreamsAndJobsCrossServers(t *testing.T) {
	t.Parallel()
	d := deployed(t)
	token := d.login(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.direct[1].base+"/api/v1/notifications/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	stream, err := d.direct[1].http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	events := bufio.NewScanner(stream.Body)
	if !events.Scan() || !strings.HasPrefix(events.Text(), "id: ") { // it listens
		t.Fatalf("the stream begins with %q: %v", events.Text(), events.Err())
	}
	order := d.direct[0].order(t, token, "BLANKET-01")
	watchdog := time.AfterFunc(10*time.Second, cancel)
	defer watchdog.Stop()
	told := false
	for !told && events.Scan() {
		told = strings.Contains(events.Text(), "order.placed") && strings.Contains(events.Text(), order)
	}
	if !told {
		t.Errorf("the stream ended without word of order %s: %v", order, events.Err())
	}

	file := d.report(t, token)
	for _, server := range d.direct {
		status, csv, _, err := server.ask(t.Context(), http.MethodGet, file, token, nil)
		if err != nil || status != http.StatusOK || !strings.Contains(string(csv), order) {
			t.Errorf("%s: %d %s %v", file, status, csv, err)
		}
	}
}

// order offers a product and orders one of it.
func (c *client) order(t *testing.T, token, sku string) (id string) {
	t.Helper()
	product := c.want(t, http.StatusCreated, http.MethodPost, "/api/v1/products", token,
		map[string]any{"sku": sku, "name": "Wool blanket", "description": "Warm.", "price": 8900, "currency": "EUR", "stock": 25})
	order := c.want(t, http.StatusCreated, http.MethodPost, "/api/v1/orders", token,
		map[string]any{"lines": []any{map[string]any{"product_id": product["id"], "quantity": 1}}}, "Idempotency-Key", sku)
	id, _ = order["id"].(string)
	return id
}

// report has a report made, and gives the path of its file.
func (c *client) report(t *testing.T, token string) (path string) {
	t.Helper()
	job := c.want(t, http.StatusAccepted, http.MethodPost, "/api/v1/reports/generate", token, map[string]any{"kind": "orders", "format": "csv", "days": 90})
	eventually(t, "the worker has made the report", func() bool {
		report := c.want(t, http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/reports/%s", job["job_id"]), token, nil)
		if report["status"] == "failed" {
			t.Fatalf("%v", report)
		}
		if id, ok := report["file_id"].(string); ok {
			path = "/api/v1/files/" + id
		}
		return path != ""
	})
	return path
}
