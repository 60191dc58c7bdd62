// Package own has our own operations, under /licensor/v1, which Graph lacks: settings, the catalog
// and sign-in settings (settings.go, signin.go), prices and costs (prices.go, costs.go), imports
// (import.go), products and the numbers of a tenant (products.go, overview.go), license errors
// (errors.go, errors_summary.go), reprocessing many users (reprocess.go), explanations of licenses
// (explain.go), previews of rules (rules.go), and backups and exports (backup.go, export.go).
// internal/graph/openapi.yaml describes it.
//
// Rules are cited from docs/spec/licensing.md and docs/spec/protocol.md.
package own

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// GetSettings answers GET /licensor/v1/settings.
func GetSettings(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	s := r.Image.Licensing.Settings()
	b := r.AppendHead(r.Begin(), "settings")
	b = jsontext.AppendBool(jsontext.AppendName(b, "autoReprocess"), s.AutoReprocess)
	b = jsontext.AppendText(jsontext.AppendName(b, "groupBundles"), string(s.GroupBundles))
	b = jsontext.AppendText(jsontext.AppendName(b, "reprocessFailure"), string(s.ReprocessFailure))
	b = jsontext.AppendText(jsontext.AppendName(b, "memberOfRules"), string(r.Image.MemberOfRules()))
	b = jsontext.AppendInt(jsontext.AppendName(b, "auditDays"), r.Image.AuditDays())
	b = jsontext.AppendInt(jsontext.AppendName(b, "signInDays"), r.Image.SignInDays())
	return r.Send(http.StatusOK, append(b, '}'))
}

// UpdateSettings answers PATCH /licensor/v1/settings (docs/spec/licensing.md L33, L61, L71,
// docs/spec/dynamic-membership.md D55).
func UpdateSettings(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	c, err := readSettings(members)
	if err != nil {
		return err
	}
	return r.Change(c)
}

// readSettings reads settings, all of which are optional.
func readSettings(members []directory.Member) (c tenant.UpdateSettings, err error) {
	var s licensing.Settings
	var memberOf tenant.MemberOfRules
	var auditDays, signInDays int
	into := map[string]any{
		"auditDays":        &auditDays,
		"autoReprocess":    &s.AutoReprocess,
		"groupBundles":     wire.OneOfThem(&s.GroupBundles, licensing.BundlesTogether, licensing.BundlesIndependent),
		"memberOfRules":    wire.OneOfThem(&memberOf, tenant.MemberOfRulesFollowed, tenant.MemberOfRulesFrozen),
		"reprocessFailure": wire.OneOfThem(&s.ReprocessFailure, licensing.FailureState, licensing.FailureError),
		"signInDays":       &signInDays,
	}
	if err := wire.Read("settings", members, into); err != nil {
		return c, err
	}
	for _, m := range members {
		switch m.Name {
		case "auditDays":
			c.AuditDays = &auditDays
		case "autoReprocess":
			c.AutoReprocess = &s.AutoReprocess
		case "groupBundles":
			c.GroupBundles = &s.GroupBundles
		case "reprocessFailure":
			c.ReprocessFailure = &s.ReprocessFailure
		case "memberOfRules":
			c.MemberOfRules = &memberOf
		case "signInDays":
			c.SignInDays = &signInDays
		}
	}
	return c, nil
}

// GetCatalog answers GET /licensor/v1/catalog, in the form that PUT accepts. It may be several
// megabytes large.
func GetCatalog(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	catalog := r.Image.Licensing.Catalog()
	b, err := appendStream(r, append(r.Begin(), `{"products":[`...), catalog.Products)
	if err != nil {
		return err
	}
	if b, err = appendStream(r, append(b, `,"servicePlans":[`...), catalog.ServicePlans); err != nil {
		return err
	}
	return r.Send(http.StatusOK, append(b, '}'))
}

// appendStream writes the elements of a list, which are streamed, and its end.
func appendStream[T any](r *wire.Request, b []byte, list []T) ([]byte, error) {
	for i := range list {
		text, err := json.Marshal(&list[i])
		if err != nil {
			return b, fmt.Errorf("write catalog: %w", err)
		}
		if b, err = r.More(append(wire.AppendNext(b), text...)); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// SetCatalog answers PUT /licensor/v1/catalog.
func SetCatalog(r *wire.Request) error {
	body, err := r.ReadBody(wire.JSONType, wire.MaxBody)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	c := new(licensing.Catalog)
	if err := decoder.Decode(c); err != nil {
		return problem.Refuse("The body is not a catalog: %s.", err)
	}
	if decoder.More() {
		return problem.Refuse("The body is not a catalog: unexpected data after the JSON value.")
	}
	for i := range c.Products {
		spellAppliesTo(&c.Products[i].AppliesTo)
	}
	for i := range c.ServicePlans {
		spellAppliesTo(&c.ServicePlans[i].AppliesTo)
	}
	return r.Change(tenant.SetCatalog{Catalog: c})
}

func spellAppliesTo(to *licensing.AppliesTo) {
	wire.OneOfThem(to, licensing.AppliesToUser, licensing.AppliesToCompany)(string(*to))
}
