package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// undone is the response to an undo.
type undone struct {
	Requests []json.RawMessage
	Stays    []json.RawMessage
	Count    int             `json:"stays@odata.count"`
	Preview  json.RawMessage // null: there is nothing to make
}

// staying is something that stays different.
type staying struct {
	Type, ID, DisplayName, UserPrincipalName, What, SKUPartNumber, RelatedID, Why string
}

func undoCommand() *cobra.Command {
	var t trying
	cmd := &cobra.Command{
		Use:   "undo COMMIT",
		Short: "Bring back what a change was before, after showing what that does",
		Long: `Undo brings back what a commit changed, as far as the log still knows it. It prints what stays different and why, and what
would become of users, asks, and makes one commit. What later commits changed is left alone. "licensor log" lists the commits.`,
		Example: "  licensor undo 57 --info demo.json\n" +
			"  licensor undo 57 --info demo.json --yes",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.undo(cmd, args[0]) },
	}
	cmd.Flags().BoolVar(&t.yes, "yes", false, "do not ask")
	t.registerLimit(cmd, "users", 20)
	t.registerJSON(cmd)
	t.connecting.register(cmd)
	return cmd
}

func (t *trying) undo(cmd *cobra.Command, commit string) error {
	t.applies = true
	return t.print(cmd, func(out *printer) error {
		return t.use(cmd, func(ctx context.Context, c *connection) error {
			var u undone
			raw, err := c.ask(ctx, http.MethodPost, "/licensor/v1/log/"+url.PathEscape(commit)+"/undo", nil, &u)
			if err != nil {
				return err
			}
			if len(u.Requests) == 0 {
				return out.value(raw, func() error { return u.printNothing(out) })
			}
			var p tried
			if err := json.Unmarshal(u.Preview, &p); err != nil {
				return fmt.Errorf("the server's preview cannot be read: %w", err)
			}
			if out.format == tables.Text {
				if err := u.printStays(out); err != nil {
					return err
				}
				if err := t.show(ctx, out, c, u.Preview, &p); err != nil {
					return err
				}
			}
			return t.make(cmd, out, c, &p)
		})
	})
}

// printNothing prints that nothing can be brought back, and why.
func (u *undone) printNothing(out *printer) error {
	if len(u.Stays) == 0 {
		_, err := fmt.Fprintln(out, "Nothing has to be brought back.")
		return err
	}
	if err := u.printStays(out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "Nothing can be brought back.")
	return err
}

// printStays prints what stays different, if there is anything.
func (u *undone) printStays(out *printer) error {
	if len(u.Stays) == 0 {
		return nil
	}
	fmt.Fprintln(out, "These stay different from before the commit:")
	t := out.table(tables.Column{Title: "OBJECT"}, tables.Column{Title: "WHAT"}, tables.Column{Title: "WHY"})
	for _, raw := range u.Stays {
		var s staying
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("the server's response cannot be read: %w", err)
		}
		object := s.Type + " " + firstOf(s.UserPrincipalName, s.DisplayName, s.ID)
		what := s.What
		if related := firstOf(s.SKUPartNumber, s.RelatedID); related != "" {
			what += " " + related
		}
		if err := t.Row(raw, object, what, s.Why); err != nil {
			return err
		}
	}
	if err := t.End(false); err != nil {
		return err
	}
	if u.Count > len(u.Stays) {
		fmt.Fprintf(out, "and %d more\n", u.Count-len(u.Stays))
	}
	_, err := fmt.Fprintln(out)
	return err
}
