package own

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"licensor/internal/directory"
	"licensor/internal/engine"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

const previewRulePath = "/groups/previewRule"

// PreviewRule answers POST /licensor/v1/groups/previewRule: who would join and leave a group if it
// had a rule, or if its own were evaluated now, and the result for its licenses
// (docs/spec/dynamic-membership.md D84). Each page follows from the same body, as of the current
// image. The first one evaluates the rule, and the next ones have its result as long as the image
// is the same.
func PreviewRule(r *wire.Request) error {
	if err := r.Allow("$top", "$skiptoken"); err != nil {
		return err
	}
	page, err := r.Page()
	if err != nil {
		return err
	}
	rule, group, err := previewedRule(r)
	if err != nil {
		return err
	}
	r.Work.Doing("evaluating the rule for all users")
	p, err := r.Tenant.PreviewRule(r.Context(), r.Image, rule, group, page.After >= 0)
	if err != nil {
		return err
	}
	if p.Failed != "" {
		return problem.Refuse("%s", p.Failed)
	}
	b := jsontext.AppendText(jsontext.AppendName(r.AppendHead(r.Begin(), "groups/previewRule"), "membershipRule"), rule)
	b = jsontext.AppendInt(jsontext.AppendName(b, "commit"), int(r.Image.Seq))
	b = jsontext.AppendInt(jsontext.AppendName(b, "members"), int(p.Members))
	b = jsontext.AppendInt(jsontext.AppendName(b, "joining"), int(p.Join.GetCardinality()))
	b = jsontext.AppendInt(jsontext.AppendName(b, "leaving"), int(p.Leave.GetCardinality()))
	if group != nil {
		b = appendOutcome(b, p)
	}
	return sendMovers(r, b, p, page)
}

// previewedRule reads the rule and the group of the body. Without a rule, it is that of the group.
// The group is nil if the body has none.
func previewedRule(r *wire.Request) (rule string, group *uint32, err error) {
	members, err := r.Members()
	if err != nil {
		return "", nil, err
	}
	var key string
	into := map[string]any{"membershipRule": &rule, "group": &key}
	if err := wire.Read("previewRule", members, into); err != nil {
		return "", nil, err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(members, func(m directory.Member) bool { return m.Name == name })
	}
	if key == "" {
		if !has("membershipRule") {
			return "", nil, problem.Refuse("The body has neither a membershipRule nor a group. " +
				"Send one of them, or both.")
		}
		return rule, nil, nil
	}
	ordinals, err := Resolve(r, "group", []string{key}, r.Image.LiveGroup)
	if err != nil {
		return "", nil, err
	}
	if !has("membershipRule") {
		if rule = r.Image.RuleText(ordinals[0]); rule == "" {
			return "", nil, wire.NoRule(key)
		}
	}
	return rule, &ordinals[0], nil
}

// appendOutcome writes the result for the licenses of the group: the seats of each product, and
// how many of the members would be in error.
func appendOutcome(b []byte, p *engine.RulePreview) []byte {
	b = jsontext.AppendList(jsontext.AppendName(b, "licenses"), p.Licenses, func(b []byte, l engine.PreviewedLicense) []byte {
		b = jsontext.AppendID(append(b, `{"skuId":`...), l.SKUID)
		if l.SKUPartNumber != "" {
			b = jsontext.AppendText(jsontext.AppendName(b, "skuPartNumber"), l.SKUPartNumber)
		}
		b = jsontext.AppendInt(jsontext.AppendName(b, "enabled"), l.Enabled)
		b = jsontext.AppendInt(jsontext.AppendName(b, "consumedBefore"), l.ConsumedBefore)
		b = jsontext.AppendInt(jsontext.AppendName(b, "consumedAfter"), l.ConsumedAfter)
		return append(b, '}')
	})
	b = append(jsontext.AppendName(b, "errors"), '{')
	for _, kind := range slices.Sorted(maps.Keys(p.Errors)) {
		b = jsontext.AppendInt(jsontext.AppendName(b, kind.String()), p.Errors[kind])
	}
	return append(b, '}')
}

// joining is added to the ordinals of joining users in the tokens of pages: they come after all
// leaving ones.
const joining = 1 << 32

// sendMovers ends the response with a page of the users who would leave, and then of those who
// would join, each in the order in which they were created.
func sendMovers(r *wire.Request, b []byte, p *engine.RulePreview, page wire.Page) error {
	list, more := page.Of(p.Leave)
	leaving := len(list)
	if !more {
		var joined []uint32
		joined, more = wire.Page{After: page.After - joining, Limit: page.Limit - leaving}.Of(p.Join)
		list = append(list, joined...)
	}
	if more {
		last := int64(list[page.Limit-1])
		if page.Limit > leaving {
			last += joining
		}
		query := url.Values{"$skiptoken": {r.Token(route.Own+previewRulePath, last)}}
		if page.Limit != wire.DefaultPage {
			query.Set("$top", string(jsontext.AppendInt(nil, page.Limit)))
		}
		b = jsontext.AppendText(jsontext.AppendName(b, "@odata.nextLink"), r.Root+previewRulePath+"?"+query.Encode())
	}
	users, err := r.Tenant.Users(r.Context(), r.Image, list)
	if err != nil {
		return err
	}
	b = append(jsontext.AppendName(b, "value"), '[')
	for i, u := range users {
		outcome := "leave"
		if i >= leaving {
			outcome = "join"
		}
		b = jsontext.AppendID(append(wire.AppendNext(b), `{"id":`...), u.ID)
		b = jsontext.AppendText(jsontext.AppendName(b, "userPrincipalName"), u.UserPrincipalName)
		b = jsontext.AppendText(jsontext.AppendName(b, "displayName"), u.DisplayName)
		b = jsontext.AppendText(jsontext.AppendName(b, "outcome"), outcome)
		if b, err = r.More(append(b, '}')); err != nil {
			return err
		}
	}
	return r.Send(http.StatusOK, append(b, "]}"...))
}
