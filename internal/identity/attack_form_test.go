package identity

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestATokenHasOneForm: anything that is not a compact serialization of three parts is not a token,
// though other libraries might find one in it.
func TestATokenHasOneForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.issue(t, robot())
	parts := strings.Split(good, ".")
	header, payload, signature := parts[0], parts[1], parts[2]
	plain, _ := base64.RawURLEncoding.DecodeString(payload)
	bytes, _ := base64.RawURLEncoding.DecodeString(signature)
	for name, raw := range map[string]string{
		"a space in the payload":       header + "." + payload[:9] + " " + payload[9:] + "." + signature,
		"a tab in the payload":         header + "." + payload[:9] + "\t" + payload[9:] + "." + signature,
		"a line end in the payload":    header + "." + payload[:9] + "\n" + payload[9:] + "." + signature,
		"a carriage return at the end": good + "\r",
		"a line end at the end":        good + "\n",
		"a space at the end":           good + " ",
		"a space before":               " " + good,
		"a no-break space at the end":  good + "\u00a0",
		"a byte order mark":            "\ufeff" + good,
		"a quoted token":               `"` + good + `"`,
		"a percent-encoded dot":        header + "%2E" + payload + "." + signature,
		"percent-encoded letters":      "%65" + good[1:],
		"padding of the header":        header + "==." + payload + "." + signature,
		"padding of the payload":       header + "." + payload + "=." + signature,
		"padding of the signature":     good + "==",
		"standard base64": header + "." + base64.RawStdEncoding.EncodeToString(plain) +
			"." + base64.RawStdEncoding.EncodeToString(bytes),
		"padded standard base64": header + "." + base64.StdEncoding.EncodeToString(plain) +
			"." + base64.StdEncoding.EncodeToString(bytes),
		"claims that are not encoded": header + "." + string(plain) + "." + signature,
		"a signature with a byte more": header + "." + payload + "." +
			base64.RawURLEncoding.EncodeToString(append(bytes[:len(bytes):len(bytes)], 0)),
		"a signature with a zero before": header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(append([]byte{0}, bytes...)),
		"a signature with a byte less":   header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(bytes[:len(bytes)-1]),
		"a signature twice":              header + "." + payload + "." + signature + signature,
		"no signature":                   header + "." + payload + ".",
		"no signature and no dot":        header + "." + payload,
		"a detached payload":             header + ".." + signature,
		"an encrypted token":             header + ".AAAA.AAAA." + payload + "." + signature,
		"four parts":                     good + "." + signature,
		"two tokens":                     good + "." + good,
		"two tokens with a comma":        good + "," + good,
		"two tokens with a space":        good + " " + good,
		"the flattened JSON":             `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`,
		"the general JSON":               `{"payload":"` + payload + `","signatures":[{"protected":"` + header + `","signature":"` + signature + `"}]}`,
		"the parts in another order":     payload + "." + header + "." + signature,
		"a header from elsewhere":        base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + good,
	} {
		t.Run(name, func(t *testing.T) {
			if caller, err := w.Verify(t.Context(), raw); err == nil {
				t.Errorf("it is accepted as %+v", caller)
			}
			w.wantMessage(t, good, "") // and the good one still is
		})
	}
}
