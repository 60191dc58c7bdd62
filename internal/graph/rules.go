package graph

import (
	"net/http"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/membership"
)

// evaluateGroupRule answers POST /groups/{group}/evaluateDynamicMembership: whether a user fulfills
// the rule of a group, or another one for it, with the result of each part
// (docs/spec/dynamic-membership.md D80).
func evaluateGroupRule(r *wire.Request) error {
	group, err := r.Group()
	if err != nil {
		return err
	}
	return evaluateRule(r, r.Image.RuleText(group))
}

// evaluateAnyRule answers POST /groups/evaluateDynamicMembership, which is about the rule in the
// body.
func evaluateAnyRule(r *wire.Request) error { return evaluateRule(r, "", "membershipRule") }

// evaluateRule evaluates the rule of the body, or another text if it has none
// (docs/spec/dynamic-membership.md D83).
func evaluateRule(r *wire.Request, text string, required ...string) error {
	if err := r.Allow(); err != nil {
		return err
	}
	var member string
	err := r.Parameters(map[string]any{"memberId": &member, "membershipRule": &text}, append(required, "memberId")...)
	if err != nil {
		return err
	}
	if text == "" && len(r.Keys) > 0 {
		return wire.NoRule(r.Keys[0])
	}
	rule, err := membership.Parse(text)
	if err != nil {
		return err
	}
	user, err := r.Image.LiveUser(member)
	if err != nil {
		return err
	}
	detail, err := r.Tenant.EvaluateRule(r.Context(), r.Image, rule, user)
	if err != nil {
		return problem.Refuse("The rule cannot be evaluated for user '%s': %s.", member, err)
	}
	b := r.AppendHead(r.Begin(), "microsoft.graph.evaluateDynamicMembershipResult")
	b = jsontext.AppendText(jsontext.AppendName(b, "membershipRule"), text)
	b = jsontext.AppendBool(jsontext.AppendName(b, "membershipRuleEvaluationResult"), detail.Result)
	b = appendRuleDetail(jsontext.AppendName(b, "membershipRuleEvaluationDetails"), *detail)
	return r.Send(http.StatusOK, append(b, '}'))
}

// appendRuleDetail writes the result of a part of a rule (docs/spec/dynamic-membership.md D82).
func appendRuleDetail(b []byte, d membership.Detail) []byte {
	b = jsontext.AppendText(append(b, `{"expression":`...), d.Expression)
	b = jsontext.AppendBool(jsontext.AppendName(b, "expressionResult"), d.Result)
	b = jsontext.AppendName(b, "propertyToEvaluate")
	if p := d.Property; p == nil {
		b = append(b, "null"...)
	} else {
		b = jsontext.AppendText(append(b, `{"propertyName":`...), p.Name)
		b = jsontext.AppendName(b, "propertyValue")
		if p.Value == nil {
			b = append(b, "null"...)
		} else {
			b = jsontext.AppendText(b, *p.Value)
		}
		b = append(b, '}')
	}
	b = jsontext.AppendList(jsontext.AppendName(b, "expressionEvaluationDetails"), d.Parts, appendRuleDetail)
	return append(b, '}')
}
