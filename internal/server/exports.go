package server

import (
	"context"
	"io"

	"github.com/google/uuid"

	"licensor/internal/archive"
	"licensor/internal/export"
	"licensor/internal/graph/own"
	"licensor/internal/tenant"
)

// writeExport writes an export to a caller, with the commits of the archive in its table.
func (s *Server) writeExport(
	ctx context.Context, w io.Writer, id uuid.UUID, img *tenant.Image, o own.ExportOptions,
) error {
	options := export.Options{Image: img, WithoutActivity: o.WithoutActivity}
	if folder, ok := s.settings.archive.(archive.Folder); ok {
		options.Archive = &folder
	}
	return export.View(ctx, s.store, id, options, func(t *export.Tenant) error {
		return t.Write(w, o.Format, o.Tables...)
	})
}
