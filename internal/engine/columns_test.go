package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/directory/column/columntest"
	"licensor/internal/engine"
	"licensor/internal/fold"
	"licensor/internal/query"
	"licensor/internal/store"
	"licensor/internal/tenant"
)

// written are values for properties of users and groups.
var (
	usersWritten = map[string][]string{
		"accountEnabled": {"true", "false"}, "ageGroup": {`"Minor"`, `"Adult"`, "null"}, "businessPhones": {`["1 2"]`, `["+47 5"]`, "[]"},
		"city": {`"Oslo"`, `"OSLO"`, `"Ålesund"`, "null"}, "companyName": {`"Contoso"`, "null"}, "country": {`"NO"`, "null"},
		"department": {`"Sales"`, `"sales"`, `"Sales, EMEA"`, "null"}, "displayName": {`"Ann Berg"`, `"ÅSE Ⱥ"`, `"ann-lena berg"`, `"Bob"`},
		"employeeHireDate": {`"2026-01-31T12:00:00Z"`, `"1601-01-01T00:00:00Z"`, "null"}, "employeeId": {`"7"`, "null"},
		"employeeOrgData": {`{"costCenter":"7"}`, `{"division":"D","costCenter":null}`, "null"}, "employeeType": {`"Intern"`, "null"},
		"faxNumber": {`"1"`, "null"}, "givenName": {`"Ann"`, `"ann"`, "null"}, "jobTitle": {`"SDE"`, "null"},
		"identities":  {`[{"issuer":"a","issuerAssignedId":"1","signInType":"x"}]`, `[{"issuer":"a","issuerAssignedId":"2","signInType":"x"},{"issuer":"b","issuerAssignedId":"1","signInType":"y"}]`, "[]"},
		"mobilePhone": {`"1"`, "null"}, "officeLocation": {`"18/2111"`, "null"}, "onPremisesImmutableId": {`"x"`, "null"},
		"onPremisesExtensionAttributes": {`{"extensionAttribute1":"x"}`, `{"extensionAttribute15":"y","extensionAttribute1":null}`, "null"},
		"otherMails":                    {`["a@b.example","A@c.example"]`, `["x@y.example"]`, "[]"}, "passwordPolicies": {`"None"`, "null"}, "postalCode": {`"1"`, "null"},
		"preferredLanguage": {`"en-US"`, "null"}, "showInAddressList": {"true", "false", "null"}, "isResourceAccount": {"true", "null"},
		"state": {`"WA"`, "null"}, "streetAddress": {`"Way 1"`, "null"}, "surname": {`"Berg"`, "null"}, "usageLocation": {`"NO"`, `"US"`, "null"},
		"userType": {`"Member"`, `"Guest"`, "null"}, "consentProvidedForMinor": {`"Granted"`, "null"},
	}
	usersImported = map[string][]string{
		"onPremisesSyncEnabled": {"true", "false"}, "onPremisesSamAccountName": {`"sam"`}, "onPremisesLastSyncDateTime": {`"2026-01-31T12:00:00Z"`},
		"onPremisesSecurityIdentifier": {`"S-1-5"`}, "onPremisesUserPrincipalName": {`"x@y"`}, "onPremisesDistinguishedName": {`"CN=x"`},
		"creationType": {`"LocalAccount"`}, "externalUserState": {`"Accepted"`}, "imAddresses": {`["x"]`}, "createdDateTime": {`"2020-01-01T00:00:00Z"`},
	}
	groupsWritten = map[string][]string{
		"description": {`"All of Sales"`, `"all OF it"`, "null"}, "displayName": {`"Sales"`, `"Øst"`}, "classification": {`"low"`, "null"},
		"preferredLanguage": {`"en-US"`, "null"}, "visibility": {`"Private"`, `"Public"`}, "mailNickname": {`"sales"`, `"x"`},
		"resourceBehaviorOptions": {`["A","b"]`, `["B"]`, "[]"}, "resourceProvisioningOptions": {`["Team"]`, "[]"},
	}
)

