package engine

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"licensor/internal/store"
	"licensor/internal/tenant"
)

// FormatOf returns the format of the last commit of a tenant, or of its snapshot when all commits
// were trimmed; 0 when it has neither.
func FormatOf(ctx context.Context, s Store, id uuid.UUID) (format uint32, err error) {
	place, err := s.Place(ctx, id)
	if err != nil || place.Seq == 0 {
		return 0, err
	}
	err = s.Commits(ctx, id, place.Seq-1, func(c store.Commit) error {
		format = c.Format
		return errEnough
	})
	switch {
	case errors.Is(err, errEnough):
		return format, nil
	case err != nil && !errors.Is(err, store.ErrTrimmed):
		return 0, err
	}
	list, err := s.Manifests(ctx, id)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	parts, err := s.Parts(ctx, id, []string{list[0].Head})
	if err != nil {
		return 0, err
	}
	h, err := tenant.DecodeHead(parts[0].Data)
	if err != nil {
		return 0, err
	}
	return h.Format, nil
}
