package check

import (
	"path/filepath"
	"strings"
	"testing"
)

// unit is a unit of systemd's: the values of each name, in order.
func unit(t *testing.T, name string) map[string][]string {
	t.Helper()
	values := map[string][]string{}
	for line := range strings.Lines(read(t, name)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			values[name] = append(values[name], value)
		}
	}
	return values
}

func TestSystemd(t *testing.T) {
	t.Parallel()
	environ := environmentFile(t, deploy+"/systemd/accord.env.example", true)
	environ["SECRET_KEY"] = key
	inForce := settings(t, "accord.env.example", environ)
	units, err := filepath.Glob(deploy + "/systemd/*.service")
	if err != nil || len(units) != 3 {
		t.Fatalf("%v %v", units, err)
	}
	for _, name := range units {
		values := unit(t, name)
		program, args, _ := strings.Cut(values["ExecStart"][0], " ")
		if program != "/usr/local/bin/accord" {
			t.Errorf("%s runs %s", name, program)
		}
		isCommand(t, name, strings.Fields(args))
		for setting, want := range map[string]string{
			"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "CapabilityBoundingSet": "",
			"User": "accord", "EnvironmentFile": "/etc/accord/accord.env", "MemoryDenyWriteExecute": "yes",
		} {
			if got := values[setting]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q", name, setting, got)
			}
		}
		// bare-drops {
		// All that it may write to.
		if folder := "file:///var/lib/" + values["StateDirectory"][0]; !strings.HasPrefix(inForce["FILES_URL"], folder) {
			t.Errorf("%s: files go to %s", name, inForce["FILES_URL"])
		}
		// bare-drops }
		if stop := values["TimeoutStopSec"]; len(stop) == 1 && duration(t, stop[0]+"s") <= duration(t, inForce["SHUTDOWN_TIMEOUT"]) {
			t.Errorf("%s is killed after %s s", name, stop[0])
		}
	}
}
