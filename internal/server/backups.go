package server

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"licensor/internal/backup"
	"licensor/internal/database"
)

// How often it is checked whether a backup is due, and how long the next attempt waits after one
// that has failed.
const (
	backupCheck = time.Minute
	backupRetry = 10 * time.Minute
)

// backUp makes backups of all tenants until ctx ends. The time of the last one is read from the
// folder, so a restart neither skips nor repeats one.
func (s *Server) backUp(ctx context.Context, folder backup.Folder) {
	var retry time.Time
	s.again(ctx, backupCheck, "the backup failed; will retry", func() error {
		now := s.now()
		if now.Before(retry) {
			return nil
		}
		due, err := folder.Due(now)
		if err == nil && due {
			err = s.makeBackup(ctx, folder)
		}
		if err != nil {
			retry = now.Add(backupRetry)
		}
		return err
	})
}

func (s *Server) makeBackup(ctx context.Context, folder backup.Folder) error {
	began := time.Now()
	path, contents, err := folder.Make(ctx, s.store, backup.Options{Program: database.Program(), Now: s.now})
	if err != nil {
		return err
	}
	s.settings.Log.Info("made a backup", "file", path, "tenants", len(contents.Tenants), "bytes", contents.Bytes,
		"seconds", time.Since(began).Seconds())
	return nil
}

// writeBackup writes a backup to a caller.
func (s *Server) writeBackup(ctx context.Context, w io.Writer, tenants []uuid.UUID, withoutSecrets bool) error {
	_, err := backup.Write(ctx, w, s.store, backup.Options{
		Tenants: tenants, WithoutSecrets: withoutSecrets, Program: database.Program(), Now: s.now,
	})
	return err
}
