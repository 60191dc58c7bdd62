package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

func doctorCommand() *cobra.Command {
	d := doctor{now: time.Now}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine whether commands can work: configuration, database or server, certificates, permissions",
		Long: `Doctor examines what commands need: whether the database or the server can be reached and is ready, whether there is
room on the disk, whether clocks agree, when certificates expire, whether the catalog knows the products of the tenant,
and what the application that logs in may do. It changes nothing. Each finding says what helps; notes do not have to be
acted upon. To examine all that is stored, use licensor verify.

The exit code is 4 if something was found.`,
		Example: "  licensor doctor\n" +
			"  licensor doctor --info demo.json --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	d.registerForms(cmd)
	d.connecting.register(cmd)
	return cmd
}

// doctor examines what commands need.
type doctor struct {
	reading
	now func() time.Time
	all []diagnosis
}

// diagnosis is the result of one check.
type diagnosis struct {
	Check  string    `json:"check"`
	State  condition `json:"state"`
	Text   string    `json:"text"`
	Remedy string    `json:"remedy,omitempty"`
}

// condition is whether a check has found something.
type condition string

const (
	conditionGood    condition = "ok"
	conditionNoted   condition = "note"
	conditionFinding condition = "finding"
)

func (d *doctor) good(check, format string, args ...any) {
	d.all = append(d.all, diagnosis{check, conditionGood, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) note(check, remedy, format string, args ...any) {
	d.all = append(d.all, diagnosis{check, conditionNoted, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) find(check, remedy, format string, args ...any) {
	d.all = append(d.all, diagnosis{check, conditionFinding, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) run(cmd *cobra.Command) error {
	return d.print(cmd, func(out *printer) error {
		if err := d.examine(cmd); err != nil {
			return err
		}
		return d.report(out)
	})
}

// examine makes all checks. Errors are those of wrong usage, and of a command that was stopped.
func (d *doctor) examine(cmd *cobra.Command) error {
	login, err := d.login()
	if err != nil {
		return err
	}
	var c *connection
	if login.Graph != "" {
		c, err = d.examineServer(cmd.Context(), login)
	} else {
		c, err = d.examineDatabase(cmd)
	}
	if c != nil {
		d.examineTenant(cmd.Context(), c)
		err = errors.Join(err, c.close())
	}
	return errors.Join(err, cmd.Context().Err())
}

// report prints what was found.
func (d *doctor) report(out *printer) error {
	signs := map[condition]tables.Sign{
		conditionGood: tables.Good, conditionNoted: tables.Warning, conditionFinding: tables.Bad,
	}
	columns := []tables.Column{
		{Title: "CHECK", Name: "check", Whole: true},
		{Title: "STATE", Name: "state", Whole: true},
		{Title: "WHAT", Name: "text", Below: true, Notes: "remedy"},
	}
	t, found := out.table(columns...), 0
	for _, one := range d.all {
		var remedies []string
		if one.Remedy != "" {
			remedies = append(remedies, one.Remedy)
		}
		state := tables.Cell{Value: string(one.State), Sign: signs[one.State]}
		if err := t.Noted(len(columns)-1, remedies, one, one.Check, state, one.Text); err != nil {
			return err
		}
		if one.State == conditionFinding {
			found++
		}
	}
	if err := t.End(false); err != nil {
		return err
	}
	if found > 0 {
		return damaged(fmt.Errorf("%d findings", found))
	}
	return nil
}

// maxSkew is how far clocks may be apart. Tokens are valid some minutes earlier and later, too.
const maxSkew = time.Minute

// examineTenant makes the checks that the connection is needed for.
func (d *doctor) examineTenant(ctx context.Context, c *connection) {
	var o overview
	err := c.get(ctx, "/licensor/v1/overview", &o)
	if no, ok := errors.AsType[*refusalError](err); ok && no.status == http.StatusForbidden {
		d.examinePermissions(c)
		return
	}
	if err != nil {
		d.find("tenant", "see the log of the server, and run `licensor verify`", "it cannot be read: %v", err)
		return
	}
	d.good("tenant", "%d users, %d groups, commit %d of %s", o.Users.Count, o.Groups.Count, o.Commit.Number,
		o.Commit.DateTime)
	if at, err := time.Parse(time.RFC3339, o.Commit.DateTime); err == nil && at.Sub(d.now()) > maxSkew {
		d.find("clock", "set the clock of this machine or of the server, as with NTP",
			"the last change was made at %s, which is in the future", o.Commit.DateTime)
	}
	d.examineCatalog(ctx, c)
	d.examinePermissions(c)
}

// mostNamed is how many names a text has.
const mostNamed = 5

// examineCatalog compares the products of the tenant with the catalog.
func (d *doctor) examineCatalog(ctx context.Context, c *connection) {
	var unknown []string
	n := 0
	_, err := c.pages(ctx, "/licensor/v1/products", nil, 0, func(raw json.RawMessage) error {
		var p product
		err := json.Unmarshal(raw, &p)
		if n++; err == nil && p.SKUPartNumber == "" {
			unknown = append(unknown, p.SKUID)
		}
		return err
	})
	switch {
	case err != nil:
		d.find("catalog", "see the log of the server", "the products cannot be read: %v", err)
	case len(unknown) > 0:
		d.find("catalog", "import Microsoft's list with `licensor catalog import`, or add the products to the catalog",
			"it does not know %d of %d products of the tenant: %s", len(unknown), n, some(unknown))
	default:
		d.good("catalog", "it knows all %d products of the tenant", n)
	}
}

// some joins the first of some names.
func some(names []string) string {
	text := ""
	for i, name := range names[:min(len(names), mostNamed)] {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	if more := len(names) - mostNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
