package graph

import (
	"encoding/json"
	"iter"
	"net/http"
	"regexp"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/jsontext"
)

// maxFederated is the maximum number of federated credentials of an application, as in the real
// service.
const maxFederated = 20

const federatedResource = "FederatedIdentityCredential"

// federated is a federated credential of an application.
type federated struct {
	directory.FederatedCredential
	of directory.Client
}

// federatedFields are the properties of federatedIdentityCredential.
var federatedFields = wire.NewFieldSet("microsoft.graph.federatedIdentityCredential", []wire.Field[federated]{
	{Name: "audiences", When: directory.ReturnedByDefault, Write: func(b []byte, f *federated) []byte {
		return jsontext.AppendList(b, f.Audiences, jsontext.AppendText)
	}},
	wire.Default("description", jsontext.AppendTextOrNull, func(f *federated) string { return f.Description }),
	wire.Default("id", jsontext.AppendID, func(f *federated) uuid.UUID { return f.ID }),
	wire.Default("issuer", jsontext.AppendText, func(f *federated) string { return f.Issuer }),
	wire.Default("name", jsontext.AppendText, func(f *federated) string { return f.Name }),
	wire.Default("subject", jsontext.AppendText, func(f *federated) string { return f.Subject }),
}).At(func(f *federated) string { return federatedSet(f.of) })

func federatedSet(a directory.Client) string {
	return "applications('" + a.ID.String() + "')/federatedIdentityCredentials"
}

// listFederated answers GET /applications/{application}/federatedIdentityCredentials.
func listFederated(r *wire.Request) error {
	if err := r.Allow("$select", "$count"); err != nil {
		return err
	}
	fields, err := federatedFields.Selected(r)
	if err != nil {
		return err
	}
	a, err := r.Application()
	if err != nil {
		return err
	}
	rows := slices.Collect(federatedOf(r, &application{Client: a}))
	return wire.SendList(r, wire.List[federated]{
		Context: r.Selected(federatedSet(a)), Rows: rows, Count: r.CountOf(len(rows)),
		Write: wire.ObjectWriter(fields),
	})
}

// federatedOf returns the federated credentials of an application.
func federatedOf(_ *wire.Request, a *application) iter.Seq[federated] {
	return func(yield func(federated) bool) {
		for _, f := range a.Federated {
			if !yield(federated{f, a.Client}) {
				return
			}
		}
	}
}

// getFederated answers GET …/federatedIdentityCredentials/{credential}, by id or by name.
func getFederated(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	a, err := r.Application()
	if err != nil {
		return err
	}
	at, err := federatedAt(r, a)
	if err != nil {
		return err
	}
	return sendFederated(r, http.StatusOK, a, a.Federated[at])
}

func sendFederated(r *wire.Request, status int, a directory.Client, f directory.FederatedCredential) error {
	fields, err := federatedFields.Selected(r)
	if err != nil {
		return err
	}
	return wire.SendEntity(r, federatedFields, status, federatedSet(a), fields, &federated{f, a})
}

// federatedAt returns the credential that the path names.
func federatedAt(r *wire.Request, a directory.Client) (int, error) {
	id, isID := guid.Parse(r.Keys[1])
	at := slices.IndexFunc(a.Federated, func(f directory.FederatedCredential) bool {
		return isID && f.ID == id || f.Name == r.Keys[1]
	})
	if at < 0 {
		return 0, problem.NotFound(r.Keys[1])
	}
	return at, nil
}

// createFederated answers POST /applications/{application}/federatedIdentityCredentials.
func createFederated(r *wire.Request) error {
	if _, err := r.Application(); err != nil { // before its body is received
		return err
	}
	members, err := federatedMembers(r)
	if err != nil {
		return err
	}
	f := directory.FederatedCredential{ID: r.NewID()}
	if err := readFederated(&f, members, "audiences", "issuer", "name", "subject"); err != nil {
		return err
	}
	a, err := rewrite(r, (*wire.Request).Application, func(a *directory.Client) error {
		if len(a.Federated) >= maxFederated {
			return problem.Refuse("The application has %d federated identity credentials already, and can "+
				"have no more.",
				maxFederated)
		}
		a.Federated = append(a.Federated, f)
		return distinct(a.Federated)
	})
	if err != nil {
		return err
	}
	r.W.Header().Set("Location", r.Root+"/"+federatedSet(a)+"/"+f.ID.String())
	return sendFederated(r, http.StatusCreated, a, f)
}

