package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"licensor/internal/graph/problem"
	"licensor/internal/jsontext"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// getSettings answers GET /licensor/v1/settings.
func getSettings(r *request) error {
	if err := r.allow(); err != nil {
		return err
	}
	s := r.image.Licensing.Settings()
	b := r.appendHead(r.begin(), "settings")
	b = jsontext.AppendBool(jsontext.AppendName(b, "autoReprocess"), s.AutoReprocess)
	b = jsontext.AppendText(jsontext.AppendName(b, "groupBundles"), string(s.GroupBundles))
	b = jsontext.AppendText(jsontext.AppendName(b, "reprocessFailure"), string(s.ReprocessFailure))
	return r.send(http.StatusOK, append(b, '}'))
}

// updateSettings answers PATCH /licensor/v1/settings (docs/spec/licensing.md L33, L61, L71).
func updateSettings(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	s := r.image.Licensing.Settings()
	into := map[string]any{
		"autoReprocess":    &s.AutoReprocess,
		"groupBundles":     oneOfThem(&s.GroupBundles, licensing.Together, licensing.Independent),
		"reprocessFailure": oneOfThem(&s.ReprocessFailure, licensing.FailureState, licensing.FailureError),
	}
	if err := read("settings", members, into); err != nil {
		return err
	}
	var c tenant.UpdateSettings
	for _, m := range members {
		switch m.Name {
		case "autoReprocess":
			c.AutoReprocess = &s.AutoReprocess
		case "groupBundles":
			c.GroupBundles = &s.GroupBundles
		case "reprocessFailure":
			c.ReprocessFailure = &s.ReprocessFailure
		}
	}
	return r.change(c)
}

// getCatalog answers GET /licensor/v1/catalog, in the form that PUT takes. It may have megabytes.
func getCatalog(r *request) error {
	if err := r.allow(); err != nil {
		return err
	}
	catalog := r.image.Licensing.Catalog()
	b, err := appendStream(r, append(r.begin(), `{"products":[`...), catalog.Products)
	if err != nil {
		return err
	}
	if b, err = appendStream(r, append(b, `,"servicePlans":[`...), catalog.ServicePlans); err != nil {
		return err
	}
	return r.send(http.StatusOK, append(b, '}'))
}

// appendStream writes the elements of a list, which are sent while they are written, and its end.
func appendStream[T any](r *request, b []byte, list []T) ([]byte, error) {
	for i := range list {
		text, err := json.Marshal(&list[i])
		if err != nil {
			return b, fmt.Errorf("write catalog: %w", err)
		}
		if b, err = r.more(append(appendNext(b), text...)); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// setCatalog answers PUT /licensor/v1/catalog.
func setCatalog(r *request) error {
	body, err := r.body(jsonType, maxBody)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	c := new(licensing.Catalog)
	if err := decoder.Decode(c); err != nil {
		return problem.Refuse("The body is no catalog: %s.", err)
	}
	if decoder.More() {
		return problem.Refuse("The body is no catalog: something follows its end.")
	}
	for i := range c.Products {
		spellAppliesTo(&c.Products[i].AppliesTo)
	}
	for i := range c.ServicePlans {
		spellAppliesTo(&c.ServicePlans[i].AppliesTo)
	}
	return r.change(tenant.SetCatalog{Catalog: c})
}

func spellAppliesTo(to *licensing.AppliesTo) {
	oneOfThem(to, licensing.AppliesToUser, licensing.AppliesToCompany)(string(*to))
}
