package licensor

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write THIRD_PARTY_NOTICES")

// systems are those that the program is built for.
var systems = []string{"linux", "darwin", "windows"}

// texts are the names of files that say how a module may be used.
var texts = regexp.MustCompile(`(?i)^(licen[sc]e|notice|copying|patents|copyright|attrib)`)

// module is a module of which something is linked.
type module struct{ Path, Version, Dir string }

// TestThirdPartyNotices keeps THIRD_PARTY_NOTICES what go list says is linked. After a change of
// the dependencies, write it again with go test . -run TestThirdPartyNotices -update.
func TestThirdPartyNotices(t *testing.T) {
	t.Parallel()
	want := thirdPartyNotices(t)
	if *update {
		if err := os.WriteFile("THIRD_PARTY_NOTICES", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if thirdParty != want {
		t.Error("THIRD_PARTY_NOTICES is not what is linked: run go test . -run TestThirdPartyNotices -update")
	}
	for _, part := range []string{"The Licensor authors", "Apache License", "github.com/hashicorp/golang-lru/v2 v", "Mozilla Public License", "The Go Authors"} {
		if !strings.Contains(Notices(), part) {
			t.Errorf("the notices lack %q", part)
		}
	}
}

func thirdPartyNotices(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("Software that is linked into licensor, with its licenses and notices. Written by a test; do not edit.\n")
	goRoot := strings.TrimSpace(run(t, "env", "GOROOT"))
	all := append([]module{{"The Go standard library", "", goRoot}}, linked(t)...)
	for _, m := range all {
		fmt.Fprintf(&b, "\n%s\n%s\n", strings.Repeat("=", 100), strings.TrimSpace(m.Path+" "+m.Version))
		entries, err := os.ReadDir(m.Dir)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, e := range entries {
			if e.IsDir() || !texts.MatchString(e.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			found = true
			fmt.Fprintf(&b, "\n--- %s\n\n%s\n", e.Name(), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		}
		if !found {
			t.Errorf("%s has no license in %s", m.Path, m.Dir)
		}
	}
	return b.String()
}

// linked lists the modules by path, each once.
func linked(t *testing.T) (all []module) {
	t.Helper()
	for _, system := range systems {
		list := json.NewDecoder(strings.NewReader(run(t, "list", "-deps", "-json=Module", "./cmd/licensor", "GOOS="+system)))
		for {
			var p struct {
				Module *struct {
					module
					Main bool
				}
			}
			if err := list.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Module != nil && !p.Module.Main {
				all = append(all, p.Module.module)
			}
		}
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return slices.Compact(all)
}

// run is a go command; arguments such as GOOS=linux are its environment.
func run(t *testing.T, arguments ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, a := range arguments {
		if strings.HasPrefix(a, "GOOS=") {
			cmd.Env = append(cmd.Env, a)
		} else {
			cmd.Args = append(cmd.Args, a)
		}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(arguments, " "), err)
	}
	return string(out)
}
