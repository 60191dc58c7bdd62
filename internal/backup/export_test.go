package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// Header is the header of a backup in another format.
func Header(program string, format uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte(magic), format)
	head = append(append(head, byte(len(program))), program...)
	sum := sha256.Sum256(head)
	return append(head, sum[:]...)
}

// WithUnknownField is a backup whose end has a field more.
func WithUnknownField() ([]byte, error) {
	var out bytes.Buffer
	p, err := newPieceWriter(&out, "1.2.3")
	if err != nil {
		return nil, err
	}
	err = p.add(kindEnd, []any{0, 0, 0, nil, "new"})
	return out.Bytes(), err
}
