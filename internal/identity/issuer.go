package identity

import (
	"strings"

	"licensor/internal/guid"

	"github.com/google/uuid"
)

// issuer is the iss claim of our tokens, {root}/{tenant}/v2.0 (A2). Its root is the address that
// the client uses for the authority, and one authority has several: localhost, 127.0.0.1, the name
// in its certificate. So an issuer is recognized as ours by the secret key that signed the token,
// and by its form; its root is not checked. This is safe: a client that sends a false Host header
// to the token endpoint gets a token with that host in its issuer, which has the same permissions
// as any other.
type issuer struct {
	root   string
	tenant uuid.UUID
}

const issuerSuffix = "/v2.0"

func (i issuer) String() string { return i.root + "/" + i.tenant.String() + issuerSuffix }

// Issuer returns the iss claim of a tenant's tokens, for clients that reach the authority at a root
// (A2).
func Issuer(root string, tenant uuid.UUID) string { return issuer{root, tenant}.String() }

// parseIssuer returns ok only for the form that String writes, with a root of http or https.
func parseIssuer(text string) (i issuer, ok bool) {
	path, ok := strings.CutSuffix(text, issuerSuffix)
	if !ok {
		return issuer{}, false
	}
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return issuer{}, false
	}
	root, id := path[:slash], path[slash+1:]
	scheme, host, ok := strings.Cut(root, "://")
	if !ok || !isHTTP(scheme) || !validHost(host) {
		return issuer{}, false
	}
	tenant, ok := parseID(id)
	return issuer{root: root, tenant: tenant}, ok
}

// accepts reports whether a token of this issuer with an audience is for this server (A14): Graph
// by either name, or our own root, which is the root of the authority that issued the token. It
// does not use the root of the current request: a token for another resource must not become valid
// here because of a Host header.
func (i issuer) accepts(audience string) bool {
	return audience == GraphURL || audience == GraphAppID || audience == i.root
}

// parseID parses a UUID, only in the usual form of 36 characters, in lower case.
func parseID(text string) (uuid.UUID, bool) {
	id, ok := guid.Parse(text)
	return id, ok && id.String() == text
}
