package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/fold"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/problem"
	"licensor/internal/guid"
	"licensor/internal/memory"
)

// MaxBody limits a request's body, both before and after decompression (P3).
const MaxBody = 4 << 20

// ReadBody reads the whole body of a request, which must have the type mediaType unless its length
// is 0. Another type is refused before the body is received.
func (r *Request) ReadBody(mediaType string, limit int64) ([]byte, error) {
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	if r.ContentLength <= limit { // otherwise it is too large
		if err := HasType(r.Header.Get("Content-Type"), mediaType); err != nil {
			return nil, err
		}
	}
	body, err := r.wholeBody(limit)
	if err != nil {
		return nil, err
	}
	if err := r.Work.Yield(); err != nil { // it has rested while the body was received
		return nil, err
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return nil, nil
	}
	if mediaType == JSONType && Values(body) > MaxBodyValues {
		return nil, problem.Broken("The body has more than %d values. Send it in several requests.", MaxBodyValues)
	}
	return body, nil
}

// MaxBodyValues limits the values in a JSON body. Each takes up to a hundred bytes of memory once
// it is parsed, however short it is.
const MaxBodyValues = 100_000

// Values returns the maximum number of values in a JSON text: one more than the separators and the
// beginnings of lists and objects.
func Values(text []byte) int {
	if len(text) < MaxBodyValues { // with text between them, there are fewer
		return 0
	}
	n, within := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			within = !within
		case !within && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

// HasType refuses a body of another type; parameters are ignored (P3).
func HasType(given, wanted string) error {
	switch got, _, _ := strings.Cut(given, ";"); {
	case strings.EqualFold(strings.TrimSpace(got), wanted):
		return nil
	case wanted != JSONType:
		return &problem.ResponseError{
			Status: http.StatusUnsupportedMediaType, Code: problem.CodeBroken,
			Message: fmt.Sprintf("A Content-Type of '%s' is expected for the body, not '%s'.",
				wanted, problem.Clip(given)),
		}
	case given == "":
		return problem.Broken("Write requests (excluding DELETE) must contain the Content-Type header declaration.")
	}
	return problem.Broken("Entity only allows writes with a JSON Content-Type header.")
}

// plain decodes a Content-Encoding. The SDK for Go compresses bodies by default.
func plain(body io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip":
		return gzip.NewReader(body)
	}
	return nil, &problem.ResponseError{
		Status: http.StatusUnsupportedMediaType, Code: problem.CodeBroken,
		Message: fmt.Sprintf("The Content-Encoding '%s' is not supported. Send the body as it is, or with gzip.",
			encoding),
	}
}

// BodyProblem converts the error of reading a body: too large, contradicting its headers, or
// incomplete.
func BodyProblem(err error, limit int64) error {
	if p, ok := errors.AsType[*problem.ResponseError](err); ok {
		return p
	}
	if full, ok := errors.AsType[*memory.FullError](err); ok {
		return full
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &problem.ResponseError{
			Status: http.StatusRequestEntityTooLarge, Code: problem.CodeBadRequest,
			Message: fmt.Sprintf("The body of the request is larger than the %d MB allowed.", limit>>20),
		}
	}
	return &problem.ResponseError{
		Status: http.StatusBadRequest,
		Code:   problem.CodeBroken,
		Message: "The body of the request could not be read: it is cut off, or not compressed as " +
			"Content-Encoding says.",
	}
}

// JSONType is the media type of JSON.
const JSONType = "application/json"

// Members reads the body of a request, which must be a JSON object, with texts that can be stored.
func (r *Request) Members() ([]directory.Member, error) {
	members, err := r.RawMembers()
	if err != nil {
		return nil, err
	}
	return members, Keepable(r.Op.Resource(), members)
}

// RawMembers is Members without checking the texts.
func (r *Request) RawMembers() ([]directory.Member, error) {
	body, err := r.ReadBody(JSONType, MaxBody)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, &directory.InvalidError{Kind: directory.InvalidType, Want: "JSON in UTF-8"}
	}
	return directory.Members(body)
}

