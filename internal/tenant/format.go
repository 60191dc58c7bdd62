package tenant

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"licensor/internal/store"
)

// The formats of commits and of a snapshot's head: the one that is written, and the oldest that is
// read. A change that a program of the last format cannot read, or would misread, needs a new
// number, and a database of the last one in testdata.
const (
	formatNow    = 8
	formatOldest = 1

	// Commits say which values have changed, and snapshots have the columns. 3 has links between
	// objects, 4 administrative units, 5 which properties of applications have changed, when app
	// roles were given, and when imports came, 6 writebackConfiguration of groups.
	formatWithColumns = 2
	// The log is a chain. 8 has the members of groups and other sets of users in parts.
	formatWithChain = 7
)

// Format is the format of commits that this version writes, and the newest that it reads.
const Format = formatNow

// checkFormat refuses what this version does not read.
func checkFormat(what string, format uint32) error {
	if format >= formatOldest && format <= formatNow {
		return nil
	}
	return fmt.Errorf("%s is in format %d, and this version reads formats up to %d: "+
		"run the version that wrote it or a newer one", what, format, formatNow)
}

// decoding refuses unknown fields, which the next snapshot would lose, and duplicate ones.
var decoding = decodingMode(cbor.DecOptions{
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
})

// decodingFormat reads a format number among fields that may be unknown.
var decodingFormat = decodingMode(cbor.DecOptions{})

// decodingMode allows the long lists that a commit over a large tenant has.
func decodingMode(options cbor.DecOptions) cbor.DecMode {
	options.MaxArrayElements, options.MaxMapPairs = 1<<27, 1<<20
	mode, err := options.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}

// decodeCommit reads a commit's effects. The format comes first: it says more than an unknown
// field.
func decodeCommit(c store.Commit) (*Effects, error) {
	if err := checkFormat(fmt.Sprintf("commit %d", c.Seq), c.Format); err != nil {
		return nil, err
	}
	f := new(Effects)
	if err := decoding.Unmarshal(c.Effects, f); err != nil {
		return nil, fmt.Errorf("read effects of commit %d: %w", c.Seq, err)
	}
	return f, nil
}

// decodeHead reads a snapshot's head.
func decodeHead(data []byte) (*head, error) {
	first := struct {
		Format uint32 `cbor:"13,keyasint"` // as in head
	}{Format: 1}
	if err := decodingFormat.Unmarshal(data, &first); err != nil {
		return nil, err
	}
	if err := checkFormat("it", first.Format); err != nil {
		return nil, err
	}
	h := new(head)
	if err := decoding.Unmarshal(data, h); err != nil {
		return nil, err
	}
	if h.Format = first.Format; h.Format < formatWithColumns {
		h.Parts = partNames{}
		for _, old := range h.OldParts {
			h.Parts["licensing"] = append(h.Parts["licensing"], old.Licensing)
			h.Parts["directory"] = append(h.Parts["directory"], old.Directory)
		}
	}
	return h, nil
}
