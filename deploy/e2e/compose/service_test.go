package compose_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"tandem.bank/pkg/auth"
)

func TestHealthChecks(t *testing.T) {
	t.Parallel()
	eachService(t, func(t *testing.T, service types.ServiceConfig) {
		check := service.HealthCheck
		if check == nil || check.Disable {
			t.Fatal("has no health check")
		}
		// CMD: without a shell, which our images do not have.
		if len(check.Test) < 2 || check.Test[0] != "CMD" {
			t.Errorf("health check is %q, want CMD with a program", check.Test)
		}
		if check.Interval == nil || check.Timeout == nil || check.Retries == nil || check.StartPeriod == nil {
			t.Error("health check lacks its interval, timeout, retries or start period")
		}
	})
}

func TestDependenciesAreHealthyFirst(t *testing.T) {
	t.Parallel()
	for name, engines := range map[string][]string{
		"crm":       {"nats", "postgres"},
		"analytics": {"clickhouse", "nats"},
	} {
		if got := load(t).Services[name].GetDependencies(); !slices.Equal(slices.Sorted(slices.Values(got)), engines) {
			t.Errorf("%s depends on %v, want %v", name, got, engines)
		}
	}
	eachService(t, func(t *testing.T, service types.ServiceConfig) {
		for engine, dependency := range service.DependsOn {
			if dependency.Condition != types.ServiceConditionHealthy {
				t.Errorf("waits for %s until %s, want until it is healthy", engine, dependency.Condition)
			}
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	eachService(t, func(t *testing.T, service types.ServiceConfig) {
		if service.Deploy == nil || service.Deploy.Resources.Limits == nil {
			t.Fatal("has no limits")
		}
		limits := service.Deploy.Resources.Limits
		if limits.NanoCPUs <= 0 || limits.MemoryBytes <= 0 || limits.Pids <= 0 {
			t.Errorf("limits of processor, memory and processes are %v, %v and %v, want all set",
				limits.NanoCPUs, limits.MemoryBytes, limits.Pids)
		}
		// The container engine refuses more processors than the machine has.
		if limits.NanoCPUs > 2 {
			t.Errorf("may use %v processors, more than a small machine has", limits.NanoCPUs)
		}
		if service.Restart != types.RestartPolicyUnlessStopped {
			t.Errorf("restart policy is %q", service.Restart)
		}
		if service.StopGracePeriod == nil {
			t.Error("has no time to stop in")
		}
	})
}

func TestContainersGetNoMoreThanTheyNeed(t *testing.T) {
	t.Parallel()
	eachService(t, func(t *testing.T, service types.ServiceConfig) {
		if !service.ReadOnly {
			t.Error("may write outside its volumes")
		}
		if !slices.Equal(service.CapDrop, []string{"ALL"}) || len(service.CapAdd) > 0 || service.Privileged {
			t.Error("has capabilities")
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Error("may gain privileges")
		}
	})
}

func TestPortsAreOpenToThisMachineOnly(t *testing.T) {
	t.Parallel()
	eachProject(t, func(t *testing.T, composed *types.Project) {
		taken := map[string]string{}
		for _, service := range composed.Services {
			for _, port := range service.Ports {
				if ip := net.ParseIP(port.HostIP); ip == nil || !ip.IsLoopback() {
					t.Errorf("%s publishes port %s on %q, want 127.0.0.1", service.Name, port.Published, port.HostIP)
				}
				if other, ok := taken[port.Published]; ok {
					t.Errorf("%s and %s both publish port %s", service.Name, other, port.Published)
				}
				taken[port.Published] = service.Name
			}
		}
	})
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	eachProject(t, func(t *testing.T, composed *types.Project) {
		used := map[string]string{}
		for _, service := range composed.Services {
			for _, volume := range service.Volumes {
				switch volume.Type {
				case types.VolumeTypeVolume:
					if other, ok := used[volume.Source]; ok || volume.Source == "" {
						t.Errorf("%s keeps %s in volume %q, which %s has too", service.Name, volume.Target, volume.Source, other)
					}
					used[volume.Source] = service.Name
				case types.VolumeTypeBind:
					if !volume.ReadOnly {
						t.Errorf("%s may write to %s", service.Name, volume.Source)
					}
					exists(t, volume.Source)
				default:
					t.Errorf("%s has a %s at %s, want a volume or a bind", service.Name, volume.Type, volume.Target)
				}
			}
		}
		for name := range composed.Volumes {
			if used[name] == "" {
				t.Errorf("volume %s is not used", name)
			}
		}
		// A volume at the old place, /var/lib/postgresql/data, would stay empty, and the data be lost with the container.
		if place := composed.Services["postgres"].Volumes[0].Target; place != "/var/lib/postgresql" {
			t.Errorf("Postgres 18 keeps its data in /var/lib/postgresql, the volume is at %s", place)
		}
	})
}

// Every server of an engine is configured by the same files as without containers; a new file must not be forgotten here.
func TestEngineConfigurationIsShared(t *testing.T) {
	t.Parallel()
	shared := map[string][]string{
		"postgres":                     {"deploy/postgres/*.conf"},
		"nats":                         {"deploy/nats/*.conf"},
		"clickhouse/clickhouse-server": {"deploy/clickhouse/*.xml", "deploy/clickhouse/config.d/*", "deploy/clickhouse/users.d/*"},
	}
	eachService(t, func(t *testing.T, service types.ServiceConfig) {
		image, _, _ := strings.Cut(service.Image, ":")
		for _, pattern := range shared[image] {
			isMounted(t, service, pattern)
		}
	})
	eachProject(t, func(t *testing.T, composed *types.Project) {
		for _, service := range composed.Services {
			if image, _, _ := strings.Cut(service.Image, ":"); image == "clickhouse/clickhouse-server" && composed.Services["keeper-1"].Name != "" {
				isMounted(t, service, "deploy/cluster/clickhouse/*/*")
			}
		}
	})
}

// isMounted fails the test when the service does not get each file of the pattern.
func isMounted(t *testing.T, service types.ServiceConfig, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), pattern))
	if err != nil || len(files) == 0 {
		t.Errorf("%s: no files (%v)", pattern, err)
	}
	for _, file := range files {
		if !slices.ContainsFunc(service.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == file }) {
			t.Errorf("%s does not get %s", service.Name, file)
		}
	}
}

