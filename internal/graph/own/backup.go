package own

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/store"
)

// Backups makes backups for callers, one at a time for each tenant and for all operators, so that
// a caller that reads slowly keeps only its own tenant waiting.
type Backups struct {
	// Write writes a backup of tenants, all of them if nil, to a stream.
	Write func(ctx context.Context, w io.Writer, tenants []uuid.UUID, withoutSecrets bool) error
	// Operators are the applications that get all tenants, and the secrets of the installation.
	Operators []Operator
	// Silence is how long a caller may take for each megabyte; UsualSilence if zero.
	Silence time.Duration

	downloads downloads // the tenants of callers; uuid.Nil for operators
}

// Operator is an application of a tenant. Applications of other tenants may have the same client
// id.
type Operator struct{ Tenant, AppID uuid.UUID }

// The time that a backup may take. While it is made, the database keeps what is replaced meanwhile.
const (
	UsualSilence = 30 * time.Second
	mostTime     = 6 * time.Hour
	nextBackup   = 30 // seconds after which another caller may retry
	backupSize   = 16 << 20
)

// BackupType is the type of backups.
const BackupType = "application/vnd.licensor.backup"

// Send answers GET /licensor/v1/backup with a file that `licensor restore` reads: of the caller's
// tenant, without the secrets of the installation. Operators get ?tenant=, or all tenants, with the
// secrets unless ?withoutSecrets=true.
func (b *Backups) Send(r *wire.Request) error {
	if b == nil {
		return problem.NotServed("This server does not make backups for its callers.")
	}
	if err := r.Allow("tenant", "withoutSecrets"); err != nil {
		return err
	}
	tenants, withoutSecrets, err := b.asked(r)
	if err != nil {
		return err
	}
	whose := r.Caller.Tenant
	if b.isOperator(r.Caller) {
		whose = uuid.Nil
	}
	if !b.downloads.begin(whose) {
		p := problem.TooMany(nextBackup)
		p.Message = "Another backup is being made. Please retry again later."
		return p
	}
	defer b.downloads.end(whose)
	if err := r.Share.More(r.Context(), backupSize); err != nil {
		return err
	}
	long := wire.Long{ContentType: BackupType, Silence: b.Silence, Most: mostTime}
	if long.Silence == 0 {
		long.Silence = UsualSilence
	}
	err = r.SendLong(long, func(ctx context.Context, w io.Writer) error {
		return b.Write(ctx, w, tenants, withoutSecrets)
	})
	switch {
	case errors.Is(err, store.ErrNotFound) && len(tenants) == 1:
		return problem.NotFound(tenants[0].String())
	case err != nil:
		return err
	}
	r.Log.Info("sent a backup", "request-id", r.ID, "tenant", r.Caller.Tenant, "caller", r.Caller.Actor(),
		"tenants", tenantsAsText(tenants), "secrets", !withoutSecrets)
	return nil
}

func (b *Backups) isOperator(c *identity.Caller) bool {
	return slices.Contains(b.Operators, Operator{c.Tenant, c.AppID}) && !c.Delegated
}

func tenantsAsText(tenants []uuid.UUID) string {
	if tenants == nil {
		return "all"
	}
	return tenants[0].String()
}

// asked returns what the caller wants and may have.
func (b *Backups) asked(r *wire.Request) (tenants []uuid.UUID, withoutSecrets bool, err error) {
	withoutSecrets, err = readBool("withoutSecrets", r.Value("withoutSecrets"))
	if err != nil {
		return nil, false, err
	}
	if text := r.Value("tenant"); text != "" {
		id, ok := guid.Parse(text)
		if !ok {
			return nil, false, problem.Refuse("tenant is '%s': it must be the id of a tenant.", problem.Clip(text))
		}
		tenants = []uuid.UUID{id}
	}
	if b.isOperator(r.Caller) {
		return tenants, withoutSecrets, nil
	}
	others := tenants != nil && tenants[0] != r.Caller.Tenant
	if others || r.Value("withoutSecrets") == "false" {
		return nil, false, &identity.ForbiddenError{Operation: identity.BackUp}
	}
	return []uuid.UUID{r.Caller.Tenant}, true, nil
}

// readBool reads a query option that is true or false; false if it is missing.
func readBool(name, text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, problem.Refuse("%s is '%s': it must be true or false.", name, problem.Clip(text))
}
