package auditlog

import (
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"licensor/internal/audit"
	"licensor/internal/graph/odata"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// set is the set of the entries of the audit log (docs/spec/audit.md U1).
const set = "auditLogs/directoryAudits"

// Fields are the properties of directoryAudit (docs/spec/audit.md U10).
var Fields = wire.NewFieldSet("microsoft.graph.directoryAudit", []wire.Field[audit.Entry]{
	wire.Default("activityDateTime", appendTime, (*audit.Entry).Time),
	wire.Default("activityDisplayName", jsontext.AppendText, func(e *audit.Entry) string { return e.Activity }),
	wire.Default("additionalDetails", appendDetails, func(e *audit.Entry) []audit.Detail { return e.Details }),
	wire.Default("category", jsontext.AppendText, func(e *audit.Entry) string { return e.Category }),
	wire.Default("correlationId", jsontext.AppendText, func(e *audit.Entry) string { return e.Commit.Correlation.String() }),
	wire.Default("id", jsontext.AppendText, (*audit.Entry).ID),
	wire.Default("initiatedBy", appendInitiator, func(e *audit.Entry) *audit.Initiator { return &e.By }),
	wire.Default("loggedByService", jsontext.AppendText, func(e *audit.Entry) string { return e.Service }),
	wire.Default("operationType", jsontext.AppendText, func(e *audit.Entry) string { return e.Operation }),
	wire.Default("result", jsontext.AppendText, (*audit.Entry).Result),
	wire.Default("resultReason", jsontext.AppendText, func(*audit.Entry) string { return "" }), // docs/spec/audit.md U19
	wire.Default("targetResources", appendTargets, func(e *audit.Entry) []audit.Target { return e.Targets }),
}).In(set)

// appendTime writes a time with seven decimals, as the audit log has them.
func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05.0000000Z"`)
}

func appendDetails(b []byte, list []audit.Detail) []byte {
	return jsontext.AppendList(b, list, func(b []byte, d audit.Detail) []byte {
		b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "key"), d.Key)
		return append(jsontext.AppendText(jsontext.AppendName(b, "value"), d.Value), '}')
	})
}

// appendInitiator writes initiatedBy (docs/spec/audit.md U13).
func appendInitiator(b []byte, by *audit.Initiator) []byte {
	text := func(name, value string) {
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, name), value)
	}
	if by.IsUser {
		b = append(b, `{"user":{`...)
		text("id", by.ID)
		text("displayName", by.Name)
		text("userPrincipalName", by.Principal)
		text("ipAddress", by.Address)
		return append(b, `},"app":null}`...)
	}
	b = append(b, `{"user":null,"app":{`...)
	text("appId", by.AppID)
	text("displayName", by.Name)
	text("servicePrincipalId", by.ID)
	text("servicePrincipalName", "")
	return append(b, "}}"...)
}

// appendTargets writes targetResources (docs/spec/audit.md U15).
func appendTargets(b []byte, list []audit.Target) []byte {
	return jsontext.AppendList(b, list, func(b []byte, t audit.Target) []byte {
		b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "id"), t.ID)
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "displayName"), t.Name)
		b = jsontext.AppendText(jsontext.AppendName(b, "type"), t.Type)
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "userPrincipalName"), t.Principal)
		b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "groupType"), t.GroupType)
		b = jsontext.AppendName(b, "modifiedProperties")
		b = jsontext.AppendList(b, t.Properties, func(b []byte, p audit.Property) []byte {
			b = jsontext.AppendText(jsontext.AppendName(append(b, '{'), "displayName"), p.Name)
			b = jsontext.AppendTextOrNull(jsontext.AppendName(b, "oldValue"), p.Old)
			return append(jsontext.AppendTextOrNull(jsontext.AppendName(b, "newValue"), p.New), '}')
		})
		return append(b, '}')
	})
}

// pageSize is how many entries a page has (docs/spec/audit.md U4).
const pageSize = 1000

// List answers GET /auditLogs/directoryAudits (docs/spec/audit.md U1 to U8). Reading does
// not change the log.
func List(r *wire.Request) error {
	if err := r.Allow("$filter", "$orderby", "$top", "$skiptoken", "$select"); err != nil {
		return err
	}
	fields, err := Fields.Selected(r)
	if err != nil {
		return err
	}
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	page, err := query.Read(r.Context(), r.Tenant, r.Image)
	if err != nil {
		return err
	}
	list := wire.List[audit.Entry]{
		Context: r.Selected(set), Rows: page.Entries, Count: -1, Write: wire.ObjectWriter(fields),
	}
	if page.Next != nil {
		list.Next = nextLink(r, query, page.Next)
	}
	return wire.SendList(r, list)
}

// nextLink returns the URL of the next page.
func nextLink(r *wire.Request, query *audit.Query, next *audit.Place) string {
	rest := binary.BigEndian.AppendUint64(nil, next.Commit)
	return r.NextLink(int64(query.UpTo), binary.BigEndian.AppendUint32(rest, uint32(next.N))...)
}

// queryOf reads the options of the list. A token has the last commit when the first page was
// made (docs/spec/audit.md U5), and the place of its first entry.
func queryOf(r *wire.Request) (*audit.Query, error) {
	const placeSize = 12
	page, err := r.LongestPage(pageSize, placeSize)
	if err != nil {
		return nil, err
	}
	q := &audit.Query{UpTo: r.Image.Seq, Since: shownSince(r), Limit: page.Limit, Descending: true}
	if q.Condition, err = conditionOf(r.Options.Filter); err != nil {
		return nil, err
	}
	if q.Descending, err = orderOf(r.Options.OrderBy, "activityDateTime", "The entries of the audit log"); err != nil {
		return nil, err
	}
	if page.After >= 0 {
		place := audit.Place{
			Commit: binary.BigEndian.Uint64(page.Rest), N: int(binary.BigEndian.Uint32(page.Rest[8:])),
		}
		if uint64(page.After) > r.Image.Seq || place.Commit > uint64(page.After) || place.Commit == 0 {
			return nil, wire.OtherToken()
		}
		q.UpTo, q.From = uint64(page.After), &place
	}
	return q, nil
}

// shownSince returns the time before which entries are no longer shown (docs/spec/audit.md U6).
func shownSince(r *wire.Request) time.Time { return r.Now.AddDate(0, 0, -r.Image.AuditDays()) }

// orderOf reads $orderby (docs/spec/audit.md U4), by the time only.
func orderOf(keys []odata.Order, property, of string) (descending bool, err error) {
	if len(keys) == 0 {
		return true, nil
	}
	if len(keys) > 1 || !strings.EqualFold(keys[0].Property, property) {
		return false, problem.Unsupported("%s can be ordered by '%s' only.", of, property)
	}
	return keys[0].Descending, nil
}

// Get answers GET /auditLogs/directoryAudits/{entry}.
func Get(r *wire.Request) error {
	if err := r.Allow("$select"); err != nil {
		return err
	}
	fields, err := Fields.Selected(r)
	if err != nil {
		return err
	}
	e, ok, err := audit.Find(r.Context(), r.Tenant, r.Image, r.Keys[0], shownSince(r))
	if err != nil {
		return err
	}
	if !ok {
		return problem.NotFound(r.Keys[0])
	}
	return wire.SendEntity(r, Fields, http.StatusOK, set, fields, &e)
}
