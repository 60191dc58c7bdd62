package column

import (
	"strings"
	"sync"

	"licensor/internal/fold"
)

// Limits of a dictionary. Beyond them, a block stores its texts consecutively, which is slower to
// query. Without limits a dictionary would grow forever when values change.
const (
	maxWords     = 1<<16 - 1
	maxWordBytes = 8 << 20
)

// Dictionary numbers the different texts of a column. It only grows; numbers are not reused.
type Dictionary struct {
	mu    sync.RWMutex
	codes map[string]uint16
	words []Word // by code; the first one stands for null
	bytes int
	begun bool // a run of some size was made
}

// Word is a text in its original and its folded form.
type Word struct {
	Text, Folded string
	Plain        bool // without control characters, quotation marks and backslashes: JSON needs no escaping
}

// noWords are the words of all empty dictionaries: most properties have no values in most tenants.
// Appending to it allocates a new array.
var noWords = make([]Word, 1)

func newDictionary() *Dictionary { return &Dictionary{words: noWords} }

// Words returns the texts by code. The first is empty and stands for null. The slice must not be
// changed.
func (d *Dictionary) Words() []Word {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.words
}

// fewTexts is a number of texts from which nothing can be concluded.
const fewTexts = 16

// spares reports whether a new run should store its texts consecutively, because most of them
// differ. A text in a dictionary takes five times as much memory, which is much in the single block
// of a small tenant. It is true of one run at most, so that texts that many blocks have are in the
// dictionary in the end.
func (d *Dictionary) spares(edits []edit) bool {
	if grown(edits) < fewTexts {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun {
		return false
	}
	different, all := map[string]bool{}, 0
	for _, e := range edits {
		for _, text := range e.texts {
			if text != "" {
				different[text] = true
				all++
			}
		}
	}
	d.begun = all >= fewTexts
	return d.begun && len(different) > all/2
}

// code returns the code of a text, which it adds if it is new; false if there is no room for it.
// The empty text has code 0.
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