func randomBody(t *rapid.T, from map[string][]string, most int, fixed ...string) string {
	names := make([]string, 0, len(from))
	for name := range from {
		names = append(names, name)
	}
	slices.Sort(names)
	body := slices.Clone(fixed)
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, most, rapid.ID[string]).Draw(t, "properties") {
		if !slices.ContainsFunc(fixed, func(f string) bool { return strings.HasPrefix(f, `"`+name+`"`) }) {
			body = append(body, fmt.Sprintf("%q:%s", name, rapid.SampledFrom(from[name]).Draw(t, name)))
		}
	}
	return "{" + strings.Join(body, ",") + "}"
}

// columnCommand returns a command that changes properties.
func (p *player) columnCommand() tenant.Command {
	img, name := p.Image(), p.name()
	users, groups := img.Directory.Users(), img.Directory.Groups()
	fixed := []string{`"accountEnabled":true`, `"displayName":"Ann"`, `"mailNickname":"ann"`, fmt.Sprintf(`"userPrincipalName":"%s@test.example"`, name)}
	switch kind := rapid.IntRange(0, 7).Draw(p.t, "column command"); {
	case kind == 0 || users == 0:
		all := map[string][]string{}
		for _, some := range []map[string][]string{usersWritten, usersImported} {
			for name, values := range some {
				all[name] = values
			}
		}
		patch, err := directory.ParseUserImport(members(p.tb, randomBody(p.t, all, 12, fixed...)))
		if err != nil {
			p.t.Fatal(err)
		}
		return tenant.ImportUser{Patch: patch}
	case kind == 1 || groups == 0:
		body := randomBody(p.t, groupsWritten, 5, `"displayName":"Team"`, `"mailEnabled":true`, `"mailNickname":"team"`, `"securityEnabled":true`, `"groupTypes":["Unified"]`)
		return tenant.CreateGroup{Patch: groupPatch(p.tb, "%s", body)}
	case kind == 2:
		return tenant.UpdateGroup{Group: p.group(), Patch: groupPatch(p.tb, "%s", randomBody(p.t, groupsWritten, 4))}
	case kind == 3:
		return p.otherCommand(rapid.IntRange(11, 15).Draw(p.t, "other"))
	case kind == 4 && rapid.Bool().Draw(p.t, "restore"):
		return tenant.RestoreGroup{Group: p.group()}
	}
	return tenant.UpdateUser{User: p.user(), Patch: userPatch(p.tb, "%s", randomBody(p.t, usersWritten, 6))}
}

// TestColumnsAreWhatDocumentsSay plays random histories, with restarts and replays in between. It
// compares each column with each document, and the results of random conditions with a naive
// evaluation on the documents.
func TestColumnsAreWhatDocumentsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouseInMemory(t, rapid.SampledFrom([]int{1, 1000, 1 << 30}).Draw(rt, "snapshot after"))
		defer h.close()
		p := &player{house: h, t: rt}
		for range rapid.IntRange(1, 30).Draw(rt, "commands") {
			switch rapid.IntRange(0, 25).Draw(rt, "restart") {
			case 0:
				h.reopen()
			case 1:
				h.forgetSnapshots()
			}
			if p.earlier == nil || rapid.IntRange(0, 4).Draw(rt, "keep") == 0 {
				p.earlier = p.Image()
			}
			_, _ = p.do(p.columnCommand())
			if rapid.IntRange(0, 9).Draw(rt, "check") == 0 {
				p.checkColumns()
			}
		}
		p.checkColumns()
		h.reopen()
		p.checkColumns()
		h.forgetSnapshots()
		p.checkColumns()
	})
}

// plainObject is an object in its simplest form: its document, and whether it is deleted.
type plainObject struct {
	document map[string]any
	deleted  bool
}

// fataler is a testing.TB or a rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func plain(t fataler, s store.Store, of uuid.UUID, kind store.Kind) map[uint32]plainObject {
	all := map[uint32]plainObject{}
	for _, deleted := range []bool{false, true} {
		rows, err := s.Objects(context.Background(), of, store.Query{Kind: kind, Deleted: deleted, After: -1})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			o := plainObject{deleted: deleted}
			if err := json.Unmarshal(row.Document, &o.document); err != nil {
				t.Fatal(err)
			}
			all[row.Ordinal] = o
		}
	}
	return all
}

