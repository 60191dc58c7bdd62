package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"licensor/internal/directory"
)

func keycloak() directory.TrustedIssuer {
	return directory.TrustedIssuer{
		Issuer: "https://keycloak.example/realms/contoso", Audiences: []string{"licensor", "api://licensor"}, UserClaim: "preferred_username",
		PermissionsClaim: "realm_access.roles", Permissions: map[string][]string{"license-admin": {"User.ReadWrite.All"}},
	}
}

func TestASignInThatCanBeMeant(t *testing.T) {
	t.Parallel()
	other := keycloak()
	other.Issuer, other.UserClaim, other.Permissions = "http://127.0.0.1:5556/dex", "", nil
	third := keycloak()
	third.Audiences = []string{"third"}
	for _, s := range []directory.SignIn{
		{}, {AllowPasswordGrant: true}, {TrustedIssuers: []directory.TrustedIssuer{keycloak(), other, third}},
	} {
		if err := s.Check(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
		read, err := directory.ParseSignIn(s.Document())
		if err != nil || string(read.Document()) != string(s.Document()) {
			t.Errorf("it is read back as %+v, %v", read, err)
		}
	}
}

func TestASignInThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("word", i))
		}
		return list
	}
	for name, test := range map[string]struct {
		property string
		spoil    func(i *directory.TrustedIssuer)
	}{
		"no issuer":                {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "" }},
		"an issuer of http":        {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "http://keycloak.example" }},
		"an address on a network":  {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "http://10.0.0.1" }},
		"a name like this machine": {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "http://localhost.evil.example" }},
		"another scheme":           {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "file:///etc" }},
		"no host":                  {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "https:///x" }},
		"a query":                  {"issuer", func(i *directory.TrustedIssuer) { i.Issuer += "?x" }},
		"a fragment":               {"issuer", func(i *directory.TrustedIssuer) { i.Issuer += "#" }},
		"a user":                   {"issuer", func(i *directory.TrustedIssuer) { i.Issuer = "https://a@keycloak.example" }},
		"a control character":      {"issuer", func(i *directory.TrustedIssuer) { i.Issuer += "\n" }},
		"no audience":              {"audiences", func(i *directory.TrustedIssuer) { i.Audiences = nil }},
		"an empty audience":        {"audiences", func(i *directory.TrustedIssuer) { i.Audiences[1] = "" }},
		"an audience twice":        {"audiences", func(i *directory.TrustedIssuer) { i.Audiences[1] = "licensor" }},
		"many audiences":           {"audiences", func(i *directory.TrustedIssuer) { i.Audiences = many(21) }},
		"a claim of spaces":        {"userClaim", func(i *directory.TrustedIssuer) { i.UserClaim = " " }},
		"no claim for permissions": {"permissionsClaim", func(i *directory.TrustedIssuer) { i.PermissionsClaim = "" }},
		"a long claim":             {"permissionsClaim", func(i *directory.TrustedIssuer) { i.PermissionsClaim = strings.Repeat("x", 257) }},
		"two words in one":         {"permissions", func(i *directory.TrustedIssuer) { i.Permissions["a b"] = nil }},
		"a word with much":         {"permissions.much", func(i *directory.TrustedIssuer) { i.Permissions["much"] = many(101) }},
		"many words": {"permissions", func(i *directory.TrustedIssuer) {
			for _, word := range many(201) {
				i.Permissions[word] = nil
			}
		}},
	} {
		spoilt := keycloak()
		test.spoil(&spoilt)
		err := directory.SignIn{TrustedIssuers: []directory.TrustedIssuer{spoilt}}.Check()
		invalid, ok := errors.AsType[*directory.InvalidError](err)
		if !ok || invalid.Kind != directory.InvalidValue || invalid.Property != "trustedIssuers."+test.property || invalid.Want == "" {
			t.Errorf("%s: answered %#v, want one about %s", name, err, test.property)
		}
	}
	twice := directory.SignIn{TrustedIssuers: []directory.TrustedIssuer{keycloak(), keycloak()}}
	if err := twice.Check(); err == nil {
		t.Error("the same issuer with the same audience twice is taken")
	}
	err := (directory.SignIn{TrustedIssuers: slices.Repeat([]directory.TrustedIssuer{keycloak()}, 21)}).Check()
	if err == nil {
		t.Error("21 issuers are taken")
	}
}
