package check

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// cluster is what `kubectl apply -k` would send, by kind and name.
type cluster struct {
	deployments map[string]*apps.Deployment
	jobs        map[string]*batch.Job
	services    map[string]*core.Service
	configs     map[string]*core.ConfigMap
	secrets     map[string]*core.Secret
	ingresses   map[string]*networking.Ingress
	policies    map[string]*networking.NetworkPolicy
	budgets     map[string]*policy.PodDisruptionBudget
	scalers     map[string]*autoscaling.HorizontalPodAutoscaler
	namespaces  map[string]*core.Namespace
}

// built runs kustomize on a copy of deploy/kubernetes and decodes all of it strictly:
// a field that the API does not have is an error.
func built(t *testing.T, folder string) *cluster {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "kubernetes")
	if err := os.CopyFS(copied, os.DirFS(deploy+"/kubernetes")); err != nil {
		t.Fatal(err)
	}
	secrets := strings.ReplaceAll(read(t, deploy+"/kubernetes/example/secrets.env.example"), "KEY=\n", "KEY="+key+"\n")
	if err := os.WriteFile(filepath.Join(copied, "example", "secrets.env"), []byte(secrets), 0o600); err != nil {
		t.Fatal(err)
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(copied, folder))
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{
		deployments: map[string]*apps.Deployment{}, jobs: map[string]*batch.Job{}, services: map[string]*core.Service{},
		configs: map[string]*core.ConfigMap{}, secrets: map[string]*core.Secret{}, ingresses: map[string]*networking.Ingress{},
		policies: map[string]*networking.NetworkPolicy{}, budgets: map[string]*policy.PodDisruptionBudget{},
		scalers: map[string]*autoscaling.HorizontalPodAutoscaler{}, namespaces: map[string]*core.Namespace{},
	}
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.decode(resource.GetApiVersion()+" "+resource.GetKind(), resource.GetName(), text); err != nil {
			t.Errorf("%s %s: %v\n%s", resource.GetKind(), resource.GetName(), err, text)
		}
		if namespace := resource.GetNamespace(); namespace != "accord" && resource.GetKind() != "Namespace" {
			t.Errorf("%s %s is in %q", resource.GetKind(), resource.GetName(), namespace)
		}
	}
	return c
}

func (c *cluster) decode(kind, name string, text []byte) error {
	switch kind {
	case "apps/v1 Deployment":
		return strictly(c.deployments, name, text)
	case "batch/v1 Job":
		return strictly(c.jobs, name, text)
	case "v1 Service":
		return strictly(c.services, name, text)
	case "v1 ConfigMap":
		return strictly(c.configs, name, text)
	case "v1 Secret":
		return strictly(c.secrets, name, text)
	case "networking.k8s.io/v1 Ingress":
		return strictly(c.ingresses, name, text)
	case "networking.k8s.io/v1 NetworkPolicy":
		return strictly(c.policies, name, text)
	case "policy/v1 PodDisruptionBudget":
		return strictly(c.budgets, name, text)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return strictly(c.scalers, name, text)
	case "v1 Namespace":
		return strictly(c.namespaces, name, text)
	}
	return &os.PathError{Op: "decode", Path: kind, Err: os.ErrInvalid}
}

func strictly[T any](into map[string]*T, name string, text []byte) error {
	into[name] = new(T)
	return yaml.UnmarshalStrict(text, into[name])
}

// pods are all that run the image, by name.
func (c *cluster) pods() map[string]core.PodTemplateSpec {
	pods := map[string]core.PodTemplateSpec{}
	for name, d := range c.deployments {
		pods[name] = d.Spec.Template
	}
	for name, j := range c.jobs {
		pods[name] = j.Spec.Template
	}
	return pods
}

// environment is what a pod finds, with the image's own.
func (c *cluster) environment(t *testing.T, pod core.PodSpec) map[string]string {
	t.Helper()
	environ := inImage(t, nil)
	for _, source := range pod.Containers[0].EnvFrom {
		if source.ConfigMapRef != nil {
			config, there := c.configs[source.ConfigMapRef.Name]
			if !there {
				t.Fatalf("there is no ConfigMap %s", source.ConfigMapRef.Name)
			}
			maps.Copy(environ, config.Data)
			continue
		}
		secret, there := c.secrets[source.SecretRef.Name]
		if !there {
			t.Fatalf("there is no Secret %s", source.SecretRef.Name)
		}
		for name, value := range secret.Data {
			environ[name] = string(value)
		}
	}
	return environ
}

