package directory

import "bytes"

// nul is the character U+0000 in documents, where it is escaped.
var nul = []byte(`\u0000`)

// HasNUL reports whether a text in a document has the character U+0000.
func HasNUL(document []byte) bool {
	return bytes.Contains(document, nul) && !bytes.Equal(WithoutNUL(document), document)
}

// WithoutNUL returns a document in which U+FFFD replaces the character U+0000.
func WithoutNUL(document []byte) []byte {
	next := make([]byte, 0, len(document))
	for at := 0; at < len(document); {
		switch {
		case document[at] != '\\' || at+1 == len(document):
			next = append(next, document[at])
			at++
		case bytes.HasPrefix(document[at:], nul):
			next = append(next, "\uFFFD"...)
			at += len(nul)
		default: // another escaped character
			next = append(next, document[at:at+2]...)
			at += 2
		}
	}
	return next
}
