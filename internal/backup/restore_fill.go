package backup

import (
	"fmt"

	"licensor/internal/store"
)

// What is filled in one transaction: many rows share pages of indexes.
const (
	filledAtOnce = 10_000
	filledBytes  = 16 << 20
)

// tenant begins a tenant, which is created when it is wanted.
func (r *restore) tenant(t tenantRecord) error {
	r.now = nil
	if !r.wanted[t.ID] {
		return nil
	}
	r.now = &filled{id: r.as(t.ID)}
	if err := r.store.CreateTenant(r.ctx, r.now.id); err != nil {
		return err
	}
	r.made = append(r.made, r.now.id)
	return nil
}

func (r *restore) parts(parts []store.Part) error {
	if r.now == nil {
		return nil
	}
	return r.store.SaveParts(r.ctx, r.now.id, parts, r.options.Now())
}

func (r *restore) manifest(m store.Manifest) error {
	if r.now == nil {
		return nil
	}
	return r.store.ReplaceManifest(r.ctx, r.now.id, m, r.options.Now())
}

func (r *restore) commits(commits []store.Commit) error {
	if r.now == nil {
		return nil
	}
	return r.store.Fill(r.ctx, r.now.id, commits, nil)
}

func (r *restore) rows(rows []store.Object) error {
	if r.now == nil {
		return nil
	}
	for _, o := range rows {
		r.batch = append(r.batch, o)
		r.bytes += len(o.Document)
	}
	if len(r.batch) < filledAtOnce && r.bytes < filledBytes {
		return nil
	}
	return r.flush()
}

func (r *restore) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	err := r.store.Fill(r.ctx, r.now.id, nil, r.batch)
	r.batch, r.bytes = r.batch[:0], 0
	return err
}

func (r *restore) claims(names []string) error {
	if r.now != nil {
		r.now.claims = append(r.now.claims, names...)
	}
	return nil
}

// secrets keeps them for the end.
func (r *restore) secrets(secrets []secretRecord) error {
	r.values = secrets
	return nil
}

// done reads the tenant back and compares it with the backup.
func (r *restore) done(t Tenant) error {
	if r.now == nil {
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	id := r.now.id
	err := r.store.View(r.ctx, id, func(v store.View) error { return compare(v, t) })
	if err != nil {
		return fmt.Errorf("read tenant %s back: %w", id, err)
	}
	r.now.place = store.Place{Seq: t.Seq, Chain: t.Chain}
	r.now.floors = store.Floors{Log: t.LogFloor, Moved: t.Seq}
	if r.now.id != t.ID {
		if err := r.rename(); err != nil {
			return fmt.Errorf("give tenant %s the id %s: %w", t.ID, id, err)
		}
	}
	r.filled = append(r.filled, *r.now)
	r.restored.Tenants = append(r.restored.Tenants, t)
	return nil
}

// compare returns an error unless the commits and rows of a view are those of a backup.
func compare(v store.View, t Tenant) error {
	commits, rows := newDigest(), newDigest()
	err := v.Commits(t.LogFloor-1, func(c store.Commit) error {
		commits.commit(&c)
		return nil
	})
	if err != nil {
		return err
	}
	for key := (store.RowKey{}); ; {
		list, err := v.Rows(key, rowsAtOnce, pieceSize)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		for i := range list {
			rows.row(&list[i])
		}
		key = list[len(list)-1].RowKey()
	}
	if commits.n != t.Commits || commits.sum() != t.CommitSum {
		return fmt.Errorf("%w: its %d commits are not the %d of the backup", store.ErrDamaged, commits.n, t.Commits)
	}
	if rows.n != t.Rows || rows.sum() != t.RowSum {
		return fmt.Errorf("%w: its %d rows are not the %d of the backup", store.ErrDamaged, rows.n, t.Rows)
	}
	return nil
}
