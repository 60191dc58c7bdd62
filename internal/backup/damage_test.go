package backup_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"licensor/internal/backup"
)

func check(t *testing.T, data []byte) error {
	t.Helper()
	_, err := backup.Check(t.Context(), bytes.NewReader(data), nil)
	return err
}

// boundaries are where the pieces of a backup begin, and its end.
func boundaries(data []byte) []int {
	at := 16 + 4 + 1 + int(data[20]) + 32
	list := []int{0, at}
	for at < len(data) {
		at += 5 + 32 + int(binary.BigEndian.Uint32(data[at+1:]))
		list = append(list, at)
	}
	return list
}

func TestEveryByteThatIsAnotherIsFound(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	pieces := boundaries(data)
	for at := range data {
		data[at] ^= 1 << (at % 8)
		err := check(t, data)
		data[at] ^= 1 << (at % 8)
		if err == nil {
			t.Fatalf("a bit of byte %d is another, and that is not found", at)
		}
		wantPlace(t, err, at, pieces)
	}
}

// wantPlace wants an error to name the piece in which a byte is.
func wantPlace(t *testing.T, err error, at int, pieces []int) {
	t.Helper()
	var damaged *backup.DamagedError
	if !errors.As(err, &damaged) {
		if at >= 16 {
			t.Fatalf("byte %d is another: %v", at, err)
		}
		return
	}
	piece := 0
	for pieces[piece+1] <= at {
		piece++
	}
	if damaged.Piece != piece || damaged.Offset != int64(pieces[piece]) {
		t.Fatalf("byte %d is another, in piece %d, which begins at byte %d; it answers: %v", at, piece, pieces[piece], err)
	}
}

func TestABackupThatWasCutOff(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	cuts := boundaries(data)
	cuts = cuts[:len(cuts)-1]
	for at := 1; at < len(data); at += 5 {
		cuts = append(cuts, at)
	}
	for _, at := range cuts {
		err := check(t, data[:at])
		if err == nil {
			t.Fatalf("the first %d bytes are taken for a backup", at)
		}
		if !bytes.Contains([]byte(err.Error()), []byte("cut off")) && at >= 16 {
			t.Fatalf("after %d bytes: %v", at, err)
		}
	}
}

// Pieces are each whole, but one is missing, comes twice, or has changed places with another.
func TestPiecesThatAreMissingOrMoved(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	b := boundaries(data)
	for i := 1; i+1 < len(b); i++ {
		piece, before, after := data[b[i]:b[i+1]], data[:b[i]], data[b[i+1]:]
		changed := map[string][]byte{
			"missing": bytes.Join([][]byte{before, after}, nil),
			"twice":   bytes.Join([][]byte{before, piece, piece, after}, nil),
		}
		if i+2 < len(b) {
			next := data[b[i+1]:b[i+2]]
			changed["behind the next"] = bytes.Join([][]byte{before, next, piece, data[b[i+2]:]}, nil)
		}
		for how, data := range changed {
			if check(t, data) == nil {
				t.Errorf("piece %d is %s, and that is not found", i, how)
			}
		}
	}
	if check(t, append(bytes.Clone(data), 0)) == nil {
		t.Error("a byte after the end is not found")
	}
}

// Pieces of one backup do not fit into another, not even of the same tenants.
func TestPiecesOfAnotherBackup(t *testing.T) {
	t.Parallel()
	one, _ := sample(t)
	other, _ := sample(t)
	if check(t, append(bytes.Clone(one[:boundaries(one)[4]]), other[boundaries(other)[4]:]...)) == nil {
		t.Error("a backup that was put together of two is not found")
	}
}

func TestAnotherFormatIsRefused(t *testing.T) {
	t.Parallel()
	for _, format := range []uint32{0, 2, 7} {
		_, err := backup.Check(t.Context(), bytes.NewReader(backup.Header("9.8.7", format)), nil)
		var refused *backup.FormatError
		if !errors.As(err, &refused) || refused.Format != format || refused.Known != 1 || refused.Program != "9.8.7" {
			t.Errorf("format %d answers %v", format, err)
		}
		wantError(t, err, fmt.Sprint("in format ", format), "formats up to 1", "run version 9.8.7 or newer")
	}
	for _, other := range []string{"", "licensor", "SQLite format 3\x00and more of it behind that, as there is"} {
		wantError(t, check(t, []byte(other)), "not a backup of Licensor")
	}
}

// A record with a field that this version does not know is refused, not read without it.
func TestUnknownFieldsAreRefused(t *testing.T) {
	t.Parallel()
	data, err := backup.WithUnknownField()
	if err != nil {
		t.Fatal(err)
	}
	err = check(t, data)
	if !errors.As(err, new(*backup.DamagedError)) {
		t.Errorf("it answers %v", err)
	}
	wantError(t, err, "cannot be read")
}

func TestAReaderThatFails(t *testing.T) {
	t.Parallel()
	data, _ := sample(t)
	broken := errors.New("the disk is broken")
	for _, at := range []int{0, 10, 100, len(data) - 1, len(data)} {
		r := io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(broken))
		_, err := backup.Check(t.Context(), r, nil)
		if !errors.Is(err, broken) || errors.As(err, new(*backup.DamagedError)) {
			t.Errorf("when reading fails after %d bytes: %v", at, err)
		}
	}
}