// compareColumns compares the columns of all objects with their documents.
func compareColumns(t fataler, s store.Store, of *engine.Tenant) {
	for _, kind := range []store.Kind{store.KindUser, store.KindGroup} {
		compareWith(t, of.Image().Columns(directory.Type(kind)), kind, plain(t, s, of.ID(), kind))
	}
}

func compareWith(t fataler, table *column.Table, kind store.Kind, objects map[uint32]plainObject) {
	for row := range table.Rows() {
		o, ok := objects[row]
		live, deleted := table.Live(int(row/column.BlockRows)), table.Deleted(int(row/column.BlockRows))
		if i := int(row % column.BlockRows); live.Has(i) != (ok && !o.deleted) || deleted.Has(i) != (ok && o.deleted) {
			t.Fatalf("object %d of kind %d is in another state than its row", row, kind)
		}
		for place, c := range table.Schema().Columns {
			if got, want := table.Value(row, place), columntest.Value(o.document, &c); !got.Equal(want) {
				t.Fatalf("column %s of object %d of kind %d has %v, the document %v", c.Name, row, kind, got, want)
			}
		}
	}
}

func (p *player) checkColumns() {
	compareColumns(p.t, p.store, p.Tenant)
	for _, kind := range []store.Kind{store.KindUser, store.KindGroup} {
		for range 4 {
			p.checkCondition(kind, p.Image().Columns(directory.Type(kind)), plain(p.t, p.store, p.ID(), kind))
		}
	}
}

