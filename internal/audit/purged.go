package audit

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
	"licensor/internal/turns"
)

// purged finds the ids of users and groups that were purged: the image no longer has them, but the
// commit that purged one does.
type purged struct {
	ctx  context.Context
	log  Log
	upTo uint64
	read uint64 // the commits from this one on were read; 0: none
	ids  map[nameKey]uuid.UUID
}

func newPurged(ctx context.Context, log Log, upTo uint64) *purged {
	return &purged{ctx: ctx, log: log, upTo: upTo, ids: map[nameKey]uuid.UUID{}}
}

// id returns the id of an object that was purged after a commit, or by it.
func (p *purged) id(kind store.Kind, ordinal uint32, seq uint64) (uuid.UUID, error) {
	if p.read == 0 || seq < p.read {
		upTo := p.upTo
		if p.read > 0 {
			upTo = p.read - 1
		}
		if err := p.collect(seq-1, upTo); err != nil {
			return uuid.Nil, err
		}
		p.read = seq
	}
	id, ok := p.ids[nameKey{kind, ordinal}]
	if !ok {
		return uuid.Nil, fmt.Errorf("the log does not have the id of number %d of kind %d, which was purged: %w",
			ordinal, kind, store.ErrDamaged)
	}
	return id, nil
}

// collect reads the ids in the commits after one, up to another.
func (p *purged) collect(after, upTo uint64) error {
	for after < upTo {
		commits, err := p.log.FirstCommits(p.ctx, after, upTo)
		if err != nil || len(commits) == 0 {
			return err
		}
		for _, c := range commits {
			if err := turns.Of(p.ctx).Pace(); err != nil {
				return err
			}
			if err := p.take(c); err != nil {
				return err
			}
		}
		after = commits[len(commits)-1].Seq
	}
	return nil
}

func (p *purged) take(c store.Commit) error {
	switch c.Operation {
	case "purgeUser", "purgeGroup", "deleteGroup", "purgeExpired", tenant.Applying:
	default:
		return nil
	}
	steps, err := tenant.DecodeCommit(c)
	if err != nil {
		return err
	}
	for _, step := range steps {
		for _, m := range step.Users {
			if m.ID != nil {
				p.ids[nameKey{store.KindUser, m.Ordinal}] = *m.ID
			}
		}
		for _, m := range step.Groups {
			if m.ID != nil {
				p.ids[nameKey{store.KindGroup, m.Ordinal}] = *m.ID
			}
		}
	}
	return nil
}
