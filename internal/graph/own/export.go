package own

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/export"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

// Exports exports the tenants of callers, one at a time for each tenant, as Backups does.
type Exports struct {
	// Write writes tables of a tenant to a stream. The image is one from before the export.
	Write func(ctx context.Context, w io.Writer, id uuid.UUID, img *tenant.Image, o ExportOptions) error
	// Silence is how long a caller may take for each megabyte; UsualSilence if zero.
	Silence time.Duration

	downloads downloads
}

// ExportOptions say what is exported.
type ExportOptions struct {
	Format export.Format
	Tables []string
	// WithoutActivity leaves out when users were last seen to sign in.
	WithoutActivity bool
}

// The bounds of an export. While it is read, the database keeps what is replaced meanwhile.
const (
	mostExportTime = time.Hour
	exportSize     = 16 << 20
)

// Send answers GET /licensor/v1/export with what `licensor export` writes: JSON lines, of all
// tables that can be imported or those of ?table=, or one table as CSV.
func (e *Exports) Send(r *wire.Request) error {
	if e == nil {
		return problem.NotServed("This server does not export tenants for its callers.")
	}
	if err := r.Allow("table", "format"); err != nil {
		return err
	}
	o, err := exportOf(r)
	if err != nil {
		return err
	}
	id := r.Tenant.ID()
	if !e.downloads.begin(id) {
		p := problem.TooMany(nextBackup)
		p.Message = "Another export is being made. Please retry again later."
		return p
	}
	defer e.downloads.end(id)
	if err := r.Share.More(r.Context(), exportSize); err != nil {
		return err
	}
	if !o.WithoutActivity {
		if err := r.SignIns.Flush(r.Context()); err != nil {
			return err
		}
	}
	long := wire.Long{ContentType: LinesType, Silence: cmp.Or(e.Silence, UsualSilence), Most: mostExportTime}
	if o.Format == export.FormatCSV {
		long.ContentType = CSVType + "; charset=utf-8"
	}
	err = r.SendLong(long, func(ctx context.Context, w io.Writer) error {
		return e.Write(ctx, w, id, r.Image, o)
	})
	if err != nil {
		return err
	}
	r.Log.Info("sent an export", "request-id", r.ID, "tenant", id, "caller", r.Caller.Actor(), "tables", o.Tables)
	return nil
}

// exportOf reads the options of an export.
func exportOf(r *wire.Request) (o ExportOptions, err error) {
	o.Tables = r.Values("table")
	table, err := WantsTable(r, r.Value("format"), string(export.FormatJSONLines), LinesType)
	if err != nil {
		return o, err
	}
	o.Format = export.FormatJSONLines
	if table {
		o.Format = export.FormatCSV
	}
	for _, name := range o.Tables {
		if !slices.Contains(export.Tables(), name) {
			return o, problem.Refuse("There is no table '%s'. The tables are %s.", problem.Clip(name),
				strings.Join(export.Tables(), ", "))
		}
	}
	if len(o.Tables) > 0 { // in the order of an import, each once
		asked := o.Tables
		o.Tables = slices.DeleteFunc(export.Tables(), func(name string) bool { return !slices.Contains(asked, name) })
	}
	switch {
	case o.Format == export.FormatCSV && len(o.Tables) != 1:
		return o, problem.Refuse("CSV has one table: name it, as in ?table=users&format=csv. The tables are %s.",
			strings.Join(export.Tables(), ", "))
	case len(o.Tables) == 0:
		o.Tables = export.Importable()
	}
	o.WithoutActivity = !r.Caller.Permissions.Has("AuditLog.Read.All") // as for signInActivity of users
	return o, mayExport(r.Caller, o.Tables)
}

// mayExport refuses the table of commits to callers that may not read the audit log: it says who
// has changed something when.
func mayExport(c *identity.Caller, tables []string) error {
	if !slices.Contains(tables, export.TableCommits) {
		return nil
	}
	_, err := identity.ReadAudit.Check(c, identity.RelationOther)
	return err
}
