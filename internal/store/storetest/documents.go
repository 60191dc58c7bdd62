package storetest

import (
	"bytes"
	"encoding/json"
)

type document = map[string]any

func decode(text []byte) document {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var decoded document
	if err := decoder.Decode(&decoded); err != nil {
		panic(err)
	}
	return decoded
}

// oddTexts are texts that databases often get wrong.
var oddTexts = []string{
	"", "a", "A", "ab", "aB\x00c", "\x00", "k", "\u212a", "s", "ſ", "ß", "ẞ", "SS", "i", "İ", "ı", "å", "\u212b", "Å", "é", "É",
	"e\u0301", "ǆ", "ǅ", "Ǆ", "σ", "ς", "Σ", "😀", "\U0010ffff", "a\U0010ffff", "\u007f", "\u0080", "\uffff", "'", "\"", "\\", "%", "_", "*", "[a]", "?1", "41", "null",
	"2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z", "2024-01-01T00:00:10Z", "2024-01-01T00:00:1Z", "2024-01-01T00:00:00", "1e2",
}
