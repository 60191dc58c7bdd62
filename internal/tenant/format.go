package tenant

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"licensor/internal/store"
)

// The formats of commits and of a snapshot's head. A change that a program of the previous format
// cannot read, or would misread, needs a new number, and a database of the previous format in
// testdata of package engine.
const (
	// Format is the one that this version writes, and the newest that it reads.
	Format = 15
	// OldestWritten is the oldest one that this version can write.
	OldestWritten = Format

	formatOldest = 1 // that this version reads

	// FormatWithColumns is the first in which commits have the values of columns, and snapshots have
	// the columns. Format 3 adds links between objects, 4 administrative units, 5 which properties of
	// applications have changed, when app roles were assigned and when imports came, 6
	// writebackConfiguration of groups.
	FormatWithColumns = 2
	// The log is a chain. Format 8 has the members of groups and other sets of users in parts, 9 the
	// states of dynamic groups, 10 the records of the audit log in commits, 11 how long sign-ins are
	// kept, 12 commits of several commands, 13 prices, 14 which errors there
	// were before a commit, and results of reprocessing, 15 compressed parts of snapshots.
	formatWithChain = 7
	// formatWithTrail is the first in which snapshots have the trail.
	formatWithTrail = 11
	// FormatWithErrors is the first in which commits say which errors there were before.
	FormatWithErrors = 14
)

// checkFormat refuses formats that this version does not read.
func checkFormat(what string, format uint32) error {
	if format >= formatOldest && format <= Format {
		return nil
	}
	return fmt.Errorf("%s is in format %d, and this version reads formats up to %d: "+
		"run the version that wrote it or a newer one", what, format, Format)
}

// decoding refuses unknown fields, which the next snapshot would lose, and duplicate ones.
var decoding = decodingMode(cbor.DecOptions{
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	DupMapKey:         cbor.DupMapKeyEnforcedAPF,
})

// decodingFormat decodes a format number from fields that may be unknown.
var decodingFormat = decodingMode(cbor.DecOptions{})

// decodingMode allows long lists, as in commits of a large tenant.
func decodingMode(options cbor.DecOptions) cbor.DecMode {
	options.MaxArrayElements, options.MaxMapPairs = 1<<27, 1<<20
	mode, err := options.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}

// Decoded are the effects of a command, from a commit.
type Decoded struct {
	Operation string
	*Effects
}

// DecodeCommit decodes the effects of each command of a commit: of one, or of those that made the
// commit together. It checks the format first: that error is clearer than one about an unknown
// field.
func DecodeCommit(c store.Commit) ([]Decoded, error) {
	if err := checkFormat(fmt.Sprintf("commit %d", c.Seq), c.Format); err != nil {
		return nil, err
	}
	f, err := decodeEffects(c.Seq, c.Effects)
	if err != nil || len(f.Steps) == 0 {
		return []Decoded{{c.Operation, f}}, err
	}
	list := make([]Decoded, len(f.Steps))
	for i, step := range f.Steps {
		one, err := decodeEffects(c.Seq, step.Effects)
		if err == nil && len(one.Steps) > 0 {
			err = fmt.Errorf("commit %d has steps within step %d", c.Seq, i+1)
		}
		if err != nil {
			return nil, err
		}
		list[i] = Decoded{step.Operation, one}
	}
	return list, nil
}

func decodeEffects(seq uint64, data []byte) (*Effects, error) {
	f := new(Effects)
	if err := decoding.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("read effects of commit %d: %w", seq, err)
	}
	return f, nil
}

// DecodeHead decodes a snapshot's head.
func DecodeHead(data []byte) (*Head, error) {
	first := struct {
		Format uint32 `cbor:"13,keyasint"` // as in head
	}{Format: 1}
	if err := decodingFormat.Unmarshal(data, &first); err != nil {
		return nil, err
	}
	if err := checkFormat("it", first.Format); err != nil {
		return nil, err
	}
	h := new(Head)
	if err := decoding.Unmarshal(data, h); err != nil {
		return nil, err
	}
	if h.Format = first.Format; h.Format < FormatWithColumns {
		h.Parts = PartNames{}
		for _, old := range h.OldParts {
			h.Parts["licensing"] = append(h.Parts["licensing"], old.Licensing)
			h.Parts["directory"] = append(h.Parts["directory"], old.Directory)
		}
	}
	return h, nil
}