func TestKubernetesPods(t *testing.T) {
	t.Parallel()
	c := built(t, "example")
	if len(c.pods()) != 3 {
		t.Errorf("there are %d kinds of pods", len(c.pods()))
	}
	for name, template := range c.pods() {
		container := template.Spec.Containers[0]
		settings(t, name, c.environment(t, template.Spec))
		isCommand(t, name, container.Args)
		if container.Image != "registry.example.com/accord:0.1.0" {
			t.Errorf("%s runs %s", name, container.Image)
		}
		if !restricted(template.Spec) {
			t.Errorf("%s may do more than Pod Security's level restricted allows, or write where it need not", name)
		}
		if len(container.Resources.Requests) != 2 || container.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s has no bounds", name)
		}
		if *template.Spec.AutomountServiceAccountToken {
			t.Errorf("%s is given a token of the cluster", name)
		}
	}
	if level := c.namespaces["accord"].Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Errorf("the namespace takes pods of level %q", level)
	}
}

// restricted is Pod Security's level of that name, and a file system that is read only.
func restricted(pod core.PodSpec) bool {
	container := pod.Containers[0].SecurityContext
	return pod.SecurityContext != nil && container != nil && *pod.SecurityContext.RunAsNonRoot && *pod.SecurityContext.RunAsUser == 65532 &&
		pod.SecurityContext.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault && !pod.HostNetwork && !pod.HostPID && !pod.HostIPC &&
		!*container.AllowPrivilegeEscalation && *container.ReadOnlyRootFilesystem && slices.Equal(container.Capabilities.Drop, []core.Capability{"ALL"}) &&
		len(container.Capabilities.Add) == 0 && (container.Privileged == nil || !*container.Privileged)
}

func TestKubernetesServer(t *testing.T) {
	t.Parallel()
	c := built(t, "example")
	server := c.deployments["accord-server"].Spec
	inForce := settings(t, "accord-server", c.environment(t, server.Template.Spec))
	container := server.Template.Spec.Containers[0]
	ports := map[string]string{}
	for _, port := range container.Ports {
		ports[port.Name] = strconv.Itoa(int(port.ContainerPort))
	}
	if want := map[string]string{"http": inForce["PORT"], "admin": inForce["ADMIN_PORT"]}; !maps.Equal(ports, want) {
		t.Errorf("it has the ports %v, and listens on %v", ports, want)
	}
	for name, probe := range map[string]*core.Probe{"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Port.StrVal != "http" {
			t.Errorf("%s: %v", name, probe)
			continue
		}
		isProbe(t, name, probe.HTTPGet.Path)
	}
	if container.LivenessProbe.HTTPGet.Path != "/livez" || container.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("a server whose database is away must be left alone, and asked for nothing")
	}
	grace := time.Duration(*server.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	if need := time.Duration(container.Lifecycle.PreStop.Sleep.Seconds)*time.Second + duration(t, inForce["SHUTDOWN_TIMEOUT"]); grace <= need {
		t.Errorf("it is killed after %s, and a stop may take %s", grace, need)
	}
	worker := c.deployments["accord-worker"].Spec.Template.Spec
	if grace := time.Duration(*worker.TerminationGracePeriodSeconds) * time.Second; grace <= duration(t, inForce["SHUTDOWN_TIMEOUT"]) {
		t.Errorf("the worker is killed after %s", grace)
	}
	if strategy := server.Strategy.RollingUpdate; strategy.MaxUnavailable.IntVal != 0 || server.Replicas != nil {
		t.Errorf("servers go before others are ready, or their number is not the autoscaler's: %v", strategy)
	}
	if inForce["JOBS"] != "false" || inForce["ADMIN_HOST"] != "0.0.0.0" {
		t.Errorf("JOBS is %s, ADMIN_HOST %s", inForce["JOBS"], inForce["ADMIN_HOST"])
	}
}

// Prometheus reaches the worker by the port that it has, and nobody else does.
func TestMetricsOfTheWorkerAreReached(t *testing.T) {
	t.Parallel()
	c := built(t, "example")
	worker := c.deployments["accord-worker"].Spec.Template
	inForce := settings(t, "accord-worker", c.environment(t, worker.Spec))
	ports := worker.Spec.Containers[0].Ports
	if len(ports) != 1 || ports[0].Name != "admin" || strconv.Itoa(int(ports[0].ContainerPort)) != inForce["ADMIN_PORT"] {
		t.Errorf("it has the ports %v, and listens on %s", ports, inForce["ADMIN_PORT"])
	}
	policy := c.policies["accord-worker"].Spec
	if !maps.Equal(policy.PodSelector.MatchLabels, c.deployments["accord-worker"].Spec.Selector.MatchLabels) ||
		len(policy.Ingress) != 1 || len(policy.Ingress[0].From) != 1 || policy.Ingress[0].Ports[0].Port.StrVal != "admin" {
		t.Errorf("the policy lets in %v", policy.Ingress)
	}
}

