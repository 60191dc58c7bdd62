package membership

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// Pattern is a regular expression in the dialect of .NET, without regard to letter case (D60, D61).
// It is safe for concurrent use.
type Pattern struct {
	text         string
	linear       *regexp.Regexp  // nil if the pattern may mean something else to it (D63)
	backtracking *regexp2.Regexp // nil if linear is not
}

// Limits of a match on the backtracking engine, which measures the time by a clock of its own that
// ticks while there are matches (D64).
const (
	maxMatchTime  = 100 * time.Millisecond
	maxMatchStack = 1 << 20 // numbers
	matchTick     = 10 * time.Millisecond
)

func init() { regexp2.SetTimeoutCheckPeriod(matchTick) }

var errSlow = errors.New("it was not finished within the limits of time and memory")

// CompilePattern compiles a pattern (D62).
func CompilePattern(text string) (*Pattern, error) {
	p, err := compileBacktracking(text)
	if err != nil {
		return nil, err
	}
	if isLinear(text) {
		if linear, err := regexp.Compile("(?i)" + text); err == nil {
			return &Pattern{text: text, linear: linear}, nil
		}
	}
	return p, nil
}

// compileBacktracking decides which texts are patterns, whichever engine they run on.
func compileBacktracking(text string) (p *Pattern, err error) {
	defer recovered(&err)
	re, err := regexp2.Compile(text, regexp2.IgnoreCase, regexp2.OptionMaxBacktrackingStackSize(maxMatchStack))
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = maxMatchTime
	return &Pattern{text: text, backtracking: re}, nil
}

// recovered turns a panic of the backtracking engine, which would be a bug of it, into an error.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("the engine of patterns failed: %v", cause)
	}
}

// Match reports whether some part of a text matches. The text must be folded (fold.Text), as
// columns have it. An error says that the pattern takes too long on the text (D64).
func (p *Pattern) Match(folded string) (is bool, err error) {
	if p.linear != nil {
		return p.linear.MatchString(folded), nil
	}
	defer recovered(&err)
	// The second attempt is for a process that was paused in the first: the limit is not of its time.
	for range 2 {
		if is, err = p.backtracking.MatchString(folded); err == nil {
			return is, nil
		}
	}
	return false, errSlow // the engine's errors have the text, which logs and other users must not show
}

// canFail reports whether Match can return an error.
func (p *Pattern) canFail() bool { return p.linear == nil }

// isLinear reports whether a pattern has only what means the same in Go and in .NET: characters,
// classes of characters, alternatives, groups, repetitions, ^, \A and \z (D63). Everything else is
// left to the other engine.
func isLinear(pattern string) bool {
	for rest := pattern; rest != ""; {
		n := linearPart(rest)
		if n == 0 {
			return false
		}
		rest = rest[n:]
	}
	return utf8.ValidString(pattern)
}

// linearPart returns the length of the first part of a pattern; 0 if it is not linear.
func linearPart(rest string) int {
	switch rest[0] {
	case '\\':
		return escapeLength(rest, "Az")
	case '(':
		if strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:") {
			return 0
		}
		return len(rest) - len(strings.TrimPrefix(strings.TrimPrefix(rest, "("), "?:"))
	case '[':
		return classLength(rest)
	case '{':
		return len(repetition.FindString(rest))
	case '$', ']', '}':
		return 0
	}
	return 1
}

var repetition = regexp.MustCompile(`^\{\d{1,4}(,\d{0,4})?\}`)

// escapeLength returns the length of an escaped punctuation mark, or of one of some letters.
func escapeLength(rest, letters string) int {
	if len(rest) > 1 && strings.ContainsRune(`\.+*?()|[]{}^$-/@#`+letters, rune(rest[1])) {
		return 2
	}
	return 0
}

// classLength returns the length of a class of characters and ranges; 0 if it has anything else,
// such as another class within it.
func classLength(rest string) int {
	at := 1
	if strings.HasPrefix(rest, "[^") {
		at = 2
	}
	for first := at; at < len(rest); {
		switch rest[at] {
		case ']':
			if at == first {
				return 0
			}
			return at + 1
		case '[':
			return 0
		case '\\':
			n := escapeLength(rest[at:], "")
			if n == 0 {
				return 0
			}
			at += n
		default:
			at++
		}
	}
	return 0
}
