package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"licensor/internal/graph/changes"
	"licensor/internal/graph/edm"
	"licensor/internal/graph/own"
	"licensor/internal/graph/route"
	"licensor/internal/graph/wire"
)

// bodies are as long as they may be, and of every form that may take more memory than its length:
// nested, of very many names, of very many small elements, of characters that are written in six
// bytes. Then what the operation takes, at its bounds.
func (h *heavy) bodies(op *wire.Operation, in input) (list []input) {
	add := func(name, body string) {
		with := in
		with.body, with.name = []byte(body), in.name+" "+name
		if strings.HasSuffix(op.Path, "/import") {
			with.kind = own.LinesType
		}
		list = append(list, with)
	}
	if !strings.HasSuffix(op.Path, "/import") {
		add("nested", `{"a":`+strings.Repeat("[", wire.MaxBody/2-8)+strings.Repeat("]", wire.MaxBody/2-8)+"}")
		add("of many names", manyNames(wire.MaxBody))
	}
	for _, name := range listsIn(op) {
		element := strings.Repeat(`{},`, (wire.MaxBody-100)/3)
		add("with empty objects in "+name, `{"`+name+`":[`+element[:len(element)-1]+"]}")
		element = strings.Repeat(`"",`, (wire.MaxBody-100)/3)
		add("with empty texts in "+name, `{"`+name+`":[`+element[:len(element)-1]+"]}")
		element = strings.Repeat(`0,`, (wire.MaxBody-100)/2)
		add("with numbers in "+name, `{"`+name+`":[`+element[:len(element)-1]+"]}")
	}
	for i, body := range h.wanted(op) {
		add(fmt.Sprintf("at its bounds (%d)", i+1), body)
	}
	return list
}

