package check

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"
)

// composed is compose.yaml, checked against its schema, as deploy/.env.example fills it
// in; what is empty there has a value here.
func composed(t *testing.T) *types.Project {
	t.Helper()
	environ := environmentFile(t, deploy+"/.env.example", false)
	for name, value := range environ {
		if value == "" {
			environ[name] = key
		}
	}
	folder, err := filepath.Abs(deploy)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: folder, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "compose.yaml")}}, Environment: environ,
	}, func(o *loader.Options) { o.SetProjectName("accord", true) })
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// own tells whether a service runs the image of this repository.
func own(service types.ServiceConfig) bool { return service.Build != nil }

func environment(service types.ServiceConfig) map[string]string {
	environ := map[string]string{}
	for name, value := range service.Environment {
		if value != nil {
			environ[name] = *value
		}
	}
	return environ
}

func TestComposeServices(t *testing.T) {
	t.Parallel()
	project := composed(t)
	for name, service := range project.Services {
		if service.Image == "" || !strings.Contains(service.Image, ":") || strings.HasSuffix(service.Image, ":latest") != own(service) {
			t.Errorf("%s runs %q: an image of others is pinned by its version", name, service.Image)
		}
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind || strings.HasSuffix(volume.Source, "tls.pem") {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" && name != "balancer" {
				t.Errorf("%s is published to others: %v", name, port)
			}
		}
		if !own(service) {
			continue
		}
		if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !service.ReadOnly || !slices.Contains(service.CapDrop, "ALL") || !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may do more than it needs", name)
		}
		inForce := settings(t, name, inImage(t, environment(service)))
		if grace := time.Duration(*service.StopGracePeriod); grace <= duration(t, inForce["SHUTDOWN_TIMEOUT"]) {
			t.Errorf("%s is killed after %s", name, grace)
		}
		if len(service.Command) > 0 {
			isCommand(t, name, service.Command)
		}
		if served := len(service.Command) == 0; (service.HealthCheck == nil) != served {
			t.Errorf("%s: only what serves has the image's health check", name)
		}
	}
}

// Whoever is in the network of TRUSTED_PROXIES may say which address a client has.
func TestComposeNetworks(t *testing.T) {
	t.Parallel()
	project := composed(t)
	inForce := settings(t, "server-1", inImage(t, environment(project.Services["server-1"])))
	if subnet := project.Networks["outside"].Ipam.Config[0].Subnet; inForce["TRUSTED_PROXIES"] != subnet {
		t.Errorf("TRUSTED_PROXIES is %s, and the balancer is in %s", inForce["TRUSTED_PROXIES"], subnet)
	}
	connections := 0
	for name, service := range project.Services {
		if _, trusted := service.Networks["outside"]; trusted && name != "balancer" && !strings.HasPrefix(name, "server-") {
			t.Errorf("%s is where only the balancer is trusted", name)
		}
		if own(service) && name != "migrate" {
			pool := settings(t, name, inImage(t, environment(service)))
			for _, size := range []string{"DB_POOL_SIZE", "DB_POOL_OVERFLOW"} {
				n, err := strconv.Atoi(pool[size])
				if err != nil {
					t.Fatal(err)
				}
				connections += n
			}
		}
	}
	if !project.Networks["inside"].Internal {
		t.Error("databases have a way out")
	}
	most := regexp.MustCompile(`max_connections=(\d+)`).FindStringSubmatch(strings.Join(project.Services["postgres"].Command, " "))
	if n, err := strconv.Atoi(most[1]); err != nil || n < connections+20 {
		t.Errorf("PostgreSQL takes %s connections, and %d may be wanted", most[1], connections)
	}
}

// What compose.yaml wants of the environment is what .env.example says, and nothing else.
func TestComposeEnvironment(t *testing.T) {
	t.Parallel()
	used, required := map[string]bool{}, map[string]bool{}
	for _, found := range regexp.MustCompile(`\$\{([A-Z_0-9]+):([?-])`).FindAllStringSubmatch(read(t, deploy+"/compose.yaml"), -1) {
		used[found[1]] = true
		if found[2] == "?" {
			required[found[1]] = true
		}
	}
	for name, value := range composed(t).Services["server-1"].Environment {
		if value == nil { // as it is in .env, if it is
			used[name] = true
		}
	}
	// Only while a key is changed: docs/operations.md.
	delete(used, "SECRET_KEY_PREVIOUS")
	if all := environmentFile(t, deploy+"/.env.example", true); !maps.EqualFunc(all, used, func(string, bool) bool { return true }) {
		t.Errorf(".env.example has %v, and compose.yaml uses %v", slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(used)))
	}
	set := environmentFile(t, deploy+"/.env.example", false)
	if !maps.EqualFunc(set, required, func(string, bool) bool { return true }) {
		t.Errorf(".env.example sets %v, and compose.yaml needs %v", slices.Sorted(maps.Keys(set)), slices.Sorted(maps.Keys(required)))
	}
}

