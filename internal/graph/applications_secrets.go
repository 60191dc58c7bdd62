package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

// The lifetime of secrets, and their maximum number.
const (
	usualSecret = 2 * 365 * 24 * time.Hour // unless the client sets another, as in the real service
	maxSecrets  = 50
)

// appendSecrets writes the public properties of secrets, and the texts of those that were just
// created.
func appendSecrets(b []byte, list []directory.Secret, texts map[uuid.UUID]string) []byte {
	return jsontext.AppendList(b, list, func(b []byte, s directory.Secret) []byte {
		return appendSecret(b, s, texts[s.KeyID])
	})
}

// holder is an object with secrets and certificates: an application, or a service principal.
type holder struct {
	resource     string
	find         func(*wire.Request) (directory.Client, error)
	issuer       func(*directory.Client) uuid.UUID // of proofs of possession of a key
	secrets      func(*directory.Client) *[]directory.Secret
	certificates func(*directory.Client) *[]directory.Certificate
}

// The holders.
var (
	ofApplication = holder{
		applicationResource, (*wire.Request).Application, func(a *directory.Client) uuid.UUID { return a.ID },
		func(a *directory.Client) *[]directory.Secret { return &a.Secrets },
		func(a *directory.Client) *[]directory.Certificate { return &a.Certificates },
	}
	ofPrincipal = holder{
		principalResource, ownPrincipal, func(a *directory.Client) uuid.UUID { return a.Principal.ID },
		func(a *directory.Client) *[]directory.Secret { return &a.Principal.Secrets },
		func(a *directory.Client) *[]directory.Certificate { return &a.Principal.Certificates },
	}
)

// appendSecret writes a secret, with its text if it was just created.
func appendSecret(b []byte, s directory.Secret, text string) []byte {
	b = appendSecretMembers(append(b, '{'), s, text)
	return append(b, '}')
}

func appendSecretMembers(b []byte, s directory.Secret, text string) []byte {
	b = append(jsontext.AppendName(b, "customKeyIdentifier"), "null"...)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), s.DisplayName)
	b = jsontext.AppendTime(jsontext.AppendName(b, "endDateTime"), s.Expires)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "hint"), s.Hint)
	b = jsontext.AppendID(jsontext.AppendName(b, "keyId"), s.KeyID)
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "secretText"), text)
	return jsontext.AppendTime(jsontext.AppendName(b, "startDateTime"), s.Starts)
}

// addPassword answers POST /applications/{application}/addPassword and similar operations: it
// creates a secret, whose text cannot be read again.
func (h holder) addPassword(r *wire.Request) error {
	if _, err := h.find(r); err != nil { // before its body is received
		return err
	}
	var wanted json.RawMessage
	if err := r.Parameters(map[string]any{"passwordCredential": &wanted}); err != nil {
		return err
	}
	secret, text, err := newSecret(r, wire.Place{Resource: "PasswordCredential", Path: "passwordCredential"}, wanted)
	if err != nil {
		return err
	}
	_, err = rewrite(r, h.find, func(a *directory.Client) error {
		if err := isLocked(a, "passwordCredentials"); err != nil {
			return err
		}
		secrets := h.secrets(a)
		if len(*secrets) >= maxSecrets {
			return problem.Refuse("The %s has %d passwords already, and can have no more. Remove those that are "+
				"out of use with removePassword.", h.resource, maxSecrets)
		}
		*secrets = append(*secrets, secret)
		return nil
	})
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "microsoft.graph.passwordCredential")
	return r.Send(http.StatusOK, append(appendSecretMembers(b, secret, text), '}'))
}

// isLocked refuses to add credentials to the service principal of one of Microsoft's own clients.
// It is a public client, and anyone with such a credential could sign in as it.
func isLocked(a *directory.Client, property string) error {
	if own, ok := identity.FirstPartyByID(a.AppID); ok {
		return problem.Refuse("Property %s of the service principal of '%s' cannot be updated: "+
			"it is locked, because the application is Microsoft's own.", property, own.DisplayName)
	}
	return nil
}

// secretNames are the properties of passwordCredential.
var secretNames = []string{"customKeyIdentifier", "displayName", "endDateTime", "hint", "keyId", "secretText", "startDateTime"}

// newSecret creates a secret as requested by {"displayName":…,"startDateTime":…,"endDateTime":…},
// whose members are all optional.
func newSecret(r *wire.Request, at wire.Place, wanted json.RawMessage) (directory.Secret, string, error) {
	secret := directory.Secret{KeyID: r.NewID()}
	if err := secretAs(&secret, at, wanted); err != nil {
		return secret, "", err
	}
	if err := lifetime(&secret, r.Now); err != nil {
		return secret, "", err
	}
	text, err := identity.NewSecret(r.Random)
	if err != nil {
		return secret, "", err
	}
	hash := identity.HashSecret(text)
	secret.Hash, secret.Hint = hash[:], text[:3]
	return secret, text, nil
}

