package compressed_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"licensor/internal/compressed"
)

// parts generates data of all lengths, some of which can be compressed.
var parts = rapid.Custom(func(t *rapid.T) []byte {
	words := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 40), 1, 20).Draw(t, "words")
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	var data []byte
	for range rapid.IntRange(0, 2000).Draw(t, "length") {
		data = append(data, words[random.IntN(len(words))]...)
	}
	return data
})

// Data is as before after it was packed, and never longer meanwhile.
func TestDataComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := parts.Draw(t, "data")
		part := compressed.Pack(data)
		if len(part) > len(data) || compressed.Size(part) != len(data) {
			t.Fatalf("%d bytes became %d, which are said to be of %d", len(data), len(part), compressed.Size(part))
		}
		back, err := compressed.Unpack(part)
		if err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%d bytes became %d: %v", len(data), len(back), err)
		}
		var read []byte
		err = compressed.Read(part, func(got []byte) error {
			read = bytes.Clone(got)
			return nil
		})
		if err != nil || !bytes.Equal(read, data) {
			t.Fatalf("%d bytes were read as %d: %v", len(data), len(read), err)
		}
	})
}

// Data of which much is alike becomes shorter, and short data is as before.
func TestWhatIsPacked(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("licensing of users "), 1000)
	if n := len(compressed.Pack(long)); n > len(long)/10 {
		t.Errorf("%d bytes of %d are left", n, len(long))
	}
	if short := []byte("licensing"); !bytes.Equal(compressed.Pack(short), short) {
		t.Error("nine bytes are packed")
	}
}

// A part that was cut off or has other bits is an error, or other data, but nothing worse: the
// store notices it by the checksum.
func TestDamagedParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := bytes.Clone(compressed.Pack(bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 10, 100).Draw(t, "data"), 200)))
		if rapid.Bool().Draw(t, "cut") {
			part = part[:rapid.IntRange(5, len(part)-1).Draw(t, "length")]
			if _, err := compressed.Unpack(part); err == nil {
				t.Fatal("a part that was cut off is read")
			}
			return
		}
		part[rapid.IntRange(4, len(part)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		data, err := compressed.Unpack(part)
		if err == nil && len(data) > 1<<20 {
			t.Fatalf("%d bytes became %d", len(part), len(data))
		}
		_ = compressed.Read(part, func([]byte) error { return nil })
		compressed.Size(part)
	})
}
