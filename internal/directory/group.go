package directory

import (
	"bytes"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Group is Graph's group, without its licenses. As with User, empty texts are null in Graph and
// groups are shared.
type Group struct {
	ID              uuid.UUID
	CreatedDateTime time.Time // UTC, whole seconds, like all times here
	DeletedDateTime time.Time // zero unless it is in the deleted items
	DisplayName     string
	Description     string
	GroupTypes      []string
	Mail            string
	MailEnabled     bool
	MailNickname    string
	ProxyAddresses  []string
	SecurityEnabled bool
	Visibility      string

	AllowExternalSenders          *bool
	AutoSubscribeNewMembers       *bool
	Classification                string
	ExpirationDateTime            time.Time
	HideFromAddressLists          *bool
	HideFromOutlookClients        *bool
	IsAssignableToRole            *bool
	IsSubscribedByMail            *bool
	MembershipRule                string
	MembershipRuleProcessingState string
	OnPremisesDomainName          string
	OnPremisesLastSyncDateTime    time.Time
	OnPremisesNetBIOSName         string
	OnPremisesSamAccountName      string
	OnPremisesSecurityIdentifier  string
	OnPremisesSyncEnabled         *bool
	PreferredDataLocation         string
	PreferredLanguage             string
	RenewedDateTime               time.Time
	ResourceBehaviorOptions       []string
	ResourceProvisioningOptions   []string
	Theme                         string
	UniqueName                    string
	WelcomeMessageEnabled         *bool
	WritebackConfiguration        *WritebackConfiguration
}

// WritebackConfiguration determines whether a group is written back to an on-premises directory,
// and as what. It is stored but has no effect.
type WritebackConfiguration struct {
	IsEnabled           *bool
	OnPremisesGroupType string
}

// Values of groupTypes.
const (
	Unified           = "Unified"
	DynamicMembership = "DynamicMembership"
)

// Values of membershipRuleProcessingState.
const (
	RuleOn     = "On"
	RulePaused = "Paused"
)

// ParseGroup parses the result of Document.
func ParseGroup(document []byte) (*Group, error) { return groupTable.parse(document) }

// Document returns the stored form of the group: a JSON object with Graph's names, without
// properties that have no value.
func (g *Group) Document() []byte { return groupTable.document(g) }

// GroupProperty returns the property with a name, in any letter case.
func GroupProperty(name string) (*Property[Group], bool) { return groupTable.property(name) }

// GroupProperties returns all properties except those of licenses, in alphabetical order. The slice
// is shared.
func GroupProperties() []*Property[Group] { return groupTable.all }

// ParseGroupPatch parses the body of a request that creates or updates a group. Errors are
// *InvalidError.
func ParseGroupPatch(members []Member) (GroupPatch, error) {
	return fittingGroups(groupTable.patch(members, fromClient))
}

// fittingGroups makes a patch refuse updates that would change the kind of a group.
func fittingGroups(patch GroupPatch, err error) (GroupPatch, error) {
	setsState := patch.Has("membershipRuleProcessingState")
	patch.fits = func(before, after *Group) error { return fitsGroup(before, after, setsState) }
	return patch, err
}

// ParseGroupImport parses a group in the form that another directory shows, as ParseUserImport
// does. Errors are *InvalidError.
func ParseGroupImport(members []Member) (GroupPatch, error) {
	return fittingGroups(groupTable.patch(members, fromImport))
}

// ParseGroupExport is ParseGroupImport for a group of an export.
func ParseGroupExport(members []Member) (GroupPatch, error) {
	return fittingGroups(groupTable.patch(members, fromExport))
}

// CopyTexts makes the patch keep nothing of the text that it was parsed from but its own values, as
// ForgetTexts does for users. NewGroup needs the values.
func CopyTexts(patch GroupPatch) {
	for i := range patch.changes {
		patch.changes[i].value = bytes.Clone(patch.changes[i].value)
	}
}

// NewGroup creates a group from a client's request or an import (docs/spec/protocol.md P50).
func NewGroup(patch GroupPatch, id uuid.UUID, now time.Time) (*Group, error) {
	if err := patch.require("Group", "displayName", "mailEnabled", "mailNickname", "securityEnabled"); err != nil {
		return nil, err
	}
	now = now.UTC().Truncate(time.Second)
	group := &Group{ID: id, CreatedDateTime: now, RenewedDateTime: now}
	err := patch.apply(group)
	if err == nil && group.MembershipRule != "" && !group.Dynamic() && patch.from == fromClient {
		err = invalidGroup("membershipRule", "null, unless groupTypes has '"+DynamicMembership+"'")
	}
	if err == nil {
		group.completeRule()
		err = group.consistent()
	}
	if err != nil {
		return nil, err
	}
	group.DeletedDateTime = time.Time{}
	if group.CreatedDateTime.IsZero() {
		group.CreatedDateTime = now
	}
	if group.Unified() && group.Visibility == "" {
		group.Visibility = "Public"
	}
	return group, nil
}

// ExactGroup is NewGroup for a group of an export, which may be deleted, and may have no
// visibility.
func ExactGroup(patch GroupPatch, id uuid.UUID, now time.Time) (*Group, error) {
	group, err := NewGroup(patch, id, now)
	if err != nil {
		return nil, err
	}
	exact := new(Group)
	_ = patch.apply(exact) // it was valid
	if group.DeletedDateTime = exact.DeletedDateTime; patch.Has("visibility") {
		group.Visibility = exact.Visibility
	}
	if !group.DeletedDateTime.IsZero() && !group.SoftDeletes() {
		return nil, invalidGroup("deletedDateTime", "null, since only groups that are Unified can be restored")
	}
	return group, nil
}

// Licensable reports whether licenses can be assigned to the group (docs/spec/licensing.md L30).
func (g *Group) Licensable() bool { return g.SecurityEnabled }

// Unified reports whether the group is a Microsoft 365 group.
func (g *Group) Unified() bool { return slices.Contains(g.GroupTypes, Unified) }

// Dynamic reports whether a rule determines the members.
func (g *Group) Dynamic() bool { return slices.Contains(g.GroupTypes, DynamicMembership) }

// SoftDeletes reports whether the group can be restored after deletion; other groups are purged
// immediately (docs/spec/protocol.md P52).
func (g *Group) SoftDeletes() bool { return g.Unified() }

// GiveAddress gives a new mail-enabled group an address in a domain, unless it has one.
func (g *Group) GiveAddress(domain string) {
	if !g.MailEnabled || g.Mail != "" || domain == "" {
		return
	}
	g.Mail = g.MailNickname + "@" + domain
	if len(g.ProxyAddresses) == 0 {
		g.ProxyAddresses = []string{"SMTP:" + g.Mail}
	}
}

// fitsGroup refuses updates that would change the kind of the group. A group whose members no
// longer follow from a rule is Paused, unless the update sets another state, which is refused
// (docs/spec/dynamic-membership.md D10).
func fitsGroup(before, after *Group, setsState bool) error {
	switch {
	case before.Unified() != after.Unified():
		return invalidGroup("groupTypes", "the current value; the type of a group cannot be changed")
	case isTrue(before.IsAssignableToRole) != isTrue(after.IsAssignableToRole):
		return invalidGroup("isAssignableToRole", "the current value; it can be set on creation only")
	case !after.Dynamic() && after.MembershipRule != "" && after.MembershipRule != before.MembershipRule:
		return invalidGroup("membershipRule", "the current value or null, unless groupTypes has '"+DynamicMembership+"'")
	}
	if before.Dynamic() && !after.Dynamic() && !setsState {
		after.MembershipRuleProcessingState = RulePaused
	}
	after.completeRule()
	return after.consistent()
}

// completeRule sets the state of a group with a rule that has none
// (docs/spec/dynamic-membership.md D3), and removes that of a group without a rule (D1).
func (g *Group) completeRule() {
	switch {
	case g.Dynamic() && g.MembershipRuleProcessingState == "":
		g.MembershipRuleProcessingState = RuleOn
	case !g.Dynamic() && g.MembershipRule == "" && g.MembershipRuleProcessingState == RulePaused:
		g.MembershipRuleProcessingState = ""
	}
}

// consistent returns an *InvalidError if the group's properties conflict. The text of a rule is not
// examined.
func (g *Group) consistent() error {
	switch {
	case g.Unified() && !g.MailEnabled:
		return invalidGroup("mailEnabled", "true, since the group is Unified")
	case !g.MailEnabled && !g.SecurityEnabled:
		return invalidGroup("securityEnabled", "true, unless the group is mail-enabled")
	case isTrue(g.IsAssignableToRole) && !g.SecurityEnabled:
		return invalidGroup("isAssignableToRole", "a group with securityEnabled")
	case g.Dynamic():
		return g.consistentRule()
	case g.MembershipRuleProcessingState == RuleOn:
		return invalidGroup("membershipRuleProcessingState", "'"+RulePaused+"', since the group has no '"+DynamicMembership+"'")
	}
	return nil
}

// consistentRule refuses groups that cannot have a rule, and those without one
// (docs/spec/dynamic-membership.md D2, D3, D79).
func (g *Group) consistentRule() error {
	switch {
	case g.MembershipRule == "":
		return invalidGroup("membershipRule", "a rule, since groupTypes has '"+DynamicMembership+"'")
	case isTrue(g.IsAssignableToRole):
		return invalidGroup("groupTypes", "a list without '"+DynamicMembership+"', since isAssignableToRole is true")
	case g.MailEnabled && !g.Unified():
		return invalidGroup("groupTypes", "'"+DynamicMembership+"' with '"+Unified+"', since the group is mail-enabled")
	case isTrue(g.OnPremisesSyncEnabled):
		return invalidGroup("groupTypes", "a list without '"+DynamicMembership+"', since the group is synced from on-premises")
	}
	return nil
}

func invalidGroup(property, want string) error {
	return &InvalidError{Kind: InvalidValue, Resource: "Group", Property: property, Want: want}
}

func isTrue(flag *bool) bool { return flag != nil && *flag }

// RuleIn returns the membershipRule that a patch sets; "" if it sets none.
func RuleIn(patch GroupPatch) string {
	rule, _ := readString(patch.value("membershipRule"))
	return rule
}

// AssignableIn reports whether a patch makes directory roles assignable to the group.
func AssignableIn(patch GroupPatch) bool { return string(patch.value("isAssignableToRole")) == "true" }
