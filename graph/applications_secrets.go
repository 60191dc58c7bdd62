package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/directory"
	"licensor/identity"
)

// How long secrets last, and how many there can be.
const (
	usualSecret = 2 * 365 * 24 * time.Hour // unless the client says otherwise, as in the real service
	maxSecrets  = 50
)

// appendSecrets writes what may be known of an application's secrets: nothing that they can be found out with.
func appendSecrets(b []byte, a *application) []byte {
	return appendList(b, a.Secrets, func(b []byte, s directory.Secret) []byte { return appendSecret(b, s, "") })
}

// appendSecret writes a secret, with its text only when it is made.
func appendSecret(b []byte, s directory.Secret, text string) []byte {
	b = appendSecretMembers(append(b, '{'), s, text)
	return append(b, '}')
}

func appendSecretMembers(b []byte, s directory.Secret, text string) []byte {
	b = append(appendName(b, "customKeyIdentifier"), "null"...)
	b = appendTextOrNull(appendName(b, "displayName"), s.DisplayName)
	b = appendTime(appendName(b, "endDateTime"), s.Expires)
	b = appendTextOrNull(appendName(b, "hint"), s.Hint)
	b = appendID(appendName(b, "keyId"), s.KeyID)
	b = appendTextOrNull(appendName(b, "secretText"), text)
	return appendTime(appendName(b, "startDateTime"), s.Starts)
}

// addPassword answers POST /applications/{application}/addPassword: a new secret, whose text nobody can read again.
func (api *API) addPassword(r *request) error {
	secret, err := api.readSecret(r)
	if err != nil {
		return err
	}
	text, err := identity.NewSecret(api.Random)
	if err != nil {
		return err
	}
	hash := identity.HashSecret(text)
	secret.Hash, secret.Hint = hash[:], text[:3]
	_, err = r.rewrite((*request).application, func(a *directory.Client) error {
		if len(a.Secrets) >= maxSecrets {
			return refuse("The application has %d passwords already, and can have no more. Remove those that are out of use with removePassword.", maxSecrets)
		}
		a.Secrets = append(a.Secrets, secret)
		return nil
	})
	if err != nil {
		return err
	}
	b := r.appendHead(r.begin(), "microsoft.graph.passwordCredential")
	return r.send(http.StatusOK, append(appendSecretMembers(b, secret, text), '}'))
}

// readSecret reads {"passwordCredential":{"displayName":…,"startDateTime":…,"endDateTime":…}}, all of which may be left out.
func (api *API) readSecret(r *request) (directory.Secret, error) {
	secret := directory.Secret{KeyID: api.NewID()}
	var wanted json.RawMessage
	if err := r.parameters("addPassword", map[string]any{"passwordCredential": &wanted}); err != nil {
		return secret, err
	}
	at := placeIn{"PasswordCredential", "passwordCredential"}
	members, err := membersAt(at, wanted)
	if err != nil {
		return secret, err
	}
	for _, m := range members {
		switch at := at.inner(m.Name); {
		case m.Name == "displayName":
			err = readName(&secret.DisplayName, at, m.Value)
		case m.Name == "startDateTime":
			err = readMoment(&secret.Starts, at, m.Value)
		case m.Name == "endDateTime":
			err = readMoment(&secret.Expires, at, m.Value)
		case string(m.Value) == "null" || slices.Contains([]string{"keyId", "customKeyIdentifier", "hint", "@odata.type"}, m.Name): // clients send back what they have read
		default:
			err = &directory.Invalid{Kind: directory.ReadOnly, Resource: at.resource, Property: at.path}
		}
		if err != nil {
			return secret, err
		}
	}
	return secret, lifetime(&secret, r.now)
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
		return refuse("Credential lifetime is invalid: endDateTime is %s, which is not after startDateTime, or is past.", s.Expires.Format(time.RFC3339))
	}
	return nil
}

// readName reads a text of at most 120 characters, or null.
func readName(to *string, at placeIn, raw json.RawMessage) error {
	if _, err := shapeText(120)(nil, at, raw); err != nil {
		return err
	}
	_ = json.Unmarshal(raw, to)
	return nil
}

// readMoment reads a time, or null.
func readMoment(to *time.Time, at placeIn, raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil || to.Year() < 2000 || to.Year() > 9998 {
		return at.invalid(raw, "a time such as 2026-01-31T12:00:00Z")
	}
	*to = to.UTC().Truncate(time.Second)
	return nil
}

// removePassword answers POST /applications/{application}/removePassword.
func (api *API) removePassword(r *request) error {
	var key uuid.UUID
	if err := r.parameters("removePassword", map[string]any{"keyId": &key}, "keyId"); err != nil {
		return err
	}
	_, err := r.rewrite((*request).application, func(a *directory.Client) error {
		kept := slices.DeleteFunc(a.Secrets, func(s directory.Secret) bool { return s.KeyID == key })
		if len(kept) == len(a.Secrets) {
			return refuse("No password credential found with keyId '%s'.", key)
		}
		a.Secrets = kept
		return nil
	})
	if err != nil {
		return err
	}
	return r.sendNothing()
}