// takeSecrets removes the passwordCredentials of a new application from a body, and returns them
// with their texts.
func takeSecrets(
	r *wire.Request, body []directory.Member,
) (rest []directory.Member, list []directory.Secret, texts map[uuid.UUID]string, err error) {
	at := slices.IndexFunc(body, func(m directory.Member) bool { return m.Is("passwordCredentials") })
	if at < 0 {
		return body, nil, nil, nil
	}
	place := wire.Place{Resource: applicationResource, Path: "passwordCredentials"}
	var elements []json.RawMessage
	if json.Unmarshal(body[at].Value, &elements) != nil || elements == nil || len(elements) > maxSecrets {
		return nil, nil, nil, place.Invalid(body[at].Value, "a list of at most 50 passwords")
	}
	texts = map[uuid.UUID]string{}
	for _, element := range elements {
		secret, text, err := newSecret(r, place, element)
		if err != nil {
			return nil, nil, nil, err
		}
		list, texts[secret.KeyID] = append(list, secret), text
	}
	return slices.Delete(slices.Clone(body), at, at+1), list, texts, nil
}

// setSecrets keeps only the secrets whose keyId is in a list, so an empty list removes all. Only
// addPassword creates new ones.
func setSecrets(of func(*directory.Client) *[]directory.Secret) edit {
	return func(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
		var named []struct{ KeyID uuid.UUID }
		if json.Unmarshal(raw, &named) != nil || named == nil {
			return at.Invalid(raw, "a list of passwords")
		}
		var kept []directory.Secret // nil if there are none, so that equal states are equal
		for _, s := range *of(a) {
			if slices.ContainsFunc(named, func(n struct{ KeyID uuid.UUID }) bool { return n.KeyID == s.KeyID }) {
				kept = append(kept, s)
			}
		}
		if len(kept) != len(named) {
			return problem.Refuse("New password credentials must be generated with service actions.")
		}
		*of(a) = kept
		return nil
	}
}

func secretAs(secret *directory.Secret, at wire.Place, wanted json.RawMessage) error {
	members, err := wire.MembersAt(at, wanted)
	if err != nil {
		return err
	}
	wire.Spell(members, secretNames)
	for _, m := range members {
		switch at := at.Inner(m.Name); {
		case m.Name == "displayName":
			err = readName(&secret.DisplayName, at, m.Value)
		case m.Name == "startDateTime":
			err = readMoment(&secret.Starts, at, m.Value)
		case m.Name == "endDateTime":
			err = readMoment(&secret.Expires, at, m.Value)
		case string(m.Value) == "null" ||
			slices.Contains([]string{"keyId", "customKeyIdentifier", "hint"}, m.Name):
			// clients send values back that they have read
		default:
			err = &directory.InvalidError{Kind: directory.InvalidReadOnly, Resource: at.Resource, Property: at.Path}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func lifetime(s *directory.Secret, now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	if s.Starts.IsZero() {
		s.Starts = now
	}
	if s.Expires.IsZero() {
		s.Expires = s.Starts.Add(usualSecret)
	}
	if !s.Expires.After(s.Starts) || !s.Expires.After(now) {
		return problem.Refuse("Credential lifetime is invalid: endDateTime is %s, which is not after "+
			"startDateTime, or is past.", s.Expires.Format(time.RFC3339))
	}
	return nil
}

// readName reads a text of at most 120 characters, or null.
func readName(to *string, at wire.Place, raw json.RawMessage) error {
	if _, err := wire.ShapeText(120)(nil, at, raw); err != nil {
		return err
	}
	_ = json.Unmarshal(raw, to)
	return nil
}

// readMoment reads a time, or null.
func readMoment(to *time.Time, at wire.Place, raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil || to.Year() < 2000 || to.Year() > 9998 {
		return at.Invalid(raw, "a time such as 2026-01-31T12:00:00Z")
	}
	*to = to.UTC().Truncate(time.Second)
	return nil
}

// removePassword answers POST /applications/{application}/removePassword and similar operations.
func (h holder) removePassword(r *wire.Request) error {
	if _, err := h.find(r); err != nil { // before its body is received
		return err
	}
	var key uuid.UUID
	if err := r.Parameters(map[string]any{"keyId": &key}); err != nil {
		return err
	}
	_, err := rewrite(r, h.find, func(a *directory.Client) error {
		secrets := h.secrets(a)
		kept := slices.DeleteFunc(slices.Clone(*secrets), func(s directory.Secret) bool { return s.KeyID == key })
		if len(kept) == len(*secrets) {
			return problem.Refuse("No password credential found with keyId '%s'.", key)
		}
		*secrets = kept
		return nil
	})
	if err != nil {
		return err
	}
	return r.SendNothing()
}