// The balancer, Prometheus and Grafana ask services on the ports that these have.
func TestPortsOfCompose(t *testing.T) {
	t.Parallel()
	project := composed(t)
	inForce := settings(t, "server-1", inImage(t, environment(project.Services["server-1"])))
	balancer := map[string]string{}
	text := read(t, deploy+"/haproxy/haproxy.cfg")
	for _, found := range regexp.MustCompile(`presetenv (\S+) (\S+)`).FindAllStringSubmatch(text, -1) {
		balancer[found[1]] = found[2]
	}
	for _, name := range []string{"server-1", "server-2"} {
		variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if _, there := project.Services[name]; !there || balancer[variable] != name+":"+inForce["PORT"] {
			t.Errorf("%s of the balancer is %s", name, balancer[variable])
		}
	}
	if port := project.Services["balancer"].Ports[0].Target; balancer["HTTPS_BIND"] != ":"+strconv.Itoa(int(port)) {
		t.Errorf("the balancer listens on %s, and %d is published", balancer["HTTPS_BIND"], port)
	}
	mounted := slices.ContainsFunc(project.Services["balancer"].Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == balancer["TLS_PEM"] })
	if !mounted {
		t.Errorf("no certificate is mounted at %s", balancer["TLS_PEM"])
	}
	isProbe(t, "the balancer", regexp.MustCompile(`http-check send meth GET uri (\S+)`).FindStringSubmatch(text)[1])

	var prometheus struct {
		RuleFiles []string       `json:"rule_files"`
		Global    map[string]any `json:"global"`
		Jobs      []struct {
			Name    string                       `json:"job_name"`
			Targets []struct{ Targets []string } `json:"static_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, deploy+"/prometheus/prometheus.yml")), &prometheus); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"server-1": ":" + inForce["ADMIN_PORT"], "server-2": ":" + inForce["ADMIN_PORT"], "worker": ":" + inForce["ADMIN_PORT"], "balancer": balancer["METRICS_BIND"],
	}
	asked := map[string]string{}
	for _, job := range prometheus.Jobs {
		for _, target := range job.Targets[0].Targets {
			name, port, _ := strings.Cut(target, ":")
			asked[name] = ":" + port
			if !meet(project.Services[name], project.Services["prometheus"]) {
				t.Errorf("Prometheus does not reach %s", name)
			}
		}
	}
	if !maps.Equal(asked, want) {
		t.Errorf("Prometheus asks %v, and there are %v", asked, want)
	}
	if inForce["ADMIN_HOST"] != "0.0.0.0" {
		t.Errorf("ADMIN_HOST is %s, which Prometheus does not reach", inForce["ADMIN_HOST"])
	}
}

// meet tells whether two services share a network.
func meet(a, b types.ServiceConfig) bool {
	for name := range a.Networks {
		if _, both := b.Networks[name]; both {
			return true
		}
	}
	return false
}

// Grafana's files are read strictly, and name what there is.
func TestGrafana(t *testing.T) {
	t.Parallel()
	project := composed(t)
	var sources struct {
		APIVersion  int `json:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool `json:"isDefault"`
		}
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, deploy+"/grafana/provisioning/datasources/prometheus.yaml")), &sources); err != nil {
		t.Fatal(err)
	}
	if url := sources.Datasources[0].URL; url != "http://prometheus:9090" || !meet(project.Services["grafana"], project.Services["prometheus"]) {
		t.Errorf("Grafana asks %s", url)
	}
	var providers struct {
		APIVersion int `json:"apiVersion"`
		Providers  []struct {
			Name, Type     string
			Options        struct{ Path string }
			AllowUIUpdates bool `json:"allowUiUpdates"`
		}
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, deploy+"/grafana/provisioning/dashboards/accord.yaml")), &providers); err != nil {
		t.Fatal(err)
	}
	mount := project.Services["grafana"].Volumes[0]
	if path := providers.Providers[0].Options.Path; path != mount.Target || filepath.Base(mount.Source) != "grafana" {
		t.Errorf("dashboards are looked for in %s, and %s is at %s", path, mount.Source, mount.Target)
	}
	if at := *project.Services["grafana"].Environment["GF_PATHS_PROVISIONING"]; at != mount.Target+"/provisioning" {
		t.Errorf("provisioning is looked for in %s", at)
	}
}