// By their annotations Prometheus finds servers and workers alike, as the job that the rules
// look for.
func TestMetricsAreFoundByAnnotations(t *testing.T) {
	t.Parallel()
	c := built(t, "example")
	server, worker := c.deployments["accord-server"].Spec.Template, c.deployments["accord-worker"].Spec.Template
	want := map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": settings(t, "accord-server", c.environment(t, server.Spec))["ADMIN_PORT"]}
	if !maps.Equal(server.Annotations, want) || !maps.Equal(worker.Annotations, want) {
		t.Errorf("the servers have %v, the worker %v, want %v", server.Annotations, worker.Annotations, want)
	}
	var prometheus struct {
		RuleFiles []string `json:"rule_files"`
		Jobs      []struct {
			Name string `json:"job_name"`
			Find []struct {
				Role       string
				Namespaces struct{ Names []string }
			} `json:"kubernetes_sd_configs"`
			Relabel any `json:"relabel_configs"` // tried in tools/alerts
		} `json:"scrape_configs"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, deploy+"/prometheus/kubernetes.yml")), &prometheus); err != nil {
		t.Fatal(err)
	}
	if len(prometheus.Jobs) != 1 || len(prometheus.Jobs[0].Find) != 1 {
		t.Fatalf("the jobs are %v", prometheus.Jobs)
	}
	job := prometheus.Jobs[0]
	if !strings.Contains(read(t, deploy+"/prometheus/alerts.yaml"), `up{job="`+job.Name+`"}`) {
		t.Errorf("the rules do not look for the job %s", job.Name)
	}
	if find := job.Find[0]; find.Role != "pod" || !slices.Equal(find.Namespaces.Names, []string{c.deployments["accord-server"].Namespace}) {
		t.Errorf("it looks for %v", find)
	}
	// A PodMonitor takes the job's name from there.
	for _, pod := range []core.PodTemplateSpec{server, worker} {
		if name := pod.Labels["app.kubernetes.io/name"]; name != job.Name {
			t.Errorf("the name in the labels is %s, that of the job %s", name, job.Name)
		}
	}
}

// Whatever chooses pods by labels, chooses those of the server.
func TestKubernetesSelectors(t *testing.T) {
	t.Parallel()
	c := built(t, "example")
	labels := c.deployments["accord-server"].Spec.Template.Labels
	ports := map[string]bool{}
	for _, port := range c.deployments["accord-server"].Spec.Template.Spec.Containers[0].Ports {
		ports[port.Name] = true
	}
	policies := c.policies["accord-server"].Spec
	for who, selector := range map[string]map[string]string{
		"Deployment":          c.deployments["accord-server"].Spec.Selector.MatchLabels,
		"Service":             c.services["accord"].Spec.Selector,
		"PodDisruptionBudget": c.budgets["accord-server"].Spec.Selector.MatchLabels,
		"NetworkPolicy":       policies.PodSelector.MatchLabels,
	} {
		if len(selector) == 0 || !contains(labels, selector) || contains(c.deployments["accord-worker"].Spec.Template.Labels, selector) {
			t.Errorf("%s: %v", who, selector)
		}
	}
	if target := c.scalers["accord-server"].Spec; target.ScaleTargetRef.Name != "accord-server" || *target.MinReplicas < 2 {
		t.Errorf("the autoscaler: %v", target)
	}
	if !ports[c.services["accord"].Spec.Ports[0].TargetPort.StrVal] {
		t.Error("the service leads to no port")
	}
	for _, rule := range policies.Ingress {
		if len(rule.From) == 0 || len(rule.Ports) == 0 || !ports[rule.Ports[0].Port.StrVal] {
			t.Errorf("the policy lets in %v", rule)
		}
	}
	all := c.policies["accord"].Spec
	if len(all.PodSelector.MatchLabels) != 0 || len(all.Ingress) != 0 || !slices.Contains(all.PolicyTypes, networking.PolicyTypeIngress) {
		t.Errorf("without a policy of its own a pod lets in %v", all)
	}
	ingress := c.ingresses["accord"].Spec
	backend := ingress.Rules[0].HTTP.Paths[0].Backend.Service
	inForce := settings(t, "server", c.environment(t, c.deployments["accord-server"].Spec.Template.Spec))
	if backend.Name != "accord" || backend.Port.Name != c.services["accord"].Spec.Ports[0].Name ||
		inForce["PUBLIC_URL"] != "https://"+ingress.Rules[0].Host || ingress.TLS[0].Hosts[0] != ingress.Rules[0].Host {
		t.Errorf("the ingress leads %v, and clients use %s", ingress, inForce["PUBLIC_URL"])
	}
}

func contains(labels, selector map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// What all clusters have builds by itself, and holds no secret.
func TestKubernetesBase(t *testing.T) {
	t.Parallel()
	if c := built(t, "base"); len(c.secrets) != 0 || len(c.deployments) != 2 || len(c.jobs) != 1 {
		t.Errorf("%v %v %v", c.secrets, c.deployments, c.jobs)
	}
}
