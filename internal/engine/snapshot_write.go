package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"licensor/internal/compressed"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// snapshot saves an image: the changed parts, the head, and a manifest that names them. The caller
// holds taking.
func (t *Tenant) snapshot(ctx context.Context, img *tenant.Image, stale staleness) (err error) {
	s := &t.snapshots
	defer func() {
		if err != nil {
			s.giveBack(stale)
		}
	}()
	w := &snapshotWriter{t: t, img: img, names: tenant.PartNames{}, sizes: map[string]int{}}
	err = w.write(ctx, func(piece string, part int) bool { return stale.has(piece, part) })
	if errors.Is(err, store.ErrNotFound) { // another process's snapshots do not name our parts, and they were swept
		err = w.write(ctx, func(string, int) bool { return true })
	}
	if err != nil {
		return err
	}
	s.took(w.names, w.sizes)
	if err := t.keepDaily(ctx, w.manifest); err != nil {
		return err
	}
	_, err = t.store.Sweep(ctx, t.id, t.options.Now().Add(-unnamedFor))
	return err
}

// unnamedFor is how long parts that no manifest names are kept: a reader of a replaced manifest can
// load its snapshot for that time.
const unnamedFor = time.Hour

// newestName is the name of the manifest of the last snapshot. Others are named by days.
const newestName = store.NewestManifest

// keepDaily keeps a snapshot as that of its day, unless there is one, and drops those of days that
// are no longer kept.
func (t *Tenant) keepDaily(ctx context.Context, newest store.Manifest) error {
	now := t.options.Now().UTC()
	today, oldest := now.Format(time.DateOnly), now.AddDate(0, 0, -t.options.KeepDays).Format(time.DateOnly)
	list, err := t.store.Manifests(ctx, t.id)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Name != newestName && m.Name <= oldest {
			err = errors.Join(err, t.store.DropManifest(ctx, t.id, m.Name, now))
		}
	}
	if slices.ContainsFunc(list, func(m store.Manifest) bool { return m.Name == today }) {
		return err
	}
	daily := newest
	daily.Name, daily.Version = today, 0
	e := t.store.ReplaceManifest(ctx, t.id, daily, now)
	if !errors.Is(e, store.ErrConflict) { // another process was first
		err = errors.Join(err, e)
	}
	return err
}

// snapshotWriter writes one snapshot.
type snapshotWriter struct {
	t        *Tenant
	img      *tenant.Image
	names    tenant.PartNames
	sizes    map[string]int
	manifest store.Manifest
}

// write writes the changed parts, the head, and the manifest. Parts whose content turns out to be
// unchanged exist already.
func (w *snapshotWriter) write(ctx context.Context, stale func(piece string, part int) bool) error {
	last := &w.t.snapshots
	for _, p := range tenant.Pieces {
		list := make([]string, p.Parts(w.img))
		copy(list, last.parts[p.Name])
		for part, was := range list {
			if was != "" && !stale(p.Name, part) {
				w.sizes[was] = last.sizes[was]
				continue
			}
			name, err := w.save(ctx, p.Name, compressed.Pack(p.Write(w.img, part)))
			if err != nil {
				return err
			}
			list[part] = name
		}
		w.names[p.Name] = list
	}
	h, bytes := tenant.HeadOf(w.img, w.names), 0
	for _, size := range w.sizes {
		bytes += size
	}
	h.Size = imageSize(w.img, bytes)
	data, err := cbor.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the snapshot's head: %w", err)
	}
	head, err := w.save(ctx, "head", data)
	if err != nil {
		return err
	}
	w.manifest = store.Manifest{Name: newestName, Seq: w.img.Seq, Head: head, Parts: w.names.Flat()}
	return w.replace(ctx)
}

func (w *snapshotWriter) save(ctx context.Context, kind string, data []byte) (name string, err error) {
	part := store.NewPart(kind, data)
	w.sizes[part.Name] = compressed.Size(data)
	return part.Name, w.t.store.SaveParts(ctx, w.t.id, []store.Part{part}, w.t.options.Now())
}

// replace replaces the newest manifest, unless another process has saved a newer snapshot.
func (w *snapshotWriter) replace(ctx context.Context) error {
	for {
		list, err := w.t.store.Manifests(ctx, w.t.id)
		if err != nil {
			return err
		}
		w.manifest.Version = 0
		if at := slices.IndexFunc(list, func(m store.Manifest) bool { return m.Name == newestName }); at >= 0 {
			if list[at].Seq > w.img.Seq {
				w.manifest = list[at]
				return nil
			}
			w.manifest.Version = list[at].Version
		}
		err = w.t.store.ReplaceManifest(ctx, w.t.id, w.manifest, w.t.options.Now())
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
