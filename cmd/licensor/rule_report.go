package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"licensor/internal/directory"
	"licensor/internal/excerpt"
)

// rulePreview is what a rule would do to a group, with as many users as requested.
type rulePreview struct {
	Group *triedGroup `json:"group,omitempty"`
	previewed
	Value []mover `json:"value"`
	More  int     `json:"more"` // users who are not in Value
}

// previewed is the part of the API's response that is the same on each page.
type previewed struct {
	MembershipRule string `json:"membershipRule"`
	Commit         uint64 `json:"commit"`
	Members        int    `json:"members"`
	Joining        int    `json:"joining"`
	Leaving        int    `json:"leaving"`
	Licenses       []struct {
		SKUID          string `json:"skuId"`
		SKUPartNumber  string `json:"skuPartNumber,omitempty"`
		Enabled        int    `json:"enabled"`
		ConsumedBefore int    `json:"consumedBefore"`
		ConsumedAfter  int    `json:"consumedAfter"`
	} `json:"licenses,omitempty"`
	Errors map[string]int `json:"errors,omitempty"` // licenses that members would lack, by error
}

// previewPage is a page of users that join or leave.
type previewPage struct {
	previewed
	Value    []mover
	NextLink string `json:"@odata.nextLink"`
}

// mover is a user who would join or leave.
type mover struct {
	triedUser
	Outcome string `json:"outcome"`
}

type triedUser struct {
	ID                string `json:"id"`
	UserPrincipalName string `json:"userPrincipalName"`
	DisplayName       string `json:"displayName"`
}

func (p *rulePreview) print(w io.Writer) error {
	printGroup(w, p.Group)
	fmt.Fprintf(w, "%d users would join, %d would leave. There would be %d members.\n", p.Joining, p.Leaving, p.Members)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(p.Licenses) > 0 {
		fmt.Fprintln(table, "\nLICENSE\tSEATS\tIN USE NOW\tIN USE THEN")
	}
	for _, l := range p.Licenses {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\n", firstOf(l.SKUPartNumber, l.SKUID), l.Enabled, l.ConsumedBefore, l.ConsumedAfter)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(p.Errors)) {
		fmt.Fprintf(w, "Licenses that members would lack because of %s: %d\n", name, p.Errors[name])
	}
	if len(p.Value) > 0 {
		fmt.Fprintln(table, "\nOUTCOME\tUSER\tNAME\tID")
	}
	for _, u := range p.Value {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", u.Outcome, onOneLine(u.UserPrincipalName), onOneLine(u.DisplayName), u.ID)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if p.More > 0 {
		fmt.Fprintf(w, "\nThere are %d more; --limit 0 prints all.\n", p.More)
	}
	return nil
}

// printGroup prints which group a trial is about, which may be nil.
func printGroup(w io.Writer, g *triedGroup) {
	if g == nil {
		return
	}
	note := ""
	if g.dynamic() && g.ProcessingState != directory.RuleOn {
		note = ", which is paused: its members do not follow its rule"
	}
	fmt.Fprintf(w, "Group %s (%s)%s\n", onOneLine(g.DisplayName), g.ID, note)
}

// ruleEvaluation is the result of a rule for one user.
type ruleEvaluation struct {
	Group          *triedGroup `json:"group,omitempty"`
	User           triedUser   `json:"user"`
	MembershipRule string      `json:"membershipRule"`
	Result         bool        `json:"membershipRuleEvaluationResult"`
	Details        rulePart    `json:"membershipRuleEvaluationDetails"`
}

// rulePart is the result of a part of a rule.
type rulePart struct {
	Expression string `json:"expression"`
	Result     bool   `json:"expressionResult"`
	Property   *struct {
		Name  string  `json:"propertyName"`
		Value *string `json:"propertyValue"`
	} `json:"propertyToEvaluate"`
	Parts []rulePart `json:"expressionEvaluationDetails"`
}

func (e *ruleEvaluation) print(w io.Writer) error {
	printGroup(w, e.Group)
	verb := "does not fulfill"
	if e.Result {
		verb = "fulfills"
	}
	fmt.Fprintf(w, "%s (%s) %s the rule.\n\n", onOneLine(e.User.UserPrincipalName), e.User.ID, verb)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RESULT\tPART OF THE RULE\tVALUE OF THE USER")
	e.Details.print(table, "")
	return table.Flush()
}

// maxPart is the maximum length of a part of a rule, and of a value, that is printed, in bytes.
const maxPart = 120

// print writes a line for the part, and those of its parts below it.
func (p *rulePart) print(table io.Writer, indent string) {
	value := "-"
	if of := p.Property; of != nil {
		value = of.Name + " is null"
		if of.Value != nil {
			value = fmt.Sprintf("%s is %q", of.Name, excerpt.Of(*of.Value, maxPart))
		}
	}
	fmt.Fprintf(table, "%t\t%s%s\t%s\n", p.Result, indent, excerpt.Of(onOneLine(p.Expression), maxPart), value)
	for i := range p.Parts {
		p.Parts[i].print(table, indent+"  ")
	}
}

// onOneLine replaces control characters, such as line ends and those that terminals obey.
func onOneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, text)
}
