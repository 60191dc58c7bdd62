package graph

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
)

const (
	certificateType = "AsymmetricX509Cert"
	verifyUsage     = "Verify"
	maxKeys         = 50
	leastKeyBits    = 2048
	maxCertificate  = 16 << 10
)

// appendKeys writes keyCredentials. The key itself is not shown; customKeyIdentifier is the
// thumbprint, by which assertions name it (x5t).
func appendKeys(b []byte, list []directory.Certificate) []byte {
	return jsontext.AppendList(b, list, func(b []byte, c directory.Certificate) []byte {
		return append(appendKeyMembers(append(b, '{'), c), '}')
	})
}

func appendKeyMembers(b []byte, c directory.Certificate) []byte {
	thumbprint := sha1.Sum(c.DER) // a name, not a proof
	b = append(jsontext.AppendName(b, "customKeyIdentifier"), '"')
	b = append(base64.StdEncoding.AppendEncode(b, thumbprint[:]), '"')
	b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), c.DisplayName)
	b = jsontext.AppendTime(jsontext.AppendName(b, "endDateTime"), c.Expires)
	b = append(jsontext.AppendName(b, "key"), "null"...)
	b = jsontext.AppendID(jsontext.AppendName(b, "keyId"), c.KeyID)
	b = jsontext.AppendTime(jsontext.AppendName(b, "startDateTime"), c.Starts)
	b = jsontext.AppendText(jsontext.AppendName(b, "type"), certificateType)
	return jsontext.AppendText(jsontext.AppendName(b, "usage"), verifyUsage)
}

// keyCredential is an element of keyCredentials in a request.
type keyCredential struct {
	keyID        uuid.UUID
	displayName  string
	key          *string
	kind, usage  string
	starts, ends time.Time
}

// setKeys replaces the certificates by those of a list. An existing one is given by its keyId,
// without its key, as in a response.
func setKeys(of func(*directory.Client) *[]directory.Certificate) edit {
	return func(e editor, a *directory.Client, at wire.Place, raw json.RawMessage) (err error) {
		*of(a), err = readKeys(e, *of(a), at, raw)
		return err
	}
}

func readKeys(
	e editor, there []directory.Certificate, at wire.Place, raw json.RawMessage,
) ([]directory.Certificate, error) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || elements == nil || len(elements) > maxKeys {
		return nil, at.Invalid(raw, "a list of at most 50 keys")
	}
	var list []directory.Certificate // nil if there are none, so that equal states are equal
	for _, element := range elements {
		k, err := readKey(at, element)
		if err != nil {
			return nil, err
		}
		c, err := k.certificate(e, there, at)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(other directory.Certificate) bool { return other.KeyID == c.KeyID }) {
			return nil, at.Inner("keyId").Invalid(json.RawMessage(c.KeyID.String()), "each keyId once")
		}
		list = append(list, c)
	}
	return list, nil
}

// keyNames are the properties of keyCredential.
var keyNames = []string{"customKeyIdentifier", "displayName", "endDateTime", "key", "keyId", "startDateTime", "type", "usage"}

func readKey(at wire.Place, raw json.RawMessage) (k keyCredential, err error) {
	members, err := wire.MembersAt(at, raw)
	if err != nil {
		return k, err
	}
	wire.Spell(members, keyNames)
	for _, m := range members {
		switch at := at.Inner(m.Name); m.Name {
		case "displayName":
			err = readName(&k.displayName, at, m.Value)
		case "startDateTime":
			err = readMoment(&k.starts, at, m.Value)
		case "endDateTime":
			err = readMoment(&k.ends, at, m.Value)
		case "keyId":
			if string(m.Value) != "null" {
				k.keyID, err = wire.ReadID(at.Path, m.Value)
			}
		case "key":
			if json.Unmarshal(m.Value, &k.key) != nil {
				err = at.Invalid(m.Value, wantKey)
			}
		case "type", "usage":
			var text string
			if err = json.Unmarshal(m.Value, &text); err != nil {
				err = at.Invalid(m.Value, "a text")
			}
			if m.Name == "type" {
				k.kind = text
			} else {
				k.usage = text
			}
		case "customKeyIdentifier": // determined by the certificate
		default:
			err = &directory.InvalidError{Kind: directory.InvalidUnknown, Resource: at.Resource, Property: at.Path}
		}
		if err != nil {
			return k, err
		}
	}
	return k, nil
}

const wantKey = "an X.509 certificate in DER, in base64, with an RSA key of at least 2048 bits"

