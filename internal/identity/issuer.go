package identity

import (
	"strings"

	"licensor/internal/guid"

	"github.com/google/uuid"
)

// issuer is the iss claim of our tokens, {root}/{tenant}/v2.0 (A2). Its root is the address the
// client knows the authority by, and one authority has several: localhost, 127.0.0.1, the name in
// its certificate. So an issuer is known to be ours by the key that signed the token, which nobody
// else has, and by its form; its root is not compared with anything. Nothing is lost by that: a
// client that sends a false Host header to the token endpoint gets a token with that host in its
// issuer, which lets it do exactly what a token with the true one would.
type issuer struct {
	root   string
	tenant uuid.UUID
}

const issuerSuffix = "/v2.0"

func (i issuer) String() string { return i.root + "/" + i.tenant.String() + issuerSuffix }

// Issuer is the iss claim of a tenant's tokens, for clients that reach the authority at a root
// (A2).
func Issuer(root string, tenant uuid.UUID) string { return issuer{root, tenant}.String() }

// parseIssuer returns ok only for what String writes for a root of http or https.
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

// accepts says whether a token of this issuer with an audience is meant for us (A14): Graph by
// either name, or our own root, which is the root of the authority that issued the token. It is not
// taken from the request at hand: a token for another resource must not become one for us because
// of a Host header.
func (i issuer) accepts(audience string) bool {
	return audience == GraphURL || audience == GraphAppID || audience == i.root
}

// parseID reads a UUID in the usual form of 36 characters, in lower case, only.
func parseID(text string) (uuid.UUID, bool) {
	id, ok := guid.Parse(text)
	return id, ok && id.String() == text
}
