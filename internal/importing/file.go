package importing

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"licensor/internal/directory"
	"licensor/internal/excerpt"
)

// File is a file to import.
type File struct {
	Name string // "-" for the standard input
	Kind Kind
	Size int64 // in bytes; -1 if unknown

	line bool   // its rows are lines of the API's import, as an export has them
	id   string // under which the server stores its progress; empty if the file cannot be identified again
	read atomic.Int64
	file io.Reader
	rows records
}

// MisuseError is an error of the arguments: files that do not fit each other or their kind.
type MisuseError struct {
	OfKind bool // the kind of the files must be given, or another one
	err    error
}

func (e *MisuseError) Error() string { return e.err.Error() }

// Unwrap returns the error.
func (e *MisuseError) Unwrap() error { return e.err }

func misuse(err error) error { return &MisuseError{false, err} }

func misuseOfKind(problem string, args ...any) error {
	return &MisuseError{true, fmt.Errorf(problem, args...)}
}

// record is a row of a file: its JSON object, or the error in it.
type record struct {
	line   int
	object []byte // in one line; valid until the next row is read
	fault  error
}

// records reads a file row by row. next returns io.EOF after the last, and other errors when
// nothing more can be read.
type records interface {
	next() (record, error)
	// names are the properties of the first row.
	names() []string
	// notes are messages about the whole file.
	notes() []string
}

// Open opens all files, determines their kinds and returns them in the order in which they must be
// imported. The name - is the standard input. told is the kind of all files, or empty. Errors that
// the caller can fix with other arguments are a *MisuseError. The caller must close the files, also
// after an error.
func Open(names []string, told Kind, stdin io.Reader) (list []*File, err error) {
	if told != "" && !told.known() {
		return nil, misuseOfKind("the kind is %q: it must be users, groups, members or subscriptions", told)
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return list, misuse(fmt.Errorf("%s is named twice", name))
		}
		s := &File{Name: name, Kind: told, Size: -1}
		if len(names) > 1 && isEmptyTable(name) {
			continue
		}
		list = append(list, s)
		if err := s.open(stdin); err != nil {
			return list, fmt.Errorf("%s: %w", name, err)
		}
	}
	slices.SortStableFunc(list, func(a, b *File) int {
		return slices.Index(inOrder, a.Kind) - slices.Index(inOrder, b.Kind)
	})
	return list, nil
}

// isEmptyTable reports whether a file is that of a table without rows, of which an export has many.
func isEmptyTable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0 && strings.HasSuffix(name, ".jsonl")
}

// Close closes the files.
func Close(list []*File) {
	for _, s := range list {
		if file, ok := s.file.(*os.File); ok {
			_ = file.Close() // it was only read
		}
	}
}

func (s *File) open(stdin io.Reader) (err error) {
	s.file = stdin
	if s.Name != "-" {
		file, err := os.Open(s.Name)
		if err != nil {
			return err
		}
		s.file = file
		if s.Size, err = sizeOf(file); err != nil {
			return err
		}
	}
	if s.rows, err = newRecords(s); err != nil {
		return err
	}
	if k, ok := exportedKind(s.rows); ok {
		if s.Kind != "" && s.Kind != k {
			return misuse(fmt.Errorf("it is an export of %s, not of %s", k, s.Kind))
		}
		s.Kind, s.line = k, true
	}
	if s.Kind == "" {
		if s.Kind, err = guess(s.Name, s.rows.names()); err != nil {
			return err
		}
	}
	if table, ok := s.rows.(*table); ok {
		if err := table.settle(s.Kind); err != nil {
			return err
		}
	}
	return s.identify()
}

// exportedKind returns the kind of the first row if it is a line of the API's import.
func exportedKind(rows records) (Kind, bool) {
	var first *record
	switch rows := rows.(type) {
	case *lines:
		first = rows.first
	case *list:
		if rows.bare {
			first = rows.first
		}
	}
	if first == nil {
		return "", false
	}
	fields, err := directory.Members(first.object)
	if err != nil || len(fields) != 1 || !bytes.HasPrefix(fields[0].Value, []byte("{")) {
		return "", false
	}
	for _, k := range inOrder {
		if k == Kind(fields[0].Name) || k.line() == fields[0].Name && k != KindSettings {
			return k, true
		}
	}
	return "", false
}

// sizeOf returns the size of a regular file, and -1 for anything else.
func sizeOf(file *os.File) (int64, error) {
	info, err := file.Stat()
	switch {
	case err != nil:
		return 0, err
	case info.IsDir():
		return 0, errors.New("it is a folder; name the files in it")
	case !info.Mode().IsRegular():
		return -1, nil
	}
	return info.Size(), nil
}

