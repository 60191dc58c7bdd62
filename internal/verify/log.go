package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"licensor/internal/archive"
	"licensor/internal/engine"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// snapshots examines the manifests and their parts, and returns those that can be read, by commit.
func (e *examination) snapshots() (saved []store.Manifest, err error) {
	list, err := e.view.Manifests()
	if err != nil {
		return nil, e.unreadable("manifest", "all", err, retake)
	}
	examined := map[string]bool{} // whether they are good
	for _, m := range list {
		if m.Seq > e.place.Seq {
			e.damaged("manifest", m.Name, fmt.Sprintf("it is of commit %d, and the log ends at commit %d", m.Seq, e.place.Seq),
				retake)
			continue
		}
		whole := true
		for _, name := range append([]string{m.Head}, m.Parts...) {
			good, done := examined[name]
			if !done {
				if good, err = e.part(name); err != nil {
					return nil, err
				}
				examined[name] = good
			}
			whole = whole && good
		}
		if whole && !slices.ContainsFunc(saved, func(s store.Manifest) bool { return s.Head == m.Head }) {
			saved = append(saved, m)
		}
	}
	slices.Reverse(saved) // oldest first
	return saved, nil
}

// part examines a part, and reports whether it is good.
func (e *examination) part(name string) (good bool, err error) {
	parts, err := e.store.Parts(e.ctx, e.id, []string{name})
	if err != nil {
		return false, e.unreadable("part", name, err, retake)
	}
	kind := name[:max(0, len(name)-33)]
	if store.NewPart(kind, parts[0].Data).Name != name {
		e.damaged("part", name, "its content is not what its name says", retake)
		return false, nil
	}
	return true, nil
}

// load returns the image of a snapshot; nil if it cannot be read.
func (e *examination) load(m store.Manifest) (*tenant.Image, error) {
	img, err := engine.Saved(e.ctx, e.store, e.id, m)
	if err != nil {
		return nil, e.unreadable("manifest", m.Name, err, retake)
	}
	return img, nil
}

// replay is the log as it is read.
type replay struct {
	*examination
	before store.Commit     // without effects
	images *tenant.Replay   // nil: the image after the commit before is not known
	saved  []store.Manifest // that are not compared yet
}

// log replays the log from the first commit that is kept, compares it with the snapshots on its
// way, and returns the image at its end; nil if there is none.
func (e *examination) log(saved []store.Manifest) (*tenant.Image, error) {
	r := &replay{examination: e, saved: saved}
	if e.Archive != nil {
		if err := e.archived(r); err != nil {
			return nil, err
		}
	}
	if e.floor == 1 && r.images == nil {
		r.images = tenant.NewImage().Replay()
	}
	said := "" // of the last damage: that of a page of the file is the same for all commits there
	for next := e.floor; next <= e.place.Seq; next++ {
		err := e.view.Commits(next-1, func(c store.Commit) error {
			if err := r.commit("commits", c, restore); err != nil {
				return err
			}
			next = c.Seq + 1
			return nil
		})
		if e.ctx.Err() != nil {
			return nil, e.ctx.Err()
		}
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrDamaged) {
			return nil, err
		}
		if err.Error() != said {
			said = err.Error()
			e.damaged("commits", fmt.Sprintf("from %d on", next), said, restore)
		}
		r.images, r.before = nil, store.Commit{}
		if e.result.Damages > mostCommits {
			break
		}
	}
	if r.before.Seq == e.place.Seq && r.before.Chain != e.place.Chain {
		e.damaged("tenant", e.id.String(), fmt.Sprintf("its chain is %x, and that of the log %x", e.place.Chain,
			r.before.Chain), restore)
	}
	return r.end()
}

// mostCommits is after how many damages reading the log ends.
const mostCommits = 1000

// commit examines the next commit.
func (r *replay) commit(table string, c store.Commit, help string) error {
	key := fmt.Sprint(c.Seq)
	linked := c.Chain != store.Chain{} && (r.before.Seq > 0 || c.Seq == 1)
	switch {
	case r.before.Seq > 0 && c.Seq != r.before.Seq+1:
		r.damaged(table, key, fmt.Sprintf("it follows commit %d", r.before.Seq), help)
		r.images = nil
	case linked && c.Link(r.before.Chain) != c.Chain, c.Chain == store.Chain{} && r.before.Chain != store.Chain{}:
		r.damaged(table, key, "it does not continue the chain of the log", help)
		r.images = nil
	case c.At.Before(r.before.At):
		r.damaged(table, key, "it is earlier than the commit before it", help)
	}
	if err := r.snapshot(c.Seq - 1); err != nil {
		return err
	}
	r.before = c
	r.before.Effects = nil
	if r.images != nil {
		if err := r.images.Apply(c); err != nil {
			r.damaged(table, key, "it cannot be replayed: "+err.Error(), help)
			r.images = nil // until the next snapshot
		}
	}
	return r.advance("examining the log", &r.result.Commits)
}

// snapshot compares the image with the snapshot at a commit, or begins with it.
func (r *replay) snapshot(seq uint64) error {
	for len(r.saved) > 0 && r.saved[0].Seq <= seq {
		m := r.saved[0]
		r.saved = r.saved[1:]
		if m.Seq < seq && m.Seq != 0 {
			continue // of commits that are no longer in the log
		}
		img, err := r.load(m)
		if err != nil {
			return err
		}
		if img == nil || img.Seq != seq {
			continue
		}
		if r.images == nil {
			r.images = img.Replay()
			continue
		}
		for _, part := range r.images.Image().Differences(img) {
			r.damaged("manifest", m.Name, "the snapshot differs from the log: "+part, retake)
		}
	}
	return r.ctx.Err()
}

// end returns the image that programs have: that of the newest snapshot with the commits after it.
func (r *replay) end() (*tenant.Image, error) {
	if err := r.snapshot(r.before.Seq); err != nil {
		return nil, err
	}
	if r.images != nil {
		if img := r.images.Image(); img.Seq == r.place.Seq {
			if img.Chain != r.place.Chain {
				return nil, nil
			}
			return img, nil
		}
	}
	img, err := engine.ImageAt(r.ctx, r.store, r.id, r.view)
	if err != nil {
		err = fmt.Errorf("it cannot be loaded: %w", err)
		return nil, r.unreadable("tenant", r.id.String(), err, restore)
	}
	return img, nil
}

// archived examines the commits that were removed from the log.
func (e *examination) archived(r *replay) error {
	err := e.Archive.Commits(e.id, func(c store.Commit) error {
		if c.Seq >= e.floor {
			return nil // the log still has it
		}
		if r.before.Seq == 0 && c.Seq == 1 {
			r.images = tenant.NewImage().Replay()
		}
		return r.commit("archive", c, restoreArchive)
	})
	switch {
	case e.ctx.Err() != nil:
		return e.ctx.Err()
	case err != nil:
		e.damaged("archive", fmt.Sprintf("after commit %d", r.before.Seq), strings.TrimSuffix(err.Error(), archive.Remedy),
			restoreArchive)
	case r.before.Seq+1 == e.floor:
		return nil
	case r.before.Seq > 0:
		e.damaged("archive", fmt.Sprint(r.before.Seq+1), fmt.Sprintf("the log begins with commit %d: those in between are "+
			"missing", e.floor), restoreArchive)
	}
	r.before, r.images = store.Commit{}, nil
	return nil
}
