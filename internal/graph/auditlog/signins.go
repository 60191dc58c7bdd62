package auditlog

import (
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/guid"
	"licensor/internal/identity"
	"licensor/internal/jsontext"
	"licensor/internal/signins"
	"licensor/internal/store"
)

const signInSet = "auditLogs/signIns"

// The values of clientAppUsed.
const (
	clientBrowser = "Browser"
	clientOther   = "Mobile Apps and Desktop clients"
)

// SignInFields are the properties of signIn (docs/spec/audit.md U31, U32). Those about risk, places
// and policies have the values that the real service has when it knows nothing.
var SignInFields = wire.NewFieldSet("microsoft.graph.signIn", append([]wire.Field[signins.SignIn]{
	wire.Default("appDisplayName", jsontext.AppendTextOrNull, func(s *signins.SignIn) string { return s.AppName }),
	wire.Default("appId", jsontext.AppendText, appIDOf),
	wire.Default("clientAppUsed", jsontext.AppendText, clientOf),
	wire.Default("conditionalAccessStatus", jsontext.AppendText, always("notApplied")),
	wire.Default("correlationId", jsontext.AppendText, func(s *signins.SignIn) string { return s.Correlation.String() }),
	wire.Default("createdDateTime", appendTime, func(s *signins.SignIn) time.Time { return s.At }),
	wire.Default("deviceDetail", appendDevice, func(s *signins.SignIn) string { return s.Agent }),
	wire.Default("id", jsontext.AppendText, func(s *signins.SignIn) string { return s.ID.String() }),
	wire.Default("ipAddress", jsontext.AppendTextOrNull, func(s *signins.SignIn) string { return s.Address }),
	wire.Default("isInteractive", jsontext.AppendBool, isInteractive),
	wire.Default("location", appendLocation, always("")),
	wire.Default("resourceDisplayName", jsontext.AppendText, always("Microsoft Graph")),
	wire.Default("resourceId", jsontext.AppendText, always(identity.GraphAppID)),
	wire.Default("riskDetail", jsontext.AppendText, always("none")),
	wire.Default("riskLevelAggregated", jsontext.AppendText, always("none")),
	wire.Default("riskLevelDuringSignIn", jsontext.AppendText, always("none")),
	wire.Default("riskState", jsontext.AppendText, always("none")),
	wire.Default("status", appendStatus, func(s *signins.SignIn) int { return s.Error }),
	wire.Default("userDisplayName", jsontext.AppendTextOrNull, userNameOf),
	wire.Default("userId", jsontext.AppendText, userIDOf),
	wire.Default("userPrincipalName", jsontext.AppendTextOrNull, func(s *signins.SignIn) string { return s.Name }),
}, append(emptyLists("appliedConditionalAccessPolicies", "riskEventTypes", "riskEventTypes_v2"), betaSignInFields()...)...)).In(signInSet)

func betaSignInFields() []wire.Field[signins.SignIn] {
	fields := []wire.Field[signins.SignIn]{
		wire.Default("servicePrincipalId", jsontext.AppendTextOrNull, principalIDOf),
		wire.Default("servicePrincipalName", jsontext.AppendTextOrNull, principalNameOf),
		wire.Default("signInEventTypes", appendKinds, func(s *signins.SignIn) signins.Kind { return s.Kind }),
	}
	for i := range fields {
		fields[i].Beta = true
	}
	return fields
}

func emptyLists(names ...string) (fields []wire.Field[signins.SignIn]) {
	for _, name := range names {
		write := func(b []byte, _ string) []byte { return append(b, "[]"...) }
		fields = append(fields, wire.Default(name, write, always("")))
	}
	return fields
}

func always(text string) func(*signins.SignIn) string {
	return func(*signins.SignIn) string { return text }
}

func isInteractive(s *signins.SignIn) bool { return s.Kind == signins.KindInteractive }

func ofPrincipal(s *signins.SignIn) bool { return s.Kind == signins.KindServicePrincipal }

func appIDOf(s *signins.SignIn) string { return s.AppID.String() }

func clientOf(s *signins.SignIn) string {
	if s.Browser {
		return clientBrowser
	}
	return clientOther
}

// userIDOf returns the id of the user: zeros if the user is unknown, "" for an application.
func userIDOf(s *signins.SignIn) string {
	if ofPrincipal(s) {
		return ""
	}
	return s.ObjectID.String()
}

func userNameOf(s *signins.SignIn) string {
	if ofPrincipal(s) {
		return ""
	}
	return s.DisplayName
}

func principalIDOf(s *signins.SignIn) string {
	if ofPrincipal(s) {
		return s.ObjectID.String()
	}
	return ""
}

func principalNameOf(s *signins.SignIn) string {
	if ofPrincipal(s) {
		return s.DisplayName
	}
	return ""
}

func appendKinds(b []byte, kind signins.Kind) []byte {
	return append(jsontext.AppendText(append(b, '['), string(kind)), ']')
}

