// Command columns lists the comments that are longer than 100 columns in Go files below a folder,
// whose names it reads from the standard input, a line each:
//
//	git ls-files '*.go' | columns .
//
// It does not count lines of code in comments, which begin with a tab, and items of lists.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

const most = 100

func main() {
	found := false
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		name := names.Text()
		long, err := longComments(filepath.Join(os.Args[1], name))
		if err != nil {
			fmt.Fprintln(os.Stderr, "columns:", err)
			os.Exit(1)
		}
		for _, line := range long {
			fmt.Printf("%s:%d: the comment is longer than %d columns\n", name, line, most)
			found = true
		}
	}
	if found {
		os.Exit(1)
	}
}

// longComments returns the numbers of the lines of a file that are comments and too long.
func longComments(name string) (long []int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for number := 1; lines.Scan(); number++ {
		text, isComment := strings.CutPrefix(strings.TrimLeft(lines.Text(), "\t"), "// ")
		if isComment && utf8.RuneCountInString(lines.Text()) > most && !strings.HasPrefix(strings.TrimSpace(text), "- ") {
			long = append(long, number)
		}
	}
	return long, lines.Err()
}