// identify returns an id for a regular file: a hash of its content. A hash of less than the whole
// content would not change with every correction, and the corrections would be skipped.
func (s *File) identify() error {
	if s.Size < 0 {
		return nil
	}
	file, err := os.Open(s.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\x00%s\x00", s.Kind, filepath.Base(s.Name))
	if _, err := io.Copy(hash, file); err != nil {
		return err
	}
	s.id = hex.EncodeToString(hash.Sum(nil)[:16])
	return nil
}

// counted is a file that counts the bytes that are read.
type counted struct{ *File }

func (s counted) Read(b []byte) (int, error) {
	n, err := s.file.Read(b)
	s.read.Add(int64(n))
	return n, err
}

// newRecords detects the format by the beginning of the file.
func newRecords(s *File) (records, error) {
	in := bufio.NewReaderSize(counted{s}, 64<<10)
	start, err := in.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
		start = start[3:]
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, errors.New(`the file is UTF-16; save it as UTF-8 ("CSV UTF-8" in a spreadsheet)`)
	case bytes.HasPrefix(start, []byte("PK")), bytes.HasPrefix(start, []byte("\x1f\x8b")):
		return nil, errors.New("the file is a workbook or an archive; save the sheet as \"CSV UTF-8\", or unpack it")
	}
	start = bytes.TrimLeft(start, " \t\r\n")
	switch {
	case len(start) == 0:
		return nil, errors.New("the file is empty")
	case start[0] == '[', start[0] == '{' && isAnswer(start):
		return newList(in, false)
	case start[0] == '{' && isBroken(start):
		return newList(in, true)
	case start[0] == '{':
		return newLines(in)
	default:
		return newTable(in)
	}
}

// isAnswer reports whether an object is a response of Graph, {"@odata.context": …, "value": […]},
// rather than the first row.
func isAnswer(start []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(start))
	_, _ = decoder.Token()
	for {
		name, err := decoder.Token()
		text, ok := name.(string)
		switch {
		case err != nil || !ok:
			return false
		case text == "value":
			value, err := decoder.Token()
			return err == nil && value == json.Delim('[')
		case !strings.HasPrefix(text, "@odata."):
			return false
		}
		var skipped json.RawMessage
		if decoder.Decode(&skipped) != nil {
			return false
		}
	}
}

// isBroken reports whether the first object is written in several lines, as tools show it.
func isBroken(start []byte) bool {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	if bytes.Equal(bytes.TrimSpace(line), []byte("{")) {
		return true
	}
	var first json.RawMessage
	return json.NewDecoder(bytes.NewReader(start)).Decode(&first) == nil && bytes.Contains(first, []byte("\n"))
}

// telling are properties that only one kind has.
var telling = map[string]Kind{
	"userprincipalname": KindUsers, "accountenabled": KindUsers,
	"grouptypes": KindGroups, "securityenabled": KindGroups, "mailenabled": KindGroups,
	"group": KindMembers, "member": KindMembers,
	"totallicenses": KindSubscriptions, "prepaidunits": KindSubscriptions,
}

// guess determines the kind of a file by its properties and its name, which must agree.
func guess(name string, properties []string) (Kind, error) {
	var byProperty, byName []Kind
	for _, p := range properties {
		if k := telling[strings.ToLower(p)]; k != "" && !slices.Contains(byProperty, k) {
			byProperty = append(byProperty, k)
		}
	}
	base := strings.ToLower(filepath.Base(name))
	for _, k := range kinds {
		if strings.Contains(base, k.line()) {
			byName = append(byName, k)
		}
	}
	if slices.Contains(byName, KindMembers) { // group-Members.csv
		byName = []Kind{KindMembers}
	}
	switch {
	case len(byProperty) == 1 && (len(byName) == 0 || slices.Contains(byName, byProperty[0])):
		return byProperty[0], nil
	case len(byProperty) == 0 && len(byName) == 1:
		return byName[0], nil
	}
	return "", misuseOfKind("its content is not clear: by its name it has %s, by its properties (%s) %s. "+
		"Name its kind: users, groups, members or subscriptions",
		orNothing(byName), excerpt.Of(strings.Join(properties, ", "), 100), orNothing(byProperty))
}

func orNothing(list []Kind) string {
	if len(list) == 0 {
		return "nothing"
	}
	words := make([]string, len(list))
	for i, k := range list {
		words[i] = string(k)
	}
	return strings.Join(words, " and ")
}