func TestSecretsAreFiles(t *testing.T) {
	t.Parallel()
	composed, dir := load(t), root(t)
	ignored, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ignored), "/.local/\n") {
		t.Error(".gitignore does not keep .local out")
	}
	for name, secret := range composed.Secrets {
		if path, err := filepath.Rel(dir, secret.File); err != nil || filepath.Dir(path) != ".local/secrets" {
			t.Errorf("secret %s is in %q, want a file in .local/secrets", name, secret.File)
		}
	}
	for _, service := range composed.Services {
		for name, value := range service.Environment {
			if strings.Contains(name, "PASSWORD") && !strings.HasSuffix(name, "_FILE") {
				t.Errorf("%s gets %s as a value, want a file", service.Name, name)
			}
			if file, ok := strings.CutPrefix(deref(value), "/run/secrets/"); ok && !hasSecret(service, file) {
				t.Errorf("%s: %s names the secret %s, which the service does not get", service.Name, name, file)
			}
		}
	}
}

// A private key is of no use to a thief where nobody believes it: crm signs with one that only analytics believes.
func TestEachServiceHasTheKeysItNeeds(t *testing.T) {
	t.Parallel()
	eachProject(t, func(t *testing.T, composed *types.Project) {
		for service, settings := range map[string]map[string]string{
			"crm": {
				"CRM_AUTH_KEYS_FILE": auth.PublicKeysFile, "CRM_ANALYTICS_SIGNING_KEY_FILE": auth.DelegateKeyFile,
			},
			"analytics": {"ANALYTICS_AUTH_KEYS_FILE": auth.AnalyticsKeysFile},
		} {
			for name, file := range settings {
				if got := deref(composed.Services[service].Environment[name]); got != "/run/secrets/"+file {
					t.Errorf("%s: %s is %q, want the secret %s", service, name, got, file)
				}
				if got := filepath.Base(composed.Secrets[file].File); got != file {
					t.Errorf("the secret %s is in %q, which `make secrets` does not make", file, got)
				}
			}
		}
		for _, service := range composed.Services {
			if hasSecret(service, auth.SigningKeyFile) {
				t.Errorf("%s gets the private key of people", service.Name)
			}
		}
	})
}

func hasSecret(service types.ServiceConfig, name string) bool {
	return slices.ContainsFunc(service.Secrets, func(s types.ServiceSecretConfig) bool { return s.Source == name })
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