// Keepable refuses texts that clients cannot store in their databases: with the character NUL, or
// half a character.
func Keepable(resource string, members []directory.Member) error {
	for _, m := range members {
		if !strings.ContainsRune(m.Name, 0) && !hasUnkeepable(m.Value) {
			continue
		}
		e := &directory.InvalidError{
			Kind: directory.InvalidValue, Resource: resource, Property: strings.ReplaceAll(m.Name, "\x00", ""),
			Want: "text without the character U+0000 and without halves of surrogate pairs",
		}
		if !strings.Contains(m.Name, "assword") { // which messages do not repeat
			e.Value = string(m.Value)
		}
		return e
	}
	return nil
}

// hasUnkeepable reports whether a text in valid JSON has an escaped NUL or half of a surrogate
// pair. NUL can only occur escaped.
func hasUnkeepable(raw []byte) bool {
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return false
		}
		raw = raw[at:]
		char, ok := escapedChar(raw)
		switch {
		case !ok:
			raw = raw[2:] // another escape, such as \n
			continue
		case char == 0:
			return true
		case utf16.IsSurrogate(char):
			if low, _ := escapedChar(raw[6:]); utf16.DecodeRune(char, low) == utf8.RuneError {
				return true
			}
			raw = raw[6:]
		}
		raw = raw[6:]
	}
}

// escapedChar parses \uXXXX.
func escapedChar(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return rune(n), err == nil
}

// NoBody refuses a body where none is expected, except those that clients send anyway: an empty
// object, null, annotations (P3).
func (r *Request) NoBody() error {
	if empty, err := r.Untyped(JSONType, MaxBody); empty || err != nil {
		return err
	}
	body, err := r.ReadBody(JSONType, MaxBody)
	if err != nil || body == nil || string(body) == "null" {
		return err
	}
	members, err := directory.Members(body)
	if err != nil {
		return err
	}
	return Read(r.Op.Resource(), members, nil)
}

// Spell changes the names of members that equal one of some names, in any letter case, to the
// spelling of that name (P1).
func Spell(members []directory.Member, names []string) {
	for i := range members {
		members[i].Name, _ = fold.Among(names, members[i].Name)
	}
}

// IsAnnotation reports whether a member describes the body instead of a property of the object.
func IsAnnotation(name string) bool { return strings.Contains(fold.Text(name), "@odata.") }

// Read decodes the properties of an object into the values of the map for their names: pointers
// that JSON can be decoded into. Names that are not in the map are refused (P13), except
// annotations, which are skipped (P53).
func Read(resource string, members []directory.Member, into map[string]any, required ...string) error {
	Spell(members, slices.Collect(maps.Keys(into)))
	for _, m := range members {
		to, ok := into[m.Name]
		switch {
		case IsAnnotation(m.Name):
			continue
		case !ok:
			return &directory.InvalidError{Kind: directory.InvalidUnknown, Resource: resource, Property: m.Name}
		}
		if err := readValue(resource, m, to); err != nil {
			return &ValueError{m.Name, m.Value, wanted(to), err}
		}
	}
	for _, name := range required {
		if !slices.ContainsFunc(members, func(m directory.Member) bool { return m.Name == name }) {
			return &directory.InvalidError{Kind: directory.InvalidMissing, Resource: resource, Property: name}
		}
	}
	return nil
}

// Enumeration is a text that must be one of some, in any letter case (P1).
type Enumeration func(sent string)

// OneOfThem is an enumeration of known texts. Other texts are kept unchanged, and the command
// refuses them.
func OneOfThem[T ~string](to *T, known ...T) Enumeration {
	return func(sent string) {
		*to = T(sent)
		for _, name := range known {
			if fold.Equal(string(name), sent) {
				*to = name
			}
		}
	}
}

func readValue(resource string, m directory.Member, to any) error {
	var err error
	switch to := to.(type) {
	case Enumeration:
		var sent string
		if err = readValue(resource, m, &sent); err == nil {
			to(sent)
		}
	case *uuid.UUID:
		*to, err = ReadGUID(m.Value)
	case *ID:
		*(*uuid.UUID)(to), err = ReadID(m.Name, m.Value)
	case *[]uuid.UUID:
		*to, err = readGUIDs(m.Value)
	case *string:
		var ok bool
		if *to, ok = m.Text(); !ok {
			err = invalidValue(resource, m)
		}
	default:
		if string(m.Value) == "null" || json.Unmarshal(m.Value, to) != nil {
			err = invalidValue(resource, m)
		}
	}
	return err
}

