package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"licensor/internal/directory"
	"licensor/internal/excerpt"
	"licensor/internal/tables"
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

func (p *rulePreview) print(out *printer) error {
	printGroup(out, p.Group)
	fmt.Fprintf(out, "%d users would join, %d would leave. There would be %d members.\n",
		p.Joining, p.Leaving, p.Members)
	if err := p.printLicenses(out); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(p.Errors)) {
		fmt.Fprintf(out, "Licenses that members would lack because of %s: %d\n", name, p.Errors[name])
	}
	if len(p.Value) > 0 {
		fmt.Fprintln(out)
	}
	t := out.table(
		tables.Column{Title: "OUTCOME", Whole: true}, tables.Column{Title: "USER"}, tables.Column{Title: "NAME"},
		tables.Column{Title: "ID", Whole: true, Extra: true},
	)
	for _, u := range p.Value {
		if err := t.Row(nil, u.Outcome, u.UserPrincipalName, u.DisplayName, u.ID); err != nil {
			return err
		}
	}
	if err := t.End(false); err != nil {
		return err
	}
	if p.More > 0 {
		fmt.Fprintf(out, "\nThere are %d more; --limit 0 prints all.\n", p.More)
	}
	return nil
}

func (p *rulePreview) printLicenses(out *printer) error {
	if len(p.Licenses) > 0 {
		fmt.Fprintln(out)
	}
	t := out.table(
		tables.Column{Title: "LICENSE"}, tables.Column{Title: "SEATS", Right: true},
		tables.Column{Title: "IN USE NOW", Right: true}, tables.Column{Title: "IN USE THEN", Right: true},
	)
	for _, l := range p.Licenses {
		err := t.Row(nil, firstOf(l.SKUPartNumber, l.SKUID), l.Enabled, l.ConsumedBefore, l.ConsumedAfter)
		if err != nil {
			return err
		}
	}
	return t.End(false)
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
	fmt.Fprintf(w, "Group %s (%s)%s\n", tables.OneLine(g.DisplayName), g.ID, note)
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

func (e *ruleEvaluation) print(out *printer) error {
	printGroup(out, e.Group)
	verb := "does not fulfill"
	if e.Result {
		verb = "fulfills"
	}
	fmt.Fprintf(out, "%s (%s) %s the rule.\n\n", tables.OneLine(e.User.UserPrincipalName), e.User.ID, verb)
	t := out.table(
		tables.Column{Title: "RESULT", Whole: true}, tables.Column{Title: "PART OF THE RULE"},
		tables.Column{Title: "VALUE OF THE USER"},
	)
	if err := e.Details.print(t, ""); err != nil {
		return err
	}
	return t.End(false)
}

// maxPart is the maximum length of a part of a rule, and of a value, that is printed, in bytes.
const maxPart = 120

// print writes a line for the part, and those of its parts below it.
func (p *rulePart) print(t *tables.Writer, indent string) error {
	value := "-"
	if of := p.Property; of != nil {
		value = of.Name + " is null"
		if of.Value != nil {
			value = fmt.Sprintf("%s is %q", of.Name, excerpt.Of(*of.Value, maxPart))
		}
	}
	if err := t.Row(nil, p.Result, indent+excerpt.Of(tables.OneLine(p.Expression), maxPart), value); err != nil {
		return err
	}
	for i := range p.Parts {
		if err := p.Parts[i].print(t, indent+"  "); err != nil {
			return err
		}
	}
	return nil
}