// updateFederated answers PATCH …/federatedIdentityCredentials/{credential}.
func updateFederated(r *wire.Request) error {
	a, err := r.Application()
	if err != nil {
		return err
	}
	if _, err := federatedAt(r, a); err != nil { // before its body is received
		return err
	}
	members, err := federatedMembers(r)
	if err != nil {
		return err
	}
	_, err = rewrite(r, (*wire.Request).Application, func(a *directory.Client) error {
		at, err := federatedAt(r, *a)
		if err != nil {
			return err
		}
		f := &a.Federated[at]
		name := f.Name
		if err := readFederated(f, members); err != nil {
			return err
		}
		if f.Name != name {
			return &directory.InvalidError{Kind: directory.InvalidReadOnly, Resource: federatedResource, Property: "name"}
		}
		return distinct(a.Federated)
	})
	if err != nil {
		return err
	}
	return r.SendNothing()
}

// federatedMembers reads the body of a federated credential. In beta it may name
// claimsMatchingExpression, which replaces the subject there and is not supported.
func federatedMembers(r *wire.Request) ([]directory.Member, error) {
	members, err := r.Members()
	if err != nil || !r.Beta {
		return members, err
	}
	at := slices.IndexFunc(members, func(m directory.Member) bool { return m.Is("claimsMatchingExpression") })
	switch {
	case at < 0:
		return members, nil
	case string(members[at].Value) != "null":
		return nil, &directory.InvalidError{
			Kind: directory.InvalidNotServed, Resource: federatedResource, Property: "claimsMatchingExpression",
			Want: "Federated credentials with a 'claimsMatchingExpression' are not served here. Name the one " +
				"'subject' that tokens have.",
		}
	}
	return slices.Delete(slices.Clone(members), at, at+1), nil
}

// deleteFederated answers DELETE …/federatedIdentityCredentials/{credential}.
func deleteFederated(r *wire.Request) error {
	_, err := rewrite(r, (*wire.Request).Application, func(a *directory.Client) error {
		at, err := federatedAt(r, *a)
		if err == nil {
			a.Federated = slices.Delete(a.Federated, at, at+1)
		}
		return err
	})
	if err != nil {
		return err
	}
	return r.SendNothing()
}

// federatedName matches text that needs no encoding in a URL, except . and .., which are path
// segments.
var federatedName = regexp.MustCompile(`^\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,119}$`)

func readFederated(f *directory.FederatedCredential, members []directory.Member, required ...string) error {
	var description json.RawMessage
	var audiences []string // a new slice, since images share the old one
	err := wire.Read(federatedResource, wire.WithoutID(members), map[string]any{
		"audiences": &audiences, "description": &description, "issuer": &f.Issuer, "name": &f.Name, "subject": &f.Subject,
	}, required...)
	if err != nil {
		return err
	}
	if audiences != nil {
		f.Audiences = audiences
	}
	if description != nil {
		if err := readDescription(&f.Description, description); err != nil {
			return err
		}
	}
	at := func(name string) wire.Place { return wire.Place{Resource: federatedResource, Path: name} }
	switch {
	case !directory.SafeIssuer(f.Issuer), len(f.Issuer) > 600:
		return at("issuer").Invalid(json.RawMessage(f.Issuer),
			"the https address of an issuer of tokens, or http on loopback")
	case len(f.Audiences) != 1 || f.Audiences[0] == "" || len(f.Audiences[0]) > 600:
		return at("audiences").Invalid(nil, "one audience, such as api://AzureADTokenExchange")
	case f.Subject == "" || len(f.Subject) > 600:
		return at("subject").Invalid(json.RawMessage(f.Subject), "the subject of the issuer's tokens, at most 600 characters")
	case !federatedName.MatchString(f.Name), len(f.Name) > 120:
		return at("name").Invalid(json.RawMessage(f.Name),
			"1 to 120 letters, digits, hyphens, underscores, points and tildes")
	}
	return nil
}

func readDescription(to *string, raw json.RawMessage) error {
	if _, err := wire.ShapeText(600)(nil, wire.Place{Resource: federatedResource, Path: "description"}, raw); err != nil {
		return err
	}
	*to = ""
	_ = json.Unmarshal(raw, to)
	return nil
}

// distinct refuses two credentials with one name, or with one issuer and subject: it would be
// ambiguous which of them signs in.
func distinct(list []directory.FederatedCredential) error {
	for i, f := range list {
		for _, other := range list[:i] {
			switch {
			case f.Name == other.Name:
				return problem.Conflict("FederatedIdentityCredential with name %s already exists.", f.Name)
			case f.Issuer == other.Issuer && f.Subject == other.Subject:
				return problem.Conflict("Issuer and subject combination already exists for this Managed Identity "+
					"or Application: %s has them.", other.Name)
			}
		}
	}
	return nil
}