// reasons are why sign-ins fail, in the words of the real service.
var reasons = map[int]string{
	50053: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
	50055: "Invalid password, entered expired password.",
	50057: "The user account is disabled.",
	50105: "The signed in user is not assigned to a role for the application.",
	50126: "Error validating credentials due to invalid username or password.",
	65001: "The user or administrator has not consented to use the application.",
}

func appendStatus(b []byte, code int) []byte {
	b = jsontext.AppendInt(append(b, `{"errorCode":`...), code)
	b = jsontext.AppendTextOrNull(append(b, `,"failureReason":`...), reasons[code])
	return append(b, `,"additionalDetails":null}`...)
}

func appendDevice(b []byte, agent string) []byte {
	browser, system := deviceOf(agent)
	b = jsontext.AppendTextOrNull(append(b, `{"deviceId":null,"displayName":null,"operatingSystem":`...), system)
	b = jsontext.AppendTextOrNull(append(b, `,"browser":`...), browser)
	return append(b, `,"isCompliant":null,"isManaged":null,"trustType":null}`...)
}

func appendLocation(b []byte, _ string) []byte {
	return append(b, `{"city":null,"state":null,"countryOrRegion":null,"geoCoordinates":null}`...)
}

// deviceOf returns the browser and the operating system that a User-Agent plainly names, in the
// words of the real service; "" if it does not. Browsers also name those that they resemble, so the
// order matters.
func deviceOf(agent string) (browser, system string) {
	for _, known := range [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"},
	} {
		if _, rest, ok := strings.Cut(agent, known[0]); ok {
			version, _, _ := strings.Cut(rest, " ")
			browser = known[1] + " " + version
			break
		}
	}
	for _, known := range [][2]string{
		{"Windows NT 10.0", "Windows 10"},
		{"iPhone", "Ios"},
		{"iPad", "Ios"},
		{"Android", "Android"},
		{"Mac OS X", "MacOs"},
		{"Linux", "Linux"},
	} {
		if strings.Contains(agent, known[0]) {
			return browser, known[1]
		}
	}
	return browser, ""
}

// ListSignIns answers GET /auditLogs/signIns (docs/spec/audit.md U30). It needs no license (U36).
func ListSignIns(r *wire.Request) error {
	if err := r.Allow("$filter", "$orderby", "$top", "$skiptoken", "$select"); err != nil {
		return err
	}
	fields, err := SignInFields.Selected(r)
	if err != nil {
		return err
	}
	query, err := signInQueryOf(r)
	if err != nil {
		return err
	}
	page, err := r.SignIns.Read(r.Context(), r.Caller.Tenant, query)
	if err != nil {
		return err
	}
	list := wire.List[signins.SignIn]{
		Context: r.Selected(signInSet), Rows: page.SignIns, Count: -1, Write: wire.ObjectWriter(fields),
	}
	if next := page.Next; next != nil {
		rest := binary.BigEndian.AppendUint64(nil, uint64(next.At.UnixMilli()))
		list.Next = r.NextLink(int64(page.UpTo), binary.BigEndian.AppendUint64(rest, next.Number)...)
	}
	return wire.SendList(r, list)
}

// signInQueryOf reads the options of the list. A token has the last sign-in when the first page was
// made (docs/spec/audit.md U5), and the place of the last one on the page before.
func signInQueryOf(r *wire.Request) (q signins.Query, err error) {
	const placeSize = 16
	page, err := r.LongestPage(pageSize, placeSize)
	if err != nil {
		return q, err
	}
	condition, err := signInConditionOf(r)
	if err != nil {
		return q, err
	}
	q = signins.Query{Holds: condition.holds, From: condition.from, Until: condition.until, Limit: page.Limit}
	if since := signInsSince(r); q.From.Before(since) {
		q.From = since
	}
	if q.Descending, err = orderOf(r.Options.OrderBy, "createdDateTime", "Sign-ins"); err != nil {
		return q, err
	}
	if page.After >= 0 {
		q.UpTo = uint64(page.After)
		q.After = &store.SignInPlace{
			At:     time.UnixMilli(int64(binary.BigEndian.Uint64(page.Rest))).UTC(),
			Number: binary.BigEndian.Uint64(page.Rest[8:]),
		}
		if q.UpTo == 0 || q.After.Number > q.UpTo {
			return q, wire.OtherToken()
		}
	}
	return q, nil
}

// signInsSince returns the time before which sign-ins are no longer shown (docs/spec/audit.md U34).
func signInsSince(r *wire.Request) time.Time { return r.Now.AddDate(0, 0, -r.Image.SignInDays()) }

// GetSignIn answers GET /auditLogs/signIns/{signIn}.
func GetSignIn(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	fields, err := SignInFields.Selected(r)
	if err != nil {
		return err
	}
	id, ok := guid.Parse(r.Keys[0])
	if !ok {
		return problem.NotFound(r.Keys[0])
	}
	s, ok, err := r.SignIns.Find(r.Context(), r.Caller.Tenant, id)
	if err != nil {
		return err
	}
	if !ok || s.At.Before(signInsSince(r)) {
		return problem.NotFound(r.Keys[0])
	}
	return wire.SendEntity(r, SignInFields, http.StatusOK, signInSet, fields, &s)
}
