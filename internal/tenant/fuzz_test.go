package tenant

import (
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/licensing"
	"licensor/internal/store"
)

// FuzzReplay replays arbitrary bytes as a commit's effects: a damaged log must give an error, never
// a panic.
func FuzzReplay(f *testing.F) {
	for _, e := range []Effects{
		{
			NewUsers:  []NewUser{{ID: uuid.UUID{1}, Name: directory.KeyOf("ann")}},
			Licensing: &licensing.Effects{Users: []licensing.NewUsers{{Count: 1}}},
		},
		{Managers: []ManagerNow{{User: 0, Manager: 1}, {User: 1, Removed: true}}},
		{
			Users:  []UserMark{{What: MarkDeleted}, {Ordinal: 7, What: MarkWritten}},
			Groups: []GroupMark{{Ordinal: 1, What: MarkPurged}},
			Nested: []Nesting{{Group: 0, Member: 0}}, Owners: []Ownership{{Group: 3}},
		},
		{
			Keys: []UserKeys{{User: 9}}, Organization: []byte(`{}`),
			Former: []FormerApplication{{Document: []byte(`{`)}}, Import: &ImportMark{"a", 1},
		},
		{Applications: []DocumentNow{{Document: []byte(`{}`)}, {}}, PrincipalValues: []Values{{Ordinal: 1}}},
		{Licensing: &licensing.Effects{
			Groups: []licensing.GroupEffect{{Group: 0, New: &uuid.UUID{2}, Joined: []byte{1, 2, 3}}},
		}},
	} {
		data, err := e.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		replay := small(t).Replay()
		c := store.Commit{Seq: 2, At: time.Unix(2, 0), Format: Format, Effects: data}
		c.Chain = c.Link(replay.draft.next.Chain)
		if err := replay.Apply(c); err == nil {
			img := replay.Image()
			img.Licensing.InError()
			_ = HeadOf(img, nil)
		}
	})
}

// small returns an image with two users, one of them in one of two groups.
func small(t testing.TB) *Image {
	t.Helper()
	img := NewImage()
	lic, dir := img.Licensing.Draft(1, time.Unix(1, 0)), img.Directory.Draft()
	for i := range byte(2) {
		lic.AddUser(licensing.NoCountry)
		dir.AddUser(uuid.UUID{1, i}, directory.Key{1, i}, []directory.Key{{2, i}})
		lic.AddGroup(uuid.UUID{2, i})
		dir.AddGroup(uuid.UUID{2, i})
	}
	lic.AddMembers(0, one(1))
	dir.Join(0, func(yield func(uint32) bool) { yield(1) })
	img.Licensing, _ = lic.Finish()
	img.Directory = dir.Finish()
	img.Seq = 1
	return img
}

// FuzzSnapshotHead reads arbitrary bytes as a snapshot's head.
func FuzzSnapshotHead(f *testing.F) {
	img := small(f)
	data, err := cbor.Marshal(HeadOf(img, PartNames{"licensing": {"licensing-0-1"}, "directory": {"directory-0-1"}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	parts := map[string][][]byte{}
	for _, p := range Pieces {
		parts[p.Name] = append(parts[p.Name], p.Write(img, 0))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		if h, err := DecodeHead(data); err == nil {
			_, _ = h.Image(parts)
		}
	})
}
