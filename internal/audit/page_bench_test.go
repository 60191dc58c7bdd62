package audit_test

import (
	"flag"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/audit"
	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

var benchCommits = flag.Int("commits", 100_000, "commits of the log in BenchmarkPages")

const benchUsers = 1000

// BenchmarkPages reads the first page of the audit log of a tenant: of everything, of a user that
// one commit in a thousand concerns, and the same without the trail, which reads only the last
// 20,000 commits.
func BenchmarkPages(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "licensor.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	all, err := engine.Open(b.Context(), s, engine.Options{
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer all.Close(b.Context())
	t := busyTenant(b, all)
	img := t.Image()
	user := img.Directory.UserID(benchUsers / 2).String()
	found := audit.Text(audit.FieldTargetID, audit.OpEqual, user)
	hidden := audit.One(found, audit.Text(audit.FieldTargetName, audit.OpEqual, "no one has this name"))
	for _, c := range []struct {
		name      string
		condition *audit.Condition
	}{{"everything", audit.All()}, {"user", found}, {"user without the trail", hidden}} {
		b.Run(fmt.Sprintf("commits=%d/%s", img.Seq, c.name), func(b *testing.B) {
			for b.Loop() {
				q := audit.Query{Condition: c.condition, Descending: true, UpTo: img.Seq, Limit: 1000}
				page, err := q.Read(b.Context(), t, img)
				if err != nil || len(page.Entries) == 0 {
					b.Fatalf("%d entries: %v", len(page.Entries), err)
				}
				b.ReportMetric(float64(len(page.Entries)), "entries")
			}
		})
	}
}

// busyTenant returns a tenant with a long log of changes of single users.
func busyTenant(b *testing.B, all *engine.Tenants) *engine.Tenant {
	t, err := all.Create(b.Context(), uuid.UUID{1}, directory.Organization{
		DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "test.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}, catalog.BuiltIn())
	if err != nil {
		b.Fatal(err)
	}
	patch := func(format string, args ...any) directory.UserPatch {
		members, err := directory.Members(fmt.Appendf(nil, format, args...))
		if err != nil {
			b.Fatal(err)
		}
		p, err := directory.ParseUserPatch(members)
		if err != nil {
			b.Fatal(err)
		}
		return p
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range 512 {
		wait.Go(func() {
			for n := next.Add(1) - 1; n < int64(*benchCommits); n = next.Add(1) - 1 {
				var cmd tenant.Command
				if n < benchUsers {
					cmd = tenant.CreateUser{Patch: patch(`{"accountEnabled":true,"displayName":"User","mailNickname":"u%[1]d",`+
						`"userPrincipalName":"u%[1]d@test.example","passwordProfile":{"password":"Secret-123"}}`, n)}
				} else {
					user := uint32(n % benchUsers)
					for t.Image().Directory.Users() <= user {
						time.Sleep(time.Millisecond)
					}
					cmd = tenant.UpdateUser{User: user, Patch: patch(`{"department":"D%d"}`, n)}
				}
				if _, err := t.Do(b.Context(), "user 00000000-0000-0000-0000-000000000001", cmd); err != nil {
					b.Error(err)
					next.Store(math.MaxInt32)
				}
			}
		})
	}
	wait.Wait()
	return t
}