// checkCondition compares the result of a random condition with a naive evaluation on each
// document.
func (p *player) checkCondition(kind store.Kind, table *column.Table, objects map[uint32]plainObject) {
	c, is := randomCondition(p.t, table.Schema(), objects, 3)
	for _, within := range []query.Within{query.WithinLive, query.WithinDeleted} {
		rows, err := p.Find(context.Background(), p.Image(), directory.Type(kind), within, c, "", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		for row := range table.Rows() {
			o, ok := objects[row]
			want := ok && o.deleted == (within == query.WithinDeleted) && is(o.document)
			if rows.Has(row) != want || c.Holds(table, within, row) != want {
				p.t.Fatalf("object %d of kind %d: found %t, the document says %t: %v", row, kind, rows.Has(row), want, o.document)
			}
		}
	}
	for _, img := range []*tenant.Image{p.Image(), cmp.Or(p.earlier, p.Image())} {
		for _, within := range []query.Within{query.WithinLive, query.WithinDeleted} {
			p.checkNames(img, kind, within, c, objects)
		}
	}
}

// randomCondition returns a condition, usually about columns that have values.
func randomCondition(
	t *rapid.T, schema *column.Schema, objects map[uint32]plainObject, depth int,
) (*query.Condition, func(map[string]any) bool) {
	if depth > 0 {
		switch kind := rapid.IntRange(0, 5).Draw(t, "join"); kind {
		case 0:
			c, is := randomCondition(t, schema, objects, depth-1)
			return query.Not(c), func(d map[string]any) bool { return !is(d) }
		case 1, 2:
			var args []*query.Condition
			var all []func(map[string]any) bool
			for range rapid.IntRange(2, 4).Draw(t, "args") {
				c, is := randomCondition(t, schema, objects, depth-1)
				args, all = append(args, c), append(all, is)
			}
			if kind == 1 {
				return query.And(args...), func(d map[string]any) bool {
					return !slices.ContainsFunc(all, func(is func(map[string]any) bool) bool { return !is(d) })
				}
			}
			return query.Or(args...), func(d map[string]any) bool {
				return slices.ContainsFunc(all, func(is func(map[string]any) bool) bool { return is(d) })
			}
		}
	}
	place := rapid.IntRange(0, len(schema.Columns)-1).Draw(t, "column")
	c := &schema.Columns[place]
	var known []column.Value
	for row := range uint32(len(objects)) {
		if v := columntest.Value(objects[row].document, c); !v.IsNull() {
			known = append(known, v)
		}
	}
	var some column.Value
	if len(known) > 0 {
		some = rapid.SampledFrom(known).Draw(t, "value")
	}
	return leaf(t, c, place, some)
}

func leaf(t *rapid.T, c *column.Column, place int, some column.Value) (*query.Condition, func(map[string]any) bool) {
	switch c.Kind {
	case column.KindBool:
		asked := column.Truth(rapid.IntRange(0, 2).Draw(t, "truth"))
		return query.Truth(place, asked), func(d map[string]any) bool { return columntest.Value(d, c).Truth == asked }
	case column.KindTime:
		from := some.Time + int64(rapid.IntRange(-1, 1).Draw(t, "shift"))
		return query.Time(place, from, some.Time), func(d map[string]any) bool {
			at := columntest.Value(d, c).Time
			return at != 0 && at >= from && at <= some.Time
		}
	case column.KindText:
		test, passes := textTest(t, some.Text)
		return query.Text(place, test), func(d map[string]any) bool { return passes(columntest.Value(d, c).Text) }
	}
	width := max(1, len(c.Fields))
	field := rapid.IntRange(0, width-1).Draw(t, "field")
	asked := ""
	if len(some.Texts) > 0 {
		asked = some.Texts[field]
	}
	test, passes := textTest(t, asked)
	e := &column.Element{Join: column.JoinIs, Field: field, Test: &test}
	if rapid.Bool().Draw(t, "not") {
		e = &column.Element{Join: column.JoinNot, Args: []*column.Element{e}}
		inner := passes
		passes = func(text string) bool { return !inner(text) }
	}
	return query.Any(place, e), func(d map[string]any) bool {
		all := columntest.Value(d, c).Texts
		for i := field; i < len(all); i += width {
			if passes(all[i]) {
				return true
			}
		}
		return false
	}
}

// textTest returns a random test, and a plain function that does the same.
func textTest(t *rapid.T, some string) (column.Test, func(string) bool) {
	asked := fold.Text(some)
	runes := []rune(asked)
	if len(runes) > 1 && rapid.Bool().Draw(t, "part") {
		from := rapid.IntRange(0, len(runes)-1).Draw(t, "from")
		asked = string(runes[from:rapid.IntRange(from, len(runes)).Draw(t, "to")])
	}
	op := column.Op(rapid.IntRange(int(column.OpPresent), int(column.OpHasWords)).Draw(t, "op"))
	test := column.Test{Op: op, Text: asked, Set: map[string]struct{}{asked: {}, "sales": {}}}
	return test, func(written string) bool {
		text := fold.Text(written)
		if text == "" {
			return false
		}
		switch op {
		case column.OpPresent:
			return true
		case column.OpEqual:
			return text == asked
		case column.OpIn:
			return text == asked || text == "sales"
		case column.OpLess:
			return text < asked
		case column.OpLessOrEqual:
			return text <= asked
		case column.OpGreater:
			return text > asked
		case column.OpGreaterOrEqual:
			return text >= asked
		case column.OpStarts:
			return strings.HasPrefix(text, asked)
		case column.OpEnds:
			return strings.HasSuffix(text, asked)
		case column.OpContains:
			return strings.Contains(text, asked)
		}
		return !slices.ContainsFunc(strings.Fields(asked), func(word string) bool {
			return !fold.StartsWord(text, word)
		})
	}
}

// TestColumnsAreFilledFromTheRowsOfEarlierVersions opens databases whose commits and snapshots have
// no values.
func TestColumnsAreFilledFromTheRowsOfEarlierVersions(t *testing.T) {
	t.Parallel()
	h := &house{tb: t, path: filepath.Join(t.TempDir(), "licensor.db"), after: 1 << 30}
	data, err := os.ReadFile(filepath.Join("testdata", "format-1.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	defer h.close()
	for range 2 { // the second time there are snapshots with columns
		h.open(nil)
		for _, one := range h.all() {
			compareColumns(t, h.store, one)
		}
		h.close()
	}
}

func groupPatch(tb testing.TB, body string, args ...any) directory.GroupPatch {
	tb.Helper()
	patch, err := directory.ParseGroupPatch(members(tb, fmt.Sprintf(body, args...)))
	if err != nil {
		tb.Fatal(err)
	}
	return patch
}
