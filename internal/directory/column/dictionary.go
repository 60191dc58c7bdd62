package column

import (
	"strings"
	"sync"

	"licensor/internal/fold"
)

// Bounds of a dictionary. Past them, a block keeps its texts one behind another: that is slower to
// ask about, and no dictionary can grow without end by values that come and go.
const (
	maxWords     = 1<<16 - 1
	maxWordBytes = 8 << 20
)

// Dictionary numbers the different texts of a column. It only grows; numbers are never used again.
type Dictionary struct {
	mu    sync.RWMutex
	codes map[string]uint16
	words []Word // by code; the first stands for null
	bytes int
}

// Word is a text as it was written, and its folded form.
type Word struct {
	Text, Folded string
	Plain        bool // without control characters, quotation marks and backslashes: JSON has it as it is
}

// noWords are the words of all dictionaries in which there is none yet: most properties have no
// values in most tenants. What is appended to it is in an array of its own.
var noWords = make([]Word, 1)

func newDictionary() *Dictionary { return &Dictionary{words: noWords} }

// Words returns the texts by code. The first is empty and stands for null. The slice must not be
// changed.
func (d *Dictionary) Words() []Word {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.words
}

// code returns the code of a text, which it adds when it is new; false when there is no room for
// it. The empty text is 0.
func (d *Dictionary) code(text string) (uint16, bool) {
	if text == "" {
		return 0, true
	}
	d.mu.RLock()
	code, ok := d.codes[text]
	d.mu.RUnlock()
	if ok {
		return code, true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if code, ok := d.codes[text]; ok {
		return code, true
	}
	if len(d.words) > maxWords || d.bytes+len(text) > maxWordBytes {
		return 0, false
	}
	word := Word{Text: strings.Clone(text)}
	word.Folded, word.Plain = fold.Text(word.Text), isPlain(word.Text)
	code = uint16(len(d.words))
	if d.codes == nil {
		d.codes = map[string]uint16{}
	}
	d.words = append(d.words, word)
	d.codes[word.Text] = code
	d.bytes += len(text)
	return code, true
}
