package tenant

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/licensing/vector"
	"licensor/internal/store"
)

// moved is a command that changes the default domain of the tenant.
type moved struct{}

func (moved) name() string { return "move" }

func (moved) run(c *change) error {
	org := *c.next.Organization
	org.VerifiedDomains = slices.Clone(org.VerifiedDomains)
	org.VerifiedDomains[0].Name = "fabrikam.example"
	return c.organize(&org)
}

// TestApplicationsShowTheDomain changes the default domain of a tenant, which applications show,
// also after a replay.
func TestApplicationsShowTheDomain(t *testing.T) {
	t.Parallel()
	org := directory.Organization{
		ID: uuid.UUID{1}, DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "contoso.example", IsDefault: true, IsInitial: true}},
	}
	client := directory.Client{
		Application: directory.Application{ID: uuid.UUID{2}, AppID: uuid.UUID{3}, DisplayName: "App"},
		Principal:   directory.ServicePrincipal{ID: uuid.UUID{4}},
	}
	about, _ := directory.AboutApplication("publisherDomain")
	img := NewImage()
	var commits []store.Commit
	for _, step := range []struct {
		cmd  Command
		want string
	}{{Found{org, &licensing.Catalog{}}, ""}, {SetClient{Client: client}, "contoso.example"}, {moved{}, "fabrikam.example"}} {
		c := img.change(t.Context(), time.Unix(1, 0).UTC(), uuid.New)
		if err := step.cmd.run(c); err != nil {
			t.Fatal(err)
		}
		next, commit, err := c.finish(By{Actor: "test"}, step.cmd.name())
		if err != nil || commit == nil {
			t.Fatal(commit, err)
		}
		next.append(commit, c.concerned, img.Chain)
		img, commits = next, append(commits, *commit)
		if got := img.Applications.Columns().Text(0, about.Column); got != step.want {
			t.Errorf("after %s the domain is %q, want %q", step.cmd.name(), got, step.want)
		}
	}
	replay := NewImage().Replay()
	for _, commit := range commits {
		if err := replay.Apply(commit); err != nil {
			t.Fatal(err)
		}
	}
	again := replay.Image()
	if got := again.Applications.Columns().Text(0, about.Column); got != "fabrikam.example" {
		t.Errorf("after a replay the domain is %q", got)
	}
}

// withClients returns an image with n applications, each with a service principal.
func withClients(tb testing.TB, n int) *Image {
	tb.Helper()
	img := NewImage()
	img.Organization = &directory.Organization{ID: uuid.UUID{1}, DisplayName: "Test"}
	for i := range n {
		img.former = append(img.former, numberedClient(i, "App"))
	}
	return carriedOut(tb, img, Migrate{})
}

func numberedClient(i int, name string) directory.Client {
	id := func(kind byte) (id uuid.UUID) {
		binary.BigEndian.PutUint64(id[8:], uint64(i))
		id[0] = kind
		return id
	}
	return directory.Client{
		Application: directory.Application{
			ID: id(1), AppID: id(2), DisplayName: fmt.Sprint(name, " ", i),
			Properties: map[string]json.RawMessage{"identifierUris": json.RawMessage(fmt.Sprintf(`["api://%d"]`, i))},
		},
		Principal: directory.ServicePrincipal{ID: id(3), AppID: id(2), DisplayName: fmt.Sprint(name, " ", i)},
	}
}

func carriedOut(tb testing.TB, img *Image, cmd Command) *Image {
	tb.Helper()
	c := img.change(tb.Context(), time.Unix(1, 0).UTC(), uuid.New)
	if err := cmd.run(c); err != nil {
		tb.Fatal(err)
	}
	next, _, err := c.finish(By{Actor: "test"}, cmd.name())
	if err != nil {
		tb.Fatal(err)
	}
	return next
}

func TestAChangeOfAnApplicationCopiesNoMoreInALargerTenant(t *testing.T) {
	// The last blocks and chunks, which grow with each application, are equally full in both.
	small, large := withClients(t, 300), withClients(t, 300+40*vector.ChunkLen)
	for _, cmd := range []Command{
		SetClient{Client: numberedClient(5, "Other")},
		SetClient{Client: numberedClient(1_000_000, "New")},
		DeleteApplication{numberedClient(7, "").AppID},
		UpdateSignIn{directory.SignIn{AllowPasswordGrant: true}},
	} {
		less, more := copiedBy(t, small, cmd), copiedBy(t, large, cmd)
		if allowed := less + less/5 + 8<<10; more > allowed { // a list of pointers is longer
			t.Errorf("%s copies %d bytes; in a small tenant it is %d", cmd.name(), more, less)
		}
	}
}

// copiedBy returns the number of bytes that a command allocates.
func copiedBy(t *testing.T, img *Image, cmd Command) uint64 {
	t.Helper()
	least := ^uint64(0)
	for range 3 { // other goroutines may allocate meanwhile
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		carriedOut(t, img, cmd)
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
