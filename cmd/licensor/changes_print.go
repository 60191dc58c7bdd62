package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

func (p *tried) print(w io.Writer) {
	if p.FailedRequests > 0 {
		fmt.Fprintf(w, "%d of %d requests would fail:\n", p.FailedRequests, len(p.Responses))
		for _, r := range p.Responses {
			if r.Error != nil {
				id := strings.Trim(string(r.ID), `"`)
				fmt.Fprintf(w, "  %s: %d %s: %s\n", id, r.Status, r.Error.Code, r.Error.Message)
			}
		}
		fmt.Fprintln(w)
	}
	u := p.Users
	if u == (outcomes{}) {
		fmt.Fprintln(w, "No user gains, loses or fails to get a license.")
	} else {
		fmt.Fprintf(w, "Users: %d gain, %d lose, %d fail, %d are cleared of errors, %d change plans.\n",
			u.Gain, u.Lose, u.Fail, u.Clear, u.Change)
	}
	if len(p.Products) == 0 {
		return
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PRODUCT\tSEATS\tHELD\tUNASSIGNED\tWAITING\tGAIN\tLOSE\tFAIL\tCLEAR\tCHANGE")
	for _, s := range p.Products {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", firstOf(s.SKUPartNumber, s.SKUID),
			became(s.Before.Seats, s.After.Seats), became(s.Before.Held, s.After.Held),
			became(s.Before.Unassigned, s.After.Unassigned), became(s.Before.Waiting, s.After.Waiting),
			s.Users.Gain, s.Users.Lose, s.Users.Fail, s.Users.Clear, s.Users.Change)
	}
	_ = table.Flush() // an error of w comes again
}

func became(was, is int) string {
	if was == is {
		return strconv.Itoa(is)
	}
	return fmt.Sprintf("%d → %d", was, is)
}

// cells returns what is printed of a row.
func (row *previewedUser) cells() []string {
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
	return []string{
		row.UserPrincipalName, firstOf(row.SKUPartNumber, row.SKUID), row.Outcome, strings.Join(from, ", "),
		strings.Join(states, ", "), reason,
	}
}

func readUsers(rows []json.RawMessage) ([]previewedUser, error) {
	list := make([]previewedUser, len(rows))
	for i, raw := range rows {
		if err := json.Unmarshal(raw, &list[i]); err != nil {
			return nil, fmt.Errorf("the server's preview cannot be read: %w", err)
		}
	}
	return list, nil
}

func printUsers(w io.Writer, rows []json.RawMessage) error {
	list, err := readUsers(rows)
	if err != nil || len(list) == 0 {
		return err
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USER\tPRODUCT\tOUTCOME\tFROM\tSTATE\tREASON AND REMEDY")
	for i := range list {
		fmt.Fprintln(table, strings.Join(list[i].cells(), "\t"))
		for _, one := range list[i].Reasons {
			for _, remedy := range one.Remedies {
				fmt.Fprintf(table, "\t\t\t\t\t→ %s\n", remedy.Text)
			}
		}
	}
	return table.Flush()
}

// writeUsers writes the users of a preview as CSV.
func writeUsers(w io.Writer, rows []json.RawMessage) error {
	list, err := readUsers(rows)
	if err != nil {
		return err
	}
	table := csv.NewWriter(w)
	lines := [][]string{{"userPrincipalName", "product", "outcome", "from", "state", "reason"}}
	for i := range list {
		lines = append(lines, list[i].cells())
	}
	return table.WriteAll(lines)
}
