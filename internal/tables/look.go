package tables

import (
	"io"
	"os"
	"runtime"

	"golang.org/x/term"
)

// Look is what the place can show where a table is printed. The zero value is that of a file.
type Look struct {
	Width int // in characters; 0: unlimited
	Color bool
}

// usualWidth is the width of a terminal that does not say how wide it is.
const usualWidth = 80

// LookOf returns the look of a terminal with an environment, and the zero value for anything else.
func LookOf(out io.Writer, getenv func(string) string) Look {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return Look{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		width = usualWidth
	}
	return Look{Width: width, Color: Colored(runtime.GOOS, getenv)}
}

// Colored reports whether a terminal is used with colors: not if NO_COLOR is set
// (https://no-color.org), and not if it may not know them.
func Colored(system string, getenv func(string) string) bool {
	kind := getenv("TERM")
	if getenv("NO_COLOR") != "" || kind == "dumb" {
		return false
	}
	return system != "windows" || kind != "" || getenv("WT_SESSION") != ""
}

// Sign is how a cell is colored.
type Sign string

// The signs, as parameters of the escape sequence that selects them.
const (
	Plain   Sign = ""
	Good    Sign = "32"
	Warning Sign = "33"
	Bad     Sign = "31"
	heading Sign = "1"
)

func (s Sign) paint(text string, look Look) string {
	if s == Plain || !look.Color || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