func invalidValue(resource string, m directory.Member) error {
	return &directory.InvalidError{
		Kind: directory.InvalidValue, Resource: resource, Property: m.Name, Value: string(m.Value),
	}
}

// Parameters reads the parameters of the requested action. Those whose type does not allow null,
// and further required ones, must be present (P13); without any of these, the body is optional.
func (r *Request) Parameters(into map[string]any, required ...string) error {
	action := r.Op.Resource()
	demands := func(p string) bool { return strings.HasSuffix(p, "!") }
	var members []directory.Member
	if r.ContentLength != 0 || len(required) > 0 || slices.ContainsFunc(edm.Signatures[action].Parameters, demands) {
		var err error
		if members, err = r.Members(); err != nil {
			return err
		}
	}
	given, missing := members, []string(nil)
	for _, p := range edm.Signatures[action].Parameters {
		name, typeName, _ := strings.Cut(p, " ")
		typeName, demanded := strings.CutSuffix(typeName, "!")
		at := slices.IndexFunc(given, func(m directory.Member) bool { return m.Is(name) })
		switch {
		case at < 0 && (demanded || slices.Contains(required, name)):
			missing = append(missing, name)
		case at >= 0 && string(given[at].Value) == "null" && demanded:
			return nullFor(strings.ReplaceAll(typeName, "graph.", edm.Namespace) + "[Nullable=False]")
		case at >= 0 && string(given[at].Value) == "null":
			given = slices.Delete(slices.Clone(given), at, at+1)
		}
	}
	if err := Read(action, given, into); err != nil {
		return err
	}
	if len(missing) > 0 {
		return problem.Refuse("One or more parameters of the operation '%s' are missing from the request payload. "+
			"The missing parameters are: %s.", action, strings.Join(missing, ", "))
	}
	return nil
}

// ReadGUID parses a GUID in quotation marks.
func ReadGUID(raw json.RawMessage) (uuid.UUID, error) {
	if string(raw) == "null" {
		return uuid.Nil, nullFor("Edm.Guid[Nullable=False]")
	}
	text, ok := (directory.Member{Value: raw}).Text()
	if !ok {
		text = string(raw)
	}
	id, ok := guid.Parse(text)
	if !ok {
		p := problem.Refuse("Cannot convert a primitive value to the expected type 'Edm.Guid'. See the inner " +
			"exception for more details.")
		p.Detail = &problem.Detail{
			Code: problem.CodeBadRequest, Target: "",
			Message: fmt.Sprintf("'%s' is not a GUID.", problem.Clip(text)),
		}
		return uuid.Nil, p
	}
	return id, nil
}

// ID is a GUID by which one object is named, and which is not all zeros: in the directory these
// stand for no object, so they would be taken for an id that was not sent.
type ID uuid.UUID

// ReadID parses an ID.
func ReadID(property string, raw json.RawMessage) (uuid.UUID, error) {
	id, err := ReadGUID(raw)
	if err == nil && id == uuid.Nil {
		err = problem.Refuse("Invalid value specified for property '%s': a GUID of zeros is not an id.", property)
	}
	return id, err
}

// nullFor refuses null if the type does not allow it.
func nullFor(typeName string) error {
	return problem.Refuse("A null value was found with the expected type '%s'. The expected type '%s' does not "+
		"allow null values.", typeName, typeName)
}

// readGUIDs parses a list of GUIDs.
func readGUIDs(raw json.RawMessage) ([]uuid.UUID, error) {
	if string(raw) == "null" {
		return nil, nullFor("Collection(Edm.Guid)[Nullable=False]")
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, problem.Refuse("Cannot convert the literal '%s' to the expected type "+
			"'Collection(Edm.Guid)'.", problem.Clip(string(raw)))
	}
	ids := make([]uuid.UUID, len(list))
	for i, element := range list {
		var err error
		if ids[i], err = ReadGUID(element); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// WithoutID removes the id, which clients send back as they have read it (P53).
func WithoutID(members []directory.Member) []directory.Member {
	return slices.DeleteFunc(slices.Clone(members), func(m directory.Member) bool { return m.Is("id") })
}
