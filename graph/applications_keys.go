package graph

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/directory"
)

const (
	certificateType = "AsymmetricX509Cert"
	verifyUsage     = "Verify"
	maxKeys         = 50
	leastKeyBits    = 2048
	maxCertificate  = 16 << 10
)

// appendKeys writes keyCredentials. The key itself is not shown; customKeyIdentifier is the thumbprint, by which assertions name it (x5t).
func appendKeys(b []byte, a *application) []byte {
	return appendList(b, a.Certificates, func(b []byte, c directory.Certificate) []byte {
		thumbprint := sha1.Sum(c.DER) //nolint:gosec // a name, not a proof
		b = append(appendName(append(b, '{'), "customKeyIdentifier"), '"')
		b = append(base64.StdEncoding.AppendEncode(b, thumbprint[:]), '"')
		b = appendTextOrNull(appendName(b, "displayName"), c.DisplayName)
		b = appendTime(appendName(b, "endDateTime"), c.Expires)
		b = append(appendName(b, "key"), "null"...)
		b = appendID(appendName(b, "keyId"), c.KeyID)
		b = appendTime(appendName(b, "startDateTime"), c.Starts)
		b = appendText(appendName(b, "type"), certificateType)
		return append(appendText(appendName(b, "usage"), verifyUsage), '}')
	})
}

// keyCredential is an element of keyCredentials as a client sends it.
type keyCredential struct {
	keyID        uuid.UUID
	displayName  string
	key          *string
	kind, usage  string
	starts, ends time.Time
}

// setKeys replaces the certificates by those of a list. One that the application has already is named by its keyId, without its key, as it was
// read.
func setKeys(e editor, a *directory.Client, at placeIn, raw json.RawMessage) error {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || elements == nil || len(elements) > maxKeys {
		return at.invalid(raw, "a list of at most 50 keys")
	}
	list := make([]directory.Certificate, 0, len(elements))
	for _, element := range elements {
		k, err := readKey(at, element)
		if err != nil {
			return err
		}
		c, err := k.certificate(e, a.Certificates, at)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list, func(other directory.Certificate) bool { return other.KeyID == c.KeyID }) {
			return at.inner("keyId").invalid(json.RawMessage(c.KeyID.String()), "each keyId once")
		}
		list = append(list, c)
	}
	if a.Certificates = list; len(list) == 0 {
		a.Certificates = nil // none is always the same
	}
	return nil
}

func readKey(at placeIn, raw json.RawMessage) (k keyCredential, err error) {
	members, err := membersAt(at, raw)
	if err != nil {
		return k, err
	}
	for _, m := range members {
		switch at := at.inner(m.Name); m.Name {
		case "displayName":
			err = readName(&k.displayName, at, m.Value)
		case "startDateTime":
			err = readMoment(&k.starts, at, m.Value)
		case "endDateTime":
			err = readMoment(&k.ends, at, m.Value)
		case "keyId":
			if string(m.Value) != "null" {
				k.keyID, err = readGUID(m.Value)
			}
		case "key":
			if json.Unmarshal(m.Value, &k.key) != nil {
				err = at.invalid(m.Value, wantKey)
			}
		case "type", "usage":
			var text string
			if err = json.Unmarshal(m.Value, &text); err != nil {
				err = at.invalid(m.Value, "a text")
			}
			if m.Name == "type" {
				k.kind = text
			} else {
				k.usage = text
			}
		case "customKeyIdentifier": // follows from the certificate
		default:
			err = &directory.Invalid{Kind: directory.Unknown, Resource: at.resource, Property: at.path}
		}
		if err != nil {
			return k, err
		}
	}
	return k, nil
}

const wantKey = "an X.509 certificate in DER, in base64, with an RSA key of at least 2048 bits"

// certificate makes the certificate of a key: one of those that are there, or a new one.
func (k keyCredential) certificate(e editor, there []directory.Certificate, at placeIn) (directory.Certificate, error) {
	if k.key == nil {
		i := slices.IndexFunc(there, func(c directory.Certificate) bool { return c.KeyID == k.keyID })
		if i < 0 {
			return directory.Certificate{}, &directory.Invalid{Kind: directory.Missing, Resource: at.resource, Property: at.path + ".key", Want: wantKey}
		}
		return there[i], nil
	}
	if k.kind != certificateType {
		return directory.Certificate{}, at.inner("type").invalid(json.RawMessage(k.kind), "'"+certificateType+"'")
	}
	if k.usage != verifyUsage {
		return directory.Certificate{}, at.inner("usage").invalid(json.RawMessage(k.usage), "'"+verifyUsage+"'")
	}
	cert, err := parseCertificate(*k.key)
	if err != nil {
		return directory.Certificate{}, at.inner("key").invalid(nil, wantKey)
	}
	c := directory.Certificate{KeyID: k.keyID, DisplayName: k.displayName, DER: cert.Raw, Starts: k.starts, Expires: k.ends}
	if c.KeyID == uuid.Nil {
		c.KeyID = e.newID()
	}
	return c, within(&c, cert, e.now)
}

// within completes the times of a certificate, which are not beyond its own.
func within(c *directory.Certificate, cert *x509.Certificate, now time.Time) error {
	if c.Starts.IsZero() {
		c.Starts = cert.NotBefore.UTC()
	}
	if c.Expires.IsZero() {
		c.Expires = cert.NotAfter.UTC()
	}
	switch {
	case c.Expires.After(cert.NotAfter), !c.Expires.After(now), !c.Expires.After(c.Starts):
		return refuse("Key credential end date is invalid: %s. It is not past, and not after the certificate's own, %s.",
			c.Expires.Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339))
	case c.Starts.Before(cert.NotBefore.Truncate(time.Second)):
		return refuse("Key credential start date is invalid: %s. It is not before the certificate's own, %s.",
			c.Starts.Format(time.RFC3339), cert.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// parseCertificate reads base64 of DER, or of PEM as some clients send.
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
