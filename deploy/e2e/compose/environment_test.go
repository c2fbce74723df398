package compose_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"tandem.bank/pkg/auth"
)

// checkConfig runs `SERVICE check-config` from source and returns what it prints. The environment is ours without
// settings of the service, and the given settings.
func checkConfig(t *testing.T, service string, settings []string, flags ...string) string {
	t.Helper()
	args := append([]string{"run", "./cmd/" + service, "check-config"}, flags...)
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = filepath.Join(root(t), "services", service)
	command.Env = append(slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, strings.ToUpper(service)+"_")
	}), settings...)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s check-config: %v\n%s%s", service, err, out, problems.Bytes())
	}
	return string(out)
}

// settings are what a service is told by the compose files and by its image, as NAME=VALUE.
func settings(t *testing.T, composed *types.Project, service string) []string {
	t.Helper()
	var pairs []string
	for name, value := range composed.Services[service].Environment {
		pairs = append(pairs, name+"="+deref(value))
	}
	file := instructions(t, service)
	// Those of earlier stages are the toolchain's.
	last := slices.IndexFunc(file, func(i instruction) bool { return i.word == "FROM" && i.args[0] == "scratch" })
	for _, env := range only(file[last:], "ENV") {
		pairs = append(pairs, env.args...)
	}
	return pairs
}

// withSecrets lets settings name files of this test instead of those that only a container has.
func withSecrets(t *testing.T, pairs []string) []string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	private, keys, err := auth.EnsureKeyPair(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	replaced := make([]string, len(pairs))
	for i, pair := range pairs {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(value, "/run/secrets/") {
			pair = name + "=" + file
			switch {
			case strings.HasSuffix(name, "_AUTH_KEYS_FILE"):
				pair = name + "=" + keys
			case strings.HasSuffix(name, "_SIGNING_KEY_FILE"):
				pair = name + "=" + private
			}
		}
		replaced[i] = pair
	}
	return replaced
}

func TestServicesKnowTheirSettings(t *testing.T) {
	t.Parallel()
	for _, service := range ours {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			known := strings.Fields(checkConfig(t, service, nil, "--names"))
			eachProject(t, func(t *testing.T, composed *types.Project) {
				for _, pair := range settings(t, composed, service) {
					if name, _, _ := strings.Cut(pair, "="); !slices.Contains(known, name) {
						t.Errorf("does not know %s; it knows %s", name, strings.Join(known, ", "))
					}
				}
			})
		})
	}
}

func TestServicesAcceptTheirSettings(t *testing.T) {
	t.Parallel()
	for _, service := range ours {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			eachProject(t, func(t *testing.T, composed *types.Project) {
				told := withSecrets(t, settings(t, composed, service))
				shown := strings.Split(checkConfig(t, service, told), "\n")
				for _, pair := range told {
					if !slices.Contains(shown, pair) {
						t.Errorf("was told %s, but goes by other values:\n%s", pair, strings.Join(shown, "\n"))
					}
				}
			})
		})
	}
}

// An image has no folder that a service may write to: each that a setting names lies in a volume, and the image gives the
// volume's place to the account that the service runs as.
func TestFoldersAreInVolumes(t *testing.T) {
	t.Parallel()
	eachImage(t, func(t *testing.T, service string, file []instruction) {
		composed := load(t)
		user := only(file, "USER")[0].args[0]
		for name := range strings.Lines(checkConfig(t, service, nil, "--names")) {
			if name = strings.TrimSpace(name); !strings.HasSuffix(name, "_DIR") {
				continue
			}
			folder := deref(composed.Services[service].Environment[name])
			place := slices.IndexFunc(composed.Services[service].Volumes, func(v types.ServiceVolumeConfig) bool {
				return v.Type == types.VolumeTypeVolume && strings.HasPrefix(folder, v.Target+"/")
			})
			if place < 0 {
				t.Errorf("%s is %q, which lies in no volume", name, folder)
				continue
			}
			target := composed.Services[service].Volumes[place].Target
			if !slices.ContainsFunc(only(file, "COPY"), func(c instruction) bool {
				return c.args[len(c.args)-1] == target && slices.Contains(c.flags, "--chown="+user)
			}) {
				t.Errorf("the image has no folder %s of user %s", target, user)
			}
		}
	})
}
