package alerts

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"go.yaml.in/yaml/v3"
)

// Of all ports of all pods, Prometheus reads that with the metrics, by the name of its pod.
func TestScrapeOnKubernetes(t *testing.T) {
	t.Parallel()
	var config struct {
		Jobs []struct {
			Relabel []*relabel.Config `yaml:"relabel_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../deploy/prometheus/kubernetes.yml")), &config); err != nil {
		t.Fatal(err)
	}
	rules := config.Jobs[0].Relabel
	for _, rule := range rules {
		if err := rule.Validate(model.UTF8Validation); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		scrape, port, phase string
		kept                bool
	}{
		"the metrics":             {"true", "8081", "Running", true},
		"a pod that begins":       {"true", "8081", "Pending", true},
		"the port of the API":     {"true", "8080", "Running", false},
		"a pod that has ended":    {"true", "8081", "Succeeded", false},
		"one that was evicted":    {"true", "8081", "Failed", false},
		"one without annotations": {"", "8081", "Running", false},
	} {
		pod := map[string]string{
			"__address__":                                 "10.1.2.3:" + c.port,
			"__meta_kubernetes_pod_name":                  "server-1",
			"__meta_kubernetes_pod_phase":                 c.phase,
			"__meta_kubernetes_pod_container_port_number": c.port,
		}
		if c.scrape != "" {
			pod["__meta_kubernetes_pod_annotation_prometheus_io_scrape"] = c.scrape
			pod["__meta_kubernetes_pod_annotation_prometheus_io_port"] = "8081"
		}
		found := labels.NewBuilder(labels.FromMap(pod))
		kept := relabel.ProcessBuilder(found, rules...)
		if kept != c.kept || kept && (found.Get("instance") != "server-1" || found.Get("__address__") != "10.1.2.3:8081") {
			t.Errorf("%s: kept is %t, with %s", name, kept, found.Labels())
		}
	}
}
