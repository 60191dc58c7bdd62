package own

import (
	"bytes"

	"licensor/internal/tenant"
)

// plainMembership reads a membership that is written in the usual way: without spaces, the group
// first, and with texts that need no unquoting. Most lines of large imports are such, and reading
// them as JSON takes ten times as long.
func plainMembership(line []byte) (*tenant.Membership, bool) {
	group, rest := plainText(line, `{"member":{"group":"`)
	member, rest := plainText(rest, `,"member":"`)
	if string(rest) != "}}" {
		return nil, false
	}
	return &tenant.Membership{Group: string(group), Member: string(member)}, true
}

// plainText returns the text that follows a prefix, up to a quotation mark, and what follows that.
// It returns nil if there is another prefix, or if the text has other characters than printable
// ones of ASCII or needs unquoting.
func plainText(line []byte, prefix string) (text, rest []byte) {
	line, ok := bytes.CutPrefix(line, []byte(prefix))
	if !ok {
		return nil, nil
	}
	for i, c := range line {
		switch {
		case c == '"':
			return line[:i], line[i+1:]
		case c < ' ' || c > '~' || c == '\\':
			return nil, nil
		}
	}
	return nil, nil
}