// certificate returns the certificate of a key: an existing one, or a new one.
func (k keyCredential) certificate(
	e editor, there []directory.Certificate, at wire.Place,
) (directory.Certificate, error) {
	if k.key == nil {
		i := slices.IndexFunc(there, func(c directory.Certificate) bool { return c.KeyID == k.keyID })
		if i < 0 {
			return directory.Certificate{}, &directory.InvalidError{
				Kind: directory.InvalidMissing, Resource: at.Resource, Property: at.Path + ".key", Want: wantKey,
			}
		}
		return there[i], nil
	}
	if !fold.Equal(k.kind, certificateType) {
		return directory.Certificate{}, at.Inner("type").Invalid(json.RawMessage(k.kind), "'"+certificateType+"'")
	}
	if !fold.Equal(k.usage, verifyUsage) {
		return directory.Certificate{}, at.Inner("usage").Invalid(json.RawMessage(k.usage), "'"+verifyUsage+"'")
	}
	cert, err := parseCertificate(*k.key)
	if err != nil {
		return directory.Certificate{}, at.Inner("key").Invalid(nil, wantKey)
	}
	c := directory.Certificate{
		KeyID: k.keyID, DisplayName: k.displayName, DER: cert.Raw, Starts: k.starts, Expires: k.ends,
	}
	if c.KeyID == uuid.Nil {
		c.KeyID = e.newID()
	}
	return c, within(&c, cert, e.now)
}

// within completes the times of a certificate, which must be within its own.
func within(c *directory.Certificate, cert *x509.Certificate, now time.Time) error {
	if c.Starts.IsZero() {
		c.Starts = cert.NotBefore.UTC()
	}
	if c.Expires.IsZero() {
		c.Expires = cert.NotAfter.UTC()
	}
	switch {
	case c.Expires.After(cert.NotAfter), !c.Expires.After(now), !c.Expires.After(c.Starts):
		return problem.Refuse("Key credential end date is invalid: %s. It is not past, and not after the "+
			"certificate's own, %s.",
			c.Expires.Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339))
	case c.Starts.Before(cert.NotBefore.Truncate(time.Second)):
		return problem.Refuse("Key credential start date is invalid: %s. It is not before the certificate's own, %s.",
			c.Starts.Format(time.RFC3339), cert.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// parseCertificate parses base64 of DER, or of PEM, which some clients send.
func parseCertificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(der) > maxCertificate {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < leastKeyBits {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	return cert, nil
}

// addKey answers POST /applications/{application}/addKey and similar operations: a holder of a
// certificate adds another, and proves that it has the private key of one.
func (h holder) addKey(r *wire.Request) error {
	if _, err := h.find(r); err != nil { // before its body is received
		return err
	}
	var wanted, ofOthers json.RawMessage
	var proof string
	parameters := map[string]any{"keyCredential": &wanted, "proof": &proof}
	parameters["passwordCredential"] = &ofOthers // for other types of keys
	if err := r.Parameters(parameters); err != nil {
		return err
	}
	at := wire.Place{Resource: "KeyCredential", Path: "keyCredential"}
	k, err := readKey(at, wanted)
	if err != nil {
		return err
	}
	var added directory.Certificate
	_, err = rewrite(r, h.find, func(a *directory.Client) (err error) {
		if err := isLocked(a, "keyCredentials"); err != nil {
			return err
		}
		keys := h.certificates(a)
		if err := h.proved(r, a, proof); err != nil {
			return err
		}
		if added, err = k.certificate(editorFor(r, at.Resource), nil, at); err != nil {
			return err
		}
		if len(*keys) >= maxKeys {
			return problem.Refuse("The %s has %d keys already, and can have no more. Remove those that are out of "+
				"use with removeKey.", h.resource, maxKeys)
		}
		if slices.ContainsFunc(*keys, func(c directory.Certificate) bool { return c.KeyID == added.KeyID }) {
			return at.Inner("keyId").Invalid(json.RawMessage(added.KeyID.String()),
				"the keyId of no other key of the "+h.resource)
		}
		*keys = append(*keys, added)
		return nil
	})
	if err != nil {
		return err
	}
	b := r.AppendHead(r.Begin(), "microsoft.graph.keyCredential")
	return r.Send(http.StatusOK, append(appendKeyMembers(b, added), '}'))
}

// removeKey answers POST /applications/{application}/removeKey and similar operations.
func (h holder) removeKey(r *wire.Request) error {
	if _, err := h.find(r); err != nil { // before its body is received
		return err
	}
	var key uuid.UUID
	var proof string
	if err := r.Parameters(map[string]any{"keyId": &key, "proof": &proof}, "keyId", "proof"); err != nil {
		return err
	}
	_, err := rewrite(r, h.find, func(a *directory.Client) error {
		if err := h.proved(r, a, proof); err != nil {
			return err
		}
		keys := h.certificates(a)
		kept := slices.DeleteFunc(slices.Clone(*keys), func(c directory.Certificate) bool { return c.KeyID == key })
		if len(kept) == len(*keys) {
			return problem.Refuse("No key credential found with keyId '%s'.", key)
		}
		*keys = kept
		return nil
	})
	if err != nil {
		return err
	}
	return r.SendNothing()
}

// proved refuses callers without the private key of one of the holder's certificates.
func (h holder) proved(r *wire.Request, a *directory.Client, proof string) error {
	var certificates []identity.Certificate
	for _, c := range *h.certificates(a) {
		certificates = append(certificates, identity.Certificate{DER: c.DER, Expires: c.Expires})
	}
	if err := identity.CheckProof(proof, h.issuer(a).String(), certificates, r.Now); err != nil {
		return problem.Refuse("The proof of possession is invalid: %s.", err)
	}
	return nil
}
