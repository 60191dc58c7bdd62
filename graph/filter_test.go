package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"licensor/graph/odata"
	"licensor/store"
)

// TestFiltersBecomeConditionsOfTheStore writes conditions as op(property value, …).
func TestFiltersBecomeConditionsOfTheStore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ filter, want string }{
		{`displayName eq 'Ann'`, `eq(displayName "Ann")`},
		{`displayName eq null`, `eq(displayName null)`},
		{`displayName ne 'Ann'`, `ne(displayName "Ann")`},
		{`displayName ge 'A' and displayName le 'B'`, `and(ge(displayName "A"), le(displayName "B"))`},
		{`displayName in ('a','b')`, `or(eq(displayName "a"), eq(displayName "b"))`},
		{`displayName in ('a')`, `eq(displayName "a")`},
		{`id eq 6FD2C87F-b296-42f0-b197-1e91e994b900`, `eq(id "6fd2c87f-b296-42f0-b197-1e91e994b900")`},
		{`id eq 'x'`, `eq(id "x")`},
		{`accountEnabled eq true`, `eq(accountEnabled true)`},
		{`createdDateTime ge 2026-01-31T13:00:00+01:00`, `ge(createdDateTime "2026-01-31T12:00:00Z")`},
		{`createdDateTime le 2026-01-31`, `le(createdDateTime "2026-01-31T00:00:00Z")`},
		{`startsWith(mail,'a')`, `startswith(mail "a")`},
		{`endsWith(mail,'a')`, `endswith(mail "a")`},
		{`not startsWith(mail,'a')`, `not(startswith(mail "a"))`},
		{`proxyAddresses/any(p:p eq 'a')`, `any(proxyAddresses eq( "a"))`},
		{`proxyAddresses/any(p:startsWith(p,'a') or endsWith(p,'b'))`, `any(proxyAddresses or(startswith( "a"), endswith( "b")))`},
		{`proxyAddresses/any(p:not(p in ('a','b') and p ne 'c'))`, `any(proxyAddresses not(and(or(eq( "a"), eq( "b")), ne( "c"))))`},
		{`(mail eq 'a' or mail eq 'b') and city eq 'c'`, `and(or(eq(mail "a"), eq(mail "b")), eq(city "c"))`},
	} {
		got, err := converted(t, c.filter, true)
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		if text := written(got[0].where); len(got) != 1 || text != c.want {
			t.Errorf("%s: got %s, want %s", c.filter, text, c.want)
		}
	}
}

func TestFiltersThatCannotBeAnsweredNameTheirPart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		filter string
		status int
		want   string
	}{
		{`true`, 400, "'true' at position 1"},
		{`accountEnabled`, 400, "Compare it with a value"},
		{`accountEnabled ge true`, 400, "'ge' at position 16"},
		{`accountEnabled eq 1`, 400, "true or false"},
		{`'Ann' eq displayName`, 400, "''Ann'' at position 1"},
		{`displayName eq mail`, 400, "'mail' at position 16"},
		{`displayName eq 1`, 400, "a text in quotation marks"},
		{`displayName eq 6fd2c87f-b296-42f0-b197-1e91e994b900`, 400, "a text in quotation marks"},
		{`displayName eq 2026-01-31`, 400, "a text in quotation marks"},
		{`displayName eq 1.5`, 400, "a text in quotation marks"},
		{`displayName ge null`, 400, "null is only equal"},
		{`displayName lt 'a'`, 400, "'lt' at position 13"},
		{`displayName/x eq 'a'`, 400, "'displayName/x'"},
		{`createdDateTime eq '2026'`, 400, "a time"},
		{`shoeSize eq 1`, 400, "property 'shoeSize' of resource 'User'"},
		{`contains(displayName,'a')`, 400, "'contains' at position 1"},
		{`endsWith(displayName,'a')`, 400, "endsWith works on"},
		{`startsWith(accountEnabled,'a')`, 400, "Functions of text"},
		{`startsWith(displayName,mail)`, 400, "Functions of text"},
		{`startsWith(displayName,'a') eq true`, 400, "stands on the left"},
		{`proxyAddresses eq 'a'`, 400, "with any"},
		{`proxyAddresses in ('a')`, 400, "with any"},
		{`proxyAddresses/any()`, 400, "any with a condition"},
		{`proxyAddresses/all(p:p eq 'a')`, 400, "any with a condition"},
		{`proxyAddresses/any(p:p/x eq 'a')`, 400, "only p itself"},
		{`proxyAddresses/any(p:displayName eq 'a')`, 400, "only p itself"},
		{`proxyAddresses/any(p:otherMails/any(o:o eq 'a'))`, 400, "cannot stand within any"},
		{`displayName/any(p:p eq 'a')`, 400, "no collection"},
		{`manager/id eq 'a'`, 501, "'manager'"},
		{`displayName in (` + strings.Repeat("'a',", 200) + `'a')`, 400, "200 values"},
		{`assignedLicenses/all(x:x/skuId eq 'a')`, 400, "Supported is any"},
		{`assignedLicenses/any(x:x/skuId eq 1)`, 400, "a text in quotation marks or a GUID"},
		{`assignedLicenses/any(x:x/skuId gt 'a')`, 400, "Supported are eq, ne, not, in"},
		{`assignedLicenses/any(x:startsWith(x/skuId,'a'))`, 400, "Compare a property of x"},
		{`assignedLicenses/$count gt 3`, 400, "$count ne 0"},
	} {
		_, err := converted(t, c.filter, true)
		p, ok := problemOf(err)
		if !ok || p.Status != c.status || !strings.Contains(p.Message, c.want) {
			t.Errorf("%s: %v, want %d %s", c.filter, err, c.status, c.want)
		}
	}
}

func TestAdvancedFiltersWantTheHeader(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{
		`city ne 'a'`, `not city eq 'a'`, `endsWith(mail,'a')`, `proxyAddresses/any(p:endsWith(p,'a'))`, `proxyAddresses/any(p:not(p eq 'a'))`, `assignedLicenses/$count eq 0`,
	} {
		_, err := converted(t, filter, false)
		if p, ok := problemOf(err); !ok || p.Code != unsupportedQuery || !strings.Contains(p.Message, "ConsistencyLevel: eventual") {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

// converted converts a filter of users in an empty tenant.
func converted(t *testing.T, text string, advanced bool) (condition, error) {
	t.Helper()
	f, err := odata.ParseFilter(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r := &request{Request: &http.Request{}, image: emptyImage(), now: time.Unix(0, 0)}
	return (&converter{filters: userFilters, request: r, filter: f, advanced: advanced}).condition(f.Root)
}

var opNames = map[store.Op]string{
	store.And: "and", store.Or: "or", store.Not: "not", store.Eq: "eq", store.Ne: "ne", store.Le: "le", store.Ge: "ge",
	store.StartsWith: "startswith", store.EndsWith: "endswith", store.Any: "any",
}

func written(f *store.Filter) string {
	var args []string
	for _, arg := range f.Args {
		args = append(args, written(arg))
	}
	text := strings.Join(args, ", ")
	switch f.Op {
	case store.And, store.Or, store.Not:
	case store.Any:
		text = f.Property + " " + text
	default:
		value, _ := json.Marshal(f.Value)
		text = f.Property + " " + string(value)
	}
	return opNames[f.Op] + "(" + text + ")"
}
