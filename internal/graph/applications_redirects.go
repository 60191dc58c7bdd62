package graph

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// client is the kind of program at a redirect address.
type client uint8

const (
	webClient    client = iota // a server, which has a secret
	pageClient                 // a page in a browser
	publicClient               // a program on a user's device
)

const (
	maxRedirects      = 256
	maxRedirectLength = 256
)

const wantRedirect = "an absolute https address, or http on localhost, 127.0.0.1 or [::1], without a fragment, a " +
	"wildcard or a user's name"

// checkRedirect returns the error in a redirect address, or "". Anyone who receives a code at such
// an address can sign in, so only the application may receive requests there: the connection must
// be encrypted, or the address must be on the user's own device.
func (c client) checkRedirect(address string) (want string) {
	u, err := url.Parse(address)
	switch {
	case err != nil, len(address) > maxRedirectLength, strings.ContainsAny(address, "#* \t\r\n\\"), u.User != nil:
		return wantRedirect
	case u.Scheme == "https" && u.Hostname() != "":
		return ""
	case u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(u.Hostname())):
		return ""
	case c == webClient && u.Scheme == "urn" && u.Opaque != "": // no browser goes there: the code is read from the page
		return ""
	case c == publicClient && u.Scheme != "" && !slices.Contains(noRedirects, u.Scheme) &&
		strings.TrimPrefix(address, u.Scheme+":") != "":
		return ""
	case c == publicClient:
		return wantRedirect + "; or one with a scheme of the application's own"
	}
	return wantRedirect
}

// noRedirects are schemes that no application owns.
var noRedirects = []string{"http", "https", "javascript", "vbscript", "data", "file", "blob", "about", "ws", "wss", "ftp"}

// readRedirects reads a list of addresses.
func (c client) readRedirects(at wire.Place, raw json.RawMessage) ([]string, error) {
	var list []string
	if raw == nil {
		return nil, nil
	}
	if json.Unmarshal(raw, &list) != nil || list == nil || len(list) > maxRedirects {
		return nil, at.Invalid(raw, "a list of at most 256 addresses")
	}
	for i, address := range list {
		if want := c.checkRedirect(address); want != "" {
			return nil, at.Invalid(json.RawMessage(address), want)
		}
		if slices.Contains(list[:i], address) {
			return nil, at.Invalid(json.RawMessage(address), "each address once")
		}
	}
	if len(list) == 0 {
		return nil, nil // nil if there are none, so that equal states are equal
	}
	return list, nil
}

func publicRedirects(r *directory.Redirects) *[]string { return &r.Public }
func pageRedirects(r *directory.Redirects) *[]string   { return &r.SPA }

// setRedirects returns the edit of {"redirectUris":[…]}.
func setRedirects(c client, of func(*directory.Redirects) *[]string) edit {
	return func(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
		if string(raw) == "null" {
			*of(&a.Redirects) = nil
			return nil
		}
		members, err := wire.MembersAt(at, raw)
		if err != nil {
			return err
		}
		for _, m := range members {
			if !m.Is("redirectUris") {
				return &directory.InvalidError{
					Kind: directory.InvalidUnknown, Resource: at.Resource, Property: at.Path + "." + m.Name,
				}
			}
			if *of(&a.Redirects), err = c.readRedirects(at.Inner("redirectUris"), m.Value); err != nil {
				return err
			}
		}
		return nil
	}
}

// setWeb is the edit of web: its addresses have an effect, and the rest is only stored.
func setWeb(_ editor, a *directory.Client, at wire.Place, raw json.RawMessage) error {
	if string(raw) == "null" {
		a.Redirects.Web = nil
		delete(a.Properties, "web")
		return nil
	}
	members, err := wire.MembersAt(at, raw)
	if err != nil {
		return err
	}
	rest := []byte{'{'}
	wire.Spell(members, []string{"redirectUris", "redirectUriSettings"})
	for _, m := range members {
		switch m.Name {
		case "redirectUris":
			if a.Redirects.Web, err = webClient.readRedirects(at.Inner(m.Name), m.Value); err != nil {
				return err
			}
		case "redirectUriSettings":
			return &directory.InvalidError{
				Kind: directory.InvalidNotServed, Resource: at.Resource, Property: at.Path + "." + m.Name,
				Want: "web.redirectUriSettings follows from web.redirectUris here. Set those.",
			}
		default:
			rest = append(append(jsontext.AppendText(jsontext.AppendComma(rest), m.Name), ':'), m.Value...)
		}
	}
	return keptProperty{"web", webShape, whole(webShape)}.set(a.Properties, at, append(rest, '}'))
}

func appendRedirects(b []byte, list []string) []byte {
	return append(jsontext.AppendList(append(b, `{"redirectUris":`...), list, jsontext.AppendText), '}')
}

// appendWeb writes the stored properties of web, and its addresses.
func appendWeb(b []byte, a *application) []byte {
	kept := a.Properties["web"]
	if kept == nil {
		kept = json.RawMessage(keptOfWeb)
	}
	b = jsontext.AppendList(append(append(b, kept[:len(kept)-1]...), `,"redirectUris":`...), a.Redirects.Web, jsontext.AppendText)
	b = jsontext.AppendList(append(b, `,"redirectUriSettings":`...), a.Redirects.Web, func(b []byte, uri string) []byte {
		return append(jsontext.AppendText(append(b, `{"index":null,"uri":`...), uri), '}')
	})
	return append(b, '}')
}

var keptOfWeb = whole(webShape)
