package alerts

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

const (
	metricsFile   = "../../deploy/prometheus/metrics.txt"
	alertsFile    = "../../deploy/prometheus/alerts.yaml"
	dashboardFile = "../../deploy/grafana/dashboard.json"
	alertPrefix   = "Accord" // which the runbook leaves out
	runbookFile   = "../../docs/alerts.md"
	contractFile  = "../../gen/api/openapi.json"
	runbooks      = "https://github.com/accord-api/accord/blob/main/docs/alerts.md#"
)

// added are the labels that Prometheus adds to all that it scrapes.
var added = []string{"job", "instance"}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// metrics are the labels of each metric that there is, with the values of those that
// the list names values of.
type metrics map[string]map[string][]string

// listed reads the list that a test of the server holds against a running one.
func listed(t *testing.T) metrics {
	t.Helper()
	all := metrics{"up": {}}
	for line := range strings.Lines(read(t, metricsFile)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = map[string][]string{}
		for label := range strings.SplitSeq(rest, ",") {
			if label, values, _ := strings.Cut(label, "="); label != "" {
				all[name][label] = strings.FieldsFunc(values, func(r rune) bool { return r == '|' })
			}
		}
	}
	return all
}

// expression is one of PromQL's, with where it stands and the labels that the text
// beside it speaks of.
type expression struct {
	where, text string
	speaksOf    []string
}

// rule is one of alerts.yaml.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(read(t, alertsFile)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

var (
	annotationLabel = regexp.MustCompile(`\$labels\.([a-z_]+)`)
	legendLabel     = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)
	queryVariable   = regexp.MustCompile(`^label_values\(([a-z_]+), ([a-z_]+)\)$`)
)

func spoken(pattern *regexp.Regexp, text string) (names []string) {
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

// dashboard is what of a dashboard is looked at.
type dashboard struct {
	Panels []struct {
		Title   string
		Targets []struct{ Expr, LegendFormat string }
	}
	Annotations struct {
		List []struct{ Name, Expr, TitleFormat string }
	}
	Templating struct {
		List []struct{ Name, Definition string }
	}
}

func expressions(t *testing.T) (all []expression) {
	t.Helper()
	for _, r := range rules(t) {
		all = append(all, expression{r.Record + r.Alert, r.Expr, spoken(annotationLabel, r.Annotations["summary"])})
	}
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &d); err != nil {
		t.Fatal(err)
	}
	// What Grafana puts in, in forms that parse.
	filled := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$instance", ".*", "$operation", ".*")
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			all = append(all, expression{"panel " + panel.Title, filled.Replace(target.Expr), spoken(legendLabel, target.LegendFormat)})
		}
	}
	for _, a := range d.Annotations.List {
		all = append(all, expression{"annotation " + a.Name, filled.Replace(a.Expr), spoken(legendLabel, a.TitleFormat)})
	}
	for _, v := range d.Templating.List {
		if query := queryVariable.FindStringSubmatch(v.Definition); query != nil {
			all = append(all, expression{"variable " + v.Name, query[1], query[2:]})
		}
	}
	return all
}

// Every expression of the rules and of the dashboard asks for metrics that there are,
// by labels that they have and values that those take.
func TestExpressionsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	known, operations := listed(t), read(t, contractFile)
	for _, r := range rules(t) {
		if r.Record != "" {
			known[r.Record] = map[string][]string{}
		}
	}
	all := expressions(t)
	if len(all) < 60 {
		t.Fatalf("only %d expressions were found", len(all))
	}
	for _, e := range all {
		for _, fault := range faults(e, known, operations) {
			t.Errorf("%s: %s: %s", e.where, fault, e.text)
		}
	}
}

// faults says what is wrong with an expression.
func faults(e expression, known metrics, contract string) (found []string) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(e.text)
	if err != nil {
		return []string{err.Error()}
	}
	there := slices.Clone(added)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		has, exists := known[selector.Name]
		if !exists {
			found = append(found, "there is no metric "+selector.Name)
		}
		for label := range has {
			there = append(there, label)
		}
		for _, m := range selector.LabelMatchers {
			if m.Name != model.MetricNameLabel && !slices.Contains(added, m.Name) {
				found = append(found, matcherFaults(selector.Name, has, m, contract)...)
			}
		}
		return nil
	})
	spoken := slices.Clone(e.speaksOf)
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.AggregateExpr:
			spoken = append(spoken, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				spoken = append(spoken, n.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	for _, label := range spoken {
		if !slices.Contains(there, label) {
			found = append(found, "nothing has the label "+label)
		}
	}
	return found
}

// matcherFaults looks at what one label is compared with.
func matcherFaults(metric string, has map[string][]string, m *labels.Matcher, contract string) (found []string) {
	values, ok := has[m.Name]
	if !ok {
		return []string{metric + " has no label " + m.Name}
	}
	if m.Value == ".*" {
		return nil
	}
	for value := range strings.SplitSeq(m.Value, "|") {
		if len(values) > 0 && !slices.Contains(values, value) {
			found = append(found, m.Name+" of "+metric+" is never "+value)
		}
		if m.Name == "operation" && !strings.Contains(contract, `"operationId": "`+value+`"`) {
			found = append(found, "there is no operation "+value)
		}
	}
	return found
}

// The test itself finds what it is for.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	known := metrics{"m": {"a": nil, "b": {"x", "y"}, "operation": nil}}
	for text, want := range map[string]string{
		`sum(rate(m[5m])`:                    "parse error",
		`rate(n[5m])`:                        "no metric n",
		`m{c="1"}`:                           "no label c",
		`m{b="z"}`:                           "b of m is never z",
		`m{b=~"x|z"}`:                        "b of m is never z",
		`m{operation="none"}`:                "no operation none",
		`sum by (c) (m)`:                     "the label c",
		`m and on (c) m`:                     "the label c",
		`sum by (a, instance) (m{b=~"x|y"})`: "",
		`m{operation="login", job="accord"}`: "",
	} {
		got := strings.Join(faults(expression{text: text}, known, `"operationId": "login"`), ", ")
		if !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Each alert says how bad it is, what is the matter and where it is written what to do;
// and what is written there is about an alert.
func TestAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	var headings []string
	for line := range strings.Lines(read(t, runbookFile)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "### Alert "); ok {
			headings = append(headings, name)
		}
	}
	var names []string
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		name, ours := strings.CutPrefix(r.Alert, alertPrefix)
		if !ours {
			t.Errorf("%s does not begin with %s", r.Alert, alertPrefix)
		}
		names = append(names, name)
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) || r.Annotations["summary"] == "" {
			t.Errorf("%s: severity %q, summary %q", r.Alert, r.Labels["severity"], r.Annotations["summary"])
		}
		if want := runbooks + "alert-" + strings.ToLower(name); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url has to be %s", r.Alert, want)
		}
	}
	if !slices.Equal(headings, names) {
		t.Errorf("docs/alerts.md is about\n%v\nand the alerts are\n%v", headings, names)
	}
}
