package compose_test

import (
	"go/version"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"golang.org/x/mod/modfile"
)

// instruction is one instruction of a Dockerfile.
type instruction struct {
	word  string // FROM, COPY, …
	flags []string
	args  []string
}

// instructions reads the Dockerfile of one of our services: enough of the format for ours, not all of it.
func instructions(t *testing.T, service string) []instruction {
	t.Helper()
	build := load(t).Services[service].Build
	if build == nil {
		t.Fatalf("%s is not built here", service)
	}
	text, err := os.ReadFile(filepath.Join(build.Context, build.Dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	var found []instruction
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		next := instruction{word: words[0]}
		for _, word := range words[1:] {
			if strings.HasPrefix(word, "--") && len(next.args) == 0 {
				next.flags = append(next.flags, word)
			} else {
				next.args = append(next.args, word)
			}
		}
		found = append(found, next)
	}
	return found
}

// only keeps the instructions with one word.
func only(all []instruction, word string) []instruction {
	return slices.DeleteFunc(slices.Clone(all), func(i instruction) bool { return i.word != word })
}

// eachImage runs a subtest per image that is built here.
func eachImage(t *testing.T, check func(t *testing.T, service string, file []instruction)) {
	t.Helper()
	for _, service := range ours {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			check(t, service, instructions(t, service))
		})
	}
}

func TestDockerfilesBuildOnPinnedImages(t *testing.T) {
	t.Parallel()
	eachImage(t, func(t *testing.T, _ string, file []instruction) {
		stages := only(file, "FROM")
		if len(stages) < 2 {
			t.Fatalf("has %d stages, want one that builds and one that runs", len(stages))
		}
		for _, stage := range stages[:len(stages)-1] {
			series(t, stage.args[0])
		}
		if last := stages[len(stages)-1].args[0]; last != "scratch" {
			t.Errorf("runs on %s, want scratch", last)
		}
	})
}

// golang is the image of the toolchain with its version.
var golang = regexp.MustCompile(`^golang:([0-9.]+)`)

func TestToolchainIsNewEnough(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root(t), "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	needed := map[string]string{"go.work": work.Go.Version}
	for _, dir := range []string{"proto", "pkg", "services/crm", "services/analytics"} {
		needed[dir] = module(t, dir).Go.Version
	}
	eachImage(t, func(t *testing.T, _ string, file []instruction) {
		match := golang.FindStringSubmatch(only(file, "FROM")[0].args[0])
		if match == nil {
			t.Fatal("is not built on a golang image")
		}
		for who, needs := range needed {
			if version.Compare("go"+match[1], "go"+needs) < 0 {
				t.Errorf("is built with Go %s, but %s needs %s", match[1], who, needs)
			}
		}
	})
}

// What COPY names must be there, and .dockerignore must let it through.
func TestDockerfilesCopyWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := root(t)
	ignore, err := os.Open(filepath.Join(dir, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ignore.Close() }()
	patterns, err := ignorefile.ReadAll(ignore)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	eachImage(t, func(t *testing.T, _ string, file []instruction) {
		for _, copies := range only(file, "COPY") {
			if slices.ContainsFunc(copies.flags, func(f string) bool { return strings.HasPrefix(f, "--from=") }) {
				continue
			}
			for _, source := range copies.args[:len(copies.args)-1] {
				exists(t, filepath.Join(dir, source))
				if hidden, err := ignored.MatchesOrParentMatches(source); err != nil || hidden {
					t.Errorf(".dockerignore hides %s (%v)", source, err)
				}
			}
		}
	})
}

func TestImagesRunAsNobody(t *testing.T) {
	t.Parallel()
	eachImage(t, func(t *testing.T, _ string, file []instruction) {
		users := only(file, "USER")
		if len(users) != 1 {
			t.Fatalf("names %d users, want one", len(users))
		}
		name, _, _ := strings.Cut(users[0].args[0], ":")
		// By number: an orchestrator can't tell from a name that it is not root.
		if uid, err := strconv.Atoi(name); err != nil || uid == 0 {
			t.Errorf("runs as %q, want the number of a user other than root", name)
		}
	})
}

// The health check calls the program that the image starts.
func TestHealthCheckProgramIsInTheImage(t *testing.T) {
	t.Parallel()
	eachImage(t, func(t *testing.T, service string, file []instruction) {
		check := load(t).Services[service].HealthCheck.Test
		want := strconv.Quote(check[1])
		if entry := only(file, "ENTRYPOINT"); len(entry) != 1 || strings.Join(entry[0].args, " ") != "["+want+"]" {
			t.Errorf("the health check calls %s, the image starts %v", want, entry)
		}
	})
}
