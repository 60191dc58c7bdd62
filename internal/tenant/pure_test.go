package tenant

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"licensor/internal/catalog"
	"licensor/internal/directory"
	"licensor/internal/store"
)

// pure is a tenant without a store: its image, rows and log.
type pure struct {
	tb   testing.TB
	img  *Image
	at   time.Time
	rows map[ObjectKey]store.Object
	log  []store.Commit
	ids  uint32
}

var e3 = uuid.MustParse("6fd2c87f-b296-42f0-b197-1e91e994b900")

func newPure(tb testing.TB) *pure {
	tb.Helper()
	p := &pure{
		tb: tb, img: NewImage(), at: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), rows: map[ObjectKey]store.Object{},
	}
	p.must(Found{Catalog: catalog.BuiltIn(), Organization: directory.Organization{
		ID: uuid.UUID{1}, DisplayName: "Test", CountryLetterCode: "DE",
		VerifiedDomains: []directory.VerifiedDomain{{Name: "test.example", IsDefault: true, IsInitial: true, Type: "Managed"}},
	}})
	p.must(Migrate{})
	return p
}

func (p *pure) must(cmd Command) Done {
	p.tb.Helper()
	done, err := p.img.Execute(p.tb.Context(), cmd, Execution{
		At: p.at, By: By{Actor: "user test"},
		NewID: func() uuid.UUID {
			p.ids++
			id := uuid.UUID{6: 0x40, 8: 0x80}
			binary.BigEndian.PutUint32(id[12:], p.ids)
			binary.BigEndian.PutUint32(id[:], p.ids*2654435761)
			return id
		},
		Load: func(_ context.Context, kind store.Kind, ordinal uint32) (store.Object, error) {
			row, ok := p.rows[ObjectKey{kind, ordinal}]
			if !ok {
				return row, notFound(fmt.Sprint(ordinal))
			}
			return row, nil
		},
	})
	if err != nil {
		p.tb.Fatalf("%T: %v", cmd, err)
	}
	p.img = done.Image
	if done.Commit != nil {
		p.log = append(p.log, *done.Commit)
	}
	for _, row := range done.Rows {
		p.rows[ObjectKey{row.Kind, row.Ordinal}] = row
	}
	return done.Done
}

// replayed returns the image according to the log.
func (p *pure) replayed() *Image {
	p.tb.Helper()
	replay := NewImage().Replay()
	for _, c := range p.log {
		if err := replay.Apply(c); err != nil {
			p.tb.Fatal(err)
		}
	}
	return replay.Image()
}

func (p *pure) members(body string, args ...any) []directory.Member {
	p.tb.Helper()
	list, err := directory.Members(fmt.Appendf(nil, body, args...))
	if err != nil {
		p.tb.Fatal(err)
	}
	return list
}

func (p *pure) userPatch(body string, args ...any) directory.UserPatch {
	p.tb.Helper()
	patch, err := directory.ParseUserPatch(p.members(body, args...))
	if err != nil {
		p.tb.Fatal(err)
	}
	return patch
}

func (p *pure) newUser(name string) CreateUser {
	p.tb.Helper()
	return CreateUser{Patch: p.userPatch(`{"accountEnabled":true,"displayName":%[1]q,"mailNickname":%[1]q,`+
		`"userPrincipalName":"%[1]s@test.example","mail":"%[1]s@test.example","usageLocation":"DE",`+
		`"passwordProfile":{"password":"Secret-123"}}`, name)}
}

func (p *pure) newGroup(name string) CreateGroup {
	p.tb.Helper()
	patch, err := directory.ParseGroupPatch(p.members(
		`{"displayName":%[1]q,"mailEnabled":false,"mailNickname":%[1]q,"securityEnabled":true}`, name))
	if err != nil {
		p.tb.Fatal(err)
	}
	return CreateGroup{Patch: patch}
}
