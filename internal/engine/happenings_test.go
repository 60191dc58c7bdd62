package engine_test

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"licensor/internal/history"
	"licensor/internal/outcome"
	"licensor/internal/tenant"
	"licensor/internal/trail"
)

// checkHappenings compares what the log says of the last commit with the difference of the images
// before and after it (docs/spec/changes.md C14).
func (p *player) checkHappenings(before *tenant.Image) {
	img := p.Image()
	commits, err := p.CommitsAt(p.tb.Context(), []uint64{img.Seq})
	if err != nil || len(commits) != 1 {
		p.t.Fatalf("commit %d: %v", img.Seq, err)
	}
	entry, err := history.Read(commits[0], img.Licensing)
	if err != nil || !entry.Known || !entry.ErrorsKnown {
		p.t.Fatalf("what commit %d did: %v", img.Seq, err)
	}
	o, err := outcome.Compare(before.Licensing, img.Licensing, func() error { return nil })
	if err != nil {
		p.t.Fatal(err)
	}
	for _, kind := range outcome.Kinds {
		for _, sku := range []uuid.UUID{e3, ems} {
			is := func(w outcome.What) bool { return w.Kind == kind && w.SKUID == sku }
			said := roaring.New()
			for _, h := range entry.Happenings {
				if is(h.What) {
					said.Or(h.Users)
				}
			}
			happened := o.Users(is)
			if !said.Equals(happened) {
				p.t.Fatalf("commit %d, %s: the log says that %v %s %s, and the images %v",
					img.Seq, commits[0].Operation, said.ToArray(), kind, sku, happened.ToArray())
			}
		}
	}
	for user := range roaring.Values(o.Users(func(outcome.What) bool { return true })) {
		q := history.Query{From: img.Seq, Limit: 1, Objects: userInTrail(user)}
		q.Has = func(e *history.Entry) bool { return len(e.Of(user)) > 0 }
		found, _, err := q.Read(p.tb.Context(), p.Tenant, img)
		if err != nil || len(found) != 1 || found[0].Seq != img.Seq {
			p.t.Fatalf("the history of user %d does not begin with commit %d: %v", user, img.Seq, err)
		}
	}
}

func userInTrail(user uint32) []trail.Object {
	return []trail.Object{{Kind: trail.User, Ordinal: user}}
}
