package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"licensor/internal/tables"
)

// print prints all of a preview but its users.
func (p *tried) print(out *printer) error {
	if p.FailedRequests > 0 {
		fmt.Fprintf(out, "%d of %d requests would fail:\n", p.FailedRequests, len(p.Responses))
		for _, r := range p.Responses {
			if r.Error != nil {
				id := strings.Trim(string(r.ID), `"`)
				fmt.Fprintf(out, "  %s: %d %s: %s\n", id, r.Status, r.Error.Code, r.Error.Message)
			}
		}
		fmt.Fprintln(out)
	}
	u := p.Users
	if u == (outcomes{}) {
		fmt.Fprintln(out, "No user gains, loses or fails to get a license.")
	} else {
		fmt.Fprintf(out, "Users: %d gain, %d lose, %d fail, %d are cleared of errors, %d change plans.\n",
			u.Gain, u.Lose, u.Fail, u.Clear, u.Change)
	}
	if len(p.Products) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return p.printProducts(out)
}

func (p *tried) printProducts(out *printer) error {
	columns := []tables.Column{{Title: "PRODUCT"}}
	for _, title := range []string{"SEATS", "HELD", "UNASSIGNED", "WAITING", "GAIN", "LOSE", "FAIL", "CLEAR", "CHANGE"} {
		columns = append(columns, tables.Column{Title: title, Right: true})
	}
	priced := false
	for _, s := range p.Products {
		priced = priced || s.Currency != ""
	}
	if priced {
		columns = append(columns, tables.Column{Title: "HELD PER MONTH", Right: true},
			tables.Column{Title: "WAITING PER MONTH", Right: true}, tables.Column{Title: "CURRENCY"})
	}
	t := out.table(columns...)
	for _, s := range p.Products {
		was, is := &s.Before, &s.After
		cells := []any{
			firstOf(s.SKUPartNumber, s.SKUID), became(was.Seats, is.Seats), became(was.Held, is.Held),
			became(was.Unassigned, is.Unassigned), became(was.Waiting, is.Waiting),
			s.Users.Gain, s.Users.Lose, s.Users.Fail, s.Users.Clear, s.Users.Change,
		}
		if priced {
			cells = append(cells, became(was.HeldPerMonth, is.HeldPerMonth),
				became(was.WaitingPerMonth, is.WaitingPerMonth), s.Currency)
		}
		if err := t.Row(nil, cells...); err != nil {
			return err
		}
	}
	return t.End(false)
}

func became[T int | string](was, is T) string {
	if was == is {
		return fmt.Sprint(is)
	}
	return fmt.Sprintf("%v → %v", was, is)
}

var previewColumns = []tables.Column{
	{Title: "USER", Name: "userPrincipalName"},
	{Title: "PRODUCT", Name: "product"},
	{Title: "OUTCOME", Name: "outcome"},
	{Title: "FROM", Name: "from"},
	{Title: "STATE", Name: "state"},
	{Title: "REASON AND REMEDY", Name: "reason", Below: true, Notes: "remedies"},
}

// outcomeSigns are the signs of outcomes.
var outcomeSigns = map[string]tables.Sign{
	"gain": tables.Good, "clear": tables.Good, "lose": tables.Warning, "change": tables.Warning, "fail": tables.Bad,
}

// printPreviewed prints what becomes of a user.
func printPreviewed(t *tables.Writer, raw json.RawMessage) error {
	var row previewedUser
	if err := json.Unmarshal(raw, &row); err != nil {
		return fmt.Errorf("the server's preview cannot be read: %w", err)
	}
	var from, states []string
	for _, s := range row.After.Sources {
		name := "direct"
		if s.AssignedByGroup != nil {
			name = s.AssignedByGroup.DisplayName
		}
		if from = append(from, name); s.Error != "None" {
			s.State += " (" + s.Error + ")"
		}
		states = append(states, s.State)
	}
	reason := ""
	if len(row.Reasons) > 0 {
		reason = row.Reasons[0].Text
	}
	var remedies []string
	for _, one := range row.Reasons {
		remedies = append(remedies, texts(one.Remedies)...)
	}
	return t.Noted(len(previewColumns)-1, remedies, raw, row.UserPrincipalName, firstOf(row.SKUPartNumber, row.SKUID),
		tables.Cell{Value: row.Outcome, Sign: outcomeSigns[row.Outcome]}, strings.Join(from, ", "),
		strings.Join(states, ", "), reason)
}

// printFindings prints what a check has found.
func printFindings(out *printer, raw json.RawMessage, found *tried) error {
	if out.format == tables.JSON {
		return writeJSON(out, raw)
	}
	t := out.table(tables.Column{Title: "KIND", Name: "kind"}, tables.Column{Title: "FINDING", Name: "text", Below: true})
	if t.None = "Nothing is wrong with the result of these changes."; !found.Passed {
		t.None = ""
	}
	for _, f := range found.Findings {
		if err := t.Row(nil, f.Kind, f.Text); err != nil {
			return err
		}
	}
	return t.End(false)
}
