package main

import (
	"encoding/json"
	"fmt"

	"licensor/internal/tables"
)

// explained is a user with the reasons of licenses.
type explained struct {
	ID                string
	UserPrincipalName string
	DisplayName       string
	Reasons           []reasonOf
}

// reasonOf says why a license has its state.
type reasonOf struct {
	SKUID            string
	SKUPartNumber    string
	AssignedByGroup  string
	GroupDisplayName string
	State, Error     string
	Since            string
	Text             string
	Remedies         []remedyText
}

// remedyText is what would resolve an error.
type remedyText struct{ Text string }

func texts(remedies []remedyText) (list []string) {
	for _, m := range remedies {
		list = append(list, m.Text)
	}
	return list
}

func (r *reasonOf) product() string { return firstOf(r.SKUPartNumber, r.SKUID) }

// from returns the source of the license.
func (r *reasonOf) from() string { return firstOf(r.GroupDisplayName, r.AssignedByGroup, "direct") }

var errorColumns = []tables.Column{
	{Title: "USER", Name: "userPrincipalName"},
	{Title: "LICENSE", Name: "product"},
	{Title: "FROM", Name: "from"},
	{Title: "ERROR", Name: "error"},
	{Title: "SINCE", Name: "since", Extra: true, Whole: true},
	{Title: "REASON AND REMEDY", Name: "reason", Below: true, Notes: "remedies"},
}

// printExplained prints the errors of a user: a row for each license in error, and below it a note
// for each remedy. As JSON, they are one row.
func printExplained(t *tables.Writer, raw json.RawMessage) error {
	var u explained
	if err := json.Unmarshal(raw, &u); err != nil {
		return fmt.Errorf("the server's reasons cannot be read: %w", err)
	}
	if t.JSON() {
		return t.Row(raw)
	}
	for i := range u.Reasons {
		r := &u.Reasons[i]
		wrong := tables.Cell{Value: r.Error, Sign: tables.Bad}
		if err := r.print(t, u.UserPrincipalName, r.product(), r.from(), wrong, r.Since, r.Text); err != nil {
			return err
		}
	}
	return nil
}

// print prints a row, and its remedies as notes about the last column.
func (r *reasonOf) print(t *tables.Writer, cells ...any) error {
	return t.Noted(len(cells)-1, texts(r.Remedies), nil, cells...)
}

// cells returns what is printed of a license of one user.
func (r *reasonOf) cells() []any {
	state, wrong := tables.Cell{Value: r.State, Sign: tables.Good}, tables.Cell{}
	if r.Error != "None" {
		state.Sign, wrong = tables.Bad, tables.Cell{Value: r.Error, Sign: tables.Bad}
	}
	return []any{r.product(), r.from(), state, wrong, r.Since, r.Text}
}
