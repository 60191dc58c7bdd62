package directory

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"licensor/internal/fold"
)

// The formats of texts, and their descriptions in messages.
const (
	wantMail      = "an address such as ann@contoso.com, without accents"
	wantProxy     = "an address such as SMTP:ann@contoso.com or sip:ann@contoso.com"
	wantNickname  = `ASCII characters except @ ( ) \ [ ] " ; : < > , and space`
	wantPrincipal = "name@domain with at most 64 characters before the @ and 48 after it, " +
		"of A-Z a-z 0-9 ' . - _ ! # ^ ~"
	wantCountry  = "a two-letter ISO 3166 country code"
	wantLanguage = "a language such as en or en-US"
	wantPolicies = "DisablePasswordExpiration, DisableStrongPassword, both with a comma between them, or None"
)

func upper(text string) string { return strings.ToUpper(text) }

func onlyASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func isMail(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	return ok && local != "" && domain != "" && len(text) <= 256 && onlyASCII(text) && !strings.Contains(domain, "@")
}

// isProxyAddress accepts any kind of address: X500 addresses have spaces.
func isProxyAddress(text string) bool {
	address := text
	if prefix, rest, ok := strings.Cut(text, ":"); ok {
		if address = rest; strings.EqualFold(prefix, "smtp") {
			return isMail(strings.TrimSpace(rest))
		}
	}
	return strings.TrimSpace(address) != ""
}

func isNickname(text string) bool {
	return onlyASCII(text) && !strings.ContainsAny(text, `@()\[]";:<>,`)
}

// isPrincipalName checks the format of user names; Organization checks their domains.
func isPrincipalName(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	return ok && len(local) <= 64 && isLocalName(local) && len(domain) <= 48 && isDomain(domain)
}

func isLocalName(local string) bool {
	return local != "" && !strings.HasSuffix(local, ".") &&
		strings.IndexFunc(local, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("'.-_!#^~", r) }) < 0
}

func isDomain(domain string) bool {
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.IndexFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) >= 0 {
			return false
		}
	}
	return true
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func isLanguage(text string) bool {
	for i, part := range strings.Split(text, "-") {
		if len(part) < 2 || len(part) > 8 || i == 0 && len(part) > 3 ||
			strings.IndexFunc(part, func(r rune) bool { return !isAlphanumeric(r) }) >= 0 {
			return false
		}
	}
	return true
}

var passwordPolicies = []string{"None", "DisablePasswordExpiration", "DisableStrongPassword"}

// spelledPolicies gives known policies their standard spelling.
func spelledPolicies(text string) string {
	policies := strings.Split(text, ",")
	for i, policy := range policies {
		if known, ok := fold.Among(passwordPolicies, strings.TrimSpace(policy)); ok {
			policies[i] = strings.Replace(policy, strings.TrimSpace(policy), known, 1)
		}
	}
	return strings.Join(policies, ",")
}

func isPasswordPolicies(text string) bool {
	for policy := range strings.SplitSeq(text, ",") {
		if !slices.Contains(passwordPolicies, strings.TrimSpace(policy)) {
			return false
		}
	}
	return true
}

// AppendSID writes the security identifier of an object, which is its id as four numbers in
// Windows' byte order.
func AppendSID(dst []byte, id uuid.UUID) []byte {
	dst = append(dst, `"S-1-12-1`...)
	numbers := [4]uint32{
		binary.BigEndian.Uint32(id[0:]),
		uint32(binary.BigEndian.Uint16(id[6:]))<<16 | uint32(binary.BigEndian.Uint16(id[4:])),
		binary.LittleEndian.Uint32(id[8:]),
		binary.LittleEndian.Uint32(id[12:]),
	}
	for _, n := range numbers {
		dst = strconv.AppendUint(append(dst, '-'), uint64(n), 10)
	}
	return append(dst, '"')
}
