package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"licensor/internal/server"
)

// howToTrust prints how clients can trust the local authority, if there is one.
func howToTrust(out io.Writer, s *server.Security) {
	if s.Authority() == "" {
		return
	}
	fmt.Fprintf(out, `
The certificate is from a local authority, for %[2]s.
Clients must trust %[1]s.

  one program, by its environment:
    SSL_CERT_FILE=%[1]s         # Go and .NET on Linux, Ruby, OpenSSL
    NODE_EXTRA_CA_CERTS=%[1]s   # Node.js
    REQUESTS_CA_BUNDLE=%[1]s    # Python
    curl --cacert %[1]s
  everything on the machine:
    Debian, Ubuntu  sudo cp %[1]s /usr/local/share/ca-certificates/licensor.crt && sudo update-ca-certificates
    macOS           sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain %[1]s
    Windows         certutil -user -addstore Root %[1]s
    PowerShell      Import-Certificate -CertStoreLocation Cert:\CurrentUser\Root -FilePath %[1]s

Anyone with its key can pretend to be any server to them: keep %[3]s secret.

`, shellWord(s.Authority()), strings.Join(s.CertifiedNames(), ", "), s.AuthorityKey())
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:\\~@%+=,-]+$`)

// shellWord quotes a text as one word of a command line.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
