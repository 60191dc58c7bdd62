package graph

import (
	"slices"

	"github.com/google/uuid"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/graph/licenses"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// group is a group with all data of its properties. The document is nil if columns are sufficient.
type group struct {
	*directory.Group
	ordinal uint32
	image   *tenant.Image
	row     column.Row
	waiting *wire.Waiting // the state after a pending change of its licenses
}

func groupAt(r *wire.Request, document *directory.Group, ordinal uint32, image *tenant.Image) group {
	return group{
		document, ordinal, image, image.Directory.GroupColumns().Row(ordinal), r.Tenant.Waiting(ordinal, r.Now),
	}
}

const (
	groupType = "microsoft.graph.group"
	groupSet  = "groups"
)

// groupFields are the properties of a group: those of the document, and those of licensing
// (docs/spec/licensing.md L14). GroupMember.Read.All shows only basic ones.
var groupFields = wire.NewFieldSet(groupType, append(
	withWriteback(wire.PropertyFields(
		exceptIDs(directory.GroupProperties()), func(g *group) *directory.Group { return g.Group },
		func(g *group) *column.Row { return &g.row },
	)),
	wire.Field[group]{Name: "assignedLicenses", Write: appendGroupLicenses},
	wire.Field[group]{Name: "hasMembersWithLicenseErrors", Write: appendHasErrors},
	wire.Default("id", jsontext.AppendID, func(g *group) uuid.UUID { return g.image.Directory.GroupID(g.ordinal) }),
	wire.Field[group]{Name: "licenseProcessingState", Write: appendProcessingState},
	wire.Field[group]{
		Name: "membershipRuleProcessingStatus", Beta: true, When: directory.ReturnedByName, Write: appendRuleStatus,
	},
	wire.Field[group]{Name: "securityIdentifier", Write: appendGroupSID, When: directory.ReturnedByDefault},
), "createdDateTime", "description", "displayName", "groupTypes", "id", "mail", "mailEnabled", "mailNickname", "securityEnabled", "visibility").In("groups").BetaShows(func(name string) bool {
	return name == "infoCatalogs" || name == "isManagementRestricted" || name == "organizationId"
})

// withWriteback makes writebackConfiguration a property of beta only, which is an object of nulls
// if it was never set.
func withWriteback(fields []wire.Field[group]) []wire.Field[group] {
	f := &fields[slices.IndexFunc(fields, func(f wire.Field[group]) bool { return f.Name == "writebackConfiguration" })]
	kept := f.Write
	f.Beta, f.Write = true, func(b []byte, g *group) []byte {
		if g.WritebackConfiguration == nil {
			return append(b, `{"isEnabled":null,"onPremisesGroupType":null}`...)
		}
		return kept(b, g)
	}
	return fields
}

func appendGroupSID(b []byte, g *group) []byte {
	return directory.AppendSID(b, g.image.Directory.GroupID(g.ordinal))
}

func appendGroupLicenses(b []byte, g *group) []byte {
	assigned := g.image.Licensing.GroupLicenses(g.ordinal)
	if g.waiting != nil {
		assigned = g.waiting.Licenses
	}
	return jsontext.AppendList(b, assigned, licenses.AppendLicense)
}

func appendHasErrors(b []byte, g *group) []byte {
	inError := g.image.Licensing.GroupErrors(g.ordinal)
	return jsontext.AppendBool(b, inError != nil && !inError.IsEmpty())
}

// appendProcessingState writes that processing is complete, unless a change is pending: a change of
// a group processes its members before the response.
func appendProcessingState(b []byte, g *group) []byte {
	state := processingComplete
	if g.waiting != nil {
		state = g.waiting.State
	}
	return append(jsontext.AppendText(append(b, `{"state":`...), state), '}')
}

// appendRuleStatus writes whether the members follow the rule of a dynamic group
// (docs/spec/dynamic-membership.md D7).
func appendRuleStatus(b []byte, g *group) []byte {
	d := g.image.Dynamic(g.ordinal)
	if d == nil {
		return append(b, "null"...)
	}
	status, message := "Succeeded", []byte("null")
	if d.Failed != "" {
		status, message = "Failed", jsontext.AppendText(nil, d.Failed)
	}
	b = jsontext.AppendText(append(b, `{"status":`...), status)
	b = jsontext.AppendTime(append(b, `,"lastMembershipUpdated":`...), d.Updated)
	return append(append(append(b, `,"errorMessage":`...), message...), '}')
}

// processingComplete is the state of licenseProcessingState if no change is pending
// (docs/spec/licensing.md L14).
const processingComplete = "ProcessingComplete"
