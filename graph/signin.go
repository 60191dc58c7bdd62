package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"licensor/directory"
	"licensor/identity"
	"licensor/tenant"
)

// getSignIn answers GET /licensor/v1/signIn: how the tenant lets people and programs in.
func (api *API) getSignIn(r *request) error {
	if err := r.allow(); err != nil {
		return err
	}
	s := r.image.SignIn
	if s.TrustedIssuers == nil {
		s.TrustedIssuers = []directory.TrustedIssuer{}
	}
	trusted, err := json.Marshal(s.TrustedIssuers)
	if err != nil {
		return fmt.Errorf("write the trusted issuers: %w", err)
	}
	b := r.appendHead(r.begin(), "signIn")
	b = appendBool(appendName(b, "allowPasswordGrant"), s.AllowPasswordGrant)
	b = append(appendName(b, "trustedIssuers"), trusted...)
	return r.send(http.StatusOK, append(b, '}'))
}

// updateSignIn answers PATCH /licensor/v1/signIn. The list of issuers is replaced as a whole.
func (api *API) updateSignIn(r *request) error {
	members, err := r.members()
	if err != nil {
		return err
	}
	s := r.image.SignIn
	var trusted json.RawMessage
	if err := read("signIn", members, map[string]any{"allowPasswordGrant": &s.AllowPasswordGrant, "trustedIssuers": &trusted}); err != nil {
		return err
	}
	if trusted != nil {
		if s.TrustedIssuers, err = api.readIssuers(r, trusted); err != nil {
			return err
		}
	}
	return r.change(tenant.UpdateSignIn{SignIn: s})
}

// readIssuers reads a list of trusted issuers. What it says of each is checked by the command; whether permissions are such, and
// that no other tenant is meant by the same tokens, is known only here.
func (api *API) readIssuers(r *request, raw json.RawMessage) ([]directory.TrustedIssuer, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	issuers := []directory.TrustedIssuer{}
	if err := decoder.Decode(&issuers); err != nil {
		return nil, badIssuers("", "", "a list of issuers as GET answers it ("+strings.TrimPrefix(err.Error(), "json: ")+")")
	}
	for i := range issuers {
		if issuers[i].Permissions == nil {
			issuers[i].Permissions = map[string][]string{}
		}
		if err := checkGranted(issuers[i]); err != nil {
			return nil, err
		}
		for _, other := range api.Authority.TrustedIssuers(issuers[i].Issuer) {
			at := slices.IndexFunc(other.Audiences, func(a string) bool { return slices.Contains(issuers[i].Audiences, a) })
			if other.Tenant != r.caller.Tenant && at >= 0 {
				return nil, badIssuers(".audiences", other.Audiences[at], "an audience that no other tenant of this server has with this issuer, such as api://"+r.caller.Tenant.String())
			}
		}
	}
	return issuers, nil
}

// checkGranted refuses what is no permission: delegated ones where tokens are users', otherwise those of applications.
func checkGranted(t directory.TrustedIssuer) error {
	known, want := identity.ApplicationPermission, "an application permission of Microsoft Graph, such as User.Read.All"
	if t.UserClaim != "" {
		known, want = identity.DelegatedPermission, "a delegated permission of Microsoft Graph, such as User.Read.All"
	}
	for _, word := range slices.Sorted(maps.Keys(t.Permissions)) {
		for _, name := range t.Permissions[word] {
			if _, ok := known(name); !ok {
				return badIssuers(".permissions."+word, name, want)
			}
		}
	}
	return nil
}

func badIssuers(property, value, want string) error {
	return &directory.Invalid{Kind: directory.BadValue, Resource: "signIn", Property: "trustedIssuers" + property, Value: value, Want: want}
}
