package graph

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/licensing"
	"licensor/internal/tenant"
)

// assignUserLicense answers POST /users/{user}/assignLicense (docs/spec/licensing.md L20).
func assignUserLicense(r *wire.Request) error {
	ordinal, err := r.User()
	if err != nil {
		return err
	}
	add, remove, err := assignment(r)
	if err != nil {
		return err
	}
	fields, err := userFieldsOfAction(r)
	if err != nil {
		return err
	}
	done, err := r.Do(tenant.AssignUser{User: ordinal, Add: add, Remove: remove})
	if err != nil {
		return err
	}
	return userList.SendOne(r, http.StatusOK, "users", done.Image, ordinal, fields)
}

// userFieldsOfAction returns the fields in the response of an action: all fields of the user (P22),
// unless $select names some.
func userFieldsOfAction(r *wire.Request) ([]*wire.Field[user], error) {
	if len(r.Options.Select) == 0 {
		return userFields.Annotated(r, userFields.Shown(r).Whole), nil
	}
	return userFields.Selected(r)
}

// assignGroupLicense answers POST /groups/{group}/assignLicense (L30). It responds "accepted" as
// the real service does, although the members already have their licenses, unless Development
// delays them.
func assignGroupLicense(r *wire.Request) error {
	ordinal, err := r.Group()
	if err != nil {
		return err
	}
	add, remove, err := assignment(r)
	if err != nil {
		return err
	}
	done, err := r.Do(tenant.AssignGroup{Group: ordinal, Add: add, Remove: remove})
	if err != nil {
		return err
	}
	r.W.Header().Set("Location", r.Root+"/groups/"+done.Image.Directory.GroupID(ordinal).String())
	fields := groupFields.Annotated(r, groupFields.Shown(r).Whole)
	return groupList.SendOne(r, http.StatusAccepted, groupSet, done.Image, ordinal, fields)
}

// assignment reads {"addLicenses": [{skuId, disabledPlans}], "removeLicenses": [skuId]}, both
// required (L20).
func assignment(r *wire.Request) (add []licensing.Assign, remove []uuid.UUID, err error) {
	var list []json.RawMessage
	if err := r.Parameters(map[string]any{"addLicenses": &list, "removeLicenses": &remove}); err != nil {
		return nil, nil, err
	}
	if len(list)+len(remove) == 0 {
		return nil, nil, problem.Refuse("No license changes provided. At least one license to add or remove must " +
			"be specified.")
	}
	for _, raw := range list {
		license, err := readLicense(raw)
		if err != nil {
			return nil, nil, err
		}
		add = append(add, license)
	}
	return add, remove, nil
}

// readLicense reads an assignedLicense. Its disabled plans are optional.
func readLicense(raw json.RawMessage) (license licensing.Assign, err error) {
	members, err := directory.Members(raw)
	if err != nil {
		return licensing.Assign{}, err
	}
	for i, m := range members {
		if m.Is("disabledPlans") && string(m.Value) == "null" {
			members[i].Value = json.RawMessage("[]")
		}
	}
	err = wire.Read("assignedLicense", members, map[string]any{"skuId": &license.SKUID, "disabledPlans": &license.DisabledPlans}, "skuId")
	return license, err
}
