package own

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// GetSignIn answers GET /licensor/v1/signIn: the tenant's settings for signing in.
func GetSignIn(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	s := r.Image.SignIn
	if s.TrustedIssuers == nil {
		s.TrustedIssuers = []directory.TrustedIssuer{}
	}
	trusted, err := json.Marshal(s.TrustedIssuers)
	if err != nil {
		return fmt.Errorf("write the trusted issuers: %w", err)
	}
	b := r.AppendHead(r.Begin(), "signIn")
	b = jsontext.AppendBool(jsontext.AppendName(b, "allowPasswordGrant"), s.AllowPasswordGrant)
	b = append(jsontext.AppendName(b, "trustedIssuers"), trusted...)
	return r.Send(http.StatusOK, append(b, '}'))
}

// UpdateSignIn answers PATCH /licensor/v1/signIn. The list of issuers is replaced as a whole.
func UpdateSignIn(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	for again := true; again; { // so that two concurrent changes do not revert each other
		before := r.Image.SignIn
		next, err := patchedSignIn(before, members)
		if err != nil {
			return err
		}
		holds := func(img *tenant.Image) bool { return bytes.Equal(img.SignIn.Document(), before.Document()) }
		if again, err = r.DoWhile(holds, tenant.UpdateSignIn{SignIn: next}); err != nil {
			return err
		}
	}
	return r.SendNothing()
}

func patchedSignIn(s directory.SignIn, members []directory.Member) (directory.SignIn, error) {
	var trusted json.RawMessage
	err := wire.Read("signIn", members, map[string]any{"allowPasswordGrant": &s.AllowPasswordGrant, "trustedIssuers": &trusted})
	if err == nil && trusted != nil {
		s.TrustedIssuers, err = readIssuers(trusted)
	}
	return s, err
}

// readIssuers reads a list of trusted issuers. The command validates them, except the names of
// permissions.
func readIssuers(raw json.RawMessage) ([]directory.TrustedIssuer, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	issuers := []directory.TrustedIssuer{}
	if err := decoder.Decode(&issuers); err != nil {
		return nil, badIssuers("", "",
			"a list of issuers as GET answers it ("+strings.TrimPrefix(err.Error(), "json: ")+")")
	}
	for i := range issuers {
		if issuers[i].Permissions == nil {
			issuers[i].Permissions = map[string][]string{}
		}
		if err := checkGranted(issuers[i]); err != nil {
			return nil, err
		}
	}
	return issuers, nil
}

// checkGranted refuses unknown permissions. They are delegated if tokens are users', otherwise
// those of applications.
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
	return &directory.InvalidError{
		Kind: directory.InvalidValue, Resource: "signIn", Property: "trustedIssuers" + property,
		Value: value, Want: want,
	}
}