func manyNames(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size-20; i++ {
		fmt.Fprintf(&b, `,"%x":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// listsIn are the names of lists in the body of an operation: of the parameters of an action, or of
// the properties of what is written.
func listsIn(op *wire.Operation) (names []string) {
	for _, p := range edm.Signatures[op.Resource()].Parameters {
		name, _, _ := strings.Cut(p, " ")
		names = append(names, name)
	}
	for part, lists := range map[string][]string{
		"/users": {"interests", "identities"}, "/groups": {"members@odata.bind", "groupTypes"}, "/applications": {"appRoles", "keyCredentials", "tags"},
		"/servicePrincipals": {"keyCredentials", "servicePrincipalNames"}, "/subscriptions": {"servicePlans"}, "/catalog": {"products", "servicePlans"}, "/signIn": {"trustedIssuers"},
		"/reprocess": {"users", "groups"}, "/prices": {"prices"}, "/faults": {"rules"}, "/tokens": {"permissions"}, "/$batch": {"requests"},
		edm.UnitsRoot: {"members@odata.bind"}, "/organization": {"verifiedDomains", "technicalNotificationMails"}, "/oauth2PermissionGrants": {"scope"},
	} {
		at := strings.LastIndex(op.Path, part)
		if at >= 0 && !strings.Contains(op.Path[at+len(part):], "()") && strings.Count(op.Path[at+len(part):], "/") < 2 {
			names = append(names, lists...)
		}
	}
	slices.Sort(names)
	return names
}

// wanted are bodies that an operation takes, with as much in them as it takes.
func (h *heavy) wanted(op *wire.Operation) []string {
	reference := `{"@odata.id":"` + h.server.URL + `/v1.0/directoryObjects/` + manyID(7000+len(op.Path)) + `"}`
	name := op.Method + " " + strings.ReplaceAll(op.Path, "()", "")
	switch {
	case strings.HasSuffix(name, "/$ref"):
		return []string{reference}
	case strings.HasSuffix(name, "/getMemberGroups"), strings.HasSuffix(name, "/getMemberObjects"):
		return []string{`{"securityEnabledOnly":false}`}
	case strings.HasSuffix(name, "/checkMemberGroups"):
		return []string{`{"groupIds":` + ids(20) + `}`}
	case strings.HasSuffix(name, "/evaluateDynamicMembership"):
		rule := strings.Repeat("user.city -eq null -or ", 100) + "user.city -eq null"
		return []string{`{"memberId":"` + manyID(0) + `","membershipRule":"` + rule + `"}`}
	case strings.HasSuffix(name, "/checkMemberObjects"):
		return []string{`{"ids":` + ids(20) + `}`}
	case strings.HasSuffix(name, "/appRoleAssignments"):
		set := name[5 : 5+strings.IndexByte(name[6:], '/')+1]
		who := map[string]string{
			"/users": manyID(0), "/groups": nobodysID, "/servicePrincipals": h.hub.Principal,
		}[set]
		return []string{given(who, h.hub.Principal, 0, heavyLinks)}
	case strings.HasSuffix(name, "/addPassword"):
		return []string{`{"passwordCredential":{"displayName":"` + strings.Repeat("x", 90) + `"}}`}
	}
	switch name {
	case "POST /users":
		return []string{fmt.Sprintf(`{"accountEnabled":true,"displayName":"New","mailNickname":"new","userPrincipalName":"new@contoso.example","passwordProfile":{"password":"Secret-123!"},%s`, largeUser()[1:])}
	case "PATCH /users/{user}":
		return []string{largeUser()}
	case "POST /groups":
		return []string{`{"displayName":"New","mailNickname":"new","mailEnabled":false,"securityEnabled":true}`}
	case "PATCH /groups/{group}":
		return []string{`{"description":"` + strings.Repeat("x", 1024) + `"}`}
	case "POST /groups/{group}/assignLicense", "POST /users/{user}/assignLicense":
		return []string{`{"addLicenses":[],"removeLicenses":["` + e3 + `"]}`, `{"addLicenses":[{"skuId":"` + e3 + `"}],"removeLicenses":[]}`}
	case "POST /users/{user}/reprocessLicenseAssignment", "POST /users/{user}/revokeSignInSessions", "POST /users/{user}/invalidateAllRefreshTokens":
		return []string{"{}"}
	case "POST /directoryObjects/getByIds":
		return []string{`{"ids":` + ids(1000) + `}`}
	case "POST /applications", "PATCH /applications/{application}", "PATCH /applications(appId='{application}')":
		return []string{largeApplication()}
	case "POST /servicePrincipals":
		return []string{`{"appId":"` + h.application2() + `"}`}
	case "POST /servicePrincipals/{servicePrincipal}/appRoleAssignedTo":
		return []string{given(manyID(3000), h.hub.Principal, 0, 3)}
	case "POST /oauth2PermissionGrants":
		return []string{`{"clientId":"` + h.big[0].Principal + `","consentType":"AllPrincipals","resourceId":"` + h.hub.Principal + `","scope":"x"}`}
	case "POST /directory/deletedItems/getUserOwnedObjects":
		return []string{`{"userId":"` + manyID(0) + `","type":"Group"}`}
	case "POST /directory/deletedItems/{object}/restore":
		return []string{"{}"}
	case "POST " + edm.UnitsRoot:
		return []string{`{"displayName":"New","members@odata.bind":[]}`}
	case "POST " + edm.UnitsRoot + "/{unit}/members":
		return []string{`{"@odata.type":"#microsoft.graph.group","displayName":"New","mailNickname":"new2","mailEnabled":false,"securityEnabled":true}`}
	case "POST " + route.Own + "/reprocess":
		return []string{`{"all":true}`, `{"inError":true}`, `{"users":` + ids(999) + `}`, `{"groups":["` + nobodysID + `"]}`, `{"filter":"error ne 'Other'"}`}
	case "POST " + route.Own + "/previews":
		return changeSets()
	case "POST " + route.Own + "/checks": // run as previews are, and are not kept
		return []string{`{"requests":[` + assignToAll + `]}`}
	case "POST " + route.Own + "/swaps":
		return []string{`{"from":"ENTERPRISEPACK","to":"` + visio + `"}`, `{"from":"` + e3 + `","to":"VISIOCLIENT","filter":"startswith(displayName,'x')","groups":["` + nobodysID + `"]}`}
	case "POST " + route.Own + "/drift/cleanups":
		return []string{`{"filter":"kind ne 'stuck'"}`, `{"filter":"` + strings.Repeat("kind ne 'stuck' and ", 400) + `department eq null","days":1}`}
	case "POST " + route.Own + "/import":
		return importsAtBounds()
	case "PUT " + route.Own + "/catalog":
		return []string{largeCatalog()}
	case "POST /$batch":
		return h.batchBodies()
	case "PUT " + wire.DevelopmentRoot + "clock":
		return []string{`{"now":"2026-01-31T12:00:01Z"}`}
	case "PUT " + wire.DevelopmentRoot + "faults":
		return []string{`{"rules":[]}`}
	case "POST " + wire.DevelopmentRoot + "faults":
		return []string{`{"path":"/nowhere","status":503}`}
	case "PUT " + wire.DevelopmentRoot + "groupProcessing":
		return []string{`{"delay":"PT0S"}`}
	}
	return nil
}

// changeSets are as long as they may be: in requests, and in bytes of large and of small users.
func changeSets() []string {
	set := func(most int, one func(i int) string) string {
		var b strings.Builder
		b.WriteString(`{"requests":[`)
		for i := range most {
			text := one(i)
			if b.Len()+len(text) > changes.MaxSet-100 {
				break
			}
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(text)
		}
		return b.String() + "]}"
	}
	patch := func(i int, body string) string {
		return fmt.Sprintf(`{"id":"%d","method":"PATCH","url":"/users/%s","body":%s}`, i, manyID(i), body)
	}
	return []string{
		set(changes.MaxRequests, func(i int) string { return patch(i, `{"department":"Tried"}`) }),
		set(changes.MaxRequests, func(i int) string { return patch(i, `{"aboutMe":"`+strings.Repeat("x", 3000)+`"}`) }),
		set(changes.MaxRequests, func(i int) string { return patch(i, largeUser()) }),
		set(changes.MaxRequests, func(i int) string {
			return fmt.Sprintf(`{"id":%d,"method":"POST","url":"/users","body":{"accountEnabled":true,"displayName":"Tried","mailNickname":"tried%[1]d",`+
				`"userPrincipalName":"tried%[1]d@contoso.example","passwordProfile":{"password":"Secret-123!"}}}`, i)
		}),
		set(1, func(int) string { return assignToAll }),
	}
}

const assignToAll = `{"id":"all","method":"POST","url":"/groups/` + nobodysID + `/assignLicense",` +
	`"body":{"addLicenses":[],"removeLicenses":["` + e3 + `"]}}`

// preview makes a preview about all users, and returns its id.
func (h *heavy) preview() string {
	var p struct{ ID string }
	h.decode(h.ask("POST", route.Own+"/previews", `{"requests":[`+assignToAll+`]}`), &p)
	return p.ID
}

func (h *heavy) application2() string {
	var a program
	h.decode(h.ask("POST", "/v1.0/applications", `{"displayName":"New"}`), &a)
	return a.AppID
}

func ids(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = `"` + manyID(i%20) + `"`
		if n > 20 {
			list[i] = `"` + manyID(i+(i/20)*21%1000) + `"`
		}
	}
	return "[" + strings.Join(list, ",") + "]"
}

// importsAtBounds are imports as long as they may be: of lines that say nothing, of lines that are
// wrong, of long values that are wrong, of members, of users with large documents, and of as many
// users as possible.
func importsAtBounds() []string {
	many := func(line func(i int) string) string {
		var b strings.Builder
		for i := 0; ; i++ {
			text := line(i)
			if b.Len()+len(text) >= own.MaxImport-100 {
				return b.String()
			}
			b.WriteString(text)
		}
	}
	user := func(i int, more string) string {
		return fmt.Sprintf(`{"user":{"displayName":"N","userPrincipalName":"i%d@contoso.example","mailNickname":"i%d","accountEnabled":true%s}}`+"\n", i, i, more)
	}
	large := `,"skills":` + texts(1000, 1700, `"`)
	return []string{
		many(func(int) string { return "\n" }),
		many(func(int) string { return "0\n" }),
		many(func(int) string { return `{"user":{"id":"` + strings.Repeat("x", 100_000) + `"}}` + "\n" }),
		many(func(i int) string {
			return fmt.Sprintf(`{"member":{"group":"%s","member":"%s"}}`+"\n", nobodysID, manyID(i))
		}),
		many(func(i int) string { return user(1_000_000+i, large) }),
		many(func(i int) string { return user(i, "") }),
	}
}

func largeCatalog() string {
	var plans, products []string
	for i := range 10_000 {
		plans = append(plans, fmt.Sprintf(`{"servicePlanId":"d0000000-0000-4000-8000-%012d","servicePlanName":"P%d"}`, i, i))
	}
	size := 0
	for i := 0; size < 3<<20; i++ {
		products = append(products, fmt.Sprintf(`{"skuId":"d1000000-0000-4000-8000-%012d","skuPartNumber":"S%d","servicePlanIds":["d0000000-0000-4000-8000-%012d"]}`, i, i, i%10_000))
		size += len(products[i])
	}
	return `{"servicePlans":[` + strings.Join(plans, ",") + `],"products":[` + strings.Join(products, ",") + `]}`
}

// batchBodies are batches of changes as long as they may be, and of what the changes answer the
// most.
func (h *heavy) batchBodies() []string {
	body := func(method, path string, body func(i int) string) string {
		return string(batchOf("", maxSteps, func(i int) string { return step20(method, path, body(i)) }).body)
	}
	size := wire.MaxBody/maxSteps - 1000
	return []string{
		body(http.MethodPatch, "/users/"+manyID(0), func(int) string { return `{"skills":` + texts(size/1003, 1000, `"`) + `}` }),
		body(http.MethodPost, "/users", func(int) string { return manyNames(size) }),
		body(http.MethodPost, "/directoryObjects/getByIds", func(int) string { return `{"ids":` + ids(1000) + `}` }),
		body(http.MethodPost, "/users/"+manyID(0)+"/getMemberObjects", func(int) string { return `{"securityEnabledOnly":false}` }),
		body(http.MethodPatch, "/users/"+manyID(0), func(i int) string { return fmt.Sprintf(`{"jobTitle":"%d"}`, i) }),
		body(http.MethodPatch, "/applications/"+h.big[0].ID, func(i int) string { return fmt.Sprintf(`{"notes":"%d"}`, i) }),
		body(http.MethodPost, "/groups/"+nobodysID+"/assignLicense", func(i int) string {
			return [...]string{`{"addLicenses":[],"removeLicenses":["` + e3 + `"]}`, `{"addLicenses":[{"skuId":"` + e3 + `"}],"removeLicenses":[]}`}[i%2]
		}),
	}
}
